"""Tell the guest's speech from people in the background, by loudness and confidence.

Other people talk behind a guest, and murmured words are easily recognised as words of the menu.
docs/adr/0015-who-is-overheard.md explains where the bounds come from.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np

from voice_service.audio.formats import SAMPLE_RATE
from voice_service.utterances.vad import FRAME

_REMEMBERED: Final = 10 * SAMPLE_RATE // FRAME
"""Frames whose levels are kept."""
_ENOUGH: Final = 3 * SAMPLE_RATE // FRAME
"""Frames needed for a floor: of fewer, most may be the guest's own speech."""
_QUIETER_SHARE: Final = 30
"""Percentile of the kept levels that is the floor: about the level between a guest's words."""
_BESIDE_DB: Final = 3.0
"""Speech no further below the guest's is the guest's, whether it stands out or not."""
_UNDERSTOOD: Final = 0.7
"""Confidence from which speech that is not background sets the guest's level."""


@dataclass(frozen=True, slots=True)
class BackgroundSettings:
    """When speech may be somebody else's than the guest's.

    Speech stands out if it is `stand_out_db` above the quieter frames of the last ten seconds.
    Speech that is `faint_db` below the guest's, or 3 dB below it without standing out, needs a
    confidence of `faint_confidence`. Before anybody has been understood, `unclear_confidence` is
    enough for speech that does not stand out: in noise as loud as the guest, nothing does.
    """

    stand_out_db: float
    faint_db: float
    faint_confidence: float
    unclear_confidence: float


class BackgroundModel:
    """The levels that one session's microphone has picked up, as mean squares of samples."""

    def __init__(self, settings: BackgroundSettings) -> None:
        self._settings = settings
        self._levels: deque[float] = deque(maxlen=_REMEMBERED)
        self._guest = 0.0
        """Level of the guest's speech that was understood last; 0 before that."""

    def add(self, level: float) -> None:
        """Add the level of the next frame."""
        self._levels.append(level)

    @property
    def floor(self) -> float:
        """Return the level that speech must stand out from; 0 while too few frames are known."""
        if len(self._levels) < _ENOUGH:
            return 0.0
        return float(np.percentile(self._levels, _QUIETER_SHARE))

    def is_background(self, level: float, floor: float, confidence: float) -> bool:
        """Return whether speech recognised with `confidence` may be somebody else's.

        `floor` is the floor at the moment when the speech ended. If the speech is the guest's and
        well understood, its level becomes the guest's level.
        """
        if confidence < self._required_confidence(level, floor):
            return True
        if confidence >= _UNDERSTOOD:
            self._guest = level
        return False

    def _required_confidence(self, level: float, floor: float) -> float:
        settings = self._settings
        hidden = level < floor * _ratio(settings.stand_out_db)
        if not self._guest:
            unclear = min(settings.unclear_confidence, settings.faint_confidence)
            return unclear if hidden else 0.0
        bound = min(_BESIDE_DB, settings.faint_db) if hidden else settings.faint_db
        return settings.faint_confidence if level * _ratio(bound) < self._guest else 0.0


def _ratio(decibels: float) -> float:
    return float(10 ** (decibels / 10))
