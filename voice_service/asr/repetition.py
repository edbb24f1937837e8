"""Detect words that the decoder wrote and nobody said: loops, phrases written twice, haste.

After a long prompt, and in windows shorter than those it was trained on, the decoder likes to write
a short utterance twice: docs/measurements/recognition.md, "Words that the prompt adds".
"""

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
_FASTEST_MOUTH: Final = 6.5
"""Words per second of speech, …"""
_SPARE_WORDS: Final = 1
"""… and so many more, as the detector may miss the beginning or the end. Of 369 recordings of
people and of synthetic voices, the fastest has 5.8 words per second in 2.3 s."""
_PUNCTUATION: Final = ".,!?;:"


def loops(text: str, seconds: float) -> bool:
    """Return whether `text`, decoded from `seconds` of audio, is a loop."""
    raw = text.encode()
    if len(raw) >= _COMPRESSION_MIN_CHARS and (
        len(raw) / len(zlib.compress(raw)) > _COMPRESSION_LIMIT
    ):
        return True
    words = _words(text)
    half, odd = divmod(len(words), 2)
    if not odd and half >= _SENTENCE_WORDS and words[:half] == words[half:]:
        return True
    return len(words) > _FASTEST_SPEECH * seconds and _repeats_phrase(words, _PHRASE_WORDS)


def doubtful(text: str, speech_s: float) -> bool:
    """Return whether `text`, for `speech_s` seconds of speech, should be heard once more.

    Guests do say things twice: this is a doubt, and no verdict.
    """
    return _repeats_phrase(_words(text), 1) or too_fast(text, speech_s)


def too_fast(text: str, speech_s: float) -> bool:
    """Return whether nobody can say `text` in `speech_s` seconds."""
    return len(text.split()) > _FASTEST_MOUTH * speech_s + _SPARE_WORDS


def _words(text: str) -> list[str]:
    return [word.strip(_PUNCTUATION).lower() for word in text.replace("-", " ").split()]


def _repeats_phrase(words: list[str], least: int) -> bool:
    """Return whether a phrase of at least `least` words is followed by itself.

    zlib does not notice a single repeat.
    """
    return any(
        words[at : at + length] == words[at + length : at + 2 * length]
        for length in range(least, len(words) // 2 + 1)
        for at in range(len(words) - 2 * length + 1)
    )
