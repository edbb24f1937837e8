"""A menu in the languages of its guests, with the names that they say and hear."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from order_events.menu.entries import Called, Category, MenuItem, Modifier, Size
from order_events.menu.menu import Menu
from voice_service.ordering.language.loader import primary, understood
from voice_service.ordering.language.pack import Language
from voice_service.ordering.language.tokens import plain

_Named = TypeVar("_Named", bound=Called)


def spoken_here(menu: Menu, tags: str | None) -> str:
    """Return what guests speak: `tags`, then the menu's language and those that it has names in.

    A restaurant that gives most of its items a name in a language serves guests who speak it.
    """
    named = [code for item in menu.items for code in item.names]
    usual = [code for code in sorted(set(named)) if 2 * named.count(code) > len(menu.items)]
    here = [code for code in (primary(menu.language), *usual) if understood(code)]
    return ",".join([tags or menu.language, *here])


def names_by_language(thing: Called, menu: Menu, language: Language) -> dict[Language, list[str]]:
    """Return what something on the menu is called in each language, and by the menu itself.

    Where the menu gives no name, the pack's glossary may know an everyday word ("large").
    """
    own = next((p for p in language.packs if p.code == primary(menu.language)), None)
    names: dict[Language, list[str]] = {}
    for pack in language.packs:
        if pack is not own:
            glossary = pack.names.glossary.get(plain(thing.name), ())
            names[pack] = [*(thing.names.get(pack.code) or glossary)]
        if pack is (own or language.packs[0]):
            names.setdefault(pack, []).append(thing.name)
            if isinstance(thing, Category | MenuItem | Modifier | Size):
                names[pack] += thing.aliases
    return {pack: said for pack, said in names.items() if said}


def localized(menu: Menu, language: Language) -> Menu:
    """Return the menu with its names in `language`; all other names of a thing are aliases."""

    def renamed(thing: _Named) -> _Named:
        name, *others = dict.fromkeys(
            n for names in names_by_language(thing, menu, language).values() for n in names
        )
        update: dict[str, object] = {"name": name}
        if isinstance(thing, Category | MenuItem | Modifier | Size):
            update["aliases"] = tuple(others)
        return thing.model_copy(update=update)

    def all_renamed(things: Iterable[_Named]) -> tuple[_Named, ...]:
        return tuple(map(renamed, things))

    groups = (
        group.model_copy(update={"modifiers": all_renamed(group.modifiers)})
        for group in menu.modifier_groups
    )
    items = (item.model_copy(update={"slots": all_renamed(item.slots)}) for item in menu.items)
    return menu.model_copy(
        update={
            "sizes": all_renamed(menu.sizes),
            "categories": all_renamed(menu.categories),
            "modifier_groups": all_renamed(groups),
            "items": all_renamed(items),
        }
    )
