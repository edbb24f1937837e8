"""Attaching what was said beside an item to it; what fits nowhere is reported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from voice_service.ordering.acts import (
    Act,
    Elided,
    ItemRequest,
    ModifierRequest,
    Modify,
    Problem,
    ReferenceKind,
    Target,
    not_understood,
)
from voice_service.ordering.attributes.distribution import (
    halved,
    shared_out,
)
from voice_service.ordering.attributes.linking import resolve, which
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
from voice_service.ordering.items.alternatives import choose_item, unknown_words
from voice_service.ordering.items.modifier_groups import (
    choose_from_group,
    denies_another,
    leave_off_group,
    put_every,
)
from voice_service.ordering.items.partition import Partitioner
from voice_service.ordering.items.quantities import chooses_again, is_one_more, multiply
from voice_service.ordering.mentions.mention import Apart
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.reasons import ReasonCode
from voice_service.ordering.references.pointers import Pointer

_PAIR = 2


@dataclass(frozen=True, slots=True)
class _PutSize:
    """A size that was put on an item, and the size that the item had before."""

    statement: SizeStatement
    request: ItemRequest
    before: str | None


@dataclass(slots=True)
class _Attachment:
    """How far the statements about one item have been attached.

    `request` is the item, `named` the modifier groups said before its name, `statements` everything
    said of it, with numbers shared out. `current`: what the next statement is about. `since` and
    `sized`: what was put on it in this clause. `in_cart`: the ordered item that was pointed at.
    """

    request: ItemRequest
    named: Sequence[str]
    statements: Sequence[Statement]
    current: ItemRequest
    since: list[tuple[ItemRequest, ModifierRequest]] = field(default_factory=list)
    sized: _PutSize | None = None
    in_cart: str | None = None

    def end_clause(self) -> None:
        """Forget what was put on the item: what follows does not move it any more."""
        self.since, self.sized, self.in_cart = [], None, None


class AttributeAttacher:
    """Attaches statements to the items of one utterance, in the order of speaking.

    `requests` grows as items come; `acts` collects changes to lines that are already in the cart.
    """

    def __init__(self, menu: CompiledMenu, in_cart: Sequence[str]) -> None:
        self.menu = menu
        self.requests: list[ItemRequest] = []
        self.acts: list[Act] = []
        self._in_cart = in_cart
        self._all_of: Pointer | None = None
        self._partitioner = Partitioner(menu, self.requests, self.acts)

    def put(
        self, statements: Sequence[Statement], request: ItemRequest, named: Sequence[str] = ()
    ) -> None:
        """Put `statements` onto `request`, or onto what came before it where they do not fit.

        `named`: the modifier groups of what was said before its name.
        """
        self._all_of = None
        self._partitioner.begin(request)
        shared = self._shared_out_to(request, statements)
        attachment = _Attachment(request, named, shared, current=request)
        for statement in shared:
            self._put_one(statement, attachment)
        self._partitioner.end()

    def _put_one(self, statement: Statement, to: _Attachment) -> None:
        match statement:
            case ModifierStatement():
                self._put_modifier(statement, to)
            case SizeStatement():
                to.sized = _PutSize(statement, to.current, to.current.size)
                to.current = self._size(statement, to.current)
            case CountStatement():
                self._number(statement, to.current)
            case PlainStatement():
                to.current.plain = True
            case Pointer():
                self._all_of = statement if statement.all_of_them else None
                to.current = self._pointed_at(statement, to)
            case Times(value):
                multiply(value, to.current, self.requests, self.menu)
            case ClauseBreak():
                to.end_clause()
                self._all_of = None
            case ItemStatement():
                self._resize(statement, to.sized)
                to.in_cart = self._point(statement, to.since)
                to.since, to.sized = [], None
            case _:
                self._report(statement, to)

    def _put_modifier(self, statement: ModifierStatement, to: _Attachment) -> None:
        if to.in_cart is not None:
            self._into_cart(statement, to.in_cart)
            return
        counted = statement.counted is not None
        again = chooses_again(statement, to.current.item, to.current.mods, self.menu)
        if (counted and again) or is_one_more(statement, to.current, to.named):
            to.current = self._sibling(to.current, statement.counted)
            statement = replace(statement, quantity=None)
        to.since += self._modifier(statement, to.current)

    def _pointed_at(self, pointer: Pointer, to: _Attachment) -> ItemRequest:
        """Return the request that what follows is about."""
        if pointer.partial:
            return self._tell_apart(pointer, to)
        match pointer.which:
            case ReferenceKind.PLACE:
                return self._partitioner.place(pointer, to.current)
            case ReferenceKind.SUCH:
                # What is described is in the order already, and other items are named.
                self.acts.append(not_understood(pointer.text))
        return to.current

    def _shared_out_to(
        self, request: ItemRequest, statements: Sequence[Statement]
    ) -> list[Statement]:
        """Return the statements with the numbers that tell apart several of the item."""

        def only_one_fits(statement: ModifierStatement) -> bool:
            return self.menu.single(request.item, statement.candidates)

        return shared_out(halved(statements, request.count, only_one_fits), request.count)

    def _report(self, statement: Statement, to: _Attachment) -> None:
        match statement:
            case AlternativesStatement():
                self.acts.append(which(statement, to.current.item, self.menu))
            case GroupStatement():
                self._whole_group(statement, to)
            case CategoryStatement():
                self._category(statement)
            case UnknownWords():
                self.acts.append(unknown_words(statement))
            case _:
                pass

    def _modifier(
        self, statement: ModifierStatement, current: ItemRequest
    ) -> list[tuple[ItemRequest, ModifierRequest]]:
        """Put a modifier onto the current item, or the last one that takes it.

        Return where it was put: onto several if it is for all of them.
        """
        placed: list[tuple[ItemRequest, ModifierRequest]] = []
        order = [current, *(g for g in reversed(self.requests) if g is not current)]
        for request in order:
            mod = resolve(statement, request.item, self.menu)
            if isinstance(mod, Problem):
                self.acts.append(mod)
                return placed
            if mod is not None and denies_another(mod, request, self.menu):
                self.acts.append(not_understood(statement.text))
                return placed
            if mod is not None:
                request.put(mod)
                placed.append((request, mod))
                if self._all_of is None:
                    return placed
        if (
            self._all_of is not None
            and self._all_of.which is ReferenceKind.BOTH
            and len({id(g) for g, _ in placed}) > _PAIR
        ):
            self.acts.append(not_understood(self._all_of.text))
        if not placed:
            self._refuse(ReasonCode.MODIFIER_NOT_AVAILABLE, statement, current)
        return placed

    def _refuse(
        self, code: ReasonCode, statement: ModifierStatement | SizeStatement, current: ItemRequest
    ) -> None:
        self.acts.append(Problem(code, statement.text, request=current))

    def _sibling(self, current: ItemRequest, count: int | None) -> ItemRequest:
        """Add another of the same item, of which only an attribute was said."""
        sibling = ItemRequest(current.item, count, doubts=current.doubts, elided=Elided(item=True))
        self.requests.append(sibling)
        return sibling

    def _size(self, statement: SizeStatement, current: ItemRequest) -> ItemRequest:
        """Put a size onto the current item or another.

        Return the item that what follows is about.
        """
        fitting = [s for s in statement.candidates if self.menu.offers(current.item, s)]
        other = [s for s in statement.also if self.menu.offers(current.item, s)]
        if other and ((current.size is not None and statement.count is None) or not fitting):
            self._modifier(
                ModifierStatement(tuple(other), statement.text, statement.words), current
            )
            return current
        if not fitting:
            # "A large" counts something that was not understood; a large burger is only a burger.
            counted = statement.count is not None
            code = ReasonCode.NOT_UNDERSTOOD if counted else ReasonCode.SIZE_NOT_AVAILABLE
            self._refuse(code, statement, current)
            return current
        if current.size is not None and statement.count is not None:
            sibling = self._sibling(current, statement.count)
            sibling.size = fitting[0].id
            sibling.words.update(statement.words)
            return sibling
        if current.size is not None and statement.soft:
            return current
        if current.size not in (None, fitting[0].id) and self._all_of is None:
            self._refuse(ReasonCode.CONFLICTING_SIZE, statement, current)
        if statement.numbered and current.quantity is None and self._partitioner.undivided:
            current.quantity = statement.count  # "coke two large"
        current.size = fitting[0].id
        current.words.update(statement.words)
        if self._all_of is not None:
            for request in self.requests:
                if any(self.menu.offers(request.item, s) for s in statement.candidates):
                    request.size = fitting[0].id
        return current

    def _number(self, statement: CountStatement, current: ItemRequest) -> None:
        """Put a number onto an item that has none; "a chai latte, just one" says it again."""
        if current.quantity is None:
            current.quantity = statement.value
            current.words.update(statement.words)
        elif current.quantity != statement.value:
            self.acts.append(not_understood(str(statement.value)))

    def _tell_apart(self, part: Pointer, to: _Attachment) -> ItemRequest:
        """Return so many of the current item, or so many more: what follows is true of them."""
        another = self._another(part, to)
        if another is not None:
            return another
        return self._partitioner.split(part, to.current)

    def _another(self, part: Pointer, to: _Attachment) -> ItemRequest | None:
        """Return the second of "a burger and one with cheese"; None if it is a part of the first.

        They are as many as there were before, or have something of which each has one only.
        """
        if part.which is not ReferenceKind.SOME:
            return None
        more = part.apart is not Apart.SOME
        if not more and (part.text or not part.linked):
            return None
        if not more and not self._is_as_many(part, to):
            return None
        another = self._sibling(to.current, part.count)
        another.size = to.current.size
        if part.apart is Apart.ANOTHER:
            another.elided = Elided(choices=True)
        return another

    def _is_as_many(self, part: Pointer, to: _Attachment) -> bool:
        """Return whether something is said of a part that makes it as many more."""
        after = next(i for i, one in enumerate(to.statements) if one is part) + 1
        if after == len(to.statements) or not self._partitioner.undivided:
            return False
        mods = to.current.mods
        again = chooses_again(to.statements[after], to.current.item, mods, self.menu)
        return again or part.count == to.current.count

    def _resize(self, pointer: ItemStatement, sized: _PutSize | None) -> None:
        """Move the size to what is pointed at: "fries and a coke, large on the fries"."""
        here = next((r for r in reversed(self.requests) if r.item in pointer.mention.items), None)
        if sized is None or here is None or sized.statement.count is not None:
            return
        sized.request.size = sized.before
        self._size(sized.statement, here)

    def _point(
        self, statement: ItemStatement, since: list[tuple[ItemRequest, ModifierRequest]]
    ) -> str | None:
        """Move the modifiers just put to the item that is pointed at: "… on the burger".

        Return the item if it is in the cart and what follows is about it.
        """
        choices = statement.mention.items
        here = next((g for g in reversed(self.requests) if g.item in choices), None)
        in_cart = next((i for i in reversed(self._in_cart) if i in choices), None)
        target = in_cart if here is None else here.item
        for request, mod in since:
            if target is None or here is request or mod not in request.mods:
                continue
            request.mods.remove(mod)
            if not self.menu.has_group(target, mod.group):
                name = self.menu.modifiers[mod.group, mod.id].name
                self.acts.append(Problem(ReasonCode.MODIFIER_NOT_AVAILABLE, name))
            elif here is not None:
                here.put(mod)
            else:
                self.acts.append(Modify(Target((target,)), (mod,)))
        return in_cart if here is None and not since else None

    def _into_cart(self, statement: ModifierStatement, item: str) -> None:
        """Change an item of the cart by a modifier."""
        mod = resolve(statement, item, self.menu)
        if isinstance(mod, Problem):
            self.acts.append(mod)
        elif mod is None:
            self.acts.append(Problem(ReasonCode.MODIFIER_NOT_AVAILABLE, statement.text))
        else:
            self.acts.append(Modify(Target((item,)), (mod,)))

    def _whole_group(self, statement: GroupStatement, to: _Attachment) -> None:
        """Put the name of a whole modifier group: "no toppings", "all the toppings"."""
        if statement.negated:
            rest = leave_off_group(statement, to.current, self.requests, self.menu)
        elif statement.every:
            rest = put_every(statement, to.current, self.requests, self.menu)
        else:
            rest = choose_from_group(statement, to.current, to.statements, self.menu)
        match rest:
            case Problem():
                self.acts.append(rest)
            case ModifierStatement():
                self._modifier(rest, to.current)

    def _category(self, statement: CategoryStatement) -> None:
        """Ask which item of a category is wanted, unless it labels one that was named."""
        labelled = any(self.menu.items[g.item].category == statement.id for g in self.requests)
        if statement.wanted and not statement.negated and (statement.further or not labelled):
            self.acts.append(choose_item(self.menu, statement))
