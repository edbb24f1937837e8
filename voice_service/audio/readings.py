"""The ways in which bytes can be read as samples. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

_Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Reading:
    """How many bytes a sample has, and how bytes become samples from -1 to 1."""

    width: int
    samples: Callable[[bytes], _Floats]


def _mulaw_table() -> _Floats:
    """Return all 256 code words of ITU-T G.711 mu-law as samples."""
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    magnitude = (((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4)
    linear = np.where(code & 0x80, 0x84 - magnitude, magnitude - 0x84)
    return np.asarray(linear / 32768, np.float32)


def _alaw_table() -> _Floats:
    """Return all 256 code words of ITU-T G.711 A-law as samples."""
    code = np.arange(256, dtype=np.int32) ^ 0x55
    exponent = (code & 0x70) >> 4
    mantissa = (code & 0x0F) << 4
    magnitude = np.where(
        exponent == 0, mantissa + 8, (mantissa + 0x108) << np.maximum(exponent - 1, 0)
    )
    linear = np.where(code & 0x80, magnitude, -magnitude)
    return np.asarray(linear / 32768, np.float32)


_PCM16: Final = np.float32(1 / 32768)
_MULAW: Final = _mulaw_table()
_ALAW: Final = _alaw_table()

READINGS: Final[Mapping[str, Reading]] = {
    "pcm_s16le": Reading(2, lambda b: np.frombuffer(b, "<i2").astype(np.float32) * _PCM16),
    "pcm_f32le": Reading(4, lambda b: np.frombuffer(b, "<f4").astype(np.float32)),
    "mulaw": Reading(1, lambda b: _MULAW[np.frombuffer(b, np.uint8)]),
    "alaw": Reading(1, lambda b: _ALAW[np.frombuffer(b, np.uint8)]),
}
BIG_ENDIAN: Final = Reading(2, lambda b: np.frombuffer(b, ">i2").astype(np.float32) * _PCM16)
"""Not taken, but sent by mistake: network byte order, as in RFC 3551's L16."""
