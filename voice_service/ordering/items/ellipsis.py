"""Words that order without naming an item: about one in the cart, or the only one that fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from voice_service.ordering.acts import (
    Act,
    Add,
    Aside,
    ItemRequest,
    ModifierRequest,
    Modify,
    ModifyReferenced,
    Problem,
    Reference,
    ReferenceKind,
    Target,
    not_understood,
)
from voice_service.ordering.attributes.distribution import halved, shared_out
from voice_service.ordering.attributes.linking import resolve, which, without
from voice_service.ordering.attributes.statements import (
    AlternativesStatement,
    CategoryStatement,
    ClauseBreak,
    CountStatement,
    GroupStatement,
    ItemStatement,
    ModifierStatement,
    PlainStatement,
    SizeStatement,
    Statement,
    Times,
    UnknownWords,
)
from voice_service.ordering.cart.resolution import has_modifier
from voice_service.ordering.cart_view import CartView
from voice_service.ordering.doubt import Doubt
from voice_service.ordering.items.alternatives import choose_item, unknown
from voice_service.ordering.items.attachment import AttributeAttacher
from voice_service.ordering.language.tokens import keys_of, plural, several
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.menu.lexicon import Candidate
from voice_service.ordering.reasons import ReasonCode
from voice_service.ordering.references.pointers import (
    AllOf,
    Demonstrative,
    Described,
    Ordinal,
    Partition,
    SomeOf,
)

_SIGNS = 2  # of three: it is counted, something goes onto it, there is nothing else yet


def resolve_ellipsis(
    said: Sequence[Statement], menu: CompiledMenu, cart: CartView, attacher: AttributeAttacher
) -> list[Act]:
    """The acts of what is said without an item."""
    implied = _implied(said, menu, cart)
    if implied is not None:
        attacher.groups[:] = [implied]
        attacher.put([s for s in said if not isinstance(s, CountStatement)], implied)
        return [*map(Add, attacher.groups), *attacher.acts]
    return _EllipsisResolver(menu, cart).read(said)


_Change = ModifierStatement | SizeStatement | PlainStatement


class _EllipsisResolver:
    """Reads words without an item, clause by clause: each is about the same lines."""

    def __init__(self, menu: CompiledMenu, cart: CartView) -> None:
        self._menu = menu
        self._cart = cart
        self._acts: list[Act] = []
        self._clause: list[_Change] = []
        self._ref: Reference | None = None
        self._pointed: str | None = None

    def read(self, said: Sequence[Statement]) -> list[Act]:
        for one in self._told_apart(said):
            match one:
                case SizeStatement() if self._is_topping(one):
                    done = ModifierStatement(one.also, one.text, one.words, quantity=one.count)
                    self._clause.append(done)
                case ModifierStatement() | SizeStatement() | PlainStatement():
                    self._clause.append(one)
                case Partition() | AllOf() | Ordinal() | Described() | Demonstrative():
                    self._end_clause()
                    self._ref = one.reference()
                case ItemStatement():
                    self._point(one)
                case ClauseBreak():
                    self._end_clause()
                    self._pointed = self._ref = None
                case _:
                    self._about_order(one)
        self._end_clause()
        return self._acts

    def _told_apart(self, said: Sequence[Statement]) -> Sequence[Statement]:
        """ "One large with milk, two small" of three: a number begins what is true of so many."""
        last = self._cart.items[-1:]
        lines = [line for line in self._cart.lines if line.item in last]
        counted = lines[0].count if len(lines) == 1 else 1
        if counted == 1 or any(isinstance(one, Partition | Ordinal | Described) for one in said):
            return said
        shared: list[Statement] = []
        said = halved(said, counted, lambda one: self._menu.single(last[0], one.candidates))
        for one in shared_out(said, counted):
            if not isinstance(one, SizeStatement) or not one.numbered or self._is_topping(one):
                shared.append(one)
            else:
                size = replace(one, count=None, numbered=False)
                shared += [SomeOf(one.count or 1, one.text), size]
        return shared

    def _is_topping(self, said: SizeStatement) -> bool:
        """Whether "medium" is no size of the last item, but how it is done."""
        last = self._cart.items[-1:]
        sized = any(self._menu.offers(item, s) for item in last for s in said.candidates)
        return not sized and any(self._menu.offers(item, s) for item in last for s in said.also)

    def _about_order(self, said: Statement) -> None:
        match said:
            case CountStatement():
                self._acts.append(_number(said, self._menu, self._cart))
            case Times(value):
                self._acts.append(Modify(Target(), quantity=value, text=str(value)))
            case UnknownWords():
                self._acts.append(unknown(said))
            case GroupStatement():
                self._acts += _cart_group(said, self._menu, self._cart)
            case CategoryStatement(wanted=True, negated=False):
                self._acts.append(choose_item(self._menu, said))
            case AlternativesStatement():
                self._either(said)
            case _:
                pass

    def _end_clause(self) -> None:
        """What was said of lines of the order becomes acts."""
        clause, self._clause = self._clause, []
        if not clause:
            return
        if self._ref is not None:
            self._acts.append(self._among(self._ref, clause))
            return
        for one in clause:
            match one:
                case ModifierStatement():
                    self._acts.append(self._modifier(one))
                case SizeStatement():
                    self._acts.append(_cart_size(one, self._menu, self._view()))
                case PlainStatement():
                    self._acts.append(Modify(self._target(), plain=True))

    def _target(self) -> Target:
        return Target() if self._pointed is None else Target((self._pointed,))

    def _view(self) -> CartView:
        """The cart as if only the item that is pointed at were in it, if one is."""
        return self._cart if self._pointed is None else CartView((self._pointed,))

    def _modifier(self, said: ModifierStatement) -> Act:
        for item in self._in_question(said):
            mod = resolve(said, item, self._menu)
            if isinstance(mod, Problem):
                return mod
            if mod is not None:
                return self._counted(said, mod, item)
        return self._fits_nothing(said.text)

    def _in_question(self, said: ModifierStatement) -> Sequence[str]:
        """The items that may be meant, the likeliest first: what is left off was on it."""
        items = self._view().items[::-1]
        if not said.negated or self._pointed is not None:
            return items
        named = frozenset((s.group or "", s.id) for s in said.candidates)
        whole = self._cart.lines
        on = {line.item for line in whole if has_modifier(line, named, self._menu)}
        return [*(i for i in items if i in on), *(i for i in items if i not in on)]

    def _either(self, said: AlternativesStatement) -> None:
        item = self._pointed or (self._cart.items[-1] if self._cart.items else None)
        if item is None:
            self._acts.append(Problem(ReasonCode.MODIFIER_WITHOUT_ITEM, said.text))
        else:
            self._acts.append(which(said, item, self._menu))

    def _counted(self, said: ModifierStatement, mod: ModifierRequest, item: str) -> Act:
        """Nobody has two of what there is one of: "two chicken" are two of them."""
        change = Modify(Target((item,)), (mod,))
        single = mod.group in self._menu.single_groups(item) and not mod.negated
        if said.quantity is None or not single:
            return change
        mod.quantity = 1
        return ModifyReferenced(
            Reference(ReferenceKind.SOME, said.quantity, text=said.text), (change,)
        )

    def _fits_nothing(self, text: str) -> Problem:
        code = (
            ReasonCode.MODIFIER_NOT_AVAILABLE
            if self._cart.items
            else ReasonCode.MODIFIER_WITHOUT_ITEM
        )
        return Problem(code, text)

    def _among(self, ref: Reference, clause: Sequence[_Change]) -> Act:
        """The clause for each item of the order that all of it fits."""
        found = [self._change(item, clause) for item in dict.fromkeys(self._cart.items[::-1])]
        changes = tuple(one for one in found if isinstance(one, Modify))
        if changes:
            return ModifyReferenced(ref, changes)
        unclear = next((one for one in found if isinstance(one, Problem)), None)
        text = next((one.text for one in clause if not isinstance(one, PlainStatement)), ref.text)
        return unclear or self._fits_nothing(text)

    def _change(self, item: str, clause: Sequence[_Change]) -> Modify | Problem | None:
        change = Modify(Target((item,)))
        for one in clause:
            match one:
                case PlainStatement():
                    if not self._menu.items[item].modifier_groups:
                        return None
                    change = replace(change, plain=True)
                case SizeStatement():
                    sizes = [s.id for s in one.candidates if self._menu.offers(item, s)]
                    if not sizes:
                        return None
                    change = replace(change, size=sizes[0], text=one.text)
                case ModifierStatement():
                    mod = resolve(one, item, self._menu)
                    if not isinstance(mod, ModifierRequest):
                        return mod
                    change = replace(change, mods=(*change.mods, mod))
        return change

    def _point(self, said: ItemStatement) -> None:
        """An item of the cart is named: what came before is about it, or what comes next."""
        here = next((i for i in reversed(self._cart.items) if i in said.mention.items), None)
        if here is None:
            return
        self._end_what_others_have()
        if self._ref is not None:
            self._ref = replace(self._ref, items=said.mention.items)
            return
        if said.mention.plural and self._is_one_of_others(here):
            # "The burgers", and there is one hamburger and one cheeseburger.
            self._clause = []
            self._acts.append(not_understood(said.mention.span.text))
            return
        if not self._clause:
            self._pointed = here
            return
        change = self._change(here, self._clause)
        if change is None and len(self._clause) > 1:
            # "Medium, and butter on the croissant".
            change = self._change(here, self._end_all_but_last())
        self._clause = []
        # A size or topping that it does not come with is not put onto another one instead.
        self._acts.append(self._fits_nothing(said.mention.span.text) if change is None else change)

    def _end_what_others_have(self) -> None:
        """ "Both small, oat milk in the latte", "the coffee small and the colas large"."""
        shared = self._ref is not None and self._ref.which in (
            ReferenceKind.BOTH,
            ReferenceKind.ALL,
        )
        if (shared or self._pointed is not None) and len(self._clause) > 1:
            self._clause = self._end_all_but_last()
            self._ref = None
        elif self._pointed is not None:
            self._end_clause()
        self._pointed = None

    def _end_all_but_last(self) -> list[_Change]:
        """Ends what was said so far, but for the last of it, which is about something else."""
        *self._clause, own = self._clause
        self._end_clause()
        return [own]

    def _is_one_of_others(self, item: str) -> bool:
        """Whether there is a single one of it, beside other items, and its name is no plural."""
        name = self._menu.item_name(item)
        one = plural(name, self._menu.language) != name
        alone = len(set(self._cart.items)) == 1
        return item in self._cart.single and one and not alone


def _cart_size(said: SizeStatement, menu: CompiledMenu, cart: CartView) -> Act:
    order = [cart.unsized] if cart.unsized else []
    order += list(reversed(cart.items))
    for item in order:
        fitting = [s for s in said.candidates if item and menu.offers(item, s)]
        if item and fitting:
            if _of_several(said, menu, cart):
                return not_understood(said.text)
            if said.count is not None and (said.more or said.linked) and item != cart.unsized:
                return Add(ItemRequest(item, said.count, fitting[0].id, words=set(said.words)))
            change = Modify(Target((item,)), size=fitting[0].id, text=said.text)
            if said.numbered and said.count is not None:
                return ModifyReferenced(
                    Reference(ReferenceKind.SOME, said.count, text=said.text), (change,)
                )
            return change
    if cart.items:
        return Problem(
            ReasonCode.SIZE_NOT_AVAILABLE, said.text, request=ItemRequest(cart.items[-1])
        )
    return not_understood(said.text)


def _of_several(said: SizeStatement, menu: CompiledMenu, cart: CartView) -> bool:
    """ "Larges", where there are several things that come in it."""
    sized = [x for x in cart.lines if any(menu.offers(x.item, s) for s in said.candidates)]
    return said.count is None and len(sized) > 1 and several(said.text, menu.language)


def _number(said: CountStatement, menu: CompiledMenu, cart: CartView) -> Act:
    """A bare number: how many, or which of the sizes ("twenty" pieces).

    Before anything is ordered it counts nothing.
    """
    text = str(said.value)
    if not cart.items and not cart.choices:
        # "I'll take two" of what? Somebody who only says a number may not even talk to us.
        return not_understood(text) if said.wanted else Aside(ReasonCode.OFF_TOPIC, text)
    item = cart.unsized or (cart.items[-1] if cart.items else None)
    sizes = menu.items[item].prices if item is not None else ()
    named = [s for s in sizes if text in keys_of(menu.sizes[s].name, menu.language)]
    if item is not None and len(named) == 1:
        return Modify(Target((item,)), size=named[0], text=text)
    return Modify(Target(), quantity=said.value, text=text)


def _cart_group(said: GroupStatement, menu: CompiledMenu, cart: CartView) -> list[Act]:
    group = menu.groups[said.id]
    if said.negated:
        item = next(
            (i for i in reversed(cart.items) if said.id in menu.items[i].modifier_groups), None
        )
        if item is None:
            return []
        named = without(said.text, item, menu)
        if named is not None:
            return [Modify(Target((item,)), (named,), text=said.text)]
        gone = tuple(ModifierRequest(m.id, group.id, negated=True) for m in group.modifiers)
        kept = tuple(m for m in gone if m.id in menu.items[item].defaults)
        return [Modify(Target((item,)), kept, text=said.text)]
    if said.wanted:
        return [
            Problem(ReasonCode.CHOOSE_MODIFIER, said.text, tuple(m.name for m in group.modifiers))
        ]
    return []


def _implied(said: Sequence[Statement], menu: CompiledMenu, cart: CartView) -> ItemRequest | None:
    """The one item that comes in the size and takes all that is said, if "a large" orders it."""
    sizes = [s for s in said if isinstance(s, SizeStatement)]
    mods = [s for s in said if isinstance(s, ModifierStatement) and not s.negated]
    listed = len(sizes) > 1 and any(s.count is None for s in sizes)
    if not sizes or listed or cart.unsized is not None:
        return None
    # "A large", "small with ham", "and a large with ham"; "large" alone is about the cart.
    signs = (sizes[0].count is not None, bool(mods), not cart.items)
    if sum(signs) < _SIGNS:
        return None
    item = _only_one([*(s.candidates for s in sizes), *(m.candidates for m in mods)], menu)
    if item is None:
        return None
    group = ItemRequest(item, sizes[0].count, quality=Doubt.ONLY_ONE_FITS.certainty)
    group.words.update(sizes[0].words)
    return group


def _only_one(said: Sequence[Sequence[Candidate]], menu: CompiledMenu) -> str | None:
    """The item that can have all that was said; of several, the one called as their category."""
    fitting = [
        item.id
        for item in menu.menu.items
        if all(any(menu.offers(item.id, s) for s in senses) for senses in said)
    ]
    kinds = {menu.items[item].category for item in fitting}
    if len(fitting) < 2 or len(kinds) != 1:
        return fitting[0] if len(fitting) == 1 else None
    named = [item for item in fitting if menu.is_general(item)]
    return named[0] if len(named) == 1 else None
