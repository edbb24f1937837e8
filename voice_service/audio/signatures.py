"""Recognise files and containers by their first bytes, and say what to declare. Pure."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

HEAD: Final = 12
"""Bytes from which a container can be told from others."""


@dataclass(frozen=True, slots=True)
class Signature:
    """What bytes begin with, the encodings that it may be declared as, and what else to do."""

    name: str
    encodings: tuple[str, ...]
    advice: str


_SEND_SAMPLES: Final = "decode it, and send samples as pcm_s16le"


def recognised(head: bytes) -> Signature | None:
    """Return what the first bytes of a stream are; None if it may be bare samples."""
    for begins, describe in _SIGNATURES:
        if begins(head):
            return describe(head)
    return None


def mismatch(encoding: str, head: bytes) -> str | None:
    """Return why the first bytes of a stream are not what was declared, and what to do.

    None if they may be.
    """
    found = recognised(head)
    if found is not None:
        if encoding in found.encodings:
            return None
        return f"audio is {found.name}, not {encoding}; {found.advice}"
    if encoding in _BEGINS_WITH and len(head) >= HEAD:
        expected = _BEGINS_WITH[encoding]
        return (
            f"audio is not {encoding}, which begins with {expected}; send the recording from its "
            "first byte, or declare bare samples, such as pcm_s16le"
        )
    return None


_BEGINS_WITH: Final[Mapping[str, str]] = {
    "webm_opus": "the bytes 1A 45 DF A3",
    "ogg_opus": "OggS",
    "fmp4_aac": "an ftyp box",
    "fmp4_opus": "an ftyp box",
    "fmp4": "an ftyp box",
    "opus": "the head of WebM, Ogg or MP4",
}
_WAV_ENCODINGS: Final = {
    (1, 16): "pcm_s16le",
    (3, 32): "pcm_f32le",
    (6, 8): "alaw",
    (7, 8): "mulaw",
}
"""By the format tag and the bits per sample of a WAV file."""


def _wav(head: bytes) -> Signature:
    at = head.find(b"fmt ")
    name = "a WAV file"
    if at < 0 or len(head) < at + 24:
        return Signature(name, (), "send its samples without the header, as its header says")
    tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", head, at + 8)
    encoding = _WAV_ENCODINGS.get((tag, bits))
    if encoding is None:
        return Signature(name, (), _SEND_SAMPLES)
    declared = f"{encoding}, sample_rate {rate}, channels {channels}"
    return Signature(name, (), f"send its samples without the header, declared as {declared}")


def _ogg(head: bytes) -> Signature:
    if b"OpusHead" in head or len(head) < 64:
        return Signature("Ogg", ("ogg_opus", "opus"), "declare ogg_opus")
    return Signature("Ogg without Opus", (), _SEND_SAMPLES)


def _matroska(head: bytes) -> Signature:
    return Signature("WebM", ("webm_opus", "opus"), "declare webm_opus")


def _mp4(head: bytes) -> Signature:
    if b"Opus" in head:
        return Signature("MP4 with Opus", ("fmp4_opus", "opus", "fmp4"), "declare fmp4_opus")
    if b"mp4a" in head:
        return Signature("MP4 with AAC", ("fmp4_aac", "fmp4"), "declare fmp4_aac")
    return Signature("MP4", ("fmp4_opus", "opus", "fmp4_aac", "fmp4"), "declare fmp4")


def _refused(name: str) -> Callable[[bytes], Signature]:
    return lambda head: Signature(name, (), _SEND_SAMPLES)


def _is_adts(head: bytes) -> bool:
    """Return whether a stream begins with two ADTS frames of AAC (ISO/IEC 13818-7)."""
    length = _adts_length(head, 0)
    return length is not None and _adts_length(head, length) is not None


def _adts_length(head: bytes, at: int) -> int | None:
    if len(head) < at + 7 or head[at] != 0xFF or head[at + 1] & 0xF6 != 0xF0:
        return None
    length = (head[at + 3] & 0x03) << 11 | head[at + 4] << 3 | head[at + 5] >> 5
    return length if (head[at + 2] >> 2 & 0x0F) < 13 and length > 7 else None


def _is_mp3(head: bytes) -> bool:
    """Return whether a stream begins with an ID3 tag or with two MPEG frames of layer III."""
    if head[:3] == b"ID3" and len(head) >= 10 and head[3] < 0x10:
        return True
    length = _mp3_length(head, 0)
    return length is not None and _mp3_length(head, length) is not None


_MP3_KBITS: Final = (
    (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
)
"""Bit rates of layer III in kbit/s, of MPEG-1 and of MPEG-2, by their index."""
_MP3_RATES: Final = (44_100, 48_000, 32_000)
"""Sample rates of MPEG-1; those of MPEG-2 are half of them, those of MPEG-2.5 a quarter."""


def _mp3_length(head: bytes, at: int) -> int | None:
    if len(head) < at + 4 or head[at] != 0xFF or head[at + 1] & 0xE6 != 0xE2:
        return None
    version, kbits, rate = head[at + 1] >> 3 & 3, head[at + 2] >> 4, head[at + 2] >> 2 & 3
    if version == 1 or kbits in (0, 15) or rate == 3:
        return None
    first = version == 3
    hertz = _MP3_RATES[rate] // {3: 1, 2: 2, 0: 4}[version]
    padding = head[at + 2] >> 1 & 1
    return (144 if first else 72) * 1_000 * _MP3_KBITS[not first][kbits] // hertz + padding


_SIGNATURES: Final[tuple[tuple[Callable[[bytes], bool], Callable[[bytes], Signature]], ...]] = (
    (lambda head: head[:4] == b"RIFF" and head[8:12] in (b"WAVE", b""), _wav),
    (lambda head: head[:5] == b"OggS\0", _ogg),
    (lambda head: head[:4] == b"\x1a\x45\xdf\xa3", _matroska),
    (lambda head: head[4:8] in (b"ftyp", b"styp", b"moof"), _mp4),
    (lambda head: head[:4] == b"fLaC", _refused("a FLAC file")),
    (_is_adts, _refused("AAC in ADTS")),
    (_is_mp3, _refused("MP3")),
)
