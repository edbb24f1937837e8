"""Detect loops: a decoder that writes the same words again and again."""

from __future__ import annotations

import zlib
from typing import Final

_COMPRESSION_LIMIT: Final = 2.4
"""Text that zlib compresses by more than this is a loop (the threshold of Whisper's decoder)."""
_COMPRESSION_MIN_CHARS: Final = 60
"""Shorter texts are not tested by zlib's ratio: "two, two, two" is no loop."""
_SENTENCE_WORDS: Final = 7
"""This many words said twice are a loop, however long the audio: it may be noise."""
_PHRASE_WORDS: Final = 5
_FASTEST_SPEECH: Final = 4.5
"""Words per second of audio. A guest who really says a phrase twice takes twice the time."""
_PUNCTUATION: Final = ".,!?;:"


def loops(text: str, seconds: float) -> bool:
    """Return whether `text`, decoded from `seconds` of audio, is a loop."""
    raw = text.encode()
    if len(raw) >= _COMPRESSION_MIN_CHARS and (
        len(raw) / len(zlib.compress(raw)) > _COMPRESSION_LIMIT
    ):
        return True
    words = [word.strip(_PUNCTUATION).lower() for word in text.split()]
    half, odd = divmod(len(words), 2)
    if not odd and half >= _SENTENCE_WORDS and words[:half] == words[half:]:
        return True
    return len(words) > _FASTEST_SPEECH * seconds and _repeats_phrase(words)


def _repeats_phrase(words: list[str]) -> bool:
    """Return whether a phrase is followed by itself; zlib does not notice a single repeat."""
    return any(
        words[at : at + length] == words[at + length : at + 2 * length]
        for length in range(_PHRASE_WORDS, len(words) // 2 + 1)
        for at in range(len(words) - 2 * length + 1)
    )
