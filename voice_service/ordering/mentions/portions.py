"""Numbers that say how much of a modifier there is to be, and count no item: "two pumps of"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from voice_service.ordering.language.pack import Cue
from voice_service.ordering.mentions.mention import Mention, MentionType


def with_portions(mentions: Sequence[Mention]) -> list[Mention]:
    """Put numbers and measures of a modifier into it: "a [two pump vanilla] latte"."""
    joined: list[Mention] = []
    for mention in mentions:
        joined.append(mention)
        if mention.role is not MentionType.MODIFIER:
            continue
        start = _portion_start(joined)
        portion, joined[start:] = joined[start:], []
        joined.append(_joined(portion) if len(portion) > 1 else mention)
    return joined


def _portion_start(before: Sequence[Mention]) -> int:
    """Return where the portion begins that ends with the last of `before`, a modifier."""
    last = len(before) - 1
    start = last
    if start and before[start - 1].cue(Cue.PORTION):
        start -= 1
    elif start > 1 and before[start - 1].cue(Cue.ADD) and _counts(before[start - 2]):
        return start - 2  # "with two added shots"
    counted = start > 0 and (_counts(before[start - 1]) or before[start - 1].cue(Cue.A))
    return start - (counted and start < last)


def _counts(mention: Mention) -> bool:
    return mention.role is MentionType.NUMBER


def _joined(portion: Sequence[Mention]) -> Mention:
    number = next((p.span.value for p in portion if _counts(p)), None)
    modifier = portion[-1]
    words = tuple(word for p in portion for word in p.span.words)
    return replace(modifier, span=replace(modifier.span, words=words), portions=number or 1)
