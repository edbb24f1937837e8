"""Who stands out at a microphone: how loud an utterance is beside all else that it hears.

Behind a guest other people talk, and what is murmured becomes words of the menu all too easily
(docs/adr/0015-who-is-overheard.md, where the bounds come from).
"""

from __future__ import annotations

import sys
from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np

from voice_service.audio import SAMPLE_RATE
from voice_service.vad import FRAME

_REMEMBERED: Final = 10 * SAMPLE_RATE // FRAME
_ENOUGH: Final = 3 * SAMPLE_RATE // FRAME
"""Frames: of less, most may be the guest."""
_QUIETER_SHARE: Final = 30
"""In % of the last frames: between words and behind a guest it is about as quiet as this."""


_BESIDE_DB: Final = 3.0
"""What is as loud as this beside the guest, and stands out, is the guest."""


@dataclass(frozen=True, slots=True)
class SurroundingsSettings:
    """Speech stands out if it is `stand_out_db` above the quieter frames of the last ten seconds.

    Of what is less loud than the loudest that was understood, and does not stand out, and of what
    is `faint_db` less loud in any case, the decoder must be as sure as `faint_confidence`. While
    nobody has been understood, `unclear_confidence` is enough for what does not stand out: in a
    noise as loud as the guest nothing does.
    """

    stand_out_db: float
    faint_db: float
    faint_confidence: float
    unclear_confidence: float


class Surroundings:
    """What one session has heard. Levels are mean squares of samples."""

    def __init__(self, settings: SurroundingsSettings) -> None:
        self._settings = settings
        self._levels: deque[float] = deque(maxlen=_REMEMBERED)
        self._loudest = 0.0

    def hear(self, level: float) -> None:
        """Take the level of the next frame."""
        self._levels.append(level)

    def understood(self, level: float, confidence: float) -> None:
        """Speech of this level was understood; it counts if the decoder was sure enough."""
        if confidence >= self._settings.unclear_confidence:
            self._loudest = max(self._loudest, level)

    @property
    def floor(self) -> float:
        """What speech must stand out from; 0 while too little has been heard to know."""
        if len(self._levels) < _ENOUGH:
            return 0.0
        return float(np.percentile(self._levels, _QUIETER_SHARE))

    def needed(self, level: float, floor: float) -> float:
        """How sure the decoder must be that speech of this level is the guest's.

        `floor` is that of its time.
        """
        settings = self._settings
        hidden = level < floor * _ratio(settings.stand_out_db)
        if not self._loudest:
            return settings.unclear_confidence if hidden else 0.0
        below = self._loudest / max(level, sys.float_info.min)
        faint = below >= _ratio(_BESIDE_DB if hidden else settings.faint_db)
        return settings.faint_confidence if faint else 0.0


def _ratio(decibels: float) -> float:
    return float(10 ** (decibels / 10))
