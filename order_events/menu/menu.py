"""A restaurant's menu as data: what can be ordered, what people call it, and what it costs.

Pure data and validation. Money is integer cents; a tax rate is an exact decimal.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from order_events.menu.entries import (
    MAX_DAY_PARTS,
    Category,
    Choice,
    DayPart,
    MenuItem,
    MenuModel,
    ModifierGroup,
    Name,
    Size,
    Slot,
)
from order_events.menu.rules import check


class Menu(MenuModel):
    """The menu of a restaurant, with its currency, tax rate (0.0825 is 8.25 %) and time zone.

    `language` is the language of its names. With `table_service`, the table that a guest names
    becomes the order's `table_number`. `format_version` is the version of this format, not of the
    menu: the hub itself numbers the versions of a menu.
    """

    format_version: Literal[1] = 1
    name: Name
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "USD"
    tax_rate: Annotated[Decimal, Field(ge=0, lt=1, decimal_places=10)] = Decimal(0)
    time_zone: str = "UTC"
    language: Annotated[str, Field(min_length=2, max_length=35)] = "en"
    table_service: bool = False
    sizes: tuple[Size, ...] = ()
    categories: tuple[Category, ...]
    modifier_groups: tuple[ModifierGroup, ...] = ()
    items: tuple[MenuItem, ...]
    day_parts: Annotated[tuple[DayPart, ...], Field(max_length=MAX_DAY_PARTS)] = ()

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            # OSError: a directory of time zones ("America"), or a name too long for a file.
            raise ValueError(f"{value[:50]!r} is not an IANA time zone") from error
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        check(self)
        return self

    def served(self, item: MenuItem, at: datetime, *, late: timedelta = timedelta(0)) -> bool:
        """Return whether an item can be ordered at `at`, with its hours extended by `late`.

        `at` has a time zone, or is the restaurant's local time.
        """
        local = at if at.tzinfo is None else at.astimezone(ZoneInfo(self.time_zone))
        hours = self.hours(item)
        return not hours or any(p.covers(local) or p.covers(local - late) for p in hours)

    def hours(self, item: MenuItem) -> list[DayPart]:
        """Return the day parts in which an item is served; if there are none, it always is."""
        return [part for part in self.day_parts if part.names_item(item)]

    def filling(self, slot: Slot, item: MenuItem) -> Choice | None:
        """Return the choice by which an item may fill a slot of a combo, or None."""
        if item.slots:
            return None
        return slot.choice_of(item)

    @cached_property
    def index(self) -> Index:
        """The menu's entries by their ids."""
        return Index(self)


class Index:
    """A menu's entries by id, so that the time to price an order does not grow with the menu."""

    def __init__(self, menu: Menu) -> None:
        self.items = {item.id: item for item in menu.items}
        self.groups = {group.id: group for group in menu.modifier_groups}
        self.modifiers = {g.id: {m.id: m for m in g.modifiers} for g in menu.modifier_groups}
        self._places = {group: place for place, group in enumerate(self.groups)}

    def groups_of(self, item: MenuItem) -> list[str]:
        """Return the item's modifier groups, in the menu's order."""
        return sorted(item.modifier_groups, key=self._places.__getitem__)
