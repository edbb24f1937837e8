"""How sure it is that a modifier is meant as it was said, by the words before it."""

from __future__ import annotations

from collections.abc import Sequence

from voice_service.ordering.attributes.statements import Link, ModifierStatement, Statement
from voice_service.ordering.doubt import Doubt
from voice_service.ordering.language.cue_sets import AMOUNTS
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.mentions.mention import Mention, MentionType, completes


def statement_certainty(
    mentions: Sequence[Mention],
    index: int,
    said: Sequence[Statement],
    *,
    carried: Link | None,
    negated: bool,
) -> float:
    """Less where the words before the modifier at `index` make a "without" or a measure likely.

    `said` is what was read before it, `carried` the link across which a "without" reaches it.
    """
    if not index:
        return 1.0
    mention, before = mentions[index], mentions[index - 1]
    either = before.cue(Cue.NO) and _either_way(mentions[: index - 1])
    if either or (before.cue(Cue.BUT) and not negated):
        return Doubt.CONTRADICTION.certainty
    if any(completes(mention, other) for other in _named_just_before(mentions, index)):
        return Doubt.COMPLETES_NAME.certainty
    if carried == "and" and any(isinstance(s, ModifierStatement) and not s.negated for s in said):
        return Doubt.NEGATION_CARRIED.certainty
    if before.cue(Cue.ROUGHLY) or (" " in before.span.text and _shared(mentions, before, index)):
        return Doubt.ROUGH_AMOUNT.certainty
    halved = before.cue(Cue.HALF) and any(p.cue(Cue.A) for p in mentions[max(index - 2, 0) : index])
    return Doubt.HALF_OF_IT.certainty if halved else 1.0


def _named_just_before(mentions: Sequence[Mention], index: int) -> Sequence[Mention]:
    """What comes before, maybe with an article between: "coconut water as the base"."""
    start = index
    while start and (mentions[start - 1].idle or mentions[start - 1].cue(Cue.THE)):
        start -= 1
    return mentions[start - 1 : start] if start else ()


def _shared(mentions: Sequence[Mention], degree: Mention, index: int) -> bool:
    """Whether "a bit of cheese and lettuce" may ask for a bit of both."""
    joined = mentions[index + 1 : index + 3]
    return (
        degree.cue(*AMOUNTS)
        and len(joined) > 1
        and joined[0].cue(Cue.AND)
        and joined[1].role is MentionType.MODIFIER
    )


def _either_way(before: Sequence[Mention]) -> bool:
    """Whether "without" comes after "with or"."""
    return len(before) > 1 and before[-1].cue(Cue.OR) and before[-2].cue(Cue.WITH)
