"""Telling several of one item apart: "two with cheese, the other one without onions"."""

from __future__ import annotations

from dataclasses import replace

from voice_service.ordering.acts import Act, ItemRequest, ReferenceKind, not_understood
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.references.pointers import Pointer, some_of


class Partitioner:
    """Finds the requests that words like "one of them" are about, and divides them.

    `requests` and `acts` are the attacher's own lists: parts of a request are added to the first,
    reasons for what is not understood to the second.
    """

    def __init__(self, menu: CompiledMenu, requests: list[ItemRequest], acts: list[Act]) -> None:
        self._menu = menu
        self._requests = requests
        self._acts = acts
        self._undescribed: ItemRequest | None = None  # those of several that nothing is said of yet

    def begin(self, request: ItemRequest) -> None:
        """Start with another item."""
        self._undescribed = None

    @property
    def undivided(self) -> bool:
        """Whether all of the current item are still alike."""
        return self._undescribed is None

    def place(self, ordinal: Pointer, current: ItemRequest) -> ItemRequest:
        """Return what "the first one with cheese" is: one of several alike, or an item by place."""
        requests = [r for r in self._requests if not ordinal.items or r.item in ordinal.items]
        last, count = self._undescribed or current, ordinal.count or 1
        if len(requests) == 1 or not self.undivided or last.count > 1:
            alike = {r.item for r in requests} == {last.item}
            if alike and last.count >= count:
                return self.split(some_of(count, ordinal.text), current)
        index = ordinal.place - 1 if ordinal.place > 0 else ordinal.place
        single = all(r.count == 1 for r in requests)
        if single and count == 1 and -len(requests) <= index < len(requests):
            return requests[index]
        self._acts.append(not_understood(ordinal.text))
        return current

    def split(self, part: Pointer, current: ItemRequest) -> ItemRequest:
        """Return so many of those that nothing was said of yet: "two with cheese"."""
        rest = self._undescribed if self._undescribed is not None else current
        count = _count_of(part, rest.count)
        if count == 0:
            self._acts.append(not_understood(part.text))
            return rest
        if count > rest.count:
            if rest.quantity is None:
                rest.quantity = count  # "cod and chips twice with vinegar"
            else:
                self._acts.append(not_understood(str(count)))
            return rest
        if count == rest.count:
            return rest
        rest.quantity = rest.count - count
        divided = replace(rest, quantity=count, mods=list(rest.mods), words=set(rest.words))
        self._requests.append(divided)
        self._undescribed = rest
        return divided

    def end(self) -> None:
        """Take "not decaf" for a plain one, where another one is decaf and none is by itself.

        "Ice in one of them" says nothing where all have ice: do the others go without?
        """
        for request in self._requests:
            chosen = self._menu.single_groups(request.item)
            defaults = self._menu.items[request.item].defaults
            others = [r for r in self._requests if r.item == request.item and r is not request]
            asked = {m.id for r in others for m in r.mods if not m.negated and m.group in chosen}
            request.mods = [
                m
                for m in request.mods
                if not (m.negated and m.group in chosen and m.id in asked.difference(defaults))
            ]
            usual = all(m.id in defaults and not (m.negated or m.qualifier) for m in request.mods)
            if not self.undivided and request.mods and usual and not any(r.mods for r in others):
                self._acts.append(not_understood(self._menu.item_name(request.item)))


def _count_of(part: Pointer, total: int) -> int:
    """Return how many of `total` items a part has; 0 where that is not clear."""
    match part.which:
        case ReferenceKind.EACH | ReferenceKind.OF_OTHERS:
            return 0
        case ReferenceKind.HALF:
            return 0 if total % 2 else total // 2
        case ReferenceKind.BUT:
            return max(total - (part.count or 1), 0)
        case _ if part.such is not None:
            return 0
        case _:
            return total if part.count is None else part.count
