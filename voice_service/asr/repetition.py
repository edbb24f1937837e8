"""Whether a decoder went round in circles: it then writes the same again and again."""

from __future__ import annotations

import zlib
from typing import Final

_COMPRESSION_LIMIT: Final = 2.4
"""Text that zlib shrinks more than this repeats itself (threshold of Whisper's own decoder)."""
_COMPRESSION_MIN_CHARS: Final = 60
"""zlib's ratio says nothing about short texts: "two, two, two" is no loop."""
_SENTENCE_WORDS: Final = 7
"""So many words and the same again are a loop, however long the audio is: it may be noise."""
_PHRASE_WORDS: Final = 5
_FASTEST_SPEECH: Final = 4.5
"""Words per second of audio: a guest who says a phrase twice takes twice the time."""
_PUNCTUATION: Final = ".,!?;:"


def loops(text: str, seconds: float) -> bool:
    """Whether the decoder went round in circles in so many seconds of audio."""
    raw = text.encode()
    if len(raw) >= _COMPRESSION_MIN_CHARS and (
        len(raw) / len(zlib.compress(raw)) > _COMPRESSION_LIMIT
    ):
        return True
    words = [word.strip(_PUNCTUATION).lower() for word in text.split()]
    half, odd = divmod(len(words), 2)
    if not odd and half >= _SENTENCE_WORDS and words[:half] == words[half:]:
        return True
    return len(words) > _FASTEST_SPEECH * seconds and _says_again(words)


def _says_again(words: list[str]) -> bool:
    """Whether a phrase is followed by itself; once more is too little for zlib to notice."""
    return any(
        words[at : at + length] == words[at + length : at + 2 * length]
        for length in range(_PHRASE_WORDS, len(words) // 2 + 1)
        for at in range(len(words) - 2 * length + 1)
    )
