"""A menu compiled for reading orders: once, for all conversations of a restaurant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from order_events.menu.entries import Called, Choice, MenuItem, Modifier, ModifierGroup, Size, Slot
from order_events.menu.menu import Menu
from voice_service.ordering.language.loader import language
from voice_service.ordering.language.pack import Cue, Language
from voice_service.ordering.language.tokens import keys_of, plain, plural
from voice_service.ordering.menu.lexicon import Candidate, Lexicon
from voice_service.ordering.menu.localization import localized, names_by_language, spoken_here
from voice_service.ordering.menu.prompt import spoken_menu
from voice_service.ordering.menu.shortening import head_of


class CompiledMenu:
    """A menu with the lexicon of everything that guests call its parts.

    `tags` are the guests' languages (BCP 47, with commas between), the first of which they are
    answered in; without it, that of the menu. Guests may mix them with each other and with those
    of the menu. Raises ValueError where there is no language pack for one of `tags`.
    """

    def __init__(self, source: Menu, tags: str | None = None) -> None:
        self.language = language(spoken_here(source, tags))
        self._source = source
        self.menu = menu = localized(source, self.language)
        self.staff_texts = _texts(source.language, self.language)
        self.items: dict[str, MenuItem] = {item.id: item for item in menu.items}
        self.groups: dict[str, ModifierGroup] = {g.id: g for g in menu.modifier_groups}
        self.sizes: dict[str, Size] = {size.id: size for size in menu.sizes}
        self.categories = {category.id: category for category in menu.categories}
        self.modifiers: dict[tuple[str, str], Modifier] = {
            (group.id, m.id): m for group in menu.modifier_groups for m in group.modifiers
        }
        self._groups_by_item = {item.id: self._groups_of(item) for item in menu.items}
        self._single = {g.id for g in menu.modifier_groups if g.max == 1 or self._how_much(g)}
        self._general = frozenset(item.id for item in menu.items if self._named_as_kind(item))
        self.lexicon = self._lexicon()
        self.bias = spoken_menu(menu, self.language)

    def offers(self, item_id: str, candidate: Candidate) -> bool:
        """Return whether an item comes in this size or takes this modifier."""
        if candidate.kind == "size":
            return candidate.id in self.items[item_id].prices
        return candidate.kind == "modifier" and self.has_group(item_id, candidate.group)

    def has_group(self, item_id: str, group: str | None) -> bool:
        """Return whether an item, or a part of a combo, takes modifiers of this group."""
        return group in self._groups_by_item[item_id]

    def single_groups(self, item_id: str) -> list[str]:
        """Return the groups of an item of which it takes at most one modifier."""
        return [g for g in self.items[item_id].modifier_groups if g in self._single]

    def single(self, item_id: str, candidates: Sequence[Candidate]) -> bool:
        """Return whether an item takes only one modifier of a kind."""
        single = self.single_groups(item_id)
        return any(candidate.group in single for candidate in candidates)

    def filling(self, slot: Slot, item_id: str) -> Choice | None:
        """Return the choice by which an item may fill a slot, if there is one."""
        return self.menu.filling(slot, self.items[item_id])

    def fillings(self, slot: Slot) -> list[str]:
        """Return the ids of the items that may fill a slot, in the menu's order."""
        return [item.id for item in self.menu.items if self.filling(slot, item.id) is not None]

    def combos_with(self, item: str, ordered: Sequence[str]) -> list[str]:
        """Return the items ordered that have a slot for an item."""
        return [c for c in ordered if any(self.filling(s, item) for s in self.items[c].slots)]

    def counted(self, group: str, modifier: str, count: int) -> str | None:
        """Return the modifier of the same name that stands for `count` of it, if there is one."""
        asked = self.modifiers[group, modifier]
        if asked.count is None:
            return None
        for other in self.groups[group].modifiers:
            if other.name == asked.name and other.count == count:
                return other.id
        return None

    def closed(self, at: datetime) -> frozenset[str]:
        """Return the ids of the items that are not served at a moment; see `Menu.served`."""
        return frozenset(i.id for i in self.menu.items if not self.menu.served(i, at))

    def item_name(self, item_id: str) -> str:
        """Return what the menu calls an item."""
        return self.items[item_id].name

    def counted_name(self, item_id: str, count: int) -> str:
        """Return a number of an item: "2 Cookies"."""
        name = self.item_name(item_id)
        return f"{count} {plural(name, self.language) if count > 1 else name}"

    def headings(self, item_id: str) -> frozenset[str]:
        """Return the category of an item, and for a combo those of the parts it comes with."""
        return frozenset(self.items[i].category for i in (item_id, *self.parts_of(item_id)))

    def is_general(self, item_id: str) -> bool:
        """Return whether an item has the name of its category: "pizza", among other pizzas."""
        return item_id in self._general

    def parts_of(self, item_id: str) -> list[str]:
        """Return the items that a combo comes with if the guest chooses nothing."""
        return [s.default for s in self.items[item_id].slots if s.default is not None]

    def in_category(self, category: str) -> list[str]:
        """Return the ids of a category's items that are not sold out, in the menu's order."""
        return [i.id for i in self.menu.items if i.category == category and not i.sold_out]

    def _how_much(self, group: ModifierGroup) -> bool:
        """Return whether the modifiers of a group are sizes or containers, such as cup and bowl."""
        cues = self.language.cues
        measures = {*cues[Cue.SIZE_WORD], *(phrase.split()[0] for phrase in cues[Cue.MEASURE])}
        named = [{plain(n) for n in (m.name, *m.aliases)} for m in group.modifiers]
        return sum(not measures.isdisjoint(names) for names in named) > 1

    def _named_as_kind(self, item: MenuItem) -> bool:
        category = self.categories[item.category]
        kinds = {keys_of(n, self.language) for n in (category.name, *category.aliases)}
        return any(keys_of(n, self.language) in kinds for n in (item.name, *item.aliases))

    def _groups_of(self, item: MenuItem) -> frozenset[str]:
        parts = [i for slot in item.slots for i in self.fillings(slot)]
        groups = (self.items[part].modifier_groups for part in parts)
        return frozenset(item.modifier_groups).union(*groups)

    def _lexicon(self) -> Lexicon:
        lexicon, source = Lexicon(self.language), self._source
        heads = {
            kind.id: self._heads([i for i in source.items if i.category == kind.id], kind)
            for kind in source.categories
        }
        for item in source.items:
            candidate = Candidate("item", item.id, None)
            for pack, names in self._names(item):
                alike = heads[item.category]
                lexicon.add(candidate, names, shorten=True, heads=alike, language=pack)
            for pack in self.language.packs if item.number is not None else ():
                spoken = [name.format(n=item.number) for name in pack.names.numbered_names]
                lexicon.add(candidate, spoken, shorten=False, language=pack)
        for group in source.modifier_groups:
            candidate = Candidate("group", group.id, None)
            for pack, names in self._names(group):
                lexicon.add(candidate, names, shorten=False, language=pack)
            alike = self._heads(group.modifiers, group)
            for modifier in group.modifiers:
                candidate = Candidate("modifier", modifier.id, group.id)
                for pack, names in self._names(modifier):
                    said = (*names, *self._amount(names[0], group, alike, pack))
                    lexicon.add(
                        candidate, said, shorten=True, heads=alike, kind=group.name, language=pack
                    )
        for size in source.sizes:
            candidate = Candidate("size", size.id, None)
            for pack, names in self._names(size):
                said = (*names, *self._without_sized(names))
                lexicon.add(candidate, said, shorten=False, language=pack)
        for category in source.categories:
            candidate = Candidate("category", category.id, None)
            for pack, names in self._names(category):
                # "Side of chips" names the chips as well; the item says more than its category.
                said = (*names, *self._kinds(names, pack))
                general = (n for n in said if not self._names_item(n))
                lexicon.add(candidate, general, shorten=False, language=pack)
        lexicon.seal()
        return lexicon

    def _names(self, thing: Called) -> Iterable[tuple[Language, list[str]]]:
        """Return the names of something in each of the languages that are spoken here."""
        return names_by_language(thing, self._source, self.language).items()

    def _heads(self, alike: Sequence[Called], kind: Called) -> set[str]:
        """Return the keys of words that say what kind of thing all of these are.

        They are in several of the names, or in that of the kind.
        """
        counts: Counter[str] = Counter()
        for thing in alike:
            said = [(keys_of(n, pack), pack) for pack, ns in self._names(thing) for n in ns]
            counts.update({keys[head_of(keys, pack)] for keys, pack in said if len(keys) > 1})
        shared = {key for key, things in counts.items() if things > 1}
        return shared.union(*(keys_of(n, pack) for pack, ns in self._names(kind) for n in ns))

    def _kinds(self, names: Sequence[str], pack: Language) -> list[str]:
        """ "Signature Pizzas" are called "pizza", if no other category is."""
        steers = {p for cue, said in pack.cues.items() if cue is not Cue.GENERIC for p in said}
        all_names = [dict(self._names(c)).get(pack, []) for c in self._source.categories]
        called = [keys_of(n, pack) for said in all_names for n in said]
        heads = [keys[head_of(keys, pack)] for keys in called if keys]
        own = {keys[head_of(keys, pack)] for n in names if len(keys := keys_of(n, pack)) > 1}
        return [key for key in sorted(own - steers) if heads.count(key) == 1]

    def _amount(
        self, name: str, group: ModifierGroup, heads: set[str], pack: Language
    ) -> tuple[str, ...]:
        """ "Double Shot" is also said as "double", where at most one of the shots is taken."""
        amount, *noun = keys_of(name, pack)
        chosen = group.id in self._single and len(noun) == 1 and noun[0] in heads
        return (amount,) if chosen and amount in pack.cues[Cue.EXTRA] else ()

    def _without_sized(self, names: Sequence[str]) -> list[str]:
        """ "Lunch size" is also said as "lunch"."""
        sized = set(self.language.cues[Cue.SIZED])
        short = [" ".join(w for w in name.split() if w.lower() not in sized) for name in names]
        return [name for name in short if name and name not in names]

    def _names_item(self, phrase: str) -> bool:
        keys = keys_of(phrase, self.language)
        named = {keys_of(n, self.language) for i in self.menu.items for n in (i.name, *i.aliases)}
        return any(keys[start:] in named for start in range(1, len(keys)))


def _texts(tag: str, otherwise: Language) -> Mapping[str, str]:
    """Return the sentences in the language of the restaurant, if there is a pack for it."""
    try:
        return language(tag).texts
    except ValueError:
        return otherwise.texts
