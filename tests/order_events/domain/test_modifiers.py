"""What modifiers cost, and which are refused."""

from __future__ import annotations

import pytest
from support.drafts import burger, order_of

from order_events.domain.drafts import ModifierDraft
from order_events.menu.menu import Menu
from order_events.protocol.errors import (
    InvalidOrder,
)


@pytest.mark.parametrize(
    ("modifier", "subtotal"),
    [
        (ModifierDraft(id="bacon"), 999 + 150),
        (ModifierDraft(id="bacon", quantity=3), 999 + 450),
        (ModifierDraft(id="bacon", negated=True), 999),
        (ModifierDraft(id="bacon", qualifier="light"), 999 + 150),
        # Cheese comes with it: the first is free, extra and more are not.
        (ModifierDraft(id="cheese"), 999),
        (ModifierDraft(id="cheese", negated=True), 999),
        (ModifierDraft(id="cheese", qualifier="extra"), 999 + 75),
        (ModifierDraft(id="cheese", quantity=2), 999 + 75),
        (ModifierDraft(id="onion", qualifier="on_the_side"), 999),
        (ModifierDraft(id="bacon", group="toppings"), 999 + 150),
    ],
)
def test_what_a_modifier_costs(menu: Menu, modifier: ModifierDraft, subtotal: int) -> None:
    """A modifier left off costs nothing and gives no discount."""
    item = order_of(menu, burger(modifier)).items[0]
    assert item.subtotal == subtotal
    priced = item.modifiers[0]
    assert (priced.group, priced.negated, priced.quantity) == (
        "toppings",
        modifier.negated,
        modifier.quantity,
    )


@pytest.mark.parametrize(
    ("modifiers", "subtotal"),
    [
        ([("cheese", 5)], 999 + 4 * 75),
        ([("cheese", 1)] * 5, 999 + 4 * 75),
        ([("cheese", 1), ("onion", 1)] * 3, 999 + 2 * 75),
        ([("bacon", 2), ("cheese", 1), ("bacon", 1)], 999 + 3 * 150),
    ],
)
def test_a_modifier_given_twice_is_one_of_two(
    menu: Menu, modifiers: list[tuple[str, int]], subtotal: int
) -> None:
    """One of what comes with the item is free, however the draft is written."""
    drafts = (ModifierDraft(id=id_, quantity=n) for id_, n in modifiers)
    item = order_of(menu, burger(*drafts)).items[0]
    assert item.subtotal == subtotal
    assert len({m.id for m in item.modifiers}) == len(item.modifiers)


def test_what_is_included_is_free_once_whatever_is_said_of_it(menu: Menu) -> None:
    """One is free even if two entries have different qualifiers."""
    light, aside = (ModifierDraft(id="cheese", qualifier=q) for q in ("light", "on_the_side"))
    assert order_of(menu, burger(light, aside)).subtotal == 999 + 75


def test_modifiers_that_contradict_each_other_are_refused(menu: Menu) -> None:
    """Both with and without, or more of one than the maximum."""
    with pytest.raises(InvalidOrder, match="with and without"):
        order_of(menu, burger(ModifierDraft(id="bacon", negated=True), ModifierDraft(id="bacon")))
    with pytest.raises(InvalidOrder, match="at most 99"):
        order_of(menu, burger(*[ModifierDraft(id="bacon", quantity=50)] * 2))
