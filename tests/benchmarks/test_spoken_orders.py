"""The judgement behind `benchmarks/spoken_orders.py`: when two orders are the same."""

from __future__ import annotations

from typing import Any

import pytest
from orders import EvalMenu, convert
from spoken_orders import meaning, understood

_SOURCE = {
    "items": [
        {"id": "latte", "category": "drink", "aliases": ["latte"]},
        {"id": "salsa", "category": "side", "aliases": ["salsa"]},
    ],
    "modifier_groups": {
        "shots": [
            {"id": "shot", "aliases": ["one shot"], "count": 1},
            {"id": "shot", "aliases": ["two shots"], "count": 2},
        ]
    },
    "sizes": [{"id": "small", "aliases": ["small"]}],
    "allowed": {"drink": ["shots", "size"], "side": []},
    "category_words": {},
}


@pytest.fixture(scope="module")
def menu() -> EvalMenu:
    return convert(_SOURCE)


def _latte(**changes: Any) -> dict[str, Any]:
    return {"item": "latte", "quantity": 1, "size": "small", "modifiers": [], **changes}


def _shot(**changes: Any) -> dict[str, Any]:
    return {"name": "shot", "qualifier": None, "negated": False, "count": 2, **changes}


def test_order_and_missing_fields_do_not_count(menu: EvalMenu) -> None:
    """A missing quantity is one; a missing size is none."""
    bare: dict[str, Any] = {"item": "salsa"}
    full = {"item": "salsa", "quantity": 1, "size": None, "modifiers": []}
    assert meaning([bare, _latte()], menu) == meaning([_latte(), full], menu)


@pytest.mark.parametrize(
    "other",
    [
        _latte(quantity=2),
        _latte(size=None),
        _latte(item="salsa"),
        _latte(modifiers=[]),
        _latte(modifiers=[_shot(count=1)]),
        _latte(modifiers=[_shot(negated=True)]),
        _latte(modifiers=[_shot(qualifier="extra")]),
        _latte(modifiers=[_shot(), _shot()]),
    ],
)
def test_every_slot_counts(menu: EvalMenu, other: dict[str, Any]) -> None:
    assert meaning([_latte(modifiers=[_shot()])], menu) != meaning([other], menu)


def test_an_accompaniment_is_an_item_however_it_is_written(menu: EvalMenu) -> None:
    """The data writes it as a modifier, the service as a line of the order."""
    beside = _latte(modifiers=[{"name": "salsa"}])
    assert meaning([beside], menu) == meaning([_latte(), {"item": "salsa"}], menu)


def test_the_last_order_of_a_session_counts(menu: EvalMenu) -> None:
    """Ids are mapped back to those of the data; an unnamed size is none."""
    two = menu.menu.modifier_groups[0].modifiers[1].id
    modifier = {"id": two, "qualifier": None, "negated": False}
    item = {"menu_item_id": "latte", "quantity": 1, "size": "(none)", "modifiers": [modifier]}
    events: list[tuple[float, dict[str, Any]]] = [
        (1.0, {"type": "voice:order", "data": {"order": {"items": []}, "status": "clarify"}}),
        (2.0, {"type": "voice:order", "data": {"order": {"items": [item]}, "status": "confirmed"}}),
    ]
    order, status = understood(events, menu)
    assert status == "confirmed"
    assert meaning(order, menu) == meaning([_latte(size=None, modifiers=[_shot()])], menu)
    assert understood([], menu) == ([], "listening")
