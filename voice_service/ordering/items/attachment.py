"""What was said beside an item, put onto it; what fits nowhere is reported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from voice_service.ordering.acts import (
    Act,
    Elided,
    ItemRequest,
    ModifierRequest,
    Modify,
    Problem,
    Target,
    not_understood,
)
from voice_service.ordering.attributes.distribution import (
    halved,
    like_named,
    of_its_own,
    shared_out,
)
from voice_service.ordering.attributes.linking import resolve, which, without
from voice_service.ordering.attributes.statements import (
    AlternativesStatement,
    CategoryStatement,
    ClauseBreak,
    CountStatement,
    GroupStatement,
    ItemStatement,
    ModifierStatement,
    Negation,
    PlainStatement,
    SizeStatement,
    Statement,
    Times,
    UnknownWords,
)
from voice_service.ordering.doubt import Doubt
from voice_service.ordering.items.alternatives import choose_item, unknown
from voice_service.ordering.items.partition import Partitioner
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.menu.match import FULL
from voice_service.ordering.reasons import ReasonCode
from voice_service.ordering.references.pointers import (
    AllOf,
    Demonstrative,
    Described,
    Ordinal,
    Partition,
    SomeOf,
)

_PAIR = 2


_Sized = tuple[SizeStatement, ItemRequest, str | None]
"""A size, the item that it was put on, and the size that this had before."""


class AttributeAttacher:
    """Puts what was said onto the groups of one utterance, in the order of speaking.

    `groups` grows as items come; `acts` takes changes to lines that are already in the cart.
    """

    def __init__(self, menu: CompiledMenu, in_cart: Sequence[str]) -> None:
        self.menu = menu
        self.groups: list[ItemRequest] = []
        self.acts: list[Act] = []
        self._in_cart = in_cart
        self._both: AllOf | None = None
        self._apart = Partitioner(menu, self.groups, self.acts)
        self._telling = False  # several are being told apart by their sizes

    def put(  # noqa: PLR0912 - a branch for each kind of thing said
        self, said: Sequence[Statement], group: ItemRequest, named: Sequence[str] = ()
    ) -> None:
        """Everything of `said` onto `group`, with what came before as a fallback.

        `named`: the modifier groups of what was said before its name.
        """
        current = group
        since: list[tuple[ItemRequest, ModifierRequest]] = []
        sized: _Sized | None = None
        pointed: str | None = None
        self._both, self._telling = None, False
        self._apart.begin(group)
        said = [of_its_own(one, named) for one in said]
        shared = self._shared_out_to(group, said)
        for one in shared:
            match one:
                case ModifierStatement() if pointed is not None:
                    self._into_cart(one, pointed)
                case ModifierStatement() if self._one_more(one, current, named):
                    current = self._sibling(current, one.before.counted)
                    since += self._modifier(replace(one, quantity=None), current)
                case ModifierStatement():
                    since += self._modifier(one, current)
                case SizeStatement():
                    sized = (one, current, current.size)
                    current = self._size(one, current)
                case CountStatement():
                    self._number(one, current)
                case PlainStatement():
                    current.plain = True
                case Partition():
                    self._both = None
                    current = self._tell_apart(one, current, group, shared)
                case Ordinal():
                    self._both = None
                    current = self._apart.place(one, current)
                case Demonstrative():
                    self._both = None
                case Described():
                    self._both = None
                    current = self._apart.such(one, current)
                case Times(value):
                    self._times(value, current)
                case AllOf():
                    self._both = one
                case ClauseBreak():
                    since, sized, pointed, self._both = [], None, None, None
                case ItemStatement():
                    self._resize(one, sized)
                    pointed = self._point(one, since)
                    since, sized = [], None
                case _:
                    self._report(one, current, said)

    def _shared_out_to(self, group: ItemRequest, said: Sequence[Statement]) -> list[Statement]:
        """`said` with numbers that tell apart several of the item."""
        count, menu = group.quantity or 1, self.menu
        said = halved(said, count, lambda one: menu.single(group.item, one.candidates))
        return shared_out(said, count)

    def _report(self, one: Statement, current: ItemRequest, said: Sequence[Statement]) -> None:
        match one:
            case AlternativesStatement():
                self.acts.append(which(one, current.item, self.menu))
            case GroupStatement():
                self._whole_group(one, current, said)
            case CategoryStatement():
                self._category(one)
            case UnknownWords():
                self.acts.append(unknown(one))
            case _:
                pass

    def _modifier(
        self, said: ModifierStatement, current: ItemRequest
    ) -> list[tuple[ItemRequest, ModifierRequest]]:
        placed: list[tuple[ItemRequest, ModifierRequest]] = []
        order = [current, *(g for g in reversed(self.groups) if g is not current)]
        for group in order:
            mod = resolve(said, group.item, self.menu)
            if isinstance(mod, Problem):
                self.acts.append(mod)
                return placed
            if mod is not None and self._denies_another(mod, group):
                self.acts.append(not_understood(said.text))
                return placed
            if mod is not None:
                if group is not current and said.before.after_with and self._both is None:
                    mod.quality *= Doubt.ON_EARLIER_ITEM.certainty
                group.put(mod)
                placed.append((group, mod))
                if self._both is None:
                    return placed
        if self._both is not None and self._both.pair and len({id(g) for g, _ in placed}) > _PAIR:
            self.acts.append(not_understood(self._both.text))
        if not placed:
            self.acts.append(Problem(ReasonCode.MODIFIER_NOT_AVAILABLE, said.text, request=current))
        return placed

    def _denies_another(self, mod: ModifierRequest, group: ItemRequest) -> bool:
        """ "Hot, no, mild", heard as "no mild": only one is to be had, and another was chosen."""
        single = mod.group in self.menu.single_groups(group.item)
        there = mod.id in self.menu.items[group.item].defaults
        others = [m for m in group.mods if m.group == mod.group and not m.negated]
        return mod.negated and single and not there and bool(others)

    def _one_more(
        self, said: ModifierStatement, current: ItemRequest, named: Sequence[str]
    ) -> bool:
        """Whether "and a raisin" after "a plain bagel with butter" is another bagel.

        It is the like of what was said before the name, and of nothing that was said after it; with
        a number ("and six raisin") that is enough.
        """
        if said.before.counted is None or said.qualifier is not None or not like_named(said, named):
            return False
        several = said.quantity is not None and said.quantity > 1
        return several or any(m.group not in named for m in current.mods)

    def _sibling(self, current: ItemRequest, count: int | None) -> ItemRequest:
        sibling = ItemRequest(
            current.item, count, quality=current.quality, elided=Elided(item=True)
        )
        self.groups.append(sibling)
        return sibling

    def _size(self, said: SizeStatement, current: ItemRequest) -> ItemRequest:
        fitting = [s for s in said.candidates if self.menu.offers(current.item, s)]
        other = [s for s in said.also if self.menu.offers(current.item, s)]
        if other and ((current.size is not None and said.count is None) or not fitting):
            self._modifier(ModifierStatement(tuple(other), said.text, said.words), current)
            return current
        if not fitting:
            return self._size_elsewhere(said, current)
        shared = self._shared_out(said, current, fitting[0].id)
        if shared is not None:
            return shared
        if current.size is not None and said.count is not None:
            sibling = self._sibling(current, said.count)
            sibling.size = fitting[0].id
            sibling.words.update(said.words)
            return sibling
        if current.size is not None and said.soft:
            return current
        if current.size not in (None, fitting[0].id) and self._both is None:
            self.acts.append(Problem(ReasonCode.CONFLICTING_SIZE, said.text, request=current))
        current.size = fitting[0].id
        current.words.update(said.words)
        if self._both is not None:
            for group in self.groups:
                if any(self.menu.offers(group.item, s) for s in said.candidates):
                    group.size = fitting[0].id
        return current

    def _shared_out(
        self, said: SizeStatement, current: ItemRequest, size: str
    ) -> ItemRequest | None:
        """ "four colas, two large and two small": so many of those that have no size yet."""
        if said.count is None or (said.linked and not said.numbered and not self._telling):
            return None
        unsized = [g for g in self.groups if g.item == current.item and g.size is None]
        several = bool(unsized) and (unsized[-1].quantity or 1) > 1
        if not unsized or (unsized[-1].quantity or 1) < said.count:
            return None
        if not (said.numbered or several or self._telling):
            return None
        self._telling = True
        rest = unsized[-1]
        if rest.quantity == said.count:
            rest.size = size
            return rest
        part = replace(
            rest, quantity=said.count, size=size, mods=list(rest.mods), words=set(rest.words)
        )
        rest.quantity = (rest.quantity or 1) - said.count
        self.groups.append(part)
        return part

    def _size_elsewhere(self, said: SizeStatement, current: ItemRequest) -> ItemRequest:
        sized = bool(self.menu.items[current.item].prices) and current.size is None
        for group in reversed(self.groups):
            fits = [s for s in said.candidates if self.menu.offers(group.item, s)]
            if fits and group.size is None and not (sized and said.count is None):
                group.size = fits[0].id
                group.words.update(said.words)
                return current
        # "A large" counts something that was not understood; a large burger is only a burger.
        code = ReasonCode.SIZE_NOT_AVAILABLE if said.count is None else ReasonCode.NOT_UNDERSTOOD
        self.acts.append(Problem(code, said.text, request=current))
        return current

    def _number(self, said: CountStatement, current: ItemRequest) -> None:
        if current.quantity is None:
            current.quantity = said.value
            current.words.update(said.words)
        else:
            self.acts.append(not_understood(str(said.value)))

    def _times(self, value: int, current: ItemRequest) -> None:
        """ "A number one with a coke times two": all of it, if it is one dish."""
        whole, *others = self.groups
        slots = self.menu.items[whole.item].slots
        parts = {item for slot in slots for item in self.menu.fillings(slot)}
        if any(g.item not in parts or (g.quantity or 1) > 1 for g in others):
            current.quality *= Doubt.HOW_MANY_IN_ALL.certainty
            whole = current
        whole.quantity = (whole.quantity or 1) * value

    def _tell_apart(
        self, split: Partition, current: ItemRequest, group: ItemRequest, said: Sequence[Statement]
    ) -> ItemRequest:
        """So many of `current` apart, or so many more: what follows is true of them."""
        another = self._another(split, current, said)
        if another is not None:
            return another
        if current is group and self._apart.more_in_all(split, group, said):
            group.quality *= Doubt.HOW_MANY_IN_ALL.certainty
        return self._apart.split(split, current)

    def _another(
        self, split: Partition, current: ItemRequest, said: Sequence[Statement]
    ) -> ItemRequest | None:
        """ "A burger and one with cheese": as many more as there were, and what they have."""
        if not isinstance(split, SomeOf) or not split.linked or split.text or said[-1] is split:
            return None
        if split.count != (current.quantity or 1) or not self._apart.undivided:
            return None
        another = self._sibling(current, split.count)
        another.size = current.size
        return another

    def _resize(self, said: ItemStatement, sized: _Sized | None) -> None:
        """ "Fries and a coke, large on the fries": the size is moved to what is pointed at."""
        here = next((g for g in reversed(self.groups) if g.item in said.mention.items), None)
        if sized is None or here is None or sized[0].count is not None:
            return
        size, group, before = sized
        group.size = before
        self._size(size, here)

    def _point(
        self, said: ItemStatement, since: list[tuple[ItemRequest, ModifierRequest]]
    ) -> str | None:
        """Moves the modifiers just said to the item pointed at; returns it for those to come."""
        choices = said.mention.items
        here = next((g for g in reversed(self.groups) if g.item in choices), None)
        in_cart = next((i for i in reversed(self._in_cart) if i in choices), None)
        target = in_cart if here is None else here.item
        for group, mod in since:
            if target is None or here is group or mod not in group.mods:
                continue
            group.mods.remove(mod)
            if not self.menu.has_group(target, mod.group):
                name = self.menu.modifiers[mod.group, mod.id].name
                self.acts.append(Problem(ReasonCode.MODIFIER_NOT_AVAILABLE, name))
            elif here is not None:
                here.put(mod)
            else:
                self.acts.append(Modify(Target((target,)), (mod,)))
        return in_cart if here is None and not since else None

    def _into_cart(self, said: ModifierStatement, item: str) -> None:
        mod = resolve(said, item, self.menu)
        if isinstance(mod, Problem):
            self.acts.append(mod)
        elif mod is None:
            self.acts.append(Problem(ReasonCode.MODIFIER_NOT_AVAILABLE, said.text))
        else:
            self.acts.append(Modify(Target((item,)), (mod,)))

    def _without_group(self, said: GroupStatement, current: ItemRequest) -> None:
        """ "No toppings": what it comes with, or what the menu calls the same."""
        group, defaults = self.menu.groups[said.id], self.menu.items[current.item].defaults
        named = without(said.text, current.item, self.menu)
        if named is not None:
            current.put(named)
            return
        if not self.menu.has_group(current.item, group.id):
            self.acts.append(Problem(ReasonCode.MODIFIER_NOT_AVAILABLE, said.text, request=current))
            return
        current.mods = [m for m in current.mods if m.group != group.id]
        for default in defaults:
            if (group.id, default) in self.menu.modifiers:
                current.put(ModifierRequest(default, group.id, negated=True))
        alike = tuple(s for s in said.named if s.match >= FULL)
        if len(alike) == len({g.item for g in self.groups}) == 1 and not defaults:
            self._modifier(ModifierStatement(alike, said.text, (), Negation()), current)

    def _whole_group(
        self, said: GroupStatement, current: ItemRequest, beside: Sequence[Statement]
    ) -> None:
        group = self.menu.groups[said.id]
        if said.negated:
            self._without_group(said, current)
            return
        named = any(
            isinstance(one, ModifierStatement) and any(s.group == group.id for s in one.candidates)
            for one in beside
        )
        if said.every:
            self._every(said, current)
        elif not named and not any(m.group == group.id for m in current.mods):
            choices = tuple(m.name for m in group.modifiers)
            self.acts.append(Problem(ReasonCode.CHOOSE_MODIFIER, said.text, choices))

    def _every(self, said: GroupStatement, current: ItemRequest) -> None:
        """ "All the toppings", on what takes them."""
        order = [current, *(g for g in reversed(self.groups) if g is not current)]
        host = next((g for g in order if self.menu.has_group(g.item, said.id)), None)
        if host is None:
            self.acts.append(Problem(ReasonCode.MODIFIER_NOT_AVAILABLE, said.text, request=current))
            return
        certainty = Doubt.ALL_OF_GROUP.certainty
        for modifier in self.menu.groups[said.id].modifiers:
            host.put(ModifierRequest(modifier.id, said.id, quality=certainty, every=True))

    def _category(self, said: CategoryStatement) -> None:
        labelled = any(self.menu.items[g.item].category == said.id for g in self.groups)
        if said.wanted and not said.negated and (said.further or not labelled):
            self.acts.append(choose_item(self.menu, said))
