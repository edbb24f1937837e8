"""Which decode an utterance needs next, and how urgently."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

_HEAD_START = 0.25
"""Seconds of waiting that a final is ahead of a first partial and of a stalled utterance."""


class Urgency(IntEnum):
    """Why a decode is wanted; lower goes first (see `DecodeNeed.turn`)."""

    FINAL = 0
    FIRST_PARTIAL = 1
    """Nothing of the utterance has been shown yet."""
    STALLED = 2
    """No word has come for so long that the utterance may be over, though there is sound."""
    SPECULATIVE = 3
    """The final of an utterance whose pause may end it."""
    PARTIAL = 4

    @property
    def thorough(self) -> bool:
        """Whether the answer may become a final."""
        return self in (Urgency.FINAL, Urgency.SPECULATIVE)


@dataclass(frozen=True, slots=True)
class DecodeNeed:
    """A wish for a decode, which arose at `since` (seconds of the session's clock).

    `language` and `bias` are those that its request will have.
    """

    urgency: Urgency
    since: float
    language: str = ""
    bias: str = ""

    @property
    def turn(self) -> tuple[int, float]:
        """The least goes first: the more urgent, and of two alike the older.

        Finals and first partials have deadlines instead: where there are more finals than can be
        decoded at once, guests who begin to speak would else be left without a sign. So has the
        decode that may end a stalled utterance, since its final waits for that.
        """
        if self.urgency in (Urgency.FIRST_PARTIAL, Urgency.STALLED):
            return Urgency.FINAL, self.since + _HEAD_START
        return self.urgency, self.since
