"""Notice a microphone that passes the telephone's band only, although more was declared. Pure.

A Bluetooth headset in hands-free mode is one. Its speech has nothing above 4 kHz, not even in
sibilants, which are louder there than below.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from voice_service.audio.formats import SAMPLE_RATE, Framer, Samples

FRAME: Final = 512
"""Samples whose spectrum is taken: 32 ms."""
_FRAMES: Final = 125
"""Frames with sound that are judged: 4 s, so that some sibilants are among them."""
_LEAST_POWER: Final = 1e-6
"""Of a frame with sound: -60 dB below full scale."""
_SHARE: Final = 95
"""Percentile of the frames, by how much they have above 4 kHz, that decides."""
_NARROW_DB: Final = -30.0
"""What that frame has above 4 kHz, compared with below. Of 190 recordings of speech and noise, the
least was -20 dB; the same upsampled from 8 kHz had -40 dB at most."""

_WINDOW: Final = np.hanning(FRAME).astype(np.float32)
_HERTZ: Final = np.fft.rfftfreq(FRAME, 1 / SAMPLE_RATE)
_MIDDLE: Final = slice(*np.searchsorted(_HERTZ, (2_000, 3_300)))
_HIGH: Final = slice(*np.searchsorted(_HERTZ, (4_500, 7_600)))
_SILENCE: Final = 1e-12


def high_over_middle(frame: Samples) -> float | None:
    """Return how many dB stronger a frame is above 4 kHz than below; None if it has no sound."""
    if float(np.mean(np.square(frame))) < _LEAST_POWER:
        return None
    spectrum: NDArray[np.float64] = np.abs(np.fft.rfft(frame * _WINDOW)) ** 2
    middle, high = (spectrum[band].mean() + _SILENCE for band in (_MIDDLE, _HIGH))
    return float(10 * np.log10(high / middle))


def is_narrow(levels: list[float]) -> bool:
    """Return whether sound whose frames have these levels (`high_over_middle`) is narrow."""
    return float(np.percentile(levels, _SHARE)) < _NARROW_DB


class BandwidthMeter:
    """Judges the first seconds of sound in a session."""

    def __init__(self) -> None:
        self._framer = Framer(FRAME)
        self._levels: list[float] = []
        self.narrow = False
        """Whether the microphone has proved to be narrow."""

    def add(self, samples: Samples) -> bool:
        """Take the next samples; return True once, when the microphone proves to be narrow."""
        if len(self._levels) == _FRAMES:
            return False
        for frame in self._framer.push(samples):
            level = high_over_middle(frame)
            if level is not None and len(self._levels) < _FRAMES:
                self._levels.append(level)
        self.narrow = len(self._levels) == _FRAMES and is_narrow(self._levels)
        return self.narrow
