"""Who stands out at a microphone: how loud an utterance is beside all else that it hears.

Behind a guest other people talk, and what is murmured becomes words of the menu all too easily
(docs/adr/0015-who-is-overheard.md, where the bounds come from).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np

from voice_service.audio.formats import SAMPLE_RATE
from voice_service.utterances.vad import FRAME

_REMEMBERED: Final = 10 * SAMPLE_RATE // FRAME
_ENOUGH: Final = 3 * SAMPLE_RATE // FRAME
"""Frames: of less, most may be the guest."""
_QUIETER_SHARE: Final = 30
"""In % of the last frames: between words and behind a guest it is about as quiet as this."""


_BESIDE_DB: Final = 3.0
"""What is no further below the guest is the guest, whether it stands out or not."""
_UNDERSTOOD: Final = 0.7
"""Who is understood so well, and is not overheard, is the guest from then on."""


@dataclass(frozen=True, slots=True)
class BackgroundSettings:
    """Speech stands out if it is `stand_out_db` above the quieter frames of the last ten seconds.

    Of speech that is `faint_db` below the guest's, or 3 dB below it without standing out, the
    decoder must be as sure as `faint_confidence`. While nobody has been understood,
    `unclear_confidence` is enough for what does not stand out: in a noise as loud as the guest
    nothing does.
    """

    stand_out_db: float
    faint_db: float
    faint_confidence: float
    unclear_confidence: float


class BackgroundModel:
    """What one session has heard. Levels are mean squares of samples."""

    def __init__(self, settings: BackgroundSettings) -> None:
        self._settings = settings
        self._levels: deque[float] = deque(maxlen=_REMEMBERED)
        self._guest = 0.0
        """The level of the speech that was understood last."""

    def hear(self, level: float) -> None:
        """Take the level of the next frame."""
        self._levels.append(level)

    @property
    def floor(self) -> float:
        """What speech must stand out from; 0 while too little has been heard to know."""
        if len(self._levels) < _ENOUGH:
            return 0.0
        return float(np.percentile(self._levels, _QUIETER_SHARE))

    def is_background(self, level: float, floor: float, confidence: float) -> bool:
        """Whether speech that was understood so well may be somebody else's than the guest's.

        `floor` is that of the moment when it ended.
        """
        if confidence < self._needed(level, floor):
            return True
        if confidence >= _UNDERSTOOD:
            self._guest = level
        return False

    def _needed(self, level: float, floor: float) -> float:
        settings = self._settings
        hidden = level < floor * _ratio(settings.stand_out_db)
        if not self._guest:
            unclear = min(settings.unclear_confidence, settings.faint_confidence)
            return unclear if hidden else 0.0
        bound = min(_BESIDE_DB, settings.faint_db) if hidden else settings.faint_db
        return settings.faint_confidence if level * _ratio(bound) < self._guest else 0.0


def _ratio(decibels: float) -> float:
    return float(10 ** (decibels / 10))
