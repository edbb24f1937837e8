"""Which of the choices before a correction it takes back: "with onions, no, pickles"."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import replace
from itertools import dropwhile, pairwise, takewhile

from voice_service.ordering.doubt import Doubt
from voice_service.ordering.language.cue_sets import JOINS
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.mentions.mention import Mention, MentionType


def modifier_slip(stretch: list[Mention], said: Sequence[Mention]) -> tuple[list[Mention], bool]:
    """ "with onions, no, pickles": the last modifier gives way to the next."""
    last = len(stretch)
    while last > 0 and stretch[last - 1].cue(Cue.COMMA):
        last -= 1
    made = bool(said) and said[0].cue(Cue.MAKE)
    said = list(dropwhile(lambda mention: mention.cue(Cue.WITH, Cue.MAKE, Cue.A), said))
    named = next(
        (mention.role for mention in said if mention.role is not MentionType.MODIFIER), None
    )
    if (
        not last
        or not said
        or said[0].role is not MentionType.MODIFIER
        or named is MentionType.ITEM
    ):
        return stretch, False
    kinds = {sense.group for sense in said[0].candidates}
    # "Make it toasted" takes back no butter, "make it jam" does.
    slipped = stretch[last - 1].role is MentionType.MODIFIER
    if slipped and of_kind(stretch[last - 1], kinds):
        return stretch[: last - 1], True
    if not slipped and stretch[last - 1].role is not MentionType.ITEM:
        return stretch, False
    kept, merged = _other_of_kind(stretch, kinds, said)
    if merged or made or not slipped:
        return kept, merged
    return stretch[: last - 1], True


def doubt_other_kind(slip: Mention, mentions: list[Mention], start: int) -> None:
    """ "With bacon, sorry, with hot sauce": does hot sauce take its place, or come with it?"""
    named = next((i for i in range(start, len(mentions)) if mentions[i].candidates), None)
    if (
        named is None
        or slip.role is not MentionType.MODIFIER
        or mentions[named].role is not MentionType.MODIFIER
    ):
        return
    if not of_kind(slip, {sense.group for sense in mentions[named].candidates}):
        doubted = (
            replace(s, certainty=s.certainty * Doubt.OTHER_KIND_CORRECTED.certainty)
            for s in mentions[named].candidates
        )
        mentions[named] = replace(mentions[named], candidates=tuple(doubted))


def _other_of_kind(
    stretch: list[Mention], kinds: Set[str | None], said: Sequence[Mention]
) -> tuple[list[Mention], bool]:
    """ "A vanilla latte, actually make that hazelnut": the one choice of its kind gives way.

    So does what came after it and is said again: "scrambled with ham, no, over easy with bacon".
    """
    first = max(
        (i for i, mention in enumerate(stretch) if mention.role is MentionType.ITEM), default=0
    )
    while first and (stretch[first - 1].role is MentionType.MODIFIER or stretch[first - 1].idle):
        first -= 1
    alike = [
        i
        for i in range(first, len(stretch))
        if of_kind(stretch[i], kinds) and not (i and stretch[i - 1].cue(Cue.NO))
    ]
    if len(alike) != 1:
        return stretch, False
    again = _kinds_listed(said)
    before, after = stretch[: alike[0]], stretch[alike[0] + 1 :]
    return [*before, *(mention for mention in after if not of_kind(mention, again))], True


def but_for_these(stretch: list[Mention], following: Sequence[Mention]) -> list[Mention]:
    """ "With everything, actually just lettuce": nothing else of its kind said so far stays."""
    kinds = _kinds_listed([p for p in following if not p.idle])
    first = (
        max(
            (i for i, mention in enumerate(stretch) if mention.role is MentionType.ITEM), default=-1
        )
        + 1
    )
    kept = [
        mention
        for before, mention in pairwise([*stretch[first - 1 : first], *stretch[first:]])
        if not (of_kind(mention, kinds) and not before.cue(Cue.NO))
        and not mention.cue(Cue.EVERYTHING, Cue.BUT)
    ]
    return [*stretch[:first], *kept] if kinds and first else stretch


def _kinds_listed(said: Sequence[Mention]) -> Set[str | None]:
    """The groups of the modifiers that are listed next."""
    listed = takewhile(
        lambda mention: mention.role is MentionType.MODIFIER or mention.cue(*JOINS), said
    )
    return {
        sense.group
        for mention in listed
        if not mention.cue(Cue.AND)
        for sense in mention.candidates
    }


def without_unknown(stretch: list[Mention], said: Sequence[Mention]) -> list[Mention] | None:
    """Without the unknown thing that `said` corrects: "and a pitcher, no, an iced tea".

    None if nothing unknown comes last, or nothing of its like follows.
    """
    end = len(stretch)
    while end and (stretch[end - 1].idle or stretch[end - 1].cue(Cue.COMMA)):
        end -= 1
    start = end
    while start and stretch[start - 1].role is MentionType.UNKNOWN:
        start -= 1
    counts = (MentionType.NUMBER, MentionType.SIZE)
    counted = start
    while counted and (stretch[counted - 1].role in counts or stretch[counted - 1].cue(Cue.A)):
        counted -= 1
    roles = [p.role for p in said if p.role not in counts and not p.cue(Cue.A)]
    later = next((role for role in roles if role is not MentionType.MODIFIER), None)
    role = MentionType.ITEM if later is MentionType.ITEM else next(iter(roles), None)
    if start == end or role is not (MentionType.MODIFIER if counted == start else MentionType.ITEM):
        return None
    return stretch[:counted]


def of_kind(mention: Mention, kinds: Set[str | None]) -> bool:
    said = mention.candidates if mention.role is MentionType.MODIFIER else ()
    return not kinds.isdisjoint(sense.group for sense in said)
