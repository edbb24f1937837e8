"""The parts of a menu: items, sizes, modifiers, categories and day parts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Id = Annotated[str, Field(min_length=1, max_length=100)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Cents = Annotated[int, Field(ge=0, le=100_000_000)]
Names = dict[Annotated[str, Field(pattern=r"^[a-z]{2,3}$")], tuple[Name, ...]]
"""Names in languages other than the menu's, by ISO 639 code. The first is read back to guests."""
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
TimeOfDay = Annotated[str, Field(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")]

MAX_GROUPS = 50
"""Most modifier groups of one item."""
MAX_DAY_PARTS = 100


class MenuModel(BaseModel):
    """A frozen model. Unknown fields are refused, so that no typo in a menu goes unnoticed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy without the cached properties of the original."""
        copied = super().model_copy(update=update, deep=deep)
        for cached in copied.__dict__.keys() - type(copied).model_fields.keys():
            del copied.__dict__[cached]
        return copied


class Called(MenuModel):
    """Something with a name. `names` has its names in languages other than the menu's."""

    id: Id
    name: Name
    names: Names = {}


class Size(Called):
    """A size that items come in. `aliases` are other names that guests use for it."""

    aliases: tuple[Name, ...] = ()


class Modifier(Called):
    """Something that is added to an item, left off it or chosen for it.

    `price` (cents) is charged when it is added. `count` is set if the name itself says how many
    ("double shot": 2). `aliases` are other names that guests use for it.
    """

    aliases: tuple[Name, ...] = ()
    price: Cents = 0
    count: Annotated[int, Field(ge=1, le=99)] | None = None


class ModifierGroup(Called):
    """Modifiers of one kind. An item takes at least `min` and, if set, at most `max` of them."""

    min: Annotated[int, Field(ge=0)] = 0
    max: Annotated[int, Field(ge=1)] | None = None
    modifiers: tuple[Modifier, ...]

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        if self.max is not None and self.max < self.min:
            raise ValueError(f"max {self.max} is below min {self.min}")
        return self


class Choice(MenuModel):
    """What may fill a slot of a combo: one item, or any item of a category.

    `size` is the item's size in the combo. Without it, the item has the combo's size, or else its
    own default size. Choosing it costs `upcharge` (cents) on top of the combo's price. A larger
    size costs the difference between the item's prices, unless `size_upcharges` has an amount
    (cents) for that size.
    """

    item: Id | None = None
    category: Id | None = None
    size: Id | None = None
    upcharge: Cents = 0
    size_upcharges: dict[Id, Cents] = {}

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.item is None) == (self.category is None):
            raise ValueError("give either item or category")
        return self


class Slot(Called):
    """A part of a combo.

    `default` is the item if the guest names none; without it, the guest is asked.
    """

    choices: Annotated[tuple[Choice, ...], Field(min_length=1)]
    default: Id | None = None

    def choice_of(self, item: MenuItem) -> Choice | None:
        """Return the choice by which an item may fill the slot: by name, else by category."""
        by_item, by_category = self._choices
        return by_item.get(item.id) or by_category.get(item.category)

    @cached_property
    def _choices(self) -> tuple[dict[str | None, Choice], dict[str | None, Choice]]:
        # Backwards, so that of two equal choices the first wins.
        backwards = self.choices[::-1]
        return {c.item: c for c in backwards}, {c.category: c for c in backwards}


class MenuItem(Called):
    """Something that can be ordered. Prices are in cents.

    An item without sizes has a `price`. An item with sizes has `prices` instead, one for each size
    that it comes in. `default_size` is the size if the guest names none; without it, the guest is
    asked. `defaults` are modifiers that it comes with at no charge. `prep_minutes` is how long it
    takes to prepare, for the `prep_time` of orders and of `kds:update`. An item with `slots` is a
    combo: its price buys one item for each slot. `number` is its number on the board, which guests
    can also ask for ("a number two").
    """

    category: Id
    aliases: tuple[Name, ...] = ()
    number: Annotated[int, Field(ge=1, le=999)] | None = None
    price: Cents | None = None
    prices: dict[Id, Cents] = {}
    default_size: Id | None = None
    modifier_groups: Annotated[tuple[Id, ...], Field(max_length=MAX_GROUPS)] = ()
    defaults: tuple[Id, ...] = ()
    slots: tuple[Slot, ...] = ()
    prep_minutes: Annotated[int, Field(ge=0, le=24 * 60)] = 0
    sold_out: bool = False

    @model_validator(mode="after")
    def _priced_one_way(self) -> Self:
        if (self.price is None) == (not self.prices):
            raise ValueError("give either price or prices per size")
        if self.default_size is not None and self.default_size not in self.prices:
            raise ValueError(f"default_size {self.default_size!r} has no entry in prices")
        if self.slots and self.modifier_groups:
            raise ValueError("a combo has no modifier_groups of its own; its parts have theirs")
        return self


class Category(Called):
    """A section of the menu. `aliases` are what guests call its items in general ("drink")."""

    aliases: tuple[Name, ...] = ()


class DayPart(Called):
    """Hours in which certain items are served; at other times they cannot be ordered.

    The hours are from `start` up to, but not including, `end`, on each of `days`, in the
    restaurant's time zone. If `end` is not later than `start`, it is on the next day. An item that
    no day part names, itself or by its category, is always served.
    """

    days: Annotated[tuple[Day, ...], Field(min_length=1)] = DAYS
    start: TimeOfDay
    end: TimeOfDay
    items: tuple[Id, ...] = ()
    categories: tuple[Id, ...] = ()

    def covers(self, local: datetime) -> bool:
        """Return whether a local time falls within it."""
        clock = local.strftime("%H:%M")
        today, yesterday = DAYS[local.weekday()], DAYS[local.weekday() - 1]
        if self.start < self.end:
            return today in self.days and self.start <= clock < self.end
        return (today in self.days and clock >= self.start) or (
            yesterday in self.days and clock < self.end
        )

    def names_item(self, item: MenuItem) -> bool:
        """Return whether it lists the item or its category."""
        return item.id in self.items or item.category in self.categories
