"""Items with their sizes, quantities and modifiers, from a stretch that orders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

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
from voice_service.ordering.items.alternatives import Alternatives, either_size, one_count
from voice_service.ordering.items.attachment import AttributeAttacher
from voice_service.ordering.items.boundaries import start_of
from voice_service.ordering.items.coordination import (
    accompanies,
    count_under_heading,
    join_dish,
    of_one_heading,
    size_by_number,
    take_out_heading,
)
from voice_service.ordering.items.ellipsis import resolve_ellipsis
from voice_service.ordering.items.heads import (
    amid_modifiers,
    carrier,
    denied_count,
    in_list,
    in_order,
    negated,
    not_on,
    points,
    same_one,
)
from voice_service.ordering.items.preamble import attach_preamble
from voice_service.ordering.items.quantities import group_of, inner_words, of_so_many, plural_of_one
from voice_service.ordering.language.cue_sets import LISTS
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.language.tokens import keys_of
from voice_service.ordering.mentions.mention import Mention, MentionType
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.menu.match import FULL
from voice_service.ordering.reasons import ReasonCode
from voice_service.ordering.references.pointers import (
    Described,
    Ordinal,
    Partition,
    read_pointer,
)


def assemble_items(mentions: Sequence[Mention], menu: CompiledMenu, cart: CartView) -> list[Act]:
    """The acts of a stretch without commands, in the order of speaking."""
    mentions = one_count(mentions)
    mentions = [in_order(mentions, i, menu, cart) for i in range(len(mentions))]
    mentions = [carrier(mentions, i, menu) for i in range(len(mentions))]
    heads = [
        i
        for i, p in enumerate(mentions)
        if p.role is MentionType.ITEM and not points(mentions, i, cart)
    ]
    if not heads:
        said = AttributeReader(mentions).read()
        return resolve_ellipsis(
            said, menu, cart, AttributeAttacher(menu, cart.items)
        ) or _only_points(said)
    return _ItemAssembler(mentions, heads, menu, cart).acts()


def _only_points(said: Sequence[Statement]) -> list[Act]:
    """The reason for words that point at something and say nothing of it: "the first one"."""
    pointers = [s for s in said if isinstance(s, Partition | Ordinal | Described) and s.text]
    return [not_understood(pointers[0].text)] if pointers else []


class _ItemAssembler:
    """The items of one stretch, whose names are at `heads`, with what is said of each."""

    def __init__(
        self, mentions: Sequence[Mention], heads: Sequence[int], menu: CompiledMenu, cart: CartView
    ) -> None:
        self._parts = mentions
        self._heads = heads
        self._menu = menu
        self._cart = cart
        self._attacher = AttributeAttacher(menu, cart.items)
        self._offers = Alternatives(menu)
        self._starts = [
            start_of(mentions, h, p, menu) for h, p in zip(heads, [-1, *heads], strict=False)
        ]
        self._before = AttributeReader(mentions[: self._starts[0]]).read()
        self._lead: list[Act] = []
        self._instead = _pointed_at(mentions, heads[0])
        self._acts: list[Act] = []

    def acts(self) -> list[Act]:
        """Everything that the stretch asks for."""
        groups = self._attacher.groups
        for number in range(len(self._heads)):
            self._item(number)
        take_out_heading(groups, self._parts, self._heads)
        count_under_heading(groups, self._parts, self._heads, self._starts, self._menu)
        if of_one_heading(self._before, groups, self._menu):
            self._lead = []
        size_by_number(groups, self._menu)
        groups = self._offers.taken(groups)
        added = [_added(group, self._menu) for group in groups]
        if self._instead is not None and added and isinstance(added[0], Add):
            added[0] = Replace(Target(ref=self._instead), added[0].request)
        vague = [
            Problem(ReasonCode.AMBIGUOUS_QUANTITY, self._menu.item_name(g.item))
            for g in groups
            if g.counting.vague
        ]
        asked = self._offers.problems()
        self._lead = [act for act in self._lead if not _answered(act, groups)]
        return [*self._lead, *added, *asked, *vague, *self._acts, *self._attacher.acts]

    def _item(self, number: int) -> None:
        start, head = self._starts[number], self._heads[number]
        mention = self._parts[head]
        if negated(self._parts, start, head):
            self._not_wanted(head, self._after(number))
            return
        if not_on(self._parts, head):
            text = f"{self._parts[head - 3].span.text} {mention.span.text}"
            self._acts.append(not_understood(text))
            return
        if denied := denied_count(self._parts, head):
            self._acts.append(not_understood(denied))
            return
        group = self._group(number)
        self._doubt(group, number)
        self._answer(group)
        groups = self._attacher.groups
        previous = groups[-1] if groups else None
        if previous is not None:
            self._in_place_of(previous, group, start, head)
        groups.append(group)
        since = self._heads[number - 1] + 1 if number else 0
        self._offers.see(group, previous, self._parts[since:head], start - since)
        either = either_size(self._before, self._parts[:head], start) if number == 0 else ""
        if number == 0 and self._before and not either:
            self._lead = attach_preamble(
                self._before, group, self._parts, start, self._menu, self._cart, self._attacher
            )
        self._attacher.put(inner_words(self._parts[start:head]), group)
        if either:
            group.size, self._before = None, []
            self._lead = [Problem(ReasonCode.CONFLICTING_SIZE, either, request=group)]
        self._attacher.put(self._after(number), group, [m.group for m in group.mods])
        self._beside(group, previous, number)

    def _in_place_of(
        self, previous: ItemRequest, group: ItemRequest, start: int, head: int
    ) -> None:
        """ "Two colas, one of them diet": so many of the item before are this one."""
        ref = _pointed_at(self._parts[start : head + 1], head - start)
        if ref is None:
            return
        rest = (previous.quantity or 1) - ref.count
        if ref.which is not ReferenceKind.SOME or rest < 1:
            self._acts.append(not_understood(ref.text))
            return
        previous.quantity, group.quantity = rest, ref.count

    def _after(self, number: int) -> list[Statement]:
        """What is said behind the name, up to the next item."""
        end = [*self._starts[1:], len(self._parts)][number]
        return AttributeReader(self._parts[self._heads[number] + 1 : end]).read()

    def _not_wanted(self, head: int, after: Sequence[Statement]) -> None:
        mention = self._parts[head]
        ordered = {*self._cart.items, *(group.item for group in self._attacher.groups)}
        half = mention.candidates[0].match < FULL and len(mention.items) == 1
        if self._of_itself(head):
            self._acts.append(not_understood(mention.span.text))
            return
        if (half or mention.span.nearness < 1) and ordered.isdisjoint(mention.items):
            # "Hold the cheese" is not about cheesecake, and "no peas" not about teas.
            self._acts.append(not_understood(mention.span.text))
        self._acts.append(Remove(Target(mention.items), asked=False, text=mention.span.text))
        if self._attacher.groups:
            self._attacher.put(after, self._attacher.groups[-1])
        else:
            self._acts += resolve_ellipsis(after, self._menu, self._cart, self._attacher)

    def _of_itself(self, head: int) -> bool:
        """ "A burger with no burger": what was just asked for, or its like, is not what goes."""
        no = next(i for i in range(head, -1, -1) if self._parts[i].cue(Cue.NO))
        last, mention = self._parts[max(no - 1, 0)], self._parts[head]
        if last.role is not MentionType.ITEM or not set(mention.items).isdisjoint(self._cart.items):
            return False
        kinds = {self._menu.items[i].category for i in last.items}
        return any(self._menu.items[i].category in kinds for i in mention.items)

    def _group(self, number: int) -> ItemRequest:
        start, head = self._starts[number], self._heads[number]
        mention, inner = self._parts[head], self._parts[start:head]
        group = group_of(inner, mention)
        after_with = start > 0 and self._parts[start - 1].cue(Cue.WITH)
        group.coordination = Coordination(after_with=after_with)
        since = self._heads[number - 1] + 1 if number else 0
        end = [*self._starts[1:], len(self._parts)][number]
        around = (*self._parts[since:start], *self._parts[head + 1 : end])
        shared = any(p.cue(Cue.BOTH) for p in around)
        each = shared and bool(self._menu.combos_with(group.item, self._cart.items))
        several = not (after_with or each) and plural_of_one(inner, mention, self._menu)
        group.counting = replace(
            group.counting,
            vague=group.counting.vague or several,
            shared=shared,
            combos=of_so_many(self._parts[:start]),
        )
        return group

    def _doubt(self, group: ItemRequest, number: int) -> None:
        """Lowers the quality of an item that may be none, or one named before."""
        groups = self._attacher.groups
        start, mention = self._starts[number], self._parts[self._heads[number]]
        again = group.quantity is None and any(g.item == group.item for g in groups)
        if (mention.candidates[0].match < FULL or again) and in_list(self._parts, start):
            group.quality *= Doubt.NAME_AMID_MODIFIERS.certainty
        since = self._parts[self._heads[number - 1] if number else 0 : start]
        read_pointer = any(p.cue(Cue.IT) for p in since)
        if (
            groups
            and groups[-1].item == group.item
            and groups[-1].quantity is None
            and read_pointer
        ):
            # "My bagel scooped out, it's a sesame bagel".
            group.quality *= Doubt.NAMED_AGAIN.certainty
        if groups and self._shared_word(number):
            group.quality *= Doubt.NAME_AMID_MODIFIERS.certainty
        if groups and amid_modifiers(self._parts, start, self._heads[number]):
            group.quality *= Doubt.NAME_AMID_MODIFIERS.certainty
        if groups and groups[-1].elided.item and group.quantity is None:
            # "A large and diet coke": whose size is it?
            groups[-1].quality *= Doubt.SIZE_BEFORE_NAME.certainty
        if groups and group.quantity is None and self._size_between(groups[-1], number):
            group.quality *= Doubt.SIZE_BEFORE_NAME.certainty
        ordered = any(i in mention.items for i in self._cart.items)
        if group.quantity is None and (
            same_one(self._parts, self._heads[: number + 1], start)
            or (ordered and any(p.cue(Cue.THE) for p in self._parts[start : self._heads[number]]))
        ):
            group.quality *= Doubt.NAMED_AGAIN.certainty

    def _shared_word(self, number: int) -> bool:
        """Whether a word may end one name or begin the next: "cinnamon pretzel bites"."""
        first, second = self._heads[number - 1 : number + 1]
        if second != first + 1:
            return False
        one, other = (self._parts[i].span.text for i in (first, second))
        said = f"{one.split()[-1]} {other}"
        senses = self._menu.lexicon.find("".join(keys_of(said, self._menu.language)), said)
        return any(s.kind == "item" and s.id in self._parts[second].items for s in senses)

    def _size_between(self, previous: ItemRequest, number: int) -> bool:
        """Whether a size stands between two bare names that both come in it."""
        first, second = self._heads[number - 1 : number + 1]
        size = self._parts[first + 1]
        if (
            size.role is not MentionType.SIZE
            or previous.size is not None
            or self._starts[number] != first + 1
        ):
            return False
        items = (previous.item, self._parts[second].items[0])
        return all(any(self._menu.offers(i, s) for s in size.candidates) for i in items)

    def _answer(self, group: ItemRequest) -> None:
        """An item that answers a question needs less of its name."""
        chosen = tuple(i for i in group.candidates if i in self._cart.choices)
        if len(chosen) == 1:
            group.settle(chosen[0])
            group.quality = max(group.quality, Doubt.CHOSEN_OF_OFFERED.certainty)

    def _beside(self, group: ItemRequest, previous: ItemRequest | None, number: int) -> None:
        """What an item is to the one before it: part of one dish, or perhaps put onto it."""
        if previous is None or not number:
            return
        first, second = self._heads[number - 1 : number + 1]
        if accompanies(self._parts, first, second, self._menu):
            join_dish(self._attacher.groups, self._parts[second])
            return
        bare = self._starts[number] == second
        put_on = group.coordination.after_with and not previous.coordination.after_with
        one, other = (self._menu.items[self._parts[i].items[0]] for i in (first, second))
        if one.category == other.category and bare and (put_on or self._shares(first, second)):
            # "An italian with ham": one more, or what is put on it? "A turkey and ham on rye"?
            group.quality *= Doubt.NAME_AMID_MODIFIERS.certainty

    def _shares(self, first: int, second: int) -> bool:
        """Whether two items with one article may share what is said behind them."""
        previous, group = self._attacher.groups[-2:]
        joined = [p for p in self._parts[first + 1 : second] if not p.idle]
        return (
            len(joined) == 1
            and joined[0].cue(Cue.AND)
            and previous.quantity is not None
            and any(self._menu.has_group(previous.item, m.group) for m in group.mods)
        )


def _answered(act: Act, groups: Sequence[ItemRequest]) -> bool:
    """Whether what is asked about a heading was said: "two drinks, a cola and a lemonade"."""
    if not isinstance(act, Problem) or act.code != ReasonCode.CHOOSE_ITEM or act.request is None:
        return False
    counts = [group.quantity or 1 for group in groups if group.item in act.request.candidates]
    return len(counts) > 1 and sum(counts) == act.request.quantity


def _pointed_at(mentions: Sequence[Mention], head: int) -> Reference | None:
    """What "the other a lemonade" or "one of them diet" puts the item in the place of."""
    first = next((i for i in range(head) if not mentions[i].cue(*LISTS)), head)
    found = read_pointer(mentions, first)
    if (
        found is None
        or not isinstance(found[0], Partition | Ordinal | Described)
        or found[1] > head
    ):
        return None
    between = mentions[found[1] : head]
    if not between and mentions[head - 1].cue(Cue.THE):
        return None  # "one of those wraps"
    return (
        found[0].reference()
        if all(p.cue(Cue.A) or p.role is MentionType.SIZE for p in between)
        else None
    )


def _added(group: ItemRequest, menu: CompiledMenu) -> Act:
    if len(group.candidates) < 2:
        return Add(group)
    fitting = [c for c in group.candidates if _takes(menu, c, group)]
    if len(fitting) == 1:
        group.settle(fitting[0])
        return Add(group)
    names = tuple(menu.item_name(c) for c in (fitting or group.candidates))
    return Problem(ReasonCode.AMBIGUOUS_ITEM, "", names, group)


def _takes(menu: CompiledMenu, item: str, group: ItemRequest) -> bool:
    sized = group.size is None or group.size in menu.items[item].prices
    return sized and all(menu.has_group(item, m.group) for m in group.mods)
