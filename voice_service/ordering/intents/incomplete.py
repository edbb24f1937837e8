"""The end of an utterance that a pause has cut: words that wait for the next one."""

from __future__ import annotations

from collections.abc import Sequence

from voice_service.ordering.cart_view import CartView
from voice_service.ordering.intents.contrast import alternative_end
from voice_service.ordering.intents.counting import counts_each, counts_last
from voice_service.ordering.intents.lookahead import count_more
from voice_service.ordering.language.cue_sets import GOES_ON, PAUSES
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.mentions.mention import Mention, MentionType
from voice_service.ordering.menu.compiled import CompiledMenu

_SWAP_THE_COLA = 3
_OF_THEM = 3  # phrases in "make one of them"


def incomplete_tail(mentions: Sequence[Mention], cart: CartView) -> tuple[Mention, ...]:
    """Return the words at the end that need a continuation: a number, "and", "with no"."""
    each = any(p.cue(Cue.BOTH, Cue.EVERYTHING) for p in mentions)
    counted = each and any(counts_each(mentions, i) for i in range(len(mentions)))
    if counted or counts_last(mentions, cart):
        return ()
    broken_off = _unfinished_change(mentions)
    if broken_off is not None:
        return tuple(mentions[broken_off:])
    end = len(mentions)
    start = end
    opens = False
    while start > 0:
        mention = mentions[start - 1]
        counts = mention.role is MentionType.NUMBER or mention.cue(Cue.A, Cue.MORE, Cue.MEASURE)
        links = mention.cue(
            Cue.AND, Cue.WITH, Cue.OR, Cue.NO, Cue.EXTRA, Cue.LIGHT, Cue.ADD, Cue.PLAIN, Cue.ALSO
        )
        if mention.apart is not None:
            start -= 1
            break
        if mention.cue(Cue.DONE, Cue.UNDO, Cue.SAME, Cue.REMOVE, Cue.ONLY):
            break
        if mention.cue(Cue.ALSO) and mention.cue(Cue.FILLER) and _named(mentions[: start - 1]):
            break  # "a coke as well"
        if _completes_reference(mentions, start - 1):
            break
        if alternative_end(mentions, start - 1) is not None:
            return ()
        if counts or links:
            opens = True
        elif not (
            mention.role is MentionType.SIZE
            or mention.cue(Cue.COMMA, Cue.STOP, Cue.THE)
            or _is_pause(mention)
        ):
            break
        start -= 1
    tail = mentions[start:end]
    while tail and tail[0].cue(*PAUSES):
        tail = tail[1:]
    if (
        not opens
        or _is_whole_partition(tail, mentions[:start])
        or _is_complete(tail, mentions, start, cart)
    ):
        return ()
    return tuple(tail)


def _unfinished_change(mentions: Sequence[Mention]) -> int | None:
    """Return where "swap the coke" begins if nothing follows: what for comes next."""
    changes = [i for i, mention in enumerate(mentions) if mention.cue(Cue.CHANGE, Cue.SUBSTITUTE)]
    if not changes or len(mentions) - changes[-1] > _SWAP_THE_COLA:
        return None
    rest = [p for p in mentions[changes[-1] + 1 :] if not p.cue(Cue.THE)]
    return changes[-1] if len(rest) == 1 and rest[0].role is MentionType.ITEM else None


def itemless_statement(
    mentions: Sequence[Mention], cart: CartView, menu: CompiledMenu
) -> tuple[Mention, ...]:
    """Return a size or modifiers alone that nothing ordered takes: "large", "no onions".

    The guest is asked about them, and they wait for the item all the same.
    """
    attributes = [
        s
        for p in mentions
        if p.role in (MentionType.SIZE, MentionType.MODIFIER)
        for s in (*p.candidates, *p.also)
    ]
    alone = all(
        p.role in (MentionType.SIZE, MentionType.MODIFIER) or _may_lead(p) for p in mentions
    )
    if not attributes or not alone or cart.choices:
        return ()
    known = any(menu.offers(item, sense) for item in cart.items for sense in attributes)
    return () if known else tuple(mentions)


def _may_lead(mention: Mention) -> bool:
    """Return whether a mention may stand before a size or modifier, or fill the sentence."""
    leads = (Cue.A, Cue.NO, Cue.WITH, Cue.EXTRA, Cue.LIGHT, Cue.REQUEST, Cue.AND, Cue.COMMA)
    return mention.idle or mention.cue(*leads, Cue.STOP)


def _completes_reference(mentions: Sequence[Mention], index: int) -> bool:
    """Return whether a number is complete, as in "no onions on one" or "all but one"."""
    mention, before = mentions[index], mentions[max(index - 1, 0) : index]
    counted = mention.role is MentionType.NUMBER or mention.cue(Cue.ONE)
    return (
        counted
        and bool(before)
        and before[0].cue(
            Cue.ON, Cue.FOR, Cue.BUT, Cue.TIMES, Cue.ORDINAL, Cue.OFF, Cue.REMOVE, Cue.ONLY
        )
    )


