"""Words that order without naming an item: they are about one in the cart, or imply one."""

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
    Remove,
    Target,
    not_understood,
)
from voice_service.ordering.attributes.distribution import halved, shared_out, with_counts
from voice_service.ordering.attributes.linking import leaving_off, resolve, which
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
from voice_service.ordering.items.alternatives import choose_item, unknown_words
from voice_service.ordering.items.attachment import AttributeAttacher
from voice_service.ordering.items.implied import implied_item
from voice_service.ordering.items.quantities import chooses_again
from voice_service.ordering.items.sizes import size_in_cart
from voice_service.ordering.language.tokens import keys_of
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.reasons import ReasonCode
from voice_service.ordering.references.pointers import Pointer, some_of


def resolve_ellipsis(
    statements: Sequence[Statement], menu: CompiledMenu, cart: CartView, attacher: AttributeAttacher
) -> list[Act]:
    """Return the acts of statements that name no item."""
    implied = implied_item(statements, menu, cart)
    if implied is not None:
        attacher.requests[:] = [implied]
        attacher.put([s for s in statements if not isinstance(s, CountStatement)], implied)
        return [*map(Add, attacher.requests), *attacher.acts]
    return _EllipsisResolver(menu, cart).read(statements)


_ALL = (ReferenceKind.BOTH, ReferenceKind.ALL)
_Change = ModifierStatement | SizeStatement | PlainStatement


