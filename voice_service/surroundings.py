"""Who stands out at a microphone: how loud an utterance is beside all else that it hears.

Behind a guest other people talk, and what is murmured becomes words of the menu all too easily
(docs/adr/0010-hypotheses-against-the-menu.md, where the bounds come from).
"""

from __future__ import annotations

from collections import deque
from typing import Final

import numpy as np

from voice_service.audio import SAMPLE_RATE
from voice_service.vad import FRAME

_REMEMBERED: Final = 10 * SAMPLE_RATE // FRAME
_ENOUGH: Final = 3 * SAMPLE_RATE // FRAME
"""Frames: of less, most may be the guest."""
_QUIETER_SHARE: Final = 30
"""In % of the last frames: between words and behind a guest it is about as quiet as this."""


class Surroundings:
    """What one session has heard. Levels are mean squares of samples; ratios are in dB.

    Background is what is not `stand_out_db` above the quieter frames of the last ten seconds, or is
    `faint_db` below the loudest that was understood.
    """

    def __init__(self, *, stand_out_db: float, faint_db: float) -> None:
        self._stands_out = 10 ** (stand_out_db / 10)
        self._faint = 10 ** (-faint_db / 10)
        self._levels: deque[float] = deque(maxlen=_REMEMBERED)
        self._loudest = 0.0

    def hear(self, level: float) -> None:
        """Take the level of the next frame."""
        self._levels.append(level)

    def understood(self, level: float) -> None:
        """Speech of this level was understood well."""
        self._loudest = max(self._loudest, level)

    @property
    def floor(self) -> float:
        """What speech must stand out from; 0 while too little has been heard to know."""
        if len(self._levels) < _ENOUGH:
            return 0.0
        return float(np.percentile(self._levels, _QUIETER_SHARE))

    def behind(self, level: float, floor: float) -> bool:
        """Whether speech of this level, over the `floor` of its time, may be in the background."""
        return level < max(floor * self._stands_out, self._loudest * self._faint)
