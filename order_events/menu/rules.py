"""What a menu must satisfy beyond the types of its fields: names are defined, and only once.

All faults are reported together, each with its location.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from functools import cache
from typing import Protocol
from zoneinfo import available_timezones

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from order_events.menu.entries import (
    Category,
    Choice,
    DayPart,
    MenuItem,
    ModifierGroup,
    Size,
    Slot,
)

_MEANINGLESS = frozenset({"Factory", "localtime", "posixrules"})
Place = tuple[str | int, ...]
Fault = tuple[Place, str]


@cache
def _zones() -> frozenset[str]:
    """Return the time zones that mean the same everywhere."""
    return frozenset(available_timezones()) - _MEANINGLESS


class _Named(Protocol):
    @property
    def id(self) -> str: ...


class _Called(_Named, Protocol):
    @property
    def name(self) -> str: ...

    @property
    def aliases(self) -> Sequence[str]: ...


class MenuEntries(Protocol):
    """The parts of a menu that the rules read."""

    @property
    def time_zone(self) -> str: ...

    @property
    def items(self) -> Sequence[MenuItem]: ...

    @property
    def modifier_groups(self) -> Sequence[ModifierGroup]: ...

    @property
    def sizes(self) -> Sequence[Size]: ...

    @property
    def categories(self) -> Sequence[Category]: ...

    @property
    def day_parts(self) -> Sequence[DayPart]: ...

    def filling(self, slot: Slot, item: MenuItem) -> Choice | None:
        """Return the choice by which an item may fill a slot of a combo, or None."""


def check(menu: MenuEntries) -> None:
    """Raise ValidationError with every fault and its location."""
    faults = [*_twice(menu), *_items(menu), *_combos(menu), *_day_parts(menu)]
    if faults:
        raise ValidationError.from_exception_data(
            "Menu",
            [
                InitErrorDetails(
                    type=PydanticCustomError("menu", "{why}", {"why": why}), loc=place, input=None
                )
                for place, why in faults
            ],
        )


def unusable(menu: MenuEntries) -> Iterator[Fault]:
    """Yield what prevents ordering: no items, unsayable names, one name for two items.

    Checked for new menus only; a menu that is already stored stays readable.
    """
    if not menu.items:
        yield ("items",), "there must be one at least"
    if menu.time_zone not in _zones():
        yield ("time_zone",), "must be an IANA time zone, such as America/New_York"
    things: list[tuple[Place, Sequence[_Called]]] = [
        (("sizes",), menu.sizes),
        (("categories",), menu.categories),
        (("items",), menu.items),
    ]
    for index, group in enumerate(menu.modifier_groups):
        things.append((("modifier_groups", index, "modifiers"), group.modifiers))
    for place, named in things:
        for index, thing in enumerate(named):
            yield from _unsayable((*place, index), thing)
    first: dict[str, str] = {}
    for index, item in enumerate(menu.items):
        known = first.setdefault(" ".join(item.name.casefold().split()), item.id)
        if known != item.id:
            yield ("items", index, "name"), f"{item.name!r} is also the name of {known!r}"


def _unsayable(place: Place, thing: _Called) -> Iterator[Fault]:
    if not any(letter.isalnum() for letter in thing.name):
        yield (*place, "name"), "has no letter or digit, so nobody can say it"
    for index, alias in enumerate(thing.aliases):
        if not any(letter.isalnum() for letter in alias):
            yield (*place, "aliases", index), "has no letter or digit, so nobody can say it"


def _twice(menu: MenuEntries) -> Iterator[Fault]:
    lists: list[tuple[Place, Sequence[_Named]]] = [
        (("sizes",), menu.sizes),
        (("categories",), menu.categories),
        (("modifier_groups",), menu.modifier_groups),
        (("items",), menu.items),
        (("day_parts",), menu.day_parts),
    ]
    for index, group in enumerate(menu.modifier_groups):
        lists.append((("modifier_groups", index, "modifiers"), group.modifiers))
    for index, item in enumerate(menu.items):
        lists.append((("items", index, "slots"), item.slots))
    for place, things in lists:
        seen: set[str] = set()
        for index, thing in enumerate(things):
            if thing.id in seen:
                yield (*place, index, "id"), f"{thing.id!r} is defined twice"
            seen.add(thing.id)


def _items(menu: MenuEntries) -> Iterator[Fault]:
    sizes = {size.id for size in menu.sizes}
    categories = {category.id for category in menu.categories}
    groups = {group.id: frozenset(m.id for m in group.modifiers) for group in menu.modifier_groups}
    numbers = Counter(item.number for item in menu.items if item.number is not None)
    for index, item in enumerate(menu.items):
        place = ("items", index)
        yield from _known((*place, "category"), [item.category], categories)
        for size in sorted(item.prices.keys() - sizes):
            yield (*place, "prices", size), "there is no such size"
        yield from _known((*place, "modifier_groups"), item.modifier_groups, groups)
        own = [groups.get(group, frozenset()) for group in item.modifier_groups]
        offered = {d for d in item.defaults if any(d in modifiers for modifiers in own)}
        yield from _known((*place, "defaults"), item.defaults, offered)
        if item.number is not None and numbers[item.number] > 1:
            yield (*place, "number"), f"{item.number} is the number of more than one item"


def _combos(menu: MenuEntries) -> Iterator[Fault]:
    items = {item.id: item for item in menu.items}
    categories = {category.id for category in menu.categories}
    for index, item in enumerate(menu.items):
        for number, slot in enumerate(item.slots):
            place: Place = ("items", index, "slots", number)
            for position, choice in enumerate(slot.choices):
                where = (*place, "choices", position)
                if choice.category is not None:
                    yield from _known((*where, "category"), [choice.category], categories)
                if choice.item is not None:
                    yield from _known((*where, "item"), [choice.item], items)
                    if choice.item in items:
                        yield from _part(where, items[choice.item], choice.size)
            yield from _default(place, slot, menu, items)


def _part(place: Place, part: MenuItem, size: str | None) -> Iterator[Fault]:
    if part.slots:
        yield (*place, "item"), f"{part.id!r} is a combo itself"
    if size is not None and size not in part.prices:
        yield (*place, "size"), f"{part.id!r} does not come in size {size!r}"


def _default(
    place: Place, slot: Slot, menu: MenuEntries, items: dict[str, MenuItem]
) -> Iterator[Fault]:
    if slot.default is None:
        return
    item = items.get(slot.default)
    if item is None or menu.filling(slot, item) is None:
        yield (*place, "default"), f"{slot.default!r} is not among the choices"


def _day_parts(menu: MenuEntries) -> Iterator[Fault]:
    items = {item.id for item in menu.items}
    categories = {category.id for category in menu.categories}
    for index, part in enumerate(menu.day_parts):
        yield from _known(("day_parts", index, "items"), part.items, items)
        yield from _known(("day_parts", index, "categories"), part.categories, categories)


def _known(place: Place, used: Iterable[str], defined: Container[str]) -> Iterator[Fault]:
    for name in used:
        if name not in defined:
            yield place, f"names {name!r}, which is not defined"