def _named(before: Sequence[Mention]) -> bool:
    """Return whether the words before name something at their end."""
    return bool(before) and bool(before[-1].candidates)


def _is_whole_partition(tail: Sequence[Mention], before: Sequence[Mention]) -> bool:
    """Return whether "and one without" is complete: it is said of what was just named."""
    if tail and tail[0].apart is not None:
        return len(tail) == 1 or tail[-1].cue(Cue.NO, Cue.PLAIN)
    named = bool(before) and before[-1].role is MentionType.MODIFIER
    counted = any(p.role is MentionType.NUMBER or p.cue(Cue.ONE, Cue.OTHER) for p in tail[-2:-1])
    return named and counted and tail[-1].cue(Cue.NO)


def _only_counts_more(meant: Sequence[Mention]) -> bool:
    """Return whether it is no more than "one more" or "and another two"."""
    words = [p for p in meant if not p.cue(*GOES_ON)]
    more = [count_more(words, index) for index in range(len(words))][:1]
    return any(found is not None and found[1] == len(words) for found in more)


def _counts_fewer(meant: Sequence[Mention]) -> bool:
    """True of "one less"."""
    counted = any(p.role is MentionType.NUMBER or p.cue(Cue.ONE) for p in meant[:1])
    return counted and meant[-1].cue(Cue.FEWER)


def _is_pause(mention: Mention) -> bool:
    """Return whether a mention only fills a pause."""
    return mention.role is MentionType.CUE and mention.span.cues <= {Cue.FILLER, Cue.SIZED}


def _is_complete(
    tail: Sequence[Mention], mentions: Sequence[Mention], start: int, cart: CartView
) -> bool:
    """Return whether the tail is an answer or a change of its own: "a large", "make it two"."""
    meant = [p for p in tail if not (p.cue(Cue.STOP, Cue.COMMA) or _is_pause(p))]
    before = mentions[max(start - _OF_THEM, 0) : start]
    said = [p for p in before if not (p.idle or p.cue(Cue.REQUEST))]
    only = bool(said) and said[-1].cue(Cue.ONLY)  # "I only wanted two"
    changes = only or (before and before[-1].cue(Cue.CORRECT, Cue.TO, Cue.CHANGE, Cue.UNDO))
    first = all(p.idle or p.cue(Cue.REQUEST, Cue.ADD, Cue.AND) for p in mentions[:start])
    more = bool(cart.items) and first and _only_counts_more(meant)
    fewer = start == 0 and _counts_fewer(meant)
    if not meant or more or fewer or changes or any(p.cue(Cue.MAKE) for p in before):
        return True
    if meant[-1].cue(Cue.PLAIN, Cue.EXTRA, Cue.LIGHT) and start > 0:
        return mentions[start - 1].role in (MentionType.ITEM, MentionType.MODIFIER)
    asked = cart.about or any(p.cue(Cue.QUESTION) for p in mentions[:start])
    orders = asked and meant[-1].role is MentionType.NUMBER  # "how much is it? I'll take two"
    if orders or _gives_size(meant, cart, alone=first) or _corrects_size(meant, before):
        return True
    if start == 0 and meant[0].cue(Cue.NO):
        # "No", or "no, medium"; but "with no" waits for what.
        alone = len(meant) == 1 and meant[0].cue(Cue.DENY, Cue.NOT)
        return alone or meant[-1].role in (MentionType.SIZE, MentionType.NUMBER)
    if start > 0 and mentions[start - 1].role is MentionType.ITEM:
        # "Fries, large": a size or number after the name begins nothing new.
        # Neither do the sizes of "four cokes, two large and two small".
        sizes_item = (
            meant[0].role in (MentionType.NUMBER, MentionType.SIZE)
            and meant[-1].role is MentionType.SIZE
        )
        return sizes_item or not any(
            p.cue(Cue.AND, Cue.WITH, Cue.A, Cue.ALSO, Cue.NO) for p in meant
        )
    return False


def _gives_size(meant: Sequence[Mention], cart: CartView, *, alone: bool) -> bool:
    """Return whether the tail is the size that was asked for: "large", or alone "the twenty"."""
    counted = alone and meant[-1].role is MentionType.NUMBER and not meant[0].cue(Cue.AND)
    return cart.unsized is not None and (counted or any(p.role is MentionType.SIZE for p in meant))


def _corrects_size(meant: Sequence[Mention], before: Sequence[Mention]) -> bool:
    """Return whether the tail is another size for the item just named: "a small coke, no, large".

    `before` are the last words before it.
    """
    named = bool(before) and before[-1].role is MentionType.ITEM
    sized = any(p.role is MentionType.SIZE for p in before)
    return named and sized and meant[0].cue(Cue.NO) and meant[-1].role is MentionType.SIZE
