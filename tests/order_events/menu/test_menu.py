"""Menus: what is wrong with one, and when things are served."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from support.menus import CORNER, corner_menu

from order_events.domain import orders
from order_events.domain.drafts import ItemDraft
from order_events.menu.diagnostics import MenuError, read_menu
from order_events.protocol.errors import NotServed


def faults(path: str, value: object) -> str:
    """Return the error for the menu with one value replaced."""
    data = json.loads(json.dumps(CORNER))
    *steps, last = (int(step) if step.isdigit() else step for step in path.split("/"))
    place = data
    for step in steps:
        place = place[step]
    place[last] = value
    with pytest.raises(MenuError) as caught:
        read_menu(json.dumps(data))
    return str(caught.value)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("items/1/prices/l", -1, "items.1 (fries).prices.l: must be whole cents, 0 or more"),
        ("items/1/prices/l", "3.20", "items.1 (fries).prices.l: must be whole cents, 0 or more"),
        ("items/0/price", 4.5, "items.0 (burger).price: must be whole cents, 0 or more"),
        ("items/0/category", "x", "items.0 (burger).category: names 'x', which is not defined"),
        ("items/1/prices/xl", 9, "items.1 (fries).prices.xl: there is no such size"),
        ("items/1/price", 9, "items.1 (fries): give either price or prices per size"),
        ("items/0/id", "cola", "items.3 (cola).id: 'cola' is defined twice"),
        ("items/0/number", 1, "items.6 (meal).number: 1 is the number of more than one item"),
        ("items/0/colour", 1, "items.0 (burger).colour: is not known here; leave it out"),
        ("tax_rate", "0.12345678901", "tax_rate: has too many digits"),
        ("time_zone", "Mars", "time_zone: 'Mars' is not an IANA time zone"),
        ("day_parts/0/days", ["sunday"], "day_parts.0 (morning).days.0: must be 'mon'"),
        ("day_parts/0/end", "25:00", "day_parts.0 (morning).end: must match"),
        ("items/0/name", "Cola", "items.3 (cola).name: 'Cola' is also the name of 'burger'"),
        ("items/0/name", " ", "items.0 (burger).name: has no letter or digit"),
        ("items/0/name", "...", "items.0 (burger).name: has no letter or digit"),
        ("items/0/aliases", ["hamburger", "\U0001f32e"], "items.0 (burger).aliases.1: has no"),
        (
            "items/6/slots/1/default",
            "cola",
            "items.6 (meal).slots.1 (side).default: 'cola' is not among the choices",
        ),
        (
            "items/6/slots/0/choices/0/item",
            "meal",
            "items.6 (meal).slots.0 (main).choices.0.item: 'meal' is a combo itself",
        ),
        (
            "items/6/slots/2/choices",
            [{}],
            "items.6 (meal).slots.2 (drink).choices.0: give either item or category",
        ),
    ],
)
def test_what_is_wrong_with_a_menu_names_the_item_and_the_field(
    path: str, value: object, said: str
) -> None:
    """Its author can find the place."""
    assert said in faults(path, value)


def test_a_menu_of_nothing_is_said_so() -> None:
    """Nobody can order from it."""
    with pytest.raises(MenuError, match="items: there must be one at least"):
        corner_menu(items=[], day_parts=[])


def test_everything_that_is_wrong_is_said_at_once() -> None:
    """Nobody wants to fix a menu one fault at a time; a long list is cut short."""
    broken = [{"id": str(n), "name": "x", "category": "?", "price": 1} for n in range(30)]
    with pytest.raises(MenuError) as caught:
        corner_menu(items=broken, day_parts=[])
    assert len(caught.value.faults) == 30
    assert str(caught.value).endswith("… and 10 more")


def test_what_is_no_menu_at_all_is_not_listed_fault_by_fault() -> None:
    """A megabyte of nonsense would be half a million faults."""
    with pytest.raises(MenuError, match="more than 5000 faults") as caught:
        corner_menu(items=[{}] * 2_000)
    assert len(caught.value.faults) == 1


def test_what_is_no_json_is_said_so() -> None:
    """A truncated file, or one nested deeply enough to exhaust the parser."""
    for text in ('{"name": "x"', "[" * 100_000, "\xff"):
        with pytest.raises(MenuError, match="not valid JSON"):
            read_menu(text)


@pytest.mark.parametrize(
    ("at", "served"),
    [
        ("2026-11-23T06:00", True),  # a Monday
        ("2026-11-23T10:59", True),
        ("2026-11-23T11:00", False),
        ("2026-11-23T05:59", False),
        ("2026-11-25T08:00", False),  # a Wednesday
        ("2026-11-23T13:00+00:00", True),  # 8 o'clock in New York
        ("2026-11-23T08:00+00:00", False),
    ],
)
def test_a_day_part_is_in_the_restaurants_time(at: str, served: bool) -> None:
    """On its days, from its start to before its end; other items are always served."""
    moment = datetime.fromisoformat(at)
    items = {item.id: item for item in corner_menu().items}
    assert corner_menu().served(items["porridge"], moment) is served
    assert corner_menu().served(items["cola"], moment)


def test_a_day_part_over_midnight_belongs_to_the_day_it_begins_on() -> None:
    """Friday night's menu is served at one on Saturday morning, and not at one on Friday."""
    night = {"id": "night", "name": "Night", "days": ["fri"], "start": "22:00", "end": "02:00"}
    late = corner_menu(day_parts=[{**night, "items": ["cola"]}])
    cola = next(item for item in late.items if item.id == "cola")
    assert late.served(cola, datetime.fromisoformat("2026-11-28T01:00"))
    assert not late.served(cola, datetime.fromisoformat("2026-11-27T01:00"))
    assert not late.served(cola, datetime.fromisoformat("2026-11-28T02:00"))


def test_an_order_outside_the_hours_is_refused_but_may_stay_and_be_late() -> None:
    """Fifteen minutes' grace for guests who began in time; items already ordered stay."""
    porridge = (ItemDraft(menu_item_id="porridge"),)

    def price(clock: str, already: dict[str, int] | None = None) -> None:
        now = f"2026-11-23T{clock}:00.000Z"  # five hours ahead of New York
        orders.price_items(porridge, corner_menu(), already=already or {}, now=now)

    price("13:00")
    price("16:10")
    price("20:00", already={"porridge": 1})
    with pytest.raises(NotServed, match="Porridge"):
        price("16:16")


@pytest.mark.parametrize("zone", ["America", "Europe", "a" * 300, "../x", "UTC\0", ""])
def test_a_time_zone_that_is_none_is_said_so(zone: str) -> None:
    """Also if the name is a directory's, or not possible for a file."""
    assert "is not an IANA time zone" in faults("time_zone", zone)


def test_a_copy_of_a_menu_finds_what_the_copy_has() -> None:
    """It does not use the index cached by the original."""
    whole = corner_menu()
    assert whole.index.items
    assert not whole.model_copy(update={"items": ()}).index.items
