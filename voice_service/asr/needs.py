"""The decode that an utterance needs next, and how urgent it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

_HEAD_START = 0.25
"""Seconds of waiting by which a final is ahead of a first partial or a stalled utterance."""


class Urgency(IntEnum):
    """Why a decode is needed. Lower values go first, but see `DecodeNeed.turn`."""

    FINAL = 0
    FIRST_PARTIAL = 1
    """Nothing of the utterance has been shown yet."""
    STALLED = 2
    """There is sound, but no new word for so long that the utterance may be over."""
    SPECULATIVE = 3
    """The final, tried during a pause that may end the utterance."""
    PARTIAL = 4

    @property
    def thorough(self) -> bool:
        """Return whether the result may become a final."""
        return self in (Urgency.FINAL, Urgency.SPECULATIVE)


@dataclass(frozen=True, slots=True)
class DecodeNeed:
    """An utterance's need for a decode, which arose at `since` (seconds of the session's clock).

    `language` and `bias` are those of the request that will be made for it.
    """

    urgency: Urgency
    since: float
    language: str = ""
    bias: str = ""

    @property
    def turn(self) -> tuple[int, float]:
        """Return a sort key: the most urgent need first, and of two alike the older one.

        First partials and stalled utterances compete with finals by age, after a head start.
        Otherwise a steady supply of finals would leave guests who begin to speak without a sign,
        and a stalled utterance without the decode that its own final waits for.
        """
        if self.urgency in (Urgency.FIRST_PARTIAL, Urgency.STALLED):
            return Urgency.FINAL, self.since + _HEAD_START
        return self.urgency, self.since
