"""Whose words a microphone hears while the guest is told something."""

from __future__ import annotations

import pytest

from voice_service.speech.echo import Echo

SIZE = "What size Coca-Cola would you like: Small, Medium or Large?"
WORD_MS = 300


def heard(text: str, from_ms: int) -> tuple[list[str], list[tuple[int, int]]]:
    """Return the words of a final with their times, one after the other."""
    words = text.split()
    starts = [from_ms + i * WORD_MS for i in range(len(words))]
    return words, [(start, start + WORD_MS) for start in starts]


def own(echo: Echo, text: str, from_ms: int) -> str:
    """Return what of a final is the guest's."""
    words, times = heard(text, from_ms)
    marks = echo.echoed(words, times)
    return " ".join(word for word, echoed in zip(words, marks, strict=True) if not echoed)


@pytest.mark.parametrize(
    "text",
    [
        "What size Coca-Cola would you like, small, medium or large?",
        "what size coca cola would you like small medium or large",
        "What sighs Coca-Cola would you like?",
        "medium or large",
        "Small",
    ],
)
def test_what_repeats_a_prompt_is_nobodys(text: str) -> None:
    """Whole or in part, and with a word or two misheard."""
    echo = Echo()
    echo.began("1", SIZE, 1_000)
    assert own(echo, text, 1_200) == ""
    assert echo.interrupted_by(text, 2_000) is None


@pytest.mark.parametrize(
    ("text", "guests"),
    [
        ("What size Coca-Cola would you like large please", "large please"),
        ("a cheeseburger with no onions", "a cheeseburger with no onions"),
        ("yes", "yes"),
    ],
)
def test_a_guest_who_speaks_meanwhile_is_heard(text: str, guests: str) -> None:
    """The end of the echo and the beginning of the answer may be one utterance."""
    echo = Echo()
    echo.began("1", SIZE, 1_000)
    assert own(echo, text, 1_200) in (guests, guests.removeprefix("large "))


def test_an_answer_in_the_prompts_own_words_counts_once_it_is_over() -> None:
    """The client has said so: what comes later is no echo, whatever its words."""
    echo = Echo()
    echo.began("1", SIZE, 1_000)
    echo.ended("1", 5_000)
    assert own(echo, "Medium", 6_000) == "Medium"
    assert own(echo, "Large please", 5_100) == "Large please"
    assert own(echo, "or large", 4_800) == ""


def test_a_prompt_whose_end_nobody_tells_ends_by_itself() -> None:
    """A client that does not answer must not make the guest mute for long."""
    echo = Echo()
    echo.began("1", SIZE, 0)
    assert own(echo, "medium or large", 60_000) == "medium or large"


def test_two_words_of_the_guests_own_interrupt() -> None:
    """One is not enough: recognition may have made it of the echo."""
    echo = Echo()
    echo.began("1", SIZE, 1_000)
    assert echo.interrupted_by("what size coca-cola hmm", 2_000) is None
    assert echo.interrupted_by("what size a cheeseburger", 2_500) == "1"
    echo.ended("1", 2_600)
    assert echo.interrupted_by("a cheeseburger please", 3_000) is None