class _EllipsisResolver:
    """Resolves statements without an item, clause by clause: each is about the same lines."""

    def __init__(self, menu: CompiledMenu, cart: CartView) -> None:
        self._menu = menu
        self._cart = cart
        self._acts: list[Act] = []
        self._clause: list[_Change] = []
        self._ref: Reference | None = None
        self._item: str | None = None

    def read(self, statements: Sequence[Statement]) -> list[Act]:
        """Return the acts of the statements."""
        for one in self._divided(with_counts(statements, self._chosen_before)):
            match one:
                case SizeStatement() if self._is_topping(one):
                    done = ModifierStatement(one.also, one.text, one.words, quantity=one.count)
                    self._clause.append(done)
                case ModifierStatement() | SizeStatement() | PlainStatement():
                    self._clause.append(one)
                case Pointer():
                    self._end_clause()
                    self._ref = one.reference()
                case ItemStatement():
                    self._point(one)
                case ClauseBreak():
                    self._end_clause()
                    self._item = self._ref = None
                case _:
                    self._about_order(one)
        self._end_clause()
        return self._acts

    def _divided(self, statements: Sequence[Statement]) -> Sequence[Statement]:
        """Return the statements with the numbers of "one large with milk, two small" as partitions.

        Only a line of several can be divided, and only if nothing points at a part of it already.
        """
        last = self._cart.items[-1:]
        lines = [line for line in self._cart.lines if line.item in last]
        counted = lines[0].count if len(lines) == 1 else 1
        if any(self._chooses_again(one, item) for one in statements for item in last):
            return statements
        pointed = any(isinstance(one, Pointer) and one.leads_on for one in statements)
        if counted == 1 or pointed:
            return statements
        divided: list[Statement] = []
        halves = halved(statements, counted, lambda one: self._menu.single(last[0], one.candidates))
        for one in shared_out(halves, counted):
            if isinstance(one, SizeStatement) and one.numbered and not self._is_topping(one):
                size = replace(one, count=None, numbered=False)
                divided += [some_of(one.count or 1, one.text), size]
            else:
                divided.append(one)
        return divided

    def _is_topping(self, statement: SizeStatement) -> bool:
        """Return whether "medium" is no size of the last item, but how it is done."""
        last = self._cart.items[-1:]
        sized = any(self._menu.offers(item, s) for item in last for s in statement.candidates)
        also = any(self._menu.offers(item, s) for item in last for s in statement.also)
        return also and not sized

    def _about_order(self, statement: Statement) -> None:
        """Read a statement that is not about the lines of its clause."""
        match statement:
            case CountStatement():
                self._acts.append(_bare_number(statement, self._menu, self._cart))
            case Times(value):
                self._acts.append(Modify(Target(), quantity=value, text=str(value)))
            case UnknownWords():
                self._acts.append(unknown_words(statement))
            case GroupStatement():
                self._acts += _group_in_cart(statement, self._menu, self._cart)
            case CategoryStatement(negated=True):
                self._acts += _category_left_off(statement, self._menu, self._cart)
            case CategoryStatement(wanted=True):
                self._acts.append(choose_item(self._menu, statement))
            case AlternativesStatement():
                self._alternatives(statement)
            case _:
                pass

    def _end_clause(self) -> None:
        """Turn what was said in this clause into acts on the lines that it is about."""
        clause, self._clause = self._clause, []
        if not clause:
            return
        if self._ref is not None:
            self._acts.append(self._modify_referenced(self._ref, clause))
            return
        for one in clause:
            match one:
                case ModifierStatement():
                    self._acts.append(self._modifier(one))
                case SizeStatement():
                    self._acts.append(size_in_cart(one, self._menu, self._focused_cart()))
                case PlainStatement():
                    self._acts.append(Modify(self._target(), plain=True))

    def _target(self) -> Target:
        return Target() if self._item is None else Target((self._item,))

    def _focused_cart(self) -> CartView:
        """Return the cart as if only the item that is pointed at were in it, if one is."""
        return self._cart if self._item is None else CartView((self._item,))

    def _modifier(self, statement: ModifierStatement) -> Act:
        """Return the change that a modifier makes to the likeliest item that takes it."""
        for item in self._likely_items(statement):
            mod = resolve(statement, item, self._menu)
            if isinstance(mod, Problem):
                return mod
            if mod is not None:
                another = self._another(statement, mod, item)
                return another or self._counted(statement, mod, item)
        return self._refusal(statement.text)

    def _likely_items(self, statement: ModifierStatement) -> Sequence[str]:
        """Return the items that may be meant, the likeliest first: what is left off was on it."""
        items = self._focused_cart().items[::-1]
        if not statement.negated or self._item is not None:
            return items
        named = frozenset((s.group or "", s.id) for s in statement.candidates)
        whole = self._cart.lines
        on = {line.item for line in whole if has_modifier(line, named, self._menu)}
        return [*(i for i in items if i in on), *(i for i in items if i not in on)]

    def _alternatives(self, statement: AlternativesStatement) -> None:
        """Ask which of several modifiers is wanted."""
        item = self._item or (self._cart.items[-1] if self._cart.items else None)
        if item is None:
            self._acts.append(Problem(ReasonCode.MODIFIER_WITHOUT_ITEM, statement.text))
        else:
            self._acts.append(which(statement, item, self._menu))

    def _another(self, statement: ModifierStatement, mod: ModifierRequest, item: str) -> Act | None:
        """Return the next of "a fish taco", "and one chicken": each has only one meat."""
        count = statement.counted
        if count is None or self._item is not None or not self._chooses_again(statement, item):
            return None
        bare = replace(mod, quantity=1)
        return Add(ItemRequest(item, count, mods=[bare], words=set(statement.words)))

    def _chooses_again(self, statement: Statement, item: str) -> bool:
        """Return whether a counted choice is one that all there are of an item have made."""
        counted = isinstance(statement, ModifierStatement) and statement.counted is not None
        return counted and self._chosen_before(statement, item)

    def _chosen_before(self, statement: Statement, item: str | None = None) -> bool:
        """Return whether all there are of an item, or of the last one, have made this choice."""
        item = item or next(iter(self._cart.items[::-1]), None)
        held = [line for line in self._cart.lines if line.item == item]
        again = (chooses_again(statement, line.item, line.mods, self._menu) for line in held)
        return bool(held) and all(again)

    def _counted(self, statement: ModifierStatement, mod: ModifierRequest, item: str) -> Act:
        """Return a change of so many lines where a number cannot count the modifier.

        Nobody has two of a choice of which there is one: "two chicken" are two of the items.
        """
        change = Modify(Target((item,)), (mod,))
        single = mod.group in self._menu.single_groups(item) and not mod.negated
        if statement.quantity is None or not single:
            return change
        mod.quantity = 1
        return ModifyReferenced(
            Reference(ReferenceKind.SOME, statement.quantity, text=statement.text), (change,)
        )

    def _refusal(self, text: str) -> Problem:
        """Return the reason for words that no item of the order takes."""
        if self._cart.items:
            return Problem(ReasonCode.MODIFIER_NOT_AVAILABLE, text)
        return Problem(ReasonCode.MODIFIER_WITHOUT_ITEM, text)

    def _modify_referenced(self, ref: Reference, clause: Sequence[_Change]) -> Act:
        """Return the clause as a change of each item that all of it fits."""
        found = [self._change(item, clause) for item in dict.fromkeys(self._cart.items[::-1])]
        changes = tuple(one for one in found if isinstance(one, Modify))
        if changes:
            return ModifyReferenced(ref, changes)
        unclear = next((one for one in found if isinstance(one, Problem)), None)
        text = next((one.text for one in clause if not isinstance(one, PlainStatement)), ref.text)
        return unclear or self._refusal(text)

    def _change(self, item: str, clause: Sequence[_Change]) -> Modify | Problem | None:
        """Return the clause as a change of one item; None if some of it does not fit."""
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

    def _point(self, statement: ItemStatement) -> None:
        """Relate an item of the cart that is named to what came before, or to what comes next."""
        here = next((i for i in reversed(self._cart.items) if i in statement.mention.items), None)
        if here is None:
            return
        self._end_shared()
        if self._ref is not None:
            self._ref = replace(self._ref, items=statement.mention.items)
            return
        if not self._clause:
            self._item = here
            return
        change = self._change(here, self._clause)
        if change is None and len(self._clause) > 1:
            # "Medium, and butter on the croissant".
            change = self._change(here, self._end_all_but_last())
        self._clause = []
        # A size or topping that it does not come with is not put onto another one instead.
        self._acts.append(self._refusal(statement.mention.span.text) if change is None else change)

    def _end_shared(self) -> None:
        """End the clause of what was said of other items before another one is named.

        "Both small, oat milk in the latte", "the coffee small and the colas large".
        """
        shared = self._ref is not None and self._ref.which in _ALL
        if (shared or self._item is not None) and len(self._clause) > 1:
            self._clause = self._end_all_but_last()
            self._ref = None
        elif self._item is not None:
            self._end_clause()
        self._item = None

    def _end_all_but_last(self) -> list[_Change]:
        """End the clause except for its last statement, which is about something else."""
        *self._clause, own = self._clause
        self._end_clause()
        return [own]


