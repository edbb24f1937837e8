"""What the words before a pause say about it: has the guest finished, or only hesitated?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

_TRAILS_OFF = (",", "...", "…", "-", "\u2013", "\u2014", ":")
_CLOSES = (".", "?", "!", "\u3002", "\uff1f", "\uff01")


class TurnEnd(Enum):
    """How the words of an utterance stand when speech pauses."""

    FINISHED = auto()
    """They are whole: a short pause is enough."""
    OPEN = auto()
    """Something must follow them: a longer pause is waited for."""
    UNKNOWN = auto()


Judge = Callable[[str], TurnEnd]
"""Judges the text of an utterance. Called while audio waits: it must be quick, and pure."""


@dataclass(frozen=True, slots=True)
class TurnEndPolicy:
    """How much of a pause ends an utterance, in frames, by how its words stand.

    Words that are whole must also be heard with some `confidence`.
    """

    finished: int
    open: int
    confidence: float

    def hangover(self, ending: TurnEnd, confidence: float) -> int | None:
        """The pause to wait for; None for the usual one."""
        if ending is TurnEnd.OPEN:
            return self.open
        if ending is TurnEnd.FINISHED and confidence >= self.confidence:
            return self.finished
        return None


def by_marks(text: str) -> TurnEnd:
    """The judgement of a reader who knows no menu and no language.

    Recognisers close most texts with a full stop, also many a half sentence; but where they do,
    and are sure of the words, people rarely go on after a third of a second.
    """
    text = text.rstrip()
    if text.endswith(_TRAILS_OFF):
        return TurnEnd.OPEN
    return TurnEnd.FINISHED if text.endswith(_CLOSES) else TurnEnd.UNKNOWN
