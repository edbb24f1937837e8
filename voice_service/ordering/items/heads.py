"""Which names in an utterance stand for something ordered, and which only point, carry or deny."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from voice_service.ordering.cart_view import CartView
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.mentions.mention import Mention, MentionType
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.menu.lexicon import Candidate
from voice_service.ordering.references.pointers import ends, of_the


def in_order(parts: Sequence[Mention], index: int, menu: CompiledMenu, cart: CartView) -> Mention:
    """ "On the burger", where the only burger ordered is a cheeseburger: that is meant."""
    part = parts[index]
    if part.role is not MentionType.ITEM or set(part.items) & set(cart.items):
        return part
    before = [p for p in parts[max(0, index - 2) : index] if not p.idle or p.cue(Cue.THE)]
    if len(before) < 2 or not before[-1].cue(Cue.THE) or not before[-2].cue(Cue.ON, Cue.TO):
        return part
    said = [i for p in parts[:index] if p.role is MentionType.ITEM for i in p.items[:1]]
    ordered = [*cart.items, *said][::-1]
    if set(part.items) & set(said):
        return part
    headings = {s.id for s in part.span.senses if s.kind == "category"}
    meant = next((i for i in ordered if menu.headings(i) & headings), None)
    return part if meant is None else replace(part, senses=(Candidate("item", meant, None),))


def carrier(parts: Sequence[Mention], index: int, menu: CompiledMenu) -> Mention:
    """ "Egg and cheese on an everything bagel": the bagel only carries what was ordered.

    What is said of it has to be a choice of the item before, which says it in full.
    """
    part = parts[index]
    start = index
    while start and (parts[start - 1].role is MentionType.MODIFIER or parts[start - 1].cue(Cue.A)):
        start -= 1
    said = [p for p in parts[start:index] if p.role is MentionType.MODIFIER]
    if part.role is not MentionType.ITEM or not said or not start or not parts[start - 1].cue(Cue.ON):
        return part
    host = next((p.items[0] for p in parts[start - 1 :: -1] if p.role is MentionType.ITEM), None)
    if host is None or host in part.items:
        return part
    if not all(any(menu.allows(host, s) for s in p.senses) for p in said):
        return part
    return Mention(replace(part.span, senses=(), cues=frozenset({Cue.FILLER})), MentionType.CUE)


def points(parts: Sequence[Mention], index: int, cart: CartView) -> bool:
    """Whether the item at `index` is one already ordered: "on the burger"."""
    choices = parts[index].items
    known = any(i in choices for i in cart.items) or any(
        p.role is MentionType.ITEM and set(p.items) & set(choices) for p in parts[:index]
    )
    if not known:
        return False
    before = index - 1
    if before >= 0 and parts[before].cue(Cue.ORDINAL):
        return True
    if _some_of_the(parts, index) or _sized(parts, index, cart):
        return True
    definite = attached = False
    while before >= 0 and (
        parts[before].cue(Cue.THE, Cue.BOTH, Cue.MEASURE) or parts[before].role is MentionType.SIZE
    ):
        definite = definite or parts[before].cue(Cue.THE)
        attached = attached or (parts[before].cue(Cue.BOTH) and " " in parts[before].span.text)
        before -= 1
    attached = attached or (before >= 0 and parts[before].cue(Cue.ON, Cue.TO, Cue.FOR))
    return definite and attached


def _sized(parts: Sequence[Mention], index: int, cart: CartView) -> bool:
    """ "The fries large": what is ordered gets a size, and nothing else is said of it."""
    the, size = parts[max(index - 1, 0)], parts[index + 1 : index + 2]
    ordered = any(item in parts[index].items for item in cart.items)
    alone = any(p.role is MentionType.SIZE for p in size) and ends(parts, index + 2)
    return ordered and the.cue(Cue.THE) and alone and not _wished(parts[:index])


def _wished(before: Sequence[Mention]) -> bool:
    return any(p.cue(Cue.REQUEST, Cue.ADD, Cue.ALSO) for p in before)


def _some_of_the(parts: Sequence[Mention], index: int) -> bool:
    """Whether "one of the colas" says of which something is true, and orders none."""
    start = next((i for i in range(max(index - 3, 0), index) if of_the(parts, i) == index), None)
    if start is None:
        return False
    on = start > 0 and parts[start - 1].cue(Cue.ON, Cue.TO, Cue.FOR)
    following = parts[index + 1 : index + 2]
    said = start == 0 and any(
        p.cue(Cue.WITH, Cue.NO, Cue.PLAIN, Cue.EXTRA) or p.role is MentionType.SIZE for p in following
    )
    return on or said


def negated(parts: Sequence[Mention], start: int, head: int) -> bool:
    """Whether the guest says that this item is not wanted: "no fries", "no fries or rings"."""
    for index in range(head - 1, -1, -1):
        part = parts[index]
        if part.cue(Cue.OR) and index and parts[index - 1].role is MentionType.ITEM:
            return negated(parts, start, index - 1)
        if part.cue(Cue.NO):
            following = parts[index + 1]
            return index + 1 == head or not following.cue(Cue.COMMA)
        if not (part.idle or part.cue(Cue.A, Cue.THE, Cue.MEASURE, Cue.EXTRA)):
            return False
    return False


def denied_count(parts: Sequence[Mention], head: int) -> str:
    """ "Not two cokes": which number is denied, or whether they are wanted at all, is not said."""
    number, no = parts[max(head - 1, 0)], parts[max(head - 2, 0)]
    denied = number.role is MentionType.NUMBER and no.cue(Cue.NO) and not no.cue(Cue.DENY)
    return " ".join(p.span.text for p in (no, number, parts[head])) if denied else ""


def not_on(parts: Sequence[Mention], head: int) -> bool:
    """ "But not on the fries": what is not on them is for a person."""
    before = parts[max(head - 3, 0) : head]
    cues = (Cue.NO, Cue.ON, Cue.THE)
    return len(before) == len(cues) and all(p.cue(c) for p, c in zip(before, cues, strict=True))


def same_one(parts: Sequence[Mention], heads: Sequence[int], start: int) -> bool:
    """Whether the last of `heads` may be one named before it: one of the two is "the" item.

    `start`: where the words of the last begin.
    """
    head = heads[-1]
    before = [h for h in heads[:-1] if parts[h].items[0] in parts[head].items]
    definite = any(part.cue(Cue.THE) for part in parts[start:head])
    return bool(before) and (definite or any(parts[h - 1].cue(Cue.THE) for h in before if h))


def in_list(parts: Sequence[Mention], start: int) -> bool:
    """Whether an item without "a" or a number stands where a modifier would."""
    before = [p for p in parts[max(start - 2, 0) : start] if not p.idle]
    if not before:
        return False
    after_modifier = len(before) > 1 and before[-2].role is MentionType.MODIFIER
    if before[-1].role is MentionType.MODIFIER:
        return True
    return before[-1].cue(Cue.WITH) or (before[-1].cue(Cue.AND, Cue.COMMA) and after_modifier)


def amid_modifiers(parts: Sequence[Mention], start: int, head: int) -> bool:
    """Whether a bare item stands in a list of modifiers: "with bacon egg and cheese"."""
    before = [p for p in parts[max(start - 2, 0) : start] if not p.idle]
    after = [p for p in parts[head + 1 : head + 4] if not p.idle]
    if start != head or not before or len(after) < 2:
        return False
    listed = before[-1].role is MentionType.MODIFIER or before[-1].cue(Cue.WITH)
    follows = after[1 if after[0].cue(Cue.AND, Cue.COMMA) else 0]
    return listed and follows.role is MentionType.MODIFIER
