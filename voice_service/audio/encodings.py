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
    "slin16": ("pcm_s16le", 16_000),
    "slin48": ("pcm_s16le", 48_000),
    # Telephony, where the rate is part of the name
    "ulaw": ("mulaw", _TELEPHONE),
    "g711_ulaw": ("mulaw", _TELEPHONE),
    "pcmu": ("mulaw", _TELEPHONE),
    "audio/pcmu": ("mulaw", _TELEPHONE),
    "audio/basic": ("mulaw", _TELEPHONE),
    "audio/x_mulaw": ("mulaw", _TELEPHONE),
    "g711_alaw": ("alaw", _TELEPHONE),
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


def resolve(name: str) -> tuple[str, int | None]:
    """Return our own name for an encoding, and the sample rate in Hz that the name given implies.

    A name that is not known is returned as it is.
    """
    essence, *parameters = (part.strip() for part in name.lower().split(";"))
    known = essence.replace("-", "_")
    encoding, rate = _NAMES.get(known, (known, None))
    for key, _, value in (parameter.partition("=") for parameter in parameters):
        codecs = value.strip("\"' ") if key.strip() == "codecs" else None
        if codecs is not None and encoding == "fmp4":
            encoding = "fmp4_opus" if codecs == "opus" else "fmp4_aac"
        elif key.strip() == "rate" and value.isdecimal():
            rate = int(value)
    return encoding, rate
