"""Judge by the words before a pause whether the guest has finished or only hesitates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

_TRAILS_OFF = (",", "...", "…", "-", "\u2013", "\u2014", ":")
_CLOSES = (".", "?", "!", "\u3002", "\uff1f", "\uff01")


class TurnEnd(Enum):
    """Whether the words of an utterance are complete when speech pauses."""

    FINISHED = auto()
    """They are complete: a short pause is enough."""
    OPEN = auto()
    """Something must follow: wait for a longer pause."""
    UNKNOWN = auto()
    """The words do not tell: wait for the usual pause."""


Judge = Callable[[str], TurnEnd]
"""Judges the text of an utterance. Called while audio waits, so it must be quick and pure."""


@dataclass(frozen=True, slots=True)
class TurnEndPolicy:
    """The length of the pause that ends an utterance, in frames, by whether it is complete.

    `finished` applies only to words recognised with at least `confidence`.
    """

    finished: int
    open: int
    confidence: float

    def hangover(self, ending: TurnEnd, confidence: float) -> int | None:
        """Return the pause to wait for, in frames; None for the usual one."""
        if ending is TurnEnd.OPEN:
            return self.open
        if ending is TurnEnd.FINISHED and confidence >= self.confidence:
            return self.finished
        return None


def by_marks(text: str) -> TurnEnd:
    """Judge by punctuation alone, without knowing the menu or the language.

    Recognisers close most texts with a full stop, including many half sentences. But where they do
    and are sure of the words, people rarely continue after a third of a second.
    """
    text = text.rstrip()
    if text.endswith(_TRAILS_OFF):
        return TurnEnd.OPEN
    return TurnEnd.FINISHED if text.endswith(_CLOSES) else TurnEnd.UNKNOWN
