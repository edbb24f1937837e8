"""What speaks against a modifier being meant as it is read: the words before it."""

from __future__ import annotations

from collections.abc import Sequence

from voice_service.ordering.attributes.statements import ModifierStatement, Negation, Statement
from voice_service.ordering.doubt import Doubt, Doubts
from voice_service.ordering.language.cue_sets import AMOUNTS
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.mentions.mention import Mention, MentionType, completes


def doubts_of(
    mentions: Sequence[Mention],
    index: int,
    statements: Sequence[Statement],
    negation: Negation | None,
) -> Doubts:
    """Return the doubts of the modifier at `index`.

    There are some where the words before leave open whether it is wanted, or how much of it.
    `statements` is what was read before it; `negation` what it follows, if anything.
    """
    doubt = _doubt(mentions, index, statements, negation) if index else None
    return () if doubt is None else (doubt,)


def _doubt(
    mentions: Sequence[Mention],
    index: int,
    statements: Sequence[Statement],
    negation: Negation | None,
) -> Doubt | None:
    mention, before = mentions[index], mentions[index - 1]
    doubt: Doubt | None = None
    if before.cue(Cue.NO) and _either_way(mentions[: index - 1]):
        doubt = Doubt.EITHER_WAY
    elif any(completes(mention, other) for other in _named_just_before(mentions, index)):
        doubt = Doubt.COMPLETES_NAME
    elif _carried_on(statements, negation):
        doubt = Doubt.NEGATION_CARRIED
    elif before.cue(Cue.ROUGHLY) or (" " in before.span.text and _shared(mentions, before, index)):
        doubt = Doubt.ROUGH_AMOUNT
    return doubt


def _either_way(before: Sequence[Mention]) -> bool:
    """Return whether a "without" comes after "with or"."""
    return len(before) > 1 and before[-1].cue(Cue.OR) and before[-2].cue(Cue.WITH)


def _carried_on(statements: Sequence[Statement], negation: Negation | None) -> bool:
    """Return whether a "without" reaches the modifier over an "and", and others are wanted."""
    across_and = negation is not None and negation.across == "and"
    return across_and and any(
        isinstance(s, ModifierStatement) and not s.negated for s in statements
    )


def _named_just_before(mentions: Sequence[Mention], index: int) -> Sequence[Mention]:
    """Return what comes before, perhaps with an article between: "coconut water as the base"."""
    start = index
    while start and (mentions[start - 1].idle or mentions[start - 1].cue(Cue.THE)):
        start -= 1
    return mentions[start - 1 : start] if start else ()


def _shared(mentions: Sequence[Mention], degree: Mention, index: int) -> bool:
    """Return whether "a bit of cheese and lettuce" may ask for a bit of both."""
    joined = mentions[index + 1 : index + 3]
    return (
        degree.cue(*AMOUNTS)
        and len(joined) > 1
        and joined[0].cue(Cue.AND)
        and joined[1].role is MentionType.MODIFIER
    )
