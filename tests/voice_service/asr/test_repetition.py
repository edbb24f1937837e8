"""Loops of the decoder, words that nobody can have said, and honest repeats."""

from __future__ import annotations

import pytest

from voice_service.asr.repetition import doubtful, loops, too_fast


@pytest.mark.parametrize(
    ("text", "seconds", "looped"),
    [
        ("Can I get a small coffee? Can I get a small coffee, Can I", 3.0, True),
        ("Can I get a small coffee? Can I get a small coffee, Can I", 5.0, False),
        ("Can I get a latte with milk? Can I get a latte with milk?", 9.0, True),
        ("a small coffee, a small coffee, a small coffee", 1.5, False),
        ("two, two, two", 0.5, False),
        ("can I get a small coffee and can I get a small tea", 1.5, False),
    ],
)
def test_a_phrase_written_twice_in_the_time_of_one_is_a_loop(
    text: str, seconds: float, looped: bool
) -> None:
    """In noise the decoder starts over; a guest who repeats themselves takes longer."""
    assert loops(text, seconds) is looped


@pytest.mark.parametrize(
    ("text", "seconds", "doubted"),
    [
        ("and a small coke and a small coke", 1.2, True),
        ("and fries, and fries.", 0.9, True),
        ("And a medium and a medium-sprite.", 1.1, True),
        ("Two, two, two.", 1.0, True),
        ("fries and fries", 0.8, False),
        ("a burger and a shake and a burger", 2.0, False),
        ("and a small coke", 0.6, False),
        ("", 0.0, False),
    ],
)
def test_what_comes_twice_is_heard_again(text: str, seconds: float, doubted: bool) -> None:
    """Short windows write short utterances twice; whether it was said, a second decode tells."""
    assert doubtful(text, seconds) is doubted


@pytest.mark.parametrize(
    ("text", "seconds", "impossible"),
    [
        ("and a small coke and a large coke", 0.9, True),
        ("I'd like a single shot latte with a little bit of almond milk", 2.2, False),
        ("one hundred", 0.4, False),
        ("yes", 0.0, False),
    ],
)
def test_more_words_than_fit_into_the_time_are_noticed(
    text: str, seconds: float, impossible: bool
) -> None:
    """Fast talkers are not interrupted by a doubt about each of their words."""
    assert too_fast(text, seconds) is impossible