def _bare_number(statement: CountStatement, menu: CompiledMenu, cart: CartView) -> Act:
    """Return what a number alone says: how many, or which of the sizes ("twenty" pieces).

    Before anything is ordered it counts nothing.
    """
    text = str(statement.value)
    if not cart.items and not cart.choices:
        # "I'll take two" of what? Somebody who only says a number may not even talk to us.
        return not_understood(text) if statement.wanted else Aside(ReasonCode.OFF_TOPIC, text)
    item = cart.unsized or (cart.items[-1] if cart.items else None)
    sizes = menu.items[item].prices if item is not None else ()
    named = [s for s in sizes if text in keys_of(menu.sizes[s].name, menu.language)]
    if item is not None and len(named) == 1:
        return Modify(Target((item,)), size=named[0], text=text)
    return Modify(Target(), quantity=statement.value, text=text)


def _category_left_off(
    statement: CategoryStatement, menu: CompiledMenu, cart: CartView
) -> list[Act]:
    """Return what "skip the shake" does: it takes out the one that is ordered, if it is one."""
    gone = [x.item for x in cart.lines if menu.items[x.item].category == statement.id]
    if len(gone) > 1:
        return [not_understood(statement.text)]
    return [Remove(Target((item,)), text=statement.text) for item in gone]


def _group_in_cart(statement: GroupStatement, menu: CompiledMenu, cart: CartView) -> list[Act]:
    """Return what the name of a modifier group does to the order: "no toppings"."""
    group = menu.groups[statement.id]
    if statement.negated:
        item = next(
            (i for i in reversed(cart.items) if statement.id in menu.items[i].modifier_groups), None
        )
        if item is None:
            return []
        defaults = [m.id for m in group.modifiers if m.id in menu.items[item].defaults]
        gone = (leaving_off(default, group.id, item, menu) for default in defaults)
        mods = tuple(ModifierRequest(mod, group.id, negated=negated) for mod, negated in gone)
        return [Modify(Target((item,)), mods, text=statement.text)]
    if statement.wanted:
        choices = tuple(m.name for m in group.modifiers)
        return [Problem(ReasonCode.CHOOSE_MODIFIER, statement.text, choices)]
    return []
