"""Several of one item told apart: "two with cheese, the other one without onions"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from voice_service.ordering.acts import Act, ItemRequest, not_understood
from voice_service.ordering.attributes.statements import ModifierStatement, Statement
from voice_service.ordering.cart.lines import line_of
from voice_service.ordering.cart.resolution import matches_description
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.references.pointers import (
    AllBut,
    AllOf,
    Described,
    HalfOf,
    Ordinal,
    Partition,
    SomeOf,
    SomeOfEach,
    SomeOfTheOthers,
)


class Partitioner:
    """Which of the groups of an utterance words like "one of them" are about.

    `groups` and `acts` are the attacher's own lists: parts of a group are added to the first, what
    is not understood to the second.
    """

    def __init__(self, menu: CompiledMenu, groups: list[ItemRequest], acts: list[Act]) -> None:
        self._menu = menu
        self._groups = groups
        self._acts = acts
        self._named = 0  # modifiers of the item at hand that stood before its name
        self._rest: ItemRequest | None = None  # those of several that are not described yet

    def begin(self, group: ItemRequest) -> None:
        """From here on it is about another item."""
        self._rest = None
        self._named = len(group.mods)

    @property
    def undivided(self) -> bool:
        """Whether all of the item at hand are still alike."""
        return self._rest is None

    def place(self, said: Ordinal, current: ItemRequest) -> ItemRequest:
        """ "The first one with cheese": one of several alike, or an item by its place."""
        groups = [g for g in self._groups if not said.items or g.item in said.items]
        last = self._rest if self._rest is not None else current
        if len(groups) == 1 or self._rest is not None or (last.quantity or 1) > 1:
            alike = {g.item for g in groups} == {last.item}
            if alike and (last.quantity or 1) >= said.count:
                return self.split(SomeOf(said.count, said.text), current)
        index = said.place - 1 if said.place > 0 else said.place
        single = all((g.quantity or 1) == 1 for g in groups)
        if single and said.count == 1 and -len(groups) <= index < len(groups):
            return groups[index]
        self._acts.append(not_understood(said.text))
        return current

    def such(self, said: Described, current: ItemRequest) -> ItemRequest:
        """ "The small one without ice": the one item named here that is like that."""
        fitting = [
            g
            for g in self._groups
            if matches_description(said.such, line_of("", g, 1.0), self._menu)
        ]
        if len(fitting) == 1 and (said.such.several or (fitting[0].quantity or 1) == 1):
            return fitting[0]
        self._acts.append(not_understood(said.text))
        return current

    def split(self, said: Partition, current: ItemRequest) -> ItemRequest:
        """ "Two with cheese": so many of those that are not described yet."""
        rest = self._rest if self._rest is not None else current
        total = rest.quantity or 1
        count = _count_of(said, total)
        if count == 0:
            self._acts.append(not_understood(said.text))
            return rest
        if count > total:
            if rest.quantity is None:
                rest.quantity = count  # "cod and chips twice with vinegar"
            else:
                self._acts.append(not_understood(str(count)))
            return rest
        if count == total:
            return rest
        rest.quantity = total - count
        part = replace(rest, quantity=count, mods=list(rest.mods), words=set(rest.words))
        self._groups.append(part)
        self._rest = rest
        return part

    def more_in_all(self, split: Partition, group: ItemRequest, said: Sequence[Statement]) -> bool:
        """Whether it may be about more: "two with cheese and one with onions" are two or three.

        They are two if the numbers add up to that, or if what was said of both is left off one.
        """
        if not isinstance(split, SomeOf) or not group.mods or split.text:
            return False  # "one of them" says it
        counts = [one.count or 0 for one in said if isinstance(one, Partition)]
        at = next(i for i, one in enumerate(said) if one is split)
        after = [one for one in said[at:] if isinstance(one, ModifierStatement)]
        kinds = {m.group for m in group.mods if not m.negated}
        left_off = any(m.negated for m in after[:1])
        like = any(m.candidates[0].group in kinds for m in after[:1]) and not left_off
        adds_up = len(counts) > 1 and sum(counts) == (group.quantity or 1)
        both = any(isinstance(one, AllOf) for one in said[:at])
        if (adds_up and (both or not like)) or (left_off and not split.linked):
            return False
        return split.linked or like or len(group.mods) > self._named


def _count_of(part: Partition, total: int) -> int:
    """How many of `total` items a part has; 0 where that is not clear."""
    match part:
        case SomeOfEach() | SomeOfTheOthers():
            return 0
        case SomeOf(such=such) if such is not None:
            return 0
        case HalfOf():
            return 0 if total % 2 else total // 2
        case AllBut(count):
            return max(total - count, 0)
        case _:
            return total if part.count is None else part.count
