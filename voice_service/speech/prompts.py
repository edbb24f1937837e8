"""What to say to a guest, and when. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from voice_service.ordering import CartUpdate

Why = Literal["greeting", "question", "change", "readback", "handover"]


@dataclass(frozen=True, slots=True)
class Say:
    """Something to say now. `id` counts up within a session."""

    id: str
    text: str
    why: Why


class Prompts:
    """Decides what a guest is told after each change of the order, and tells nothing twice.

    `texts` are the sentences of the language in which the guest is answered.
    """

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts
        self._count = 0
        self._asked: str | None = None
        self._read_back = ""
        self._handed_over = False

    def greeting(self) -> Say:
        """Return what a guest is told first: that a computer listens."""
        return self._say(self._texts["greeting"], "greeting")

    def after(self, update: CartUpdate) -> Say | None:
        """Return what to say about the order as it is now; None if that has been said."""
        question = next((r.question for r in update.reasons if r.question is not None), None)
        if update.status == "needs_staff":
            return self._hand_over(question)
        self._handed_over = False
        if question is not None and (question != self._asked or update.change):
            self._asked = question
            return self._say(question, "question")
        if question is None:
            self._asked = None
        if update.status == "confirmed" and update.readback != self._read_back:
            self._read_back = update.readback
            return self._say(update.readback, "readback")
        if question is None and update.change and update.status != "confirmed":
            return self._say(update.change, "change")
        return None

    def _hand_over(self, question: str | None) -> Say | None:
        """Return that a person comes, once; the reason's own words are better than general ones."""
        if self._handed_over:
            return None
        self._handed_over = True
        return self._say(question or self._texts["handover"], "handover")

    def _say(self, text: str, why: Why) -> Say:
        self._count += 1
        return Say(str(self._count), text, why)
