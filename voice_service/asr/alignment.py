"""Word times and confidences, from the decoder's cross-attention and token probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from voice_service.asr.hypothesis import Word

_FRAME_MS: Final = 20
"""Length of an encoder frame: two mel frames."""


@dataclass(frozen=True, slots=True)
class Aligned:
    """The alignment of one text: a path of (token, encoder frame) steps, and the probability of
    each token.
    """

    path: list[tuple[int, int]]
    probabilities: list[float]


def timed_words(
    pieces: Sequence[tuple[str, int]], aligned: Aligned, end_ms: int
) -> tuple[Word, ...]:
    """Return the written words with their times, none of them beyond `end_ms`.

    `pieces` is the text in pieces, each with its number of tokens. This is the one place where the
    confidence of a word is computed: the mean of its tokens' probabilities.
    """
    bounds = np.cumsum([0, *(count for _, count in pieces)])
    times = _start_times(aligned.path, int(bounds[-1]))
    words: list[Word] = []
    for (text, _), first, last in zip(pieces, bounds[:-1], bounds[1:], strict=True):
        confidence = float(np.mean(aligned.probabilities[first:last]))
        _append(words, Word(text, times[first], times[last], confidence))
    return tuple(
        replace(w, start_ms=min(w.start_ms, end_ms), end_ms=min(w.end_ms, end_ms)) for w in words
    )


def _start_times(path: list[tuple[int, int]], tokens: int) -> list[int]:
    """Return, for each token, the millisecond at which the path first reaches it.

    Tokens that the path does not reach get its last frame.
    """
    first: dict[int, int] = {}
    for token, frame in path:
        first.setdefault(token, frame)
    last = path[-1][1] if path else 0
    return [first.get(token, last) * _FRAME_MS for token in range(tokens + 1)]


def _append(words: list[Word], piece: Word) -> None:
    """Append a piece of text, to the last word unless the piece begins with a space."""
    if words and not piece.text.startswith(" "):
        before = words[-1]
        # Punctuation has no sound, so it says nothing about how well the word was recognised.
        spoken = any(c.isalnum() for c in piece.text)
        words[-1] = replace(
            before,
            text=before.text + piece.text,
            end_ms=piece.end_ms if spoken else before.end_ms,
            confidence=min(before.confidence, piece.confidence) if spoken else before.confidence,
        )
    elif piece.text.strip():
        words.append(replace(piece, text=piece.text.strip()))
