"""Combos: a line for each part, what the parts cost, and what does not fit."""

from __future__ import annotations

from typing import Any

import pytest
from support.menus import CORNER, corner_menu

from order_events.domain import orders
from order_events.domain.drafts import ItemDraft, ModifierDraft
from order_events.protocol.errors import InvalidOrder, OrderError, SoldOut

_MEAL = ItemDraft(id="1", menu_item_id="meal")


_COLA = ItemDraft(menu_item_id="cola", part_of="1")


def lines(*drafts: ItemDraft, **changes: Any) -> list[tuple[str, int, str | None, int, int]]:
    """Return item, quantity, size, price and subtotal of each line."""
    priced = orders.price_items(drafts, corner_menu(**changes), already={})
    return [(i.menu_item_id, i.quantity, i.size, i.price, i.subtotal) for i in priced]


def test_a_combo_is_its_line_and_a_line_for_each_part() -> None:
    """The combo's line has the price; the kitchen sees every part, defaults included."""
    assert lines(_MEAL, _COLA) == [
        ("meal", 1, "m", 800, 800),
        ("burger", 1, None, 0, 0),
        ("fries", 1, "m", 0, 0),
        ("cola", 1, "m", 0, 0),
    ]


def test_parts_follow_the_size_and_number_of_their_combo() -> None:
    """Two large meals have two large colas, whatever quantity the part was given."""
    meal = _MEAL.model_copy(update={"size": "l", "quantity": 2})
    assert lines(meal, _COLA) == [
        ("meal", 2, "l", 950, 1900),
        ("burger", 2, None, 0, 0),
        ("fries", 2, "l", 0, 0),
        ("cola", 2, "l", 0, 0),
    ]


def test_what_parts_cost() -> None:
    """An upcharge, an upcharge for a size, a larger size's difference, and a modifier on a part."""
    bacon = (ModifierDraft(id="bacon"),)
    drafts = (
        _MEAL,
        _COLA.model_copy(update={"size": "l"}),
        ItemDraft(menu_item_id="rings", part_of="1", size="l"),
        ItemDraft(menu_item_id="burger", part_of="1", modifiers=bacon),
    )
    assert [line[3:] for line in lines(*drafts)] == [(800, 800), (0, 150), (125, 125), (60, 60)]


def test_lines_of_parts_say_whose_they_are() -> None:
    """Screens can group them, and ids are unique in the order."""
    priced = orders.price_items((_MEAL, _COLA), corner_menu(), already={})
    assert [(i.part_of, i.slot) for i in priced] == [
        (None, None),
        ("1", "main"),
        ("1", "side"),
        ("1", "drink"),
    ]
    assert len({item.id for item in priced}) == 4


@pytest.mark.parametrize(
    ("drafts", "error", "why"),
    [
        ((_MEAL,), InvalidOrder, "needs a choice of Drink"),
        ((_MEAL, _COLA, _COLA), InvalidOrder, "no place for 'cola'"),
        ((_MEAL, _COLA.model_copy(update={"slot": "side"})), InvalidOrder, "no place for 'cola'"),
        ((_COLA,), InvalidOrder, "part of no combo"),
        ((_MEAL, _COLA, _COLA.model_copy(update={"part_of": "9"})), InvalidOrder, "of no combo"),
    ],
)
def test_a_combo_that_does_not_come_out_is_refused(
    drafts: tuple[ItemDraft, ...], error: type[OrderError], why: str
) -> None:
    """Prices are never guessed."""
    with pytest.raises(error, match=why):
        lines(*drafts)


def test_a_sold_out_part_is_refused_with_its_combo() -> None:
    """This includes a part that would have filled its slot by default."""
    items = [{**i, "sold_out": i["id"] == "fries"} for i in CORNER["items"]]
    with pytest.raises(SoldOut, match="Fries"):
        lines(_MEAL, _COLA, items=items)
