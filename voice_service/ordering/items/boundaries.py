"""Where an item's words begin: which of the words before its name belong to it."""

from __future__ import annotations

from collections.abc import Sequence

from voice_service.ordering.language.cue_sets import SEPARATES
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.mentions.mention import Mention, MentionType
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.references.pointers import of_the

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
_OF_THE = 4  # phrases in "one of the colas"
_FRESH_START = (Cue.REQUEST, Cue.ADD, Cue.ALSO, Cue.STOP, Cue.FOR, Cue.QUESTION_MARK, Cue.MAKE)


def start_of(mentions: Sequence[Mention], head: int, previous: int, menu: CompiledMenu) -> int:
    """Return the index of the first mention that belongs to the item at `head`.

    `previous` is the index of the item before it, or -1. An article or a number is the surest sign;
    without one, what stands between two items goes to the second only as far as it must.
    """
    for index in range(max(previous + 1, head - _OF_THE), head - 1):
        if of_the(mentions, index) == head - 1:
            return index  # "one of the colas diet"
    item = mentions[head].items[0]
    index = head - 1
    while index > previous:
        if _counts(mentions, index, head):
            if _resumed(mentions, index, previous):
                index -= 1
                continue
            return _number_of_those(mentions, index, previous)
        if not _may_belong(mentions, index, head, item, menu):
            break
        index -= 1
    stop = mentions[index] if index > previous else None
    if previous < 0 or (stop is not None and stop.cue(*_FRESH_START)):
        return index + 1
    return _without_article(mentions, head, index + 1, stop)


def _counts(mentions: Sequence[Mention], index: int, head: int) -> bool:
    """Return whether a number, or an article, counts the item or points at it."""
    mention = mentions[index]
    if mention.role is MentionType.NUMBER or mention.cue(Cue.A, Cue.MORE, Cue.VAGUE):
        # "A two topping pizza" says how many toppings, not how many pizzas.
        return index + 1 >= head or mentions[index + 1].role is not MentionType.GROUP
    if mention.cue(Cue.HALF) and mentions[index + 1].cue(Cue.ONE):
        return True  # "half of them almond"
    if not mention.cue(Cue.THE) or mention.idle or mention.cue(Cue.IT, Cue.FILLER):
        return False
    return index == 0 or mentions[index - 1].role is not MentionType.SIZE


def _resumed(mentions: Sequence[Mention], index: int, previous: int) -> bool:
    """Return whether an article continues after a size: "half a pizza", "a large, um, a coke"."""
    if (
        not mentions[index].cue(Cue.A)
        or index - 1 <= previous
        or mentions[index - 1].role is not MentionType.SIZE
    ):
        return False
    # "Fries, large, a coke": a size that follows a name belongs to it.
    before = index - 2
    while before > previous and mentions[before].idle:
        before -= 1
    return before < 0 or before > previous or mentions[before].cue(Cue.AND)


def _number_of_those(mentions: Sequence[Mention], index: int, previous: int) -> int:
    """Return where "three of the" begins if `index` is at its article."""
    before = index - 1
    while mentions[index].cue(Cue.THE, Cue.A, Cue.VAGUE) and before > previous:
        if mentions[before].role is MentionType.NUMBER:
            return before
        if not mentions[before].idle:
            break
        before -= 1
    return index


def _may_belong(
    mentions: Sequence[Mention], index: int, head: int, item: str, menu: CompiledMenu
) -> bool:
    """Return whether a mention before a name can be part of what is said of it."""
    mention = mentions[index]
    match mention.role:
        case MentionType.MODIFIER:
            return any(menu.offers(item, s) for s in mention.candidates)
        case (
            MentionType.SIZE
            | MentionType.CATEGORY
            | MentionType.GROUP
            | MentionType.UNKNOWN
            | MentionType.NUMBER
        ):
            return True
        case MentionType.ITEM:
            return False
    if mention.cue(*SEPARATES):
        return (mention.cue(Cue.COMMA) and _after_size(mentions, index)) or (
            index + 1 < head
            and index > 0
            and mentions[index - 1].role is MentionType.MODIFIER
            and _is_modifier_phrase(mentions, index + 1, head)
        )
    if mention.cue(Cue.NO):
        return _is_modifier_phrase(mentions, index + 1, head)
    return mention.cue(*_INSIDE, Cue.THE) or mention.idle


def _after_size(mentions: Sequence[Mention], comma: int) -> bool:
    """Return whether a comma only parts a size from its item: "a large, dark roast, latte".

    Recognisers write such commas. The size has an article or number of its own, and nothing but
    modifiers behind it.
    """
    index = comma - 1
    while index > 0 and (
        mentions[index].role is MentionType.MODIFIER or mentions[index].cue(Cue.COMMA)
    ):
        index -= 1
    if index < 1 or mentions[index].role is not MentionType.SIZE:
        return False
    before = mentions[index - 1]
    return before.role is MentionType.NUMBER or before.cue(Cue.A)


def _is_modifier_phrase(mentions: Sequence[Mention], index: int, head: int) -> bool:
    """Return whether a modifier comes next, maybe after "extra" or "no"."""
    while index < head and mentions[index].cue(Cue.EXTRA, Cue.LIGHT, Cue.NO, Cue.SOFT):
        index += 1
    return index < head and mentions[index].role is MentionType.MODIFIER


def _without_article(
    mentions: Sequence[Mention], head: int, first: int, stop: Mention | None
) -> int:
    """Return where the words of an item begin that has neither an article nor a number."""
    between = range(first, head)
    separators = [i for i in between if mentions[i].cue(*SEPARATES)]
    sizes = [
        i for i in between if mentions[i].role is MentionType.SIZE or mentions[i].cue(Cue.SIZE_WORD)
    ]
    if not separators and stop is not None and stop.cue(*SEPARATES):
        return first
    if sizes:
        return sizes[-1]
    if separators:
        return separators[-1] + 1
    start = head
    while start > first and (
        mentions[start - 1].role is MentionType.UNKNOWN
        or mentions[start - 1].cue(Cue.MEASURE, Cue.SOFT, Cue.PLAIN)
    ):
        start -= 1
    return start
