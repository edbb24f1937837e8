"""A menu made ready for listening: compiled once, shared by all conversations of a restaurant."""

from __future__ import annotations

from order_events.menu import Menu, MenuItem, Modifier, ModifierGroup, Size
from voice_service.ordering.bias import spoken_menu
from voice_service.ordering.language import Cue
from voice_service.ordering.languages import language
from voice_service.ordering.lexicon import Lexicon, Sense
from voice_service.ordering.text import keys_of


class CompiledMenu:
    """A menu with the lexicon of everything that guests call its parts.

    Raises ValueError where there is no language pack for `menu.language`.
    """

    def __init__(self, menu: Menu) -> None:
        self.menu = menu
        self.language = language(menu.language)
        self.items: dict[str, MenuItem] = {item.id: item for item in menu.items}
        self.groups: dict[str, ModifierGroup] = {g.id: g for g in menu.modifier_groups}
        self.sizes: dict[str, Size] = {size.id: size for size in menu.sizes}
        self.categories = {category.id: category for category in menu.categories}
        self.modifiers: dict[tuple[str, str], Modifier] = {
            (group.id, m.id): m for group in menu.modifier_groups for m in group.modifiers
        }
        self.lexicon = self._lexicon()
        self.bias = spoken_menu(menu, self.language)

    def allows(self, item_id: str, sense: Sense) -> bool:
        """Whether an item comes in this size or takes this modifier."""
        item = self.items[item_id]
        if sense.kind == "size":
            return sense.id in item.prices
        return sense.kind == "modifier" and sense.group in item.modifier_groups

    def counted(self, group: str, modifier: str, count: int) -> str | None:
        """The modifier of the same name that stands for `count` of it, if the menu has one."""
        asked = self.modifiers[group, modifier]
        if asked.count is None:
            return None
        for other in self.groups[group].modifiers:
            if other.name == asked.name and other.count == count:
                return other.id
        return None

    def item_name(self, item_id: str) -> str:
        """What the menu calls an item."""
        return self.items[item_id].name

    def in_category(self, category: str) -> list[str]:
        """Ids of the items of a category, in the menu's order."""
        return [item.id for item in self.menu.items if item.category == category]

    def _lexicon(self) -> Lexicon:
        lexicon = Lexicon(self.language)
        for item in self.menu.items:
            names = (item.name, *item.aliases)
            lexicon.add(Sense("item", item.id, None), names, shorten=True)
        for group in self.menu.modifier_groups:
            lexicon.add(Sense("group", group.id, None), (group.name,), shorten=False)
            for modifier in group.modifiers:
                sense = Sense("modifier", modifier.id, group.id)
                lexicon.add(sense, (modifier.name, *modifier.aliases), shorten=True)
        for size in self.menu.sizes:
            sense = Sense("size", size.id, None)
            names = (size.name, *size.aliases)
            lexicon.add(sense, (*names, *self._without_sized(names)), shorten=False)
        for category in self.menu.categories:
            sense = Sense("category", category.id, None)
            names = (category.name, *category.aliases)
            # "side of chips" names the chips as well; the item says more than its category.
            lexicon.add(sense, (n for n in names if not self._names_item(n)), shorten=False)
        lexicon.seal()
        return lexicon

    def _without_sized(self, names: tuple[str, ...]) -> list[str]:
        """ "Lunch size" is also said as "lunch"."""
        sized = set(self.language.cues[Cue.SIZED])
        short = [" ".join(w for w in name.split() if w.lower() not in sized) for name in names]
        return [name for name in short if name and name not in names]

    def _names_item(self, phrase: str) -> bool:
        keys = keys_of(phrase, self.language)
        named = {keys_of(n, self.language) for i in self.menu.items for n in (i.name, *i.aliases)}
        return any(keys[start:] in named for start in range(1, len(keys)))
