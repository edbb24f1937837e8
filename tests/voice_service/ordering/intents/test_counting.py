"""Numbers that count what is ordered already, and what takes an order back."""

from __future__ import annotations

import pytest
from support.conversations import demo_menu, said, short


def _order(*utterances: str) -> list[str]:
    return short(said(demo_menu(), *utterances).items)


@pytest.mark.parametrize(
    "second",
    ["both are two", "two of each", "each two", "all items need two", "make both of them two"],
)
def test_a_number_for_each_counts_every_line(second: str) -> None:
    """Whichever comes first, the number or what it counts."""
    order = _order("a hamburger and an apple pie", second, "that's all")
    assert order == ["2 apple_pie", "2 hamburger"]


def test_a_number_for_each_of_those_just_named_leaves_the_others() -> None:
    """It is said in the same breath as they are."""
    order = _order("an apple pie", "a hamburger and a bottled water, three of each", "that's all")
    assert order == ["1 apple_pie", "3 bottled_water", "3 hamburger"]


@pytest.mark.parametrize(
    ("utterances", "order"),
    [
        (["hamburger", "two", "and an apple pie"], ["1 apple_pie", "2 hamburger"]),
        (["a hamburger", "two", "an apple pie"], ["1 apple_pie", "2 hamburger"]),
        (["a hamburger", "two", "apple pies"], ["1 hamburger", "2 apple_pie"]),
        (["coke two large"], ["2 coca_cola/large"]),
    ],
)
def test_a_number_alone_counts_what_nothing_else_counts(
    utterances: list[str], order: list[str]
) -> None:
    """It belongs to what follows only if that is named in the plural, without a number."""
    assert _order(*utterances, "that's all") == order


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("one apple pie for me and one for my wife", ["1 apple_pie", "1 apple_pie"]),
        ("a hamburger and a second with bacon", ["1 hamburger", "1 hamburger +bacon"]),
        ("two cokes, mine with lemon and hers without ice", None),
    ],
)
def test_several_are_told_apart_by_whose_they_are(text: str, order: list[str] | None) -> None:
    """ "One for my wife" is one more, "hers" one of two."""
    told = order or ["1 coca_cola/medium +lemon", "1 coca_cola/medium -ice"]
    assert _order(text, "that's all") == told


@pytest.mark.parametrize(
    ("second", "order"),
    [
        ("that's one too many", ["1 apple_pie"]),
        ("actually I don't want anything", []),
        ("cancel everything", []),
        ("I changed my mind about the apple pies, scrap them", []),
    ],
)
def test_what_is_taken_back(second: str, order: list[str]) -> None:
    """One of several, or all of it."""
    assert _order("two apple pies", second) == order


@pytest.mark.parametrize(
    "second",
    ["forget it", "you put onions on it", "where did the coke come from", "I don't want anything"],
)
def test_what_may_mean_more_than_one_thing_is_asked_about(second: str) -> None:
    """Nothing is taken out, and somebody looks at it."""
    update = said(demo_menu(), "a hamburger and an apple pie", second)
    assert short(update.items) == ["1 apple_pie", "1 hamburger"]
    assert update.status == "needs_staff"
