"""Which names stand for an item that is ordered, and which point at one, carry it or deny it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from voice_service.ordering.cart_view import CartView
from voice_service.ordering.language.cue_sets import ATTACHES, LISTS
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.mentions.mention import Mention, MentionType, candidates_of
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.menu.match import FULL
from voice_service.ordering.references.pointers import ends, of_the

_VERBS = (Cue.REQUEST, Cue.ADD)
"""May stand between a negation and its object: "could I not get fries"."""


_DESCRIBE = (MentionType.SIZE, MentionType.MODIFIER, MentionType.ITEM)


def without_carrier(mentions: Sequence[Mention], index: int, menu: CompiledMenu) -> Mention:
    """Return a name that only carries another item as filler: "egg and cheese on a sesame bagel".

    What is said of it has to be a choice of the item before, which says it in full.
    """
    mention = mentions[index]
    start = index
    while start and (
        mentions[start - 1].role is MentionType.MODIFIER or mentions[start - 1].cue(Cue.A)
    ):
        start -= 1
    mods = [p for p in mentions[start:index] if p.role is MentionType.MODIFIER]
    if (
        mention.role is not MentionType.ITEM
        or not mods
        or not start
        or not mentions[start - 1].cue(Cue.ON)
    ):
        return mention
    host = next((p.items[0] for p in mentions[start - 1 :: -1] if p.role is MentionType.ITEM), None)
    if host is None or host in mention.items:
        return mention
    if not all(any(menu.offers(host, s) for s in p.candidates) for p in mods):
        return mention
    return mention.as_cue(Cue.FILLER)


def refers_back(mentions: Sequence[Mention], index: int, cart: CartView) -> bool:
    """Return whether the item at `index` is one already ordered: "on the burger"."""
    choices = mentions[index].items
    known = any(i in choices for i in cart.items) or any(
        p.role is MentionType.ITEM and set(p.items) & set(choices) for p in mentions[:index]
    )
    if not known:
        return False
    before = index - 1
    if before >= 0 and mentions[before].cue(Cue.ORDINAL):
        return True
    if _some_of_the(mentions, index) or _sized(mentions, index, cart):
        return True
    definite = attached = False
    while before >= 0 and (
        mentions[before].cue(Cue.THE, Cue.BOTH, Cue.MEASURE)
        or mentions[before].role is MentionType.SIZE
    ):
        definite = definite or mentions[before].cue(Cue.THE)
        attached = attached or (
            mentions[before].cue(Cue.BOTH) and " " in mentions[before].span.text
        )
        before -= 1
    attached = attached or (before >= 0 and mentions[before].cue(*ATTACHES))
    return definite and attached


def _sized(mentions: Sequence[Mention], index: int, cart: CartView) -> bool:
    """True of "the fries large": what is ordered gets a size, and nothing else is said of it."""
    the, size = mentions[max(index - 1, 0)], mentions[index + 1 : index + 2]
    ordered = any(item in mentions[index].items for item in cart.items)
    alone = any(p.role is MentionType.SIZE for p in size) and ends(mentions, index + 2)
    return ordered and the.cue(Cue.THE) and alone and not _wished(mentions[:index])


def _wished(before: Sequence[Mention]) -> bool:
    return any(p.cue(Cue.REQUEST, Cue.ADD, Cue.ALSO) for p in before)


def _some_of_the(mentions: Sequence[Mention], index: int) -> bool:
    """Return whether "one of the colas" only says which one something is true of."""
    start = next((i for i in range(max(index - 3, 0), index) if of_the(mentions, i) == index), None)
    if start is None:
        return False
    on = start > 0 and mentions[start - 1].cue(*ATTACHES)
    following = mentions[index + 1 : index + 2]
    items = {*mentions[index].items}
    earlier = any(p.role is MentionType.ITEM and items & {*p.items} for p in mentions[:start])
    described = (start == 0 or earlier) and any(
        p.cue(Cue.WITH, Cue.NO, Cue.PLAIN, Cue.EXTRA) or p.role in _DESCRIBE for p in following
    )
    return on or described


def negated(mentions: Sequence[Mention], start: int, head: int) -> bool:
    """Return whether the guest does not want this item: "no fries", "no fries or rings"."""
    for index in range(head - 1, -1, -1):
        mention = mentions[index]
        if mention.cue(Cue.OR) and index and mentions[index - 1].role is MentionType.ITEM:
            return negated(mentions, start, index - 1)
        if mention.cue(Cue.NO):
            between = mentions[index + 1 : head]
            answers = mention.cue(Cue.DENY) and any(p.cue(*_VERBS, Cue.YES) for p in between)
            return not (answers or any(p.cue(Cue.COMMA) for p in between[:1]))
        has_object = mention.cue(Cue.IT) and mentions[index + 1].cue(Cue.A)  # "without that, a tea"
        inside = mention.cue(Cue.A, Cue.THE, Cue.MEASURE, Cue.EXTRA, *_VERBS)
        if has_object or not (mention.idle or inside):
            return False
    return False


def answers(mentions: Sequence[Mention], head: int, ordered: Collection[str]) -> bool:
    """True of "no, the cheeseburger" where there is none: it is what is meant."""
    before = mentions[max(head - 2, 0) : head]
    definite = len(before) > 1 and before[0].cue(Cue.DENY) and before[1].cue(Cue.THE)
    return definite and {*ordered}.isdisjoint(mentions[head].items)


def unclear_what_goes(
    mentions: Sequence[Mention],
    head: int,
    ordered: Collection[str],
    cart: CartView,
    menu: CompiledMenu,
) -> bool:
    """Return whether a denied name may mean several things, or not be denied at all.

    "No chocolate", of a cake and a shake; "a burger with no burger"; "no lemonade", after a sprite:
    that is what is meant, or was it never to be one?
    """
    named = mentions[head]
    partly = {s.id for s in candidates_of(named.span, "item")}.intersection(ordered)
    if named.candidates[0].match < FULL and len(partly) > 1:
        return True
    if not {*cart.items}.isdisjoint(named.items):
        return False
    no = next(i for i in range(head, -1, -1) if mentions[i].cue(Cue.NO))
    opens = not no and mentions[no].cue(Cue.DENY) and all(p.idle for p in mentions[1:head])
    last = mentions[max(no - 1, 0)]
    beside = last.items if last.role is MentionType.ITEM else cart.items[-1:] if opens else ()
    kinds = {menu.items[item].category for item in beside}
    return any(menu.items[item].category in kinds for item in named.items)


def denied_count(mentions: Sequence[Mention], head: int) -> str:
    """Return the words of "not two cokes", else nothing.

    It leaves open which number is denied, or whether they are wanted at all.
    """
    number, no = mentions[max(head - 1, 0)], mentions[max(head - 2, 0)]
    denied = number.role is MentionType.NUMBER and no.cue(Cue.NO) and not no.cue(Cue.DENY)
    return " ".join(p.span.text for p in (no, number, mentions[head])) if denied else ""


def excepts_host(mentions: Sequence[Mention], head: int) -> bool:
    """True of "but not on the fries": it is unclear what is not on them."""
    before = mentions[max(head - 3, 0) : head]
    cues = (Cue.NO, Cue.ON, Cue.THE)
    return len(before) == len(cues) and all(p.cue(c) for p, c in zip(before, cues, strict=True))


def may_be_same(mentions: Sequence[Mention], heads: Sequence[int], start: int) -> bool:
    """Return whether the last of `heads` may be named before: one of the two is "the" item.

    `start`: where the words of the last begin.
    """
    head = heads[-1]
    before = [h for h in heads[:-1] if mentions[h].items[0] in mentions[head].items]
    definite = any(mention.cue(Cue.THE) for mention in mentions[start:head])
    return bool(before) and (definite or any(mentions[h - 1].cue(Cue.THE) for h in before if h))


def in_list(mentions: Sequence[Mention], start: int) -> bool:
    """Return whether an item without an article or number stands where a modifier would."""
    before = [p for p in mentions[max(start - 2, 0) : start] if not p.idle]
    if not before:
        return False
    after_modifier = len(before) > 1 and before[-2].role is MentionType.MODIFIER
    if before[-1].role is MentionType.MODIFIER:
        return True
    return before[-1].cue(Cue.WITH) or (before[-1].cue(*LISTS) and after_modifier)


def amid_modifiers(mentions: Sequence[Mention], start: int, head: int) -> bool:
    """Return whether a bare item stands in a list of modifiers: "with bacon egg and cheese"."""
    before = [p for p in mentions[max(start - 2, 0) : start] if not p.idle]
    after = [p for p in mentions[head + 1 : head + 4] if not p.idle]
    if start != head or not before or len(after) < 2:
        return False
    listed = before[-1].role is MentionType.MODIFIER or before[-1].cue(Cue.WITH)
    follows = after[1 if after[0].cue(*LISTS) else 0]
    return listed and follows.role is MentionType.MODIFIER
