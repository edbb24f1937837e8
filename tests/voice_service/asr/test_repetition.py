"""Loops of the decoder, and honest repeats."""

from __future__ import annotations

import pytest

from voice_service.asr.repetition import loops


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
