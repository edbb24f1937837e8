"""Items that are said together: in several sizes, under one heading, or as one dish."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate, pairwise, takewhile
from operator import attrgetter

from voice_service.ordering.acts import ItemRequest
from voice_service.ordering.attributes.statements import (
    CategoryStatement,
    ClauseBreak,
    SizeStatement,
    Statement,
)
from voice_service.ordering.language.cue_sets import JOINS
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.language.tokens import key_of
from voice_service.ordering.mentions.mention import Mention, MentionType, candidates_of
from voice_service.ordering.menu.compiled import CompiledMenu


def siblings_of_other_sizes(
    before: Sequence[Statement],
    request: ItemRequest,
    mentions: Sequence[Mention],
    start: int,
    menu: CompiledMenu,
) -> list[ItemRequest]:
    """Return the items of "two large and" in "two large and one small fries"."""
    sizes = [s for s in before if isinstance(s, SizeStatement) and s.count is not None]
    sized = request.quantity is not None and mentions[start + 1].role is MentionType.SIZE
    if len(sizes) != len(before) or not sized or not mentions[start - 1].cue(Cue.AND, Cue.COMMA):
        return []
    requests: list[ItemRequest] = []
    for size in sizes:
        fitting = [s for s in size.candidates if menu.offers(request.item, s)]
        if not fitting:
            return []
        other = ItemRequest(request.item, size.count, fitting[0].id, doubts=request.doubts)
        other.words.update(size.words)
        requests.append(other)
    return requests


def apply_heading(
    before: Sequence[Statement], requests: Sequence[ItemRequest], menu: CompiledMenu
) -> bool:
    """Apply "three footlongs" or "two small subs" to the items that it counts.

    Return whether it did: their numbers add up to that of the heading, and they are of its
    category. Each gets the size.
    """
    sizes = [s for s in before if isinstance(s, SizeStatement)]
    kinds = [s for s in before if isinstance(s, CategoryStatement)]
    others = any(not isinstance(s, SizeStatement | CategoryStatement | ClauseBreak) for s in before)
    if others or len(sizes) > 1 or len(kinds) > 1:
        return False
    totals = [*(s.count for s in sizes), *(k.count for k in kinds)]
    total = next((count for count in totals if count is not None), 0)
    counts = list(accumulate(request.quantity or 0 for request in requests))
    if total < len(counts[:2]) or total not in counts:
        return False
    named = requests[: counts.index(total) + 1]
    if any(g.quantity is None or (sizes and g.size) for g in named):
        return False
    if any(not _is_in(g, kind.id, menu) for g in named for kind in kinds):
        return False
    return all(_size_all(named, size, menu) for size in sizes)


def _size_all(requests: Sequence[ItemRequest], size: SizeStatement, menu: CompiledMenu) -> bool:
    """Give all of them the size, if they come in it; return whether they do."""
    fitting = [{s.id for s in size.candidates if menu.offers(g.item, s)} for g in requests]
    common = set.intersection(*fitting)
    for request in requests if common else ():
        request.size = min(common)
        request.words.update(size.words)
    return bool(common)


def take_out_heading(
    requests: list[ItemRequest],
    mentions: Sequence[Mention],
    heads: Sequence[int],
    menu: CompiledMenu,
) -> None:
    """Take the heading out of "two kebabs, one doner, one shish", which are two in all.

    Its name has to fit all of them, or be what one of them is called. If "three burgers, a
    hamburger and a cheeseburger" are not as many, how many there are is asked.
    """
    if len(requests) != len(heads):
        return
    for first, (head, following) in enumerate(pairwise(heads)):
        total = requests[first].quantity
        apart = any(p.cue(Cue.AND, Cue.WITH, Cue.ALSO) for p in mentions[head:following])
        if apart or total is None or total == 1:
            continue
        kinds = {s.id for s in candidates_of(mentions[head].span, "category")}
        counted = list(takewhile(attrgetter("quantity"), requests[first + 1 :]))
        others = [i for i, g in enumerate(counted) if menu.items[g.item].category not in kinds]
        alike = counted[: others[0]] if others else counted
        counts = list(accumulate(g.count for g in counted))
        if total in counts[1:]:
            listed = counted[: counts.index(total) + 1]
            named = {g.item for g in listed}
            under = len(requests[first].candidates) > 1 and named <= set(requests[first].candidates)
            if not (under or requests[first].item in named or listed == alike[: len(listed)]):
                continue
            for request in listed:
                request.doubts = ()
                if under:
                    request.settle(request.item)
        elif len(alike) > 1:
            alike[-1].counting = replace(alike[-1].counting, vague=True)
        else:
            continue
        del requests[first]
        return


def count_under_heading(
    requests: Sequence[ItemRequest],
    mentions: Sequence[Mention],
    heads: Sequence[int],
    starts: Sequence[int],
    menu: CompiledMenu,
) -> None:
    """Read "two sides, slaw and fries" as one of each, if as many are named as the heading says."""
    if len(requests) != len(heads):
        return
    for first, (start, head) in enumerate(zip(starts, heads, strict=True)):
        total, category = requests[first].quantity, _heading(mentions[start:head], menu)
        if category is None or total is None or total < len(heads[:2]):
            continue
        listed = requests[first : first + total]
        alone = all(request.quantity is None for request in listed[1:])
        if alone and len(listed) == total and all(_is_in(g, category, menu) for g in listed):
            requests[first].quantity = None


def _heading(inner: Sequence[Mention], menu: CompiledMenu) -> str | None:
    """Return the category that a number counts in the plural before the items are named."""
    for number, named in pairwise(inner):
        name = named.span.text
        several = key_of(name, menu.language) != name and " " not in name
        categories = candidates_of(named.span, "category")
        if number.role is MentionType.NUMBER and several and categories:
            return categories[0].id
    return None


def _is_in(request: ItemRequest, category: str, menu: CompiledMenu) -> bool:
    return menu.items[request.item].category == category


def accompanies(mentions: Sequence[Mention], first: int, second: int, menu: CompiledMenu) -> bool:
    """Return whether two items are one dish: "chips and salsa", but not "fries and a shake"."""
    one, other = menu.items[mentions[first].items[0]], menu.items[mentions[second].items[0]]
    if one.category != other.category or not one.modifier_groups or one.id == other.id:
        return False
    if any(p.role is MentionType.NUMBER for p in mentions[max(first - 3, 0) : first]):
        return False
    if mentions[first].plural == mentions[second].plural:
        return False
    dip = mentions[first if mentions[second].plural else second]
    if " " in dip.span.text:
        return False
    between = mentions[first + 1 : second]
    return any(p.cue(*JOINS) for p in between) and all(
        p.idle or p.cue(Cue.AND, Cue.WITH, Cue.ASIDE, Cue.ON) for p in between
    )


def join_dish(requests: list[ItemRequest], second: Mention) -> None:
    """Mark the accompaniment of a dish, and put what it goes with before it."""
    if second.plural and len(requests) > 1:
        requests[-2], requests[-1] = requests[-1], requests[-2]
    requests[-1].coordination = replace(requests[-1].coordination, accompanies=True)
