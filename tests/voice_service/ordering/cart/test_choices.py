"""Choices on a line of the cart: one in place of another, on top of it, or told apart."""

from __future__ import annotations

import pytest
from support.conversations import codes, said, short

from voice_service.ordering import CompiledMenu


@pytest.mark.parametrize(
    "change",
    [
        "make it caesar",
        "actually caesar",
        "sorry caesar dressing",
        "change it to caesar",
        "caesar dressing please",
        "change the ranch dressing to caesar",
        "no ranch dressing caesar dressing",
    ],
)
def test_another_choice_takes_the_place_of_the_one_before(demo: CompiledMenu, change: str) -> None:
    """Where there is one dressing, a change of mind is no second one, and the line stays."""
    update = said(demo, "a side salad with ranch", "that's all", change, "that's all")
    assert short(update.items) == ["1 side_salad +caesar_dressing"]
    assert update.status == "confirmed"


@pytest.mark.parametrize("more", ["add caesar", "and caesar", "also caesar dressing"])
def test_one_more_choice_than_there_may_be_is_asked(demo: CompiledMenu, more: str) -> None:
    """On top of the first it replaces nothing; the answer does."""
    asked = said(demo, "a side salad with ranch", more)
    assert "too_many_choices" in codes(asked)
    assert short(asked.items) == ["1 side_salad +ranch_dressing"]
    answered = said(demo, "a side salad with ranch", more, "caesar", "that's all")
    assert short(answered.items) == ["1 side_salad +caesar_dressing"]


def test_taking_off_what_was_given_up_changes_nothing(demo: CompiledMenu) -> None:
    """ "Remove the ranch", when it has become a caesar, takes nothing back."""
    update = said(demo, "a side salad with ranch", "make it caesar", "remove the ranch")
    assert short(update.items) == ["1 side_salad +caesar_dressing"]


def test_so_many_with_each_choice_are_told_apart(demo: CompiledMenu) -> None:
    """A salad has no two dressings, so the numbers count salads; more than there are is asked."""
    split = said(demo, "four side salads", "two ranch and two caesar")
    assert short(split.items) == ["2 side_salad +caesar_dressing", "2 side_salad +ranch_dressing"]
    assert "ambiguous_quantity" in codes(said(demo, "two side salads", "three ranch"))


def test_too_many_choices_leave_the_line_as_it_was(demo: CompiledMenu) -> None:
    """It is asked which of them; what was placed is not taken out meanwhile."""
    first = "nuggets with ranch ketchup buffalo sauce and honey mustard"
    before = said(demo, first)
    after = said(demo, first, "and sweet and sour")
    assert "too_many_choices" in codes(after)
    assert short(after.items) == short(before.items)


def test_nothing_is_both_with_and_without(demo: CompiledMenu) -> None:
    """The hub would refuse the whole order; what was said last counts."""
    for text in ("a hamburger with bacon and no bacon", "a hamburger no cheese with cheese"):
        for item in said(demo, text).items:
            assert len({m.id for m in item.modifiers}) == len(item.modifiers)
