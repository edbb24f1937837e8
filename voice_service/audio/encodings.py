"""The names of encodings: our own, and those that other services and browsers use. Pure."""

from __future__ import annotations

from typing import Final, Literal

PcmEncoding = Literal["pcm_s16le", "pcm_f32le", "mulaw", "alaw"]
ContainerEncoding = Literal["webm_opus", "ogg_opus", "fmp4_aac", "fmp4_opus", "fmp4", "opus"]
Encoding = Literal[
    "pcm_s16le",
    "pcm_f32le",
    "mulaw",
    "alaw",
    "webm_opus",
    "ogg_opus",
    "fmp4_aac",
    "fmp4_opus",
    "fmp4",
    "opus",
]
"""`fmp4` has either of its codecs; `opus` is in whichever container the first bytes show."""

_TELEPHONE: Final = 8_000
_NAMES: Final[dict[str, tuple[Encoding, int | None]]] = {
    # Google, Deepgram, OpenAI, ffmpeg
    "linear16": ("pcm_s16le", None),
    "pcm16": ("pcm_s16le", None),
    "pcm": ("pcm_s16le", None),
    "s16le": ("pcm_s16le", None),
    "audio/pcm": ("pcm_s16le", None),
    "f32le": ("pcm_f32le", None),
    # Asterisk
    "slin": ("pcm_s16le", _TELEPHONE),
    "slin12": ("pcm_s16le", 12_000),
    "slin16": ("pcm_s16le", 16_000),
    "slin24": ("pcm_s16le", 24_000),
    "slin32": ("pcm_s16le", 32_000),
    "slin44": ("pcm_s16le", 44_100),
    "slin48": ("pcm_s16le", 48_000),
    "slin96": ("pcm_s16le", 96_000),
    "slin192": ("pcm_s16le", 192_000),
    # Telephony, where the rate is part of the name
    "ulaw": ("mulaw", _TELEPHONE),
    "g711_ulaw": ("mulaw", _TELEPHONE),
    "pcm_mulaw": ("mulaw", _TELEPHONE),
    "pcmu": ("mulaw", _TELEPHONE),
    "audio/pcmu": ("mulaw", _TELEPHONE),
    "audio/basic": ("mulaw", _TELEPHONE),
    "audio/x_mulaw": ("mulaw", _TELEPHONE),
    "g711_alaw": ("alaw", _TELEPHONE),
    "pcm_alaw": ("alaw", _TELEPHONE),
    "pcma": ("alaw", _TELEPHONE),
    "audio/pcma": ("alaw", _TELEPHONE),
    "audio/x_alaw": ("alaw", _TELEPHONE),
    # MediaRecorder's mimeType
    "audio/webm": ("webm_opus", None),
    "video/webm": ("webm_opus", None),
    "audio/ogg": ("ogg_opus", None),
    "audio/mp4": ("fmp4", None),
    "video/mp4": ("fmp4", None),
    "audio/opus": ("opus", None),
}


_CODECS: Final[dict[str, dict[str, Encoding]]] = {
    "webm_opus": {"opus": "webm_opus"},
    "ogg_opus": {"opus": "ogg_opus"},
    "opus": {"opus": "opus"},
    "fmp4": {"opus": "fmp4_opus", "mp4a": "fmp4_aac"},
    "fmp4_opus": {"opus": "fmp4_opus"},
    "fmp4_aac": {"mp4a": "fmp4_aac"},
}
"""What each container may hold, by the codec's name in a MIME type up to its first dot."""


def resolve(name: str) -> tuple[str, int | None]:
    """Return our own name for an encoding, and the sample rate in Hz that the name given implies.

    A name that is not known is returned as it is. Raises ValueError if its `codecs` has none that
    is decoded.
    """
    essence, *parameters = (part.strip() for part in name.lower().split(";"))
    known = essence.replace("-", "_")
    encoding, rate = _NAMES.get(known, (known, None))
    for key, _, value in (parameter.partition("=") for parameter in parameters):
        if key.strip() == "codecs" and encoding in _CODECS:
            encoding = _holding(encoding, value.strip("\"' "))
        elif key.strip() == "rate" and value.isdecimal():
            rate = int(value)
    return encoding, rate


def _holding(container: str, codecs: str) -> Encoding:
    """Return the container with the one of these codecs that is decoded: others are pictures."""
    decoded = _CODECS[container]
    for codec in codecs.split(","):
        found = decoded.get(codec.strip().partition(".")[0])
        if found is not None:
            return found
    names = " or ".join({"mp4a": "mp4a.40.2"}.get(codec, codec) for codec in decoded)
    raise ValueError(f"codecs={codecs[:40]} is not decoded in this container: use {names}")
