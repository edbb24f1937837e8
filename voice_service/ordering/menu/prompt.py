"""The menu as guests would say it: the text that the recogniser is told it has just heard.

Whisper continues in the style of that text. A list of names makes it write lists, with commas in
the middle of a drink; an order makes it write orders. What was tried:
docs/adr/0010-hypotheses-against-the-menu.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from order_events.menu.entries import MenuItem
from order_events.menu.menu import Menu
from voice_service.ordering.language.pack import Language
from voice_service.ordering.language.tokens import keys_of

_LETTERS = 850
"""Of all names. With the words between them, that is about 200 tokens; Whisper takes 223."""
_JOINT = len(" and a ")
_BESIDE_ITEM = 2
"""The modifiers that one item is said with."""
_ASIDE = re.compile(r"\([^)]*\)|\[[^]]*\]")


def spoken_menu(menu: Menu, language: Language) -> str:
    """Return one long order of everything on the menu, as far as it fits, in running text."""
    # The names of a combo's parts are in the text anyway, and what is served at some hours is not
    # asked for at others: both come last.
    on_sale = sorted(menu.items, key=lambda i: bool(i.slots or menu.hours(i)))
    sizes = [running_text(size.name) for size in menu.sizes]
    items = [running_text(item.name) for item in on_sale]
    groups = {g.id: [running_text(m.name) for m in g.modifiers] for g in menu.modifier_groups}
    modifiers = list(chain.from_iterable(groups.values()))
    chosen = _fitting([*sizes, *_in_turn(items, modifiers)], language)
    return _Order(menu, on_sale, groups, chosen, language).text()


class _Order:
    """Writes an order with each of the `chosen` names in it once; only sizes come again."""

    def __init__(
        self,
        menu: Menu,
        items: Sequence[MenuItem],
        groups: dict[str, list[str]],
        chosen: set[str],
        language: Language,
    ) -> None:
        self._items = items
        self._sizes = {s.id: running_text(s.name) for s in menu.sizes}
        self._groups = groups
        self._chosen = chosen
        self._left = dict.fromkeys(n for names in groups.values() for n in names if n in chosen)
        self._said_sizes: list[str] = []
        self._texts = language.texts
        self._joint = f" {self._texts['and']} "

    def text(self) -> str:
        orders: list[str] = []
        for item in self._items:
            name = running_text(item.name)
            if name in self._chosen:
                self._chosen.discard(name)
                orders.append(self._item(item, name))
        orders += self._left
        return self._texts["expected"].format(orders=self._joint.join(orders)) if orders else ""

    def _item(self, item: MenuItem, name: str) -> str:
        size = self._size(item)
        order = self._texts["expected_item"].format(name=f"{size} {name}" if size else name)
        own = chain.from_iterable(self._groups[g] for g in item.modifier_groups)
        beside = [n for n in own if n in self._left][:_BESIDE_ITEM]
        for modifier in beside:
            self._left.pop(modifier, None)
        names = self._joint.join(beside)
        return order + (self._texts["with"].format(names=names) if beside else "")

    def _size(self, item: MenuItem) -> str | None:
        """Return the one of an item's sizes that has been said least."""
        sizes = [self._sizes[s] for s in item.prices if self._sizes[s] in self._chosen]
        if len(item.prices) < 2 or not sizes:
            return None
        size = min(sizes, key=self._said_sizes.count)
        self._said_sizes.append(size)
        return size


def _in_turn(items: Sequence[str], modifiers: Sequence[str]) -> Iterator[str]:
    """Yield all of both, mixed so that any beginning has its share of each."""
    places = [((i + 1) / (len(items) + 1), name) for i, name in enumerate(items)]
    places += [((i + 1) / (len(modifiers) + 1), name) for i, name in enumerate(modifiers)]
    return (name for _, name in sorted(places, key=lambda place: place[0]))


def _fitting(names: Iterable[str], language: Language) -> set[str]:
    """Return as many names as there is room for; those that bring no new word come last."""
    known: set[str] = set()
    new: list[str] = []
    familiar: list[str] = []
    for name in dict.fromkeys(n for n in names if n):
        keys = set(keys_of(name, language))
        (familiar if keys <= known else new).append(name)
        known |= keys
    room = _LETTERS
    chosen: set[str] = set()
    for name in (*new, *familiar):
        room -= len(name) + _JOINT
        if room < 0:
            break
        chosen.add(name)
    return chosen


def running_text(name: str) -> str:
    """Return a name without asides, in lower case except for abbreviations ("BLT").

    Nothing in it is taken for one of the model's own tokens, such as "<|endoftext|>".
    """
    words = _ASIDE.sub(" ", name).replace("<|", " ").split()
    return " ".join(w if len(w) > 1 and w.isupper() else w.lower() for w in words)
