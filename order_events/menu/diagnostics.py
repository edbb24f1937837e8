"""Explains what is wrong with a menu file, so that its owner finds the place.

"items.3 (double_burger).prices.large: must be whole cents, 0 or more"
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails, from_json

from order_events.menu.menu import Menu
from order_events.menu.rules import unusable
from order_events.protocol.diagnostics import say

_SHOWN = 20
_MOST = 5_000
"""Most faults that are explained: each costs time, and a file with more is not a menu."""
_MONEY = frozenset({"price", "prices", "upcharge", "size_upcharges"})


class MenuError(ValueError):
    """All that is wrong with a menu, one line per fault."""

    def __init__(self, faults: Sequence[str]) -> None:
        shown = list(faults[:_SHOWN])
        if len(faults) > _SHOWN:
            shown.append(f"… and {len(faults) - _SHOWN} more")
        super().__init__("\n".join(shown))
        self.faults = tuple(faults)


def read_menu(text: str | bytes) -> Menu:
    """Return a menu from JSON; raise MenuError."""
    try:
        menu = Menu.model_validate_json(text, strict=True)
    except ValidationError as error:
        if error.error_count() > _MOST:
            raise MenuError([f"more than {_MOST} faults: this is no menu of format 1"]) from error
        raise MenuError(explain(error, _values(text))) from error
    faults = list(unusable(menu))
    if faults:
        data = _values(text)
        raise MenuError([f"{_place(place, data)}: {what}" for place, what in faults])
    return menu


def _values(text: str | bytes) -> object:
    try:
        return from_json(text)
    except ValueError:
        return None


def explain(error: ValidationError, data: object) -> list[str]:
    """Return each fault with its location, which includes the ids of list entries."""
    return [f"{_place(fault['loc'], data)}: {why(fault)}" for fault in error.errors()]


def _place(loc: Sequence[int | str], data: object) -> str:
    """Return a location as "items.3 (double_burger).prices.large", without pydantic's "[key]"."""
    text = ""
    for step in loc:
        if step == "[key]":
            continue
        text += f".{step}" if text else str(step)
        data = _within(data, step)
        if isinstance(step, int) and isinstance(data, Mapping) and isinstance(data.get("id"), str):
            text += f" ({data['id']})"
    return text or "menu"


def _within(data: object, step: int | str) -> Any:
    if isinstance(data, Mapping):
        return data.get(step)
    if isinstance(data, list) and isinstance(step, int) and step < len(data):
        return data[step]
    return None


def why(fault: ErrorDetails) -> str:
    """Return what is wrong with a field, for somebody who has never seen the code."""
    if fault["type"] == "menu":
        return fault["msg"]
    if _MONEY & set(fault["loc"]) and fault["type"] != "value_error":
        return "must be whole cents, 0 or more"
    return say(fault)
