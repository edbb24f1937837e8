"""Items that are said together: of several sizes, under one name for all, as one dish."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate, pairwise

from voice_service.ordering.acts import ItemRequest
from voice_service.ordering.attributes.statements import (
    CategoryStatement,
    ClauseBreak,
    SizeStatement,
    Statement,
)
from voice_service.ordering.doubt import Doubt
from voice_service.ordering.language.cue_sets import JOINS, LISTS
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.language.tokens import key_of, keys_of, plural
from voice_service.ordering.mentions.mention import Mention, MentionType, candidates_of
from voice_service.ordering.menu.compiled import CompiledMenu


def of_other_sizes(
    said: Sequence[Statement],
    group: ItemRequest,
    mentions: Sequence[Mention],
    start: int,
    menu: CompiledMenu,
) -> list[ItemRequest]:
    """The items of "two large and" in "two large and one small fries"."""
    sizes = [s for s in said if isinstance(s, SizeStatement) and s.count is not None]
    sized = group.quantity is not None and mentions[start + 1].role is MentionType.SIZE
    if len(sizes) != len(said) or not sized or not mentions[start - 1].cue(*LISTS):
        return []
    groups: list[ItemRequest] = []
    for size in sizes:
        fitting = [s for s in size.candidates if menu.offers(group.item, s)]
        if not fitting:
            return []
        other = ItemRequest(group.item, size.count, fitting[0].id, quality=group.quality)
        other.words.update(size.words)
        groups.append(other)
    return groups


def of_one_heading(
    before: Sequence[Statement], groups: Sequence[ItemRequest], menu: CompiledMenu
) -> bool:
    """ "Three footlongs" or "two small subs" before the items that it counts, if they add up.

    Each gets the size. They have to be of the category that was said.
    """
    sizes = [s for s in before if isinstance(s, SizeStatement)]
    kinds = [s for s in before if isinstance(s, CategoryStatement)]
    others = any(not isinstance(s, SizeStatement | CategoryStatement | ClauseBreak) for s in before)
    if others or len(sizes) > 1 or len(kinds) > 1:
        return False
    said = [*(s.count for s in sizes), *(k.count for k in kinds)]
    total = next((count for count in said if count is not None), 0)
    counts = list(accumulate(group.quantity or 0 for group in groups))
    if total < len(counts[:2]) or total not in counts:
        return False
    named = groups[: counts.index(total) + 1]
    if any(g.quantity is None or (sizes and g.size) for g in named):
        return False
    if any(not _is_in(g, kind.id, menu) for g in named for kind in kinds):
        return False
    return all(_size_all(named, size, menu) for size in sizes)


def _size_all(groups: Sequence[ItemRequest], said: SizeStatement, menu: CompiledMenu) -> bool:
    """Gives all of them the size, if they come in it."""
    fitting = [{s.id for s in said.candidates if menu.offers(g.item, s)} for g in groups]
    common = set.intersection(*fitting)
    for group in groups if common else ():
        group.size = min(common)
        group.words.update(said.words)
    return bool(common)


def take_out_heading(
    groups: list[ItemRequest], mentions: Sequence[Mention], heads: Sequence[int]
) -> None:
    """ "Two kebabs, one doner, one shish": two in all, if a name for all is what one is called."""
    if len(groups) != len(heads):
        return
    for first, (head, following) in enumerate(pairwise(heads)):
        if any(p.cue(Cue.AND, Cue.WITH, Cue.ALSO) for p in mentions[head:following]):
            continue
        counts = list(accumulate(g.quantity or 0 for g in groups[first + 1 :]))
        if (total := groups[first].quantity) is None or total not in counts[1:]:
            continue
        listed = groups[first + 1 : first + 2 + counts.index(total)]
        named = {g.item for g in listed}
        under = len(groups[first].candidates) > 1 and named <= set(groups[first].candidates)
        if (under or groups[first].item in named) and all(g.quantity for g in listed):
            for group in listed:
                group.quality = 1.0
                if under:
                    group.settle(group.item)
            del groups[first]
            return


def count_under_heading(
    groups: Sequence[ItemRequest],
    mentions: Sequence[Mention],
    heads: Sequence[int],
    starts: Sequence[int],
    menu: CompiledMenu,
) -> None:
    """ "Two sides, slaw and fries": one of each, if as many of the kind are named as it says."""
    if len(groups) != len(heads):
        return
    for first, (start, head) in enumerate(zip(starts, heads, strict=True)):
        total, category = groups[first].quantity, _heading(mentions[start:head], menu)
        if category is None or total is None or total < len(heads[:2]):
            continue
        listed = groups[first : first + total]
        alone = all(group.quantity is None for group in listed[1:])
        if alone and len(listed) == total and all(_is_in(g, category, menu) for g in listed):
            groups[first].quantity = None
        elif len(listed) > 1 and alone:
            groups[first].quality *= Doubt.HEADING_COUNT.certainty


def size_by_number(groups: Sequence[ItemRequest], menu: CompiledMenu) -> None:
    """ "Six nuggets" is one order of them, where they come in sixes; "eight" says no size."""
    for group in groups:
        item = menu.items[group.item]
        named = [
            (key, s) for s in item.prices for key in keys_of(menu.sizes[s].name, menu.language)
        ]
        sizes = {int(key): size for key, size in named if key.isdigit()}
        portion = plural(item.name, menu.language) == item.name
        if not sizes or not portion or group.size or (group.quantity or 0) < min(sizes):
            continue
        group.size, group.quantity = sizes.get(group.quantity or 0), None


def _heading(inner: Sequence[Mention], menu: CompiledMenu) -> str | None:
    """The category that a number counts before the items are named, said as several."""
    for number, named in pairwise(inner):
        said = named.span.text
        several = key_of(said, menu.language) != said and " " not in said
        categories = candidates_of(named.span, "category")
        if number.role is MentionType.NUMBER and several and categories:
            return categories[0].id
    return None


def _is_in(group: ItemRequest, category: str, menu: CompiledMenu) -> bool:
    return menu.items[group.item].category == category


def accompanies(mentions: Sequence[Mention], first: int, second: int, menu: CompiledMenu) -> bool:
    """Whether two items are said as one dish: "chips and salsa", but not "fries and a shake"."""
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


def join_dish(groups: list[ItemRequest], second: Mention) -> None:
    """Marks the accompaniment; what it goes with is put before it."""
    if second.plural and len(groups) > 1:
        groups[-2], groups[-1] = groups[-1], groups[-2]
    groups[-1].coordination = replace(groups[-1].coordination, accompanies=True)
