"""A menu in the language of a guest: names as this guest says them, and hears them said back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from order_events.menu.entries import Called, Category, MenuItem, Modifier, Size
from order_events.menu.menu import Menu
from voice_service.ordering.language.pack import Language
from voice_service.ordering.language.tokens import plain

_Named = TypeVar("_Named", bound=Called)


def localized(menu: Menu, language: Language) -> Menu:
    """The menu with the names that it has in `language`; its own names stay as aliases.

    Where the menu gives none, the pack's glossary may know a word of everyday ("large"). The menu
    itself, if that is its language.
    """
    if menu.language.partition("-")[0].lower() == language.code:
        return menu
    groups = (
        group.model_copy(update={"modifiers": _all(group.modifiers, language)})
        for group in menu.modifier_groups
    )
    items = (item.model_copy(update={"slots": _all(item.slots, language)}) for item in menu.items)
    return menu.model_copy(
        update={
            "sizes": _all(menu.sizes, language),
            "categories": _all(menu.categories, language),
            "modifier_groups": _all(groups, language),
            "items": _all(items, language),
        }
    )


def _all(things: Iterable[_Named], language: Language) -> tuple[_Named, ...]:
    return tuple(_one(thing, language) for thing in things)


def _one(thing: _Named, language: Language) -> _Named:
    names = thing.names.get(language.code) or language.glossary.get(plain(thing.name), ())
    if not names:
        return thing
    update: dict[str, object] = {"name": names[0]}
    if isinstance(thing, Category | MenuItem | Modifier | Size):
        update["aliases"] = (*names[1:], thing.name, *thing.aliases)
    return thing.model_copy(update=update)
