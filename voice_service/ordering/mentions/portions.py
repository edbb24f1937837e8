"""Numbers that say how much of a modifier there is to be, and count no item: "two pumps of"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile

from voice_service.ordering.language.cue_sets import ARTICLES
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.mentions.mention import Mention, MentionType


def with_portions(mentions: Sequence[Mention]) -> list[Mention]:
    """Put numbers and measures of a modifier into it: "a [two pump vanilla] latte"."""
    joined: list[Mention] = []
    for index, mention in enumerate(mentions):
        joined.append(mention)
        if mention.role is not MentionType.MODIFIER:
            continue
        start = _portion_start(joined, mentions[index + 1 :])
        portion, joined[start:] = joined[start:], []
        joined.append(_joined(portion) if len(portion) > 1 else mention)
    return joined


def _portion_start(before: Sequence[Mention], ahead: Sequence[Mention]) -> int:
    """Return where the portion begins that ends with the last of `before`, a modifier."""
    last = len(before) - 1
    start = last
    if start and before[start - 1].cue(Cue.PORTION):
        start -= 1
    elif start > 1 and before[start - 1].cue(Cue.ADD) and _counts(before[start - 2]):
        return start - 2  # "with two added shots"
    measured = start < last
    if not start or not (_counts(before[start - 1]) or before[start - 1].cue(Cue.A)):
        return start
    if measured or _counted_twice(before[:start], ahead):
        return start - 1
    return start


def _counts(mention: Mention) -> bool:
    return mention.role is MentionType.NUMBER


def _counted_twice(before: Sequence[Mention], ahead: Sequence[Mention]) -> bool:
    """Return whether the item has a number of its own, as in "a two sugar coffee"."""
    rest = list(
        takewhile(lambda p: p.role in (MentionType.MODIFIER, MentionType.SIZE) or p.idle, ahead)
    )
    item = ahead[len(rest) : len(rest) + 1]
    own = before[-2:-1]
    counted = any(_counts(p) or p.cue(*ARTICLES) for p in own)
    return _counts(before[-1]) and counted and any(p.role is MentionType.ITEM for p in item)


def _joined(portion: Sequence[Mention]) -> Mention:
    number = next((p.span.value for p in portion if _counts(p)), None)
    modifier = portion[-1]
    words = tuple(word for p in portion for word in p.span.words)
    return replace(modifier, span=replace(modifier.span, words=words), portions=number or 1)
