"""The judgement behind `benchmarks/speech_cases.py`: what is right, and what is silently wrong."""

from __future__ import annotations

from collections import Counter

import pytest
from speech_cases import expected

_COKE = Counter({("coca_cola", "small"): 1})


@pytest.mark.parametrize(
    ("wanted", "status", "verdict"),
    [
        ("1 coca_cola small", "confirmed", "right"),
        ("1 coca_cola small; no fries", "confirmed", "right"),
        ("2 coca_cola small", "confirmed", "silently wrong"),
        ("1 coca_cola small, 1 hamburger", "confirmed", "silently wrong"),
        ("1 coca_cola small", "needs_staff", "asked"),
        ("1 coca_cola small, or a question", "clarify", "right"),
        ("1 hamburger, or a question", "confirmed", "silently wrong"),
        ("a question or a person", "needs_staff", "right"),
        ("a question or a person", "confirmed", "silently wrong"),
        ("complaint", "needs_staff", "right"),
        ("staff_requested", "needs_staff", "silently wrong"),
    ],
)
def test_an_order_is_judged_by_what_was_expected(wanted: str, status: str, verdict: str) -> None:
    """A question is no mistake; an order that was confirmed otherwise is the worst one."""
    assert expected(wanted).verdict(_COKE, status, ["complaint"]) == verdict


def test_words_that_are_no_order_are_refused() -> None:
    """A typing mistake in the manifest must not make every outcome right."""
    with pytest.raises(ValueError, match="no line of an order"):
        expected("a small coke, fries")
