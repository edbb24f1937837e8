"""Hypotheses: the times of their words."""

from __future__ import annotations

from voice_service.asr.hypothesis import Hypothesis, Word


def heard(text: str, confidence: float = 0.9) -> Hypothesis:
    """Return a thorough hypothesis with a word every 100 ms."""
    words = tuple(
        Word(word, i * 100, i * 100 + 80, confidence) for i, word in enumerate(text.split())
    )
    return Hypothesis(text, confidence, words)


def test_placed_counts_from_the_start_of_the_session_and_not_before_speech() -> None:
    """The first word is aligned with the silence before it; clients get where it is heard."""
    placed = heard("two burgers").placed(1_000, 1_050)
    assert [(w.start_ms, w.end_ms) for w in placed.words] == [(1_050, 1_080), (1_100, 1_180)]
