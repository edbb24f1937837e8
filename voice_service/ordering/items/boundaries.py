"""Where an item's words begin: which of the words before its name belong to it."""

from __future__ import annotations

from collections.abc import Sequence

from voice_service.ordering.language.pack import Cue
from voice_service.ordering.mentions.mention import Mention, MentionType
from voice_service.ordering.menu.compiled import CompiledMenu

_INSIDE = (
    Cue.EXTRA,
    Cue.LIGHT,
    Cue.HALF,
    Cue.PLAIN,
    Cue.MEASURE,
    Cue.SIZED,
    Cue.SOFT,
    Cue.SIZE_WORD,
    Cue.EVERYTHING,
    Cue.ONLY,
)
_SEPARATORS = (Cue.AND, Cue.OR, Cue.COMMA)
_FRESH_START = (Cue.REQUEST, Cue.ADD, Cue.ALSO, Cue.STOP, Cue.FOR, Cue.QUESTION_MARK, Cue.MAKE)


def start_of(parts: Sequence[Mention], head: int, previous: int, menu: CompiledMenu) -> int:
    """Index of the first part that belongs to the item at `head`.

    `previous` is the index of the item before it, or -1. An article or a number is the surest
    sign; without one, what stands between two items goes to the second only as far as it must.
    """
    item = parts[head].items[0]
    index = head - 1
    while index > previous:
        if _counts(parts, index, head):
            if _resumed(parts, index, previous):
                index -= 1
                continue
            if not _counts_a_modifier(parts, index, head, previous):
                return _number_of_those(parts, index, previous)
            break
        if not _may_belong(parts, index, head, item, menu):
            break
        index -= 1
    stop = parts[index] if index > previous else None
    if previous < 0 or (stop is not None and stop.cue(*_FRESH_START)):
        return index + 1
    return _without_article(parts, head, index + 1, stop)


def _counts(parts: Sequence[Mention], index: int, head: int) -> bool:
    part = parts[index]
    if part.role is MentionType.NUMBER or part.cue(Cue.A, Cue.MORE, Cue.VAGUE):
        # "two topping pizza" says how many toppings, not how many pizzas.
        return index + 1 >= head or parts[index + 1].role is not MentionType.GROUP
    if not part.cue(Cue.THE) or part.idle or part.cue(Cue.IT, Cue.FILLER):
        return False
    return index == 0 or parts[index - 1].role is not MentionType.SIZE


def _resumed(parts: Sequence[Mention], index: int, previous: int) -> bool:
    """Whether an article only goes on after a size: "half a sandwich", "a medium, um, a coke"."""
    if (
        not parts[index].cue(Cue.A)
        or index - 1 <= previous
        or parts[index - 1].role is not MentionType.SIZE
    ):
        return False
    # "Fries, large, a coke": a size that follows a name belongs to it.
    before = index - 2
    while before > previous and parts[before].idle:
        before -= 1
    return before < 0 or before > previous or parts[before].cue(Cue.AND)


def _number_of_those(parts: Sequence[Mention], index: int, previous: int) -> int:
    """Where "three of the" begins, if `index` is at its article."""
    before = index - 1
    while parts[index].cue(Cue.THE, Cue.A, Cue.VAGUE) and before > previous:
        if parts[before].role is MentionType.NUMBER:
            return before
        if not parts[before].idle:
            break
        before -= 1
    return index


def _counts_a_modifier(parts: Sequence[Mention], index: int, head: int, previous: int) -> bool:
    """Whether the number counts what is on the previous item: "with two sugars large tea"."""
    if previous < 0 or not any(p.role is MentionType.SIZE for p in parts[index + 1 : head]):
        return False
    following = next((p for p in parts[index + 1 : head] if not p.cue(*_INSIDE)), None)
    before = parts[index - 1]
    return (
        following is not None
        and following.role is MentionType.MODIFIER
        and before.cue(Cue.WITH, Cue.ADD, Cue.AND)
    )


def _may_belong(
    parts: Sequence[Mention], index: int, head: int, item: str, menu: CompiledMenu
) -> bool:
    part = parts[index]
    match part.role:
        case MentionType.MODIFIER:
            return any(menu.allows(item, s) for s in part.senses)
        case MentionType.SIZE | MentionType.CATEGORY | MentionType.GROUP | MentionType.UNKNOWN | MentionType.NUMBER:
            return True
        case MentionType.ITEM:
            return False
    if part.cue(*_SEPARATORS):
        return (part.cue(Cue.COMMA) and _after_size(parts, index)) or (
            index + 1 < head
            and index > 0
            and parts[index - 1].role is MentionType.MODIFIER
            and _is_modifier_phrase(parts, index + 1, head)
        )
    if part.cue(Cue.NO):
        return _is_modifier_phrase(parts, index + 1, head)
    return part.cue(*_INSIDE, Cue.THE) or part.idle


def _after_size(parts: Sequence[Mention], comma: int) -> bool:
    """Whether a recogniser's comma parts a size from what has it: "a large, dark roast, latte".

    The size has an article or number of its own, and nothing but modifiers behind it.
    """
    index = comma - 1
    while index > 0 and (parts[index].role is MentionType.MODIFIER or parts[index].cue(Cue.COMMA)):
        index -= 1
    if index < 1 or parts[index].role is not MentionType.SIZE:
        return False
    before = parts[index - 1]
    return before.role is MentionType.NUMBER or before.cue(Cue.A)


def _is_modifier_phrase(parts: Sequence[Mention], index: int, head: int) -> bool:
    while index < head and parts[index].cue(Cue.EXTRA, Cue.LIGHT, Cue.NO, Cue.SOFT):
        index += 1
    return index < head and parts[index].role is MentionType.MODIFIER


def _without_article(parts: Sequence[Mention], head: int, first: int, stop: Mention | None) -> int:
    stretch = range(first, head)
    separators = [i for i in stretch if parts[i].cue(*_SEPARATORS)]
    sizes = [i for i in stretch if parts[i].role is MentionType.SIZE or parts[i].cue(Cue.SIZE_WORD)]
    if not separators and stop is not None and stop.cue(*_SEPARATORS):
        return first
    if sizes:
        return sizes[-1]
    if separators:
        return separators[-1] + 1
    start = head
    while start > first and (
        parts[start - 1].role is MentionType.UNKNOWN
        or parts[start - 1].cue(Cue.MEASURE, Cue.SOFT, Cue.PLAIN)
    ):
        start -= 1
    return start
