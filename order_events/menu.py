"""A restaurant's menu as data: what can be ordered, how people call it, and what it costs.

Pure data and validation. Money is integer cents; a tax rate is an exact decimal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Id = Annotated[str, Field(min_length=1, max_length=100)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Cents = Annotated[int, Field(ge=0, le=100_000_000)]


class MenuModel(BaseModel):
    """Frozen, and an unknown field is an error: a typing mistake in a menu must not go unseen."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Size(MenuModel):
    """A size that items may come in. `aliases` are further ways guests say it."""

    id: Id
    name: Name
    aliases: tuple[Name, ...] = ()


class Modifier(MenuModel):
    """Something added to, left off or chosen for an item. `price` is charged when it is added.

    `count` is set where the modifier itself says how many ("double shot": 2).
    """

    id: Id
    name: Name
    aliases: tuple[Name, ...] = ()
    price: Cents = 0
    count: Annotated[int, Field(ge=1, le=99)] | None = None


class ModifierGroup(MenuModel):
    """Modifiers of one kind. At least `min` and, if set, at most `max` of them per item."""

    id: Id
    name: Name
    min: Annotated[int, Field(ge=0)] = 0
    max: Annotated[int, Field(ge=1)] | None = None
    modifiers: tuple[Modifier, ...]

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        if self.max is not None and self.max < self.min:
            raise ValueError(f"modifier group {self.id!r}: max {self.max} is below min {self.min}")
        return self


class MenuItem(MenuModel):
    """Something that can be ordered.

    `price` is for an item without sizes; `prices` maps each size the item comes in to its price,
    and `default_size` is what a guest gets who names none (None: the guest must be asked).
    `defaults` are modifiers it comes with at no charge. `prep_minutes` feeds `kds:update`.
    """

    id: Id
    name: Name
    category: Id
    aliases: tuple[Name, ...] = ()
    price: Cents | None = None
    prices: dict[Id, Cents] = {}
    default_size: Id | None = None
    modifier_groups: tuple[Id, ...] = ()
    defaults: tuple[Id, ...] = ()
    prep_minutes: Annotated[int, Field(ge=0, le=24 * 60)] = 0
    sold_out: bool = False

    @model_validator(mode="after")
    def _priced_one_way(self) -> Self:
        if (self.price is None) == (not self.prices):
            raise ValueError(f"item {self.id!r}: give either price or prices per size")
        if self.default_size is not None and self.default_size not in self.prices:
            raise ValueError(
                f"item {self.id!r}: default_size {self.default_size!r} has no entry in prices"
            )
        return self


class Category(MenuModel):
    """A heading of the menu. `aliases` are what guests call its items in general ("drink")."""

    id: Id
    name: Name
    aliases: tuple[Name, ...] = ()


class Menu(MenuModel):
    """One restaurant's menu, with its currency, tax rate (0.0825 is 8.25 %) and time zone."""

    name: Name
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "USD"
    tax_rate: Annotated[Decimal, Field(ge=0, lt=1)] = Decimal(0)
    time_zone: str = "UTC"
    language: str = "en"
    sizes: tuple[Size, ...] = ()
    categories: tuple[Category, ...]
    modifier_groups: tuple[ModifierGroup, ...] = ()
    items: tuple[MenuItem, ...]

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"time_zone {value!r} is not an IANA time zone") from error
        return value

    @model_validator(mode="after")
    def _references_resolve(self) -> Self:
        _unique("size", (size.id for size in self.sizes))
        _unique("category", (category.id for category in self.categories))
        _unique("modifier group", (group.id for group in self.modifier_groups))
        _unique("item", (item.id for item in self.items))
        for group in self.modifier_groups:
            _unique(f"modifier of group {group.id!r}", (m.id for m in group.modifiers))
        sizes = {size.id for size in self.sizes}
        categories = {category.id for category in self.categories}
        groups = {group.id: {m.id for m in group.modifiers} for group in self.modifier_groups}
        for item in self.items:
            _known(item, "category", {item.category}, categories)
            _known(item, "prices", set(item.prices), sizes)
            _known(item, "modifier_groups", set(item.modifier_groups), set(groups))
            offered = set().union(*(groups[g] for g in item.modifier_groups))
            _known(item, "defaults", set(item.defaults), offered)
        return self


def _unique(what: str, ids: Iterable[str]) -> None:
    twice = sorted(i for i, n in Counter(ids).items() if n > 1)
    if twice:
        raise ValueError(f"{what} {twice[0]!r} is defined twice")


def _known(item: MenuItem, field: str, used: set[str], defined: set[str]) -> None:
    unknown = sorted(used - defined)
    if unknown:
        raise ValueError(f"item {item.id!r}: {field} names {unknown[0]!r}, which is not defined")
