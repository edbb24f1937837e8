"""A menu in the language of a guest, with the names that this guest says and hears."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from order_events.menu.entries import Called, Category, MenuItem, Modifier, Size
from order_events.menu.menu import Menu
from voice_service.ordering.language.pack import Language
from voice_service.ordering.language.tokens import plain

_Named = TypeVar("_Named", bound=Called)


def localized(menu: Menu, language: Language) -> Menu:
    """Return the menu with its names in `language`; its own names stay as aliases.

    Where the menu gives no name, the pack's glossary may know an everyday word ("large"). A menu
    that is in this language is returned as it is.
    """
    if menu.language.partition("-")[0].lower() == language.code:
        return menu
    groups = (
        group.model_copy(update={"modifiers": _all_renamed(group.modifiers, language)})
        for group in menu.modifier_groups
    )
    items = (
        item.model_copy(update={"slots": _all_renamed(item.slots, language)}) for item in menu.items
    )
    return menu.model_copy(
        update={
            "sizes": _all_renamed(menu.sizes, language),
            "categories": _all_renamed(menu.categories, language),
            "modifier_groups": _all_renamed(groups, language),
            "items": _all_renamed(items, language),
        }
    )


def _all_renamed(things: Iterable[_Named], language: Language) -> tuple[_Named, ...]:
    return tuple(_renamed(thing, language) for thing in things)


def _renamed(thing: _Named, language: Language) -> _Named:
    names = thing.names.get(language.code) or language.names.glossary.get(plain(thing.name), ())
    if not names:
        return thing
    update: dict[str, object] = {"name": names[0]}
    if isinstance(thing, Category | MenuItem | Modifier | Size):
        update["aliases"] = (*names[1:], thing.name, *thing.aliases)
    return thing.model_copy(update=update)
