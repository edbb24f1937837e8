"""Words that order without naming an item: about one in the cart, or the only one that fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from voice_service.ordering.acts import Act, Add, Aside, Group, Mod, Modify, Problem, Target
from voice_service.ordering.attach import Attacher, choose_item, unknown
from voice_service.ordering.lexicon import Sense
from voice_service.ordering.menu import CompiledMenu
from voice_service.ordering.resolve import resolve, which, without
from voice_service.ordering.said import (
    Said,
    SaidBreak,
    SaidCategory,
    SaidEither,
    SaidGroup,
    SaidItem,
    SaidModifier,
    SaidNumber,
    SaidPlain,
    SaidSize,
    SaidSplit,
    SaidUnknown,
)
from voice_service.ordering.text import keys_of

_SIGNS = 2  # of three: it is counted, something goes onto it, there is nothing else yet
_IMPLIED = 0.85  # certainty of an item that was not named but is the only one that fits


@dataclass(frozen=True)
class CartView:
    """What the parser may know of the cart: its items in order, and which one lacks a size.

    `choices`: the guest was asked which of these items is meant. `about`: the items that the guest
    has just asked about.
    """

    items: tuple[str, ...] = ()
    unsized: str | None = None
    choices: tuple[str, ...] = ()
    about: tuple[Sense, ...] = ()


def loose(
    said: Sequence[Said], menu: CompiledMenu, cart: CartView, attacher: Attacher
) -> list[Act]:
    """The acts of what is said without an item."""
    implied = _implied(said, menu, cart)
    if implied is not None:
        attacher.groups = [implied]
        attacher.put([s for s in said if not isinstance(s, SaidNumber)], implied)
        return [Add(implied), *attacher.acts]
    return _Loose(menu, cart).read(said)


class _OfCart(NamedTuple):
    """A modifier for an item of the cart, or for `only` so many of it.

    `turn` tells those so many from others of the same number.
    """

    said: SaidModifier
    mod: Mod
    item: str
    only: int | None
    turn: int


class _Loose:
    def __init__(self, menu: CompiledMenu, cart: CartView) -> None:
        self._menu = menu
        self._cart = cart
        self._acts: list[Act] = []
        self._mods: list[_OfCart] = []
        self._only: int | None = None
        self._pointed: str | None = None
        self._told_apart = False
        self._turn = 0
        self._lost = False  # nobody can say what the modifiers to come are on

    def read(self, said: Sequence[Said]) -> list[Act]:
        for one in said:
            self._about_item(one)
            self._about_order(one)
        return [*self._acts, *self._changes()]

    def _changes(self) -> list[Act]:
        """What was said of items of the cart; all that is true of "one of them" together."""
        acts: list[Act] = []
        for (item, only, _), mods in groupby(self._mods, key=lambda m: (m.item, m.only, m.turn)):
            found = [one.mod for one in mods]
            if only is None:
                acts += [Modify(Target((item,)), (mod,)) for mod in found]
            else:
                acts.append(Modify(Target((item,)), tuple(found), only=only))
        return acts

    def _about_item(self, said: Said) -> None:
        match said:
            case SaidModifier() if not self._lost:
                self._modifier(said)
            case SaidSize() if self._is_topping(said):
                self._modifier(SaidModifier(said.also, said.text, said.words, quantity=said.count))
            case SaidSize():
                self._acts.append(_cart_size(said, self._menu, self._cart))
            case SaidNumber():
                self._acts.append(_number(said, self._menu, self._cart))
            case SaidPlain():
                self._acts.append(Modify(Target(), plain=True, only=self._only))
            case SaidSplit(None, text) if not self._told_apart:
                self._other(text)
            case SaidSplit():
                self._only, self._told_apart = said.count or 0, True
                self._turn += 1
            case SaidItem():
                self._point(said)
            case _:
                pass

    def _is_topping(self, said: SaidSize) -> bool:
        """Whether "medium" is no size of the last item, but how it is done."""
        last = self._cart.items[-1:]
        sized = any(self._menu.allows(item, s) for item in last for s in said.senses)
        return not sized and any(self._menu.allows(item, s) for item in last for s in said.also)

    def _about_order(self, said: Said) -> None:
        match said:
            case SaidUnknown():
                self._acts.append(unknown(said))
            case SaidGroup():
                self._acts += _cart_group(said, self._menu, self._cart, self._only)
            case SaidCategory(wanted=True, negated=False):
                self._acts.append(choose_item(self._menu, said))
            case SaidEither():
                self._either(said)
            case SaidBreak():
                self._pointed = self._only = None
            case _:
                pass

    def _modifier(self, said: SaidModifier) -> None:
        order = [self._pointed] if self._pointed is not None else self._cart.items[::-1]
        for item in order:
            mod = resolve(said, item, self._menu)
            if isinstance(mod, Problem):
                self._acts.append(mod)
                return
            if mod is not None:
                self._mods.append(
                    _OfCart(said, mod, item, self._counted(said, mod, item), self._turn)
                )
                return
        code = "modifier_not_available" if self._cart.items else "modifier_without_item"
        self._acts.append(Problem(code, said.text))

    def _either(self, said: SaidEither) -> None:
        item = self._pointed or (self._cart.items[-1] if self._cart.items else None)
        if item is None:
            self._acts.append(Problem("modifier_without_item", said.text))
        else:
            self._acts.append(which(said, item, self._menu))

    def _counted(self, said: SaidModifier, mod: Mod, item: str) -> int | None:
        """How many it is said of: nobody has two of what there is one of, "two chicken" are two."""
        single = mod.group in self._menu.single_groups(item) and not mod.negated
        if self._only is not None or said.quantity is None or not single:
            return self._only
        mod.quantity = 1
        self._turn += 1
        return said.quantity

    def _other(self, text: str) -> None:
        """ "The other one" is the one that was not talked about last."""
        others = self._cart.items[:-1]
        if len(others) != 1 or others[0] in self._cart.items[1:]:
            self._mods, self._lost = [], True
            self._acts.append(Problem("not_understood", text))
            return
        self._pointed = others[0]
        said, self._mods = [one.said for one in self._mods], []
        for one in said:
            self._modifier(one)

    def _point(self, said: SaidItem) -> None:
        """An item of the cart is named: what came before is about it, or what comes next."""
        here = next((i for i in reversed(self._cart.items) if i in said.part.items), None)
        if here is None:
            return
        if not self._mods:
            self._pointed = here
            return
        moved = [resolve(one.said, here, self._menu) for one in self._mods]
        self._mods = []
        fitting = tuple(m for m in moved if isinstance(m, Mod))
        self._acts.append(Modify(Target((here,)), fitting, text=said.part.span.text))


def _cart_size(said: SaidSize, menu: CompiledMenu, cart: CartView) -> Act:
    order = [cart.unsized] if cart.unsized else []
    order += list(reversed(cart.items))
    for item in order:
        fitting = [s for s in said.senses if item and menu.allows(item, s)]
        if item and fitting:
            if said.count is not None and (said.more or said.linked) and item != cart.unsized:
                return Add(Group(item, said.count, fitting[0].id, words=set(said.words)))
            only = said.count if said.numbered else None
            return Modify(Target((item,)), size=fitting[0].id, text=said.text, only=only)
    if cart.items:
        return Problem("size_not_available", said.text, group=Group(cart.items[-1]))
    return Problem("not_understood", said.text)


def _number(said: SaidNumber, menu: CompiledMenu, cart: CartView) -> Act:
    """A bare number: how many, or which of the sizes that were asked about ("twenty" pieces).

    Before anything is ordered it counts nothing.
    """
    text = str(said.value)
    if not cart.items and not cart.choices:
        # "I'll take two" of what? Somebody who only says a number may not even talk to us.
        return Problem("not_understood", text) if said.wanted else Aside("off_topic", text)
    sizes = menu.items[cart.unsized].prices if cart.unsized is not None else ()
    named = [s for s in sizes if text in keys_of(menu.sizes[s].name, menu.language)]
    if cart.unsized is not None and len(named) == 1:
        return Modify(Target((cart.unsized,)), size=named[0], text=text)
    return Modify(Target(), quantity=said.value, text=text)


def _cart_group(said: SaidGroup, menu: CompiledMenu, cart: CartView, only: int | None) -> list[Act]:
    group = menu.groups[said.id]
    if said.negated:
        item = next(
            (i for i in reversed(cart.items) if said.id in menu.items[i].modifier_groups), None
        )
        if item is None:
            return []
        named = without(said.text, item, menu)
        if named is not None:
            return [Modify(Target((item,)), (named,), text=said.text, only=only)]
        gone = tuple(Mod(m.id, group.id, negated=True) for m in group.modifiers)
        kept = tuple(m for m in gone if m.id in menu.items[item].defaults)
        return [Modify(Target((item,)), kept, text=said.text, only=only)]
    if said.wanted:
        return [Problem("choose_modifier", said.text, tuple(m.name for m in group.modifiers))]
    return []


def _implied(said: Sequence[Said], menu: CompiledMenu, cart: CartView) -> Group | None:
    """The one item that comes in the size and takes all that is said, if "a large" orders it."""
    sizes = [s for s in said if isinstance(s, SaidSize)]
    mods = [s for s in said if isinstance(s, SaidModifier) and not s.negated]
    if len(sizes) != 1 or cart.unsized is not None:
        return None
    # "A large", "small with ham", "and a large with ham"; "large" alone is about the cart.
    signs = (sizes[0].count is not None, bool(mods), not cart.items)
    if sum(signs) < _SIGNS:
        return None
    fitting = [
        item.id
        for item in menu.menu.items
        if any(menu.allows(item.id, s) for s in sizes[0].senses)
        and all(any(menu.allows(item.id, s) for s in m.senses) for m in mods)
    ]
    if len(fitting) != 1:
        return None
    group = Group(fitting[0], sizes[0].count, quality=_IMPLIED)
    group.words.update(sizes[0].words)
    return group
