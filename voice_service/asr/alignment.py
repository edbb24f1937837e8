"""Words with times and confidence, from the decoder's cross-attention and probabilities."""

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
    """What the model says about its tokens: a path of (token, encoder frame) steps, and how
    likely each token was.
    """

    path: list[tuple[int, int]]
    probabilities: list[float]


def timed_words(
    pieces: Sequence[tuple[str, int]], aligned: Aligned, end_ms: int
) -> tuple[Word, ...]:
    """Words as they are written, none of them beyond `end_ms`.

    `pieces` are the text, split, with the number of tokens of each. This is the one place where a
    word's confidence arises: the mean of its tokens' probabilities.
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
    """For each token, the millisecond at which the path first reaches it.

    Tokens that it ends before get its last frame.
    """
    first: dict[int, int] = {}
    for token, frame in path:
        first.setdefault(token, frame)
    last = path[-1][1] if path else 0
    return [first.get(token, last) * _FRAME_MS for token in range(tokens + 1)]


def _append(words: list[Word], piece: Word) -> None:
    """Add a piece of text to words as they are written: split at spaces only."""
    if words and not piece.text.startswith(" "):
        before = words[-1]
        # Punctuation has no sound, and says nothing about how well the word was heard.
        spoken = any(c.isalnum() for c in piece.text)
        words[-1] = replace(
            before,
            text=before.text + piece.text,
            end_ms=piece.end_ms if spoken else before.end_ms,
            confidence=min(before.confidence, piece.confidence) if spoken else before.confidence,
        )
    elif piece.text.strip():
        words.append(replace(piece, text=piece.text.strip()))
