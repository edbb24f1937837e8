"""Notice bytes that are not the samples they were declared to be. Pure.

Neighbouring samples of sound are alike; bytes that are read in a wrong way are not. So the bytes
are read in every way, and where only another one gives something like sound, it is the right one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from voice_service.audio.readings import BIG_ENDIAN, READINGS, Reading

_WINDOW: Final = 4_096
"""Bytes that are judged together: 0.13 s at 16 kHz, or 0.5 s of a telephone's."""
_WINDOWS: Final = 64
"""Windows after which the declaration has proved right."""
_AGREEING: Final = 3
"""Windows in which the same other reading must be the better one."""
_CERTAIN: Final = 0.85
"""Correlation of neighbouring samples that no wrong reading has: the declaration is right."""
_ALIKE: Final = 0.6
_UNLIKE: Final = 0.25
"""Correlation of neighbouring samples: at least the one where bytes are read rightly, within the
other of 0 where they are not. It is 0.7 to 0.99 in speech, about 0 in noise however it is read, and
towards -1 in high tones."""
_FULL_SCALE: Final = 8.0
"""Larger samples are no floats of sound, even of a client that scales them loosely."""
_LEAST_POWER: Final = 1e-7
"""Quieter windows say nothing: in silence all readings are alike."""
_LOUD: Final = 0.1
"""Power that pairs of G.711 code words always have when they are read as 16-bit samples."""
_SAME_BYTES: Final = 0.25
"""Most that the distributions of both bytes of a pair may differ if each is a sample of its own."""
_OTHERS: Final[Mapping[str, Reading]] = {**READINGS, "big-endian": BIG_ENDIAN}
_ADVICE: Final = {
    name: f"declare audio.encoding {name}, or send what was declared" for name in READINGS
} | {"big-endian": "send samples with their low byte first"}


class DeclarationCheck:
    """Judges the first seconds of a session's audio by what was declared for it."""

    def __init__(self, encoding: str, channels: int) -> None:
        self._encoding = encoding
        self._channels = channels
        self._rest = b""
        self._left = _WINDOWS
        self._votes: Counter[str] = Counter()

    def add(self, payload: bytes) -> str | None:
        """Take the next bytes; return what they are and what to declare, once that is certain."""
        if not self._left:
            return self._found()
        data = self._rest + payload
        while self._left and len(data) >= _WINDOW:
            window, data = data[:_WINDOW], data[_WINDOW:]
            self._left -= 1
            reading = likely_reading(window, self._encoding, self._channels)
            if reading is not None:
                self._votes[reading] += 1
                if reading == self._encoding or self._votes[reading] == _AGREEING:
                    self._left = 0
        self._rest = data if self._left else b""
        return self._found()

    def _found(self) -> str | None:
        for other, votes in self._votes.items():
            if other != self._encoding and votes == _AGREEING:
                return f"audio is {other}, not {self._encoding}; {_ADVICE[other]}"
        return None


def likely_reading(window: bytes, encoding: str, channels: int) -> str | None:
    """Return the reading in which bytes are like sound; None if that cannot be told.

    It cannot in silence and noise, which are alike in every reading.
    """
    declared = _samples(window, READINGS[encoding], channels)
    own = _likeness(declared, channels)
    if own is None and np.isfinite(declared).all() and np.abs(declared).max() <= _FULL_SCALE:
        return None
    found = {
        name: likeness
        for name, reading in _OTHERS.items()
        if name != encoding
        and (likeness := _likeness(_samples(window, reading, channels), channels)) is not None
    }
    if encoding == "pcm_s16le" and _is_companded(window, declared):
        # Read as pairs, code words keep some likeness: that of every second one.
        own = None
        found = {name: likeness for name, likeness in found.items() if name in ("mulaw", "alaw")}
    if own is not None and own > _CERTAIN:
        return encoding
    best = max(found, key=found.__getitem__, default=None)
    wrong = own is None or abs(own) < _UNLIKE
    return best if best is not None and wrong and found[best] > _ALIKE else None


def _samples(window: bytes, reading: Reading, channels: int) -> NDArray[np.float32]:
    whole = len(window) - len(window) % (reading.width * channels)
    return reading.samples(window[:whole])


def _likeness(samples: NDArray[np.float32], channels: int) -> float | None:
    """Return how alike neighbouring samples of a channel are; None for silence and no sound."""
    if not np.isfinite(samples).all() or np.abs(samples).max() > _FULL_SCALE:
        return None
    centred = samples.astype(np.float64) - samples.mean(dtype=np.float64)
    power = float(np.dot(centred, centred))
    if power < _LEAST_POWER * len(centred):
        return None
    return float(np.dot(centred[channels:], centred[:-channels])) / power


def _is_companded(window: bytes, declared: NDArray[np.float32]) -> bool:
    """Return whether both bytes of 16-bit samples are distributed like samples of their own."""
    if float(np.mean(np.square(declared))) < _LOUD:
        return False
    coarse = np.frombuffer(window, np.uint8) >> 4
    low, high = (np.bincount(coarse[i::2], minlength=16) / len(coarse[i::2]) for i in (0, 1))
    return float(np.abs(low - high).sum()) / 2 < _SAME_BYTES
