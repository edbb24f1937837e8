"""Items with their sizes, quantities and modifiers, from words that contain no command."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import dropwhile, islice

from voice_service.ordering.acts import (
    Act,
    Add,
    Coordination,
    ItemRequest,
    Problem,
    Reference,
    ReferenceKind,
    Remove,
    Replace,
    Target,
    not_understood,
)
from voice_service.ordering.attributes.reader import AttributeReader
from voice_service.ordering.attributes.statements import Statement
from voice_service.ordering.cart_view import CartView
from voice_service.ordering.doubt import Doubt
from voice_service.ordering.items.alternatives import (
    Alternatives,
    add_or_ask,
    is_listed_heading,
    merge_vague_counts,
    open_size,
)
from voice_service.ordering.items.attachment import AttributeAttacher
from voice_service.ordering.items.boundaries import start_of
from voice_service.ordering.items.coordination import (
    accompanies,
    apply_heading,
    count_under_heading,
    join_dish,
    take_out_heading,
)
from voice_service.ordering.items.ellipsis import resolve_ellipsis
from voice_service.ordering.items.heads import (
    amid_modifiers,
    answers,
    denied_count,
    excepts_host,
    in_list,
    may_be_same,
    negated,
    refers_back,
    unclear_what_goes,
    without_carrier,
)
from voice_service.ordering.items.preamble import attach_preamble
from voice_service.ordering.items.quantities import (
    combos_counted,
    inner_words,
    is_uncounted_plural,
    request_of,
)
from voice_service.ordering.items.refinement import leave_open, refine
from voice_service.ordering.items.sizes import size_by_number
from voice_service.ordering.language.cue_sets import LISTS
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.mentions.mention import Mention, MentionType
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.menu.match import FULL, HEADED
from voice_service.ordering.reasons import ReasonCode
from voice_service.ordering.references.pointers import Pointer, read_pointer


def assemble_items(mentions: Sequence[Mention], menu: CompiledMenu, cart: CartView) -> list[Act]:
    """Return the acts of words without a command, in the order of speaking."""
    mentions = merge_vague_counts(mentions)
    mentions = [without_carrier(mentions, i, menu) for i in range(len(mentions))]
    heads = [
        i
        for i, mention in enumerate(mentions)
        if mention.role is MentionType.ITEM and not refers_back(mentions, i, cart)
    ]
    if heads:
        return _ItemAssembler(mentions, heads, menu, cart).acts()
    statements = AttributeReader(mentions).read()
    attacher = AttributeAttacher(menu, cart.items)
    return resolve_ellipsis(statements, menu, cart, attacher) or _only_points(statements)


def _only_points(statements: Sequence[Statement]) -> list[Act]:
    """Return the reason for words that only point at something: "the first one"."""
    pointers = [s for s in statements if isinstance(s, Pointer) and s.leads_on and s.text]
    return [not_understood(pointers[0].text)] if pointers else []


@dataclass(frozen=True, slots=True)
class _Place:
    """Where one item is said: its words begin at `start`, and its name is at `head`.

    The words after the name end at `end`. `earlier`: where the names before it are.
    """

    earlier: Sequence[int]
    start: int
    head: int
    end: int

    @property
    def since(self) -> int:
        """Where the words after the name before it begin."""
        return self.earlier[-1] + 1 if self.earlier else 0


class _ItemAssembler:
    """Assembles the items whose names are at `heads`, with what is said of each."""

    def __init__(
        self, mentions: Sequence[Mention], heads: Sequence[int], menu: CompiledMenu, cart: CartView
    ) -> None:
        self._mentions = mentions
        self._heads = heads
        self._menu = menu
        self._cart = cart
        self._attacher = AttributeAttacher(menu, cart.items)
        self._requests = self._attacher.requests
        self._alternatives = Alternatives(menu)
        self._starts = [
            start_of(mentions, h, p, menu) for h, p in zip(heads, [-1, *heads], strict=False)
        ]
        self._preamble = AttributeReader(mentions[: self._starts[0]]).read()
        self._preamble_acts: list[Act] = []
        self._replaces = _pointed_at(mentions, heads[0])
        self._acts: list[Act] = []

    def acts(self) -> list[Act]:
        """Return everything that the words ask for."""
        ends = [*self._starts[1:], len(self._mentions)]
        for number, (start, head, end) in enumerate(
            zip(self._starts, self._heads, ends, strict=True)
        ):
            self._read_item(_Place(self._heads[:number], start, head, end))
        self._apply_headings()
        size_by_number(self._requests, self._menu)
        requests = self._alternatives.wanted(self._requests)
        added = [add_or_ask(request, self._menu) for request in requests]
        if self._replaces is not None and added and isinstance(added[0], Add):
            added[0] = Replace(Target(ref=self._replaces), added[0].request)
        uncounted = [
            Problem(ReasonCode.AMBIGUOUS_QUANTITY, self._menu.item_name(request.item))
            for request in requests
            if request.counting.vague
        ]
        preamble = [act for act in self._preamble_acts if not is_listed_heading(act, requests)]
        return [
            *preamble,
            *added,
            *self._alternatives.problems(),
            *uncounted,
            *self._acts,
            *self._attacher.acts,
        ]

    def _apply_headings(self) -> None:
        """Take out names and numbers that stand for the items listed after them."""
        take_out_heading(self._requests, self._mentions, self._heads, self._menu)
        count_under_heading(self._requests, self._mentions, self._heads, self._starts, self._menu)
        if apply_heading(self._preamble, self._requests, self._menu):
            self._preamble_acts = []

    def _read_item(self, place: _Place) -> None:
        ordered = {*self._cart.items, *(request.item for request in self._requests)}
        no = negated(self._mentions, place.start, place.head)
        if no and not answers(self._mentions, place.head, ordered):
            self._deny(place, ordered)
            return
        unclear = self._unclear_denial(place.head)
        if unclear:
            self._acts.append(not_understood(unclear))
            return
        request = self._request(place)
        self._doubt(request, place)
        self._answer(request)
        previous = self._requests[-1] if self._requests else None
        if previous is not None:
            self._divide(previous, request, place)
            said = self._mentions[max(place.since - 1, 0) : place.head + 1]
            leave_open(previous, request, said, self._menu)
            if refine(previous, request, said, self._menu):
                self._requests.remove(previous)
                previous = None
        self._requests.append(request)
        between = self._mentions[place.since : place.head]
        self._alternatives.see(request, previous, between, place.start - place.since)
        self._attach(request, place)
        if previous is not None and place.earlier:
            self._relate(request, previous, place)

    def _attach(self, request: ItemRequest, place: _Place) -> None:
        """Put onto an item what is said before its name and behind it."""
        first = not place.earlier
        before = self._mentions[: place.head]
        either = open_size(self._preamble, before, place.start) if first else ""
        if first and self._preamble and not either:
            self._preamble_acts = attach_preamble(
                self._preamble, self._mentions, place.start, request, self._cart, self._attacher
            )
        self._attacher.put(inner_words(self._mentions[place.start : place.head]), request)
        if either:
            request.size, self._preamble = None, []
            self._preamble_acts = [Problem(ReasonCode.CONFLICTING_SIZE, either, request=request)]
        self._attacher.put(self._after(place), request, [m.group for m in request.mods])

    def _unclear_denial(self, head: int) -> str:
        """Return the words of "but not on the fries" or "no two colas", else nothing."""
        if excepts_host(self._mentions, head):
            return f"{self._mentions[head - 3].span.text} {self._mentions[head].span.text}"
        return denied_count(self._mentions, head)

    def _divide(self, previous: ItemRequest, request: ItemRequest, place: _Place) -> None:
        """Read "two colas, one of them diet": so many of the item before are this one."""
        inner = self._mentions[place.start : place.head + 1]
        ref = _pointed_at(inner, place.head - place.start)
        if ref is None:
            return
        half = previous.count // 2 if ref.which is ReferenceKind.HALF else 0
        count = half if half * 2 == previous.count else ref.count
        some = ref.which is ReferenceKind.SOME or count == half > 0
        if not some or count >= previous.count:
            self._acts.append(not_understood(ref.text))
            return
        previous.quantity, request.quantity = previous.count - count, count

    def _after(self, place: _Place) -> list[Statement]:
        """Return what is said behind the name, up to the next item."""
        return AttributeReader(self._mentions[place.head + 1 : place.end]).read()

    def _deny(self, place: _Place, ordered: Collection[str]) -> None:
        """Read "no fries"; what follows is about the item before."""
        mention = self._mentions[place.head]
        half = mention.candidates[0].match < HEADED and len(mention.items) == 1
        if unclear_what_goes(self._mentions, place.head, ordered, self._cart, self._menu):
            self._acts.append(not_understood(mention.span.text))
            return
        if (half or mention.span.nearness < 1) and {*ordered}.isdisjoint(mention.items):
            # "Hold the cheese" is not about cheesecake, and "no peas" not about teas.
            self._acts.append(not_understood(mention.span.text))
        self._acts.append(Remove(Target(mention.items), asked=False, text=mention.span.text))
        after = self._after(place)
        if self._requests:
            self._attacher.put(after, self._requests[-1])
        else:
            self._acts += resolve_ellipsis(after, self._menu, self._cart, self._attacher)

    def _request(self, place: _Place) -> ItemRequest:
        """Return the item as its name and the words around it count it."""
        mention = self._mentions[place.head]
        inner = self._mentions[place.start : place.head]
        request = request_of(inner, mention)
        before = self._mentions[: place.start]
        after_with = bool(before) and before[-1].cue(Cue.WITH)
        request.coordination = Coordination(after_with=after_with)
        around = (*before[place.since :], *self._mentions[place.head + 1 : place.end])
        shared = any(p.cue(Cue.BOTH) for p in around)
        ordered = [*self._cart.items, *(one.item for one in self._requests)]
        each = shared and bool(self._menu.combos_with(request.item, ordered))
        several = not (after_with or each) and is_uncounted_plural(inner, mention, self._menu)
        request.counting = replace(
            request.counting,
            vague=request.counting.vague or several or _for_both(before, each=each),
            shared=shared,
            combos=combos_counted(before),
        )
        return request

    def _doubt(self, request: ItemRequest, place: _Place) -> None:
        """Doubt an item that may be none, or may be one named before."""
        mention = self._mentions[place.head]
        again = request.quantity is None and any(r.item == request.item for r in self._requests)
        if (mention.candidates[0].match < FULL or again) and in_list(self._mentions, place.start):
            request.doubts += (Doubt.NAME_AMID_MODIFIERS,)
        if self._requests:
            self._doubt_beside(self._requests[-1], request, place)
        inner = self._mentions[place.start : place.head]
        definite = any(p.cue(Cue.THE) for p in inner)
        ordered = definite and any(i in mention.items for i in self._cart.items)
        heads = [*place.earlier, place.head]
        if request.quantity is None and (
            ordered or may_be_same(self._mentions, heads, place.start)
        ):
            request.doubts += (Doubt.NAMED_AGAIN,)

    def _doubt_beside(self, previous: ItemRequest, request: ItemRequest, place: _Place) -> None:
        """Doubt an item, or the one before it, for what stands between the two."""
        between = self._mentions[max(place.since - 1, 0) : place.start]
        pronoun = any(p.cue(Cue.IT) for p in between)
        if previous.item == request.item and previous.quantity is None and pronoun:
            # "My bagel scooped out, it's a sesame bagel".
            request.doubts += (Doubt.NAMED_AGAIN,)
        if amid_modifiers(self._mentions, place.start, place.head):
            request.doubts += (Doubt.NAME_AMID_MODIFIERS,)
        if previous.elided.item and request.quantity is None:
            # "A large and diet coke": whose size is it?
            previous.doubts += (Doubt.SIZE_BEFORE_NAME,)
        if request.quantity is None and self._size_between(previous, place):
            request.doubts += (Doubt.SIZE_BEFORE_NAME,)

    def _size_between(self, previous: ItemRequest, place: _Place) -> bool:
        """Return whether a size stands between two bare names that both come in it."""
        size = self._mentions[place.since]
        if (
            size.role is not MentionType.SIZE
            or previous.size is not None
            or place.start != place.since
        ):
            return False
        items = (previous.item, self._mentions[place.head].items[0])
        return all(any(self._menu.offers(i, s) for s in size.candidates) for i in items)

    def _answer(self, request: ItemRequest) -> None:
        """Make do with less of a name if the item answers a question."""
        chosen = tuple(i for i in request.candidates if i in self._cart.choices)
        if len(chosen) == 1:
            request.settle(chosen[0])
            request.doubts = ()

    def _relate(self, request: ItemRequest, previous: ItemRequest, place: _Place) -> None:
        """Join an item to the one before it, or doubt it where it may only be put onto that."""
        first, second = place.earlier[-1], place.head
        if accompanies(self._mentions, first, second, self._menu):
            join_dish(self._requests, self._mentions[second])
            return
        bare = request.quantity is None
        put_on = _follows_with(self._mentions, second) and not previous.coordination.after_with
        portion = self._mentions[second - 1].cue(Cue.PORTION)
        one, other = (self._menu.items[self._mentions[i].items[0]] for i in (first, second))
        joined = bare and (put_on or (place.start == second and self._shares(first, second)))
        if one.category == other.category and (joined or portion):
            # "An italian with ham": one more, or what is put on it? "A turkey and ham on rye"?
            # "A latte and a shot of espresso"?
            request.doubts += (Doubt.NAME_AMID_MODIFIERS,)

    def _shares(self, first: int, second: int) -> bool:
        """Return whether two items with one article may share what is said behind them."""
        previous, request = self._requests[-2:]
        links = [p for p in self._mentions[first + 1 : second] if not p.idle]
        return (
            len(links) == 1
            and links[0].cue(Cue.AND)
            and previous.quantity is not None
            and any(self._menu.has_group(previous.item, m.group) for m in request.mods)
        )


def _for_both(before: Sequence[Mention], *, each: bool) -> bool:
    """True of "a melt and a club, both with fries": how many fries, if they are no part of both?"""
    pair = len(before) > 1 and before[-1].cue(Cue.WITH) and before[-2].cue(Cue.BOTH)
    return pair and not each


def _follows_with(mentions: Sequence[Mention], head: int) -> bool:
    """Return whether a "with" leads to a name, perhaps over modifiers: "with decaf espresso"."""
    before = dropwhile(lambda p: p.role is MentionType.MODIFIER, mentions[head - 1 :: -1])
    return any(p.cue(Cue.WITH) for p in islice(before, 1))


def _pointed_at(mentions: Sequence[Mention], head: int) -> Reference | None:
    """Return what the item replaces in "the other a lemonade" or "one of them diet"."""
    first = next((i for i in range(head) if not mentions[i].cue(*LISTS)), head)
    found = read_pointer(mentions, first)
    if found is None or not found[0].leads_on or found[1] > head:
        return None
    between = mentions[found[1] : head]
    if not between and mentions[head - 1].cue(Cue.THE):
        return None  # "one of those wraps"
    return (
        found[0].reference()
        if all(p.cue(Cue.A) or p.role is MentionType.SIZE for p in between)
        else None
    )
