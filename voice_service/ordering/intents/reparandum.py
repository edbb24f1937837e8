"""The reparandum: which modifiers before a repair it takes back ("with onions, no, pickles")."""

from __future__ import annotations

from collections.abc import Sequence, Set
from itertools import dropwhile, pairwise, takewhile

from voice_service.ordering.language.cue_sets import JOINS, PAUSES
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.mentions.mention import Mention, MentionType


def cut_modifier(clause: list[Mention], repair: Sequence[Mention]) -> tuple[list[Mention], bool]:
    """Cut the last modifier, if the next one takes its place: "with onions, no, pickles".

    Return the words that stay, and whether what follows goes on from there.
    """
    last = len(clause)
    while last > 0 and clause[last - 1].cue(*PAUSES):
        last -= 1
    made = bool(repair) and repair[0].cue(Cue.MAKE)
    repair = list(dropwhile(lambda mention: mention.cue(Cue.WITH, Cue.MAKE, Cue.A), repair))
    named = next(
        (mention.role for mention in repair if mention.role is not MentionType.MODIFIER), None
    )
    if (
        not last
        or not repair
        or repair[0].role is not MentionType.MODIFIER
        or named is MentionType.ITEM
    ):
        return clause, False
    groups = {sense.group for sense in repair[0].candidates}
    # "Make it toasted" takes back no butter, "make it jam" does.
    slipped = clause[last - 1].role is MentionType.MODIFIER
    if slipped and is_of_group(clause[last - 1], groups):
        return clause[: last - 1], True
    if not slipped and clause[last - 1].role is not MentionType.ITEM:
        return clause, False
    kept, merged = _other_of_kind(clause, groups, repair)
    if merged or made or not slipped:
        return kept, merged
    return clause[: last - 1], True


def _other_of_kind(
    clause: list[Mention], groups: Set[str | None], repair: Sequence[Mention]
) -> tuple[list[Mention], bool]:
    """Cut the one choice of its group: "a vanilla latte, actually make that hazelnut".

    What came after it and is said again goes too: "scrambled with ham, no, over easy with bacon".
    """
    first = max(
        (i for i, mention in enumerate(clause) if mention.role is MentionType.ITEM), default=0
    )
    while first and (clause[first - 1].role is MentionType.MODIFIER or clause[first - 1].idle):
        first -= 1
    alike = [
        i
        for i in range(first, len(clause))
        if is_of_group(clause[i], groups) and not (i and clause[i - 1].cue(Cue.NO))
    ]
    if len(alike) != 1:
        return clause, False
    again = _kinds_listed(repair)
    before, after = clause[: alike[0]], clause[alike[0] + 1 :]
    return [*before, *(mention for mention in after if not is_of_group(mention, again))], True


def keep_only_listed(clause: list[Mention], following: Sequence[Mention]) -> list[Mention]:
    """Cut the others of its group: "with everything, actually just lettuce"."""
    groups = _kinds_listed([p for p in following if not p.idle])
    first = (
        max((i for i, mention in enumerate(clause) if mention.role is MentionType.ITEM), default=-1)
        + 1
    )
    kept = [
        mention
        for before, mention in pairwise([*clause[first - 1 : first], *clause[first:]])
        if not (is_of_group(mention, groups) and not before.cue(Cue.NO))
        and not mention.cue(Cue.EVERYTHING, Cue.BUT)
    ]
    return [*clause[:first], *kept] if groups and first else clause


def _kinds_listed(repair: Sequence[Mention]) -> Set[str | None]:
    """Return the groups of the modifiers that are listed next."""
    listed = takewhile(
        lambda mention: mention.role is MentionType.MODIFIER or mention.cue(*JOINS), repair
    )
    return {
        sense.group
        for mention in listed
        if not mention.cue(Cue.AND)
        for sense in mention.candidates
    }


def cut_unknown(clause: list[Mention], repair: Sequence[Mention]) -> list[Mention] | None:
    """Cut the unknown thing that is repaired: "and a pitcher, no, an iced tea".

    None if nothing unknown comes last, or nothing of its like follows.
    """
    end = len(clause)
    while end and (clause[end - 1].idle or clause[end - 1].cue(Cue.COMMA)):
        end -= 1
    start = end
    while start and clause[start - 1].role is MentionType.UNKNOWN:
        start -= 1
    counts = (MentionType.NUMBER, MentionType.SIZE)
    counted = start
    while counted and (clause[counted - 1].role in counts or clause[counted - 1].cue(Cue.A)):
        counted -= 1
    roles = [p.role for p in repair if p.role not in counts and not p.cue(Cue.A)]
    later = next((role for role in roles if role is not MentionType.MODIFIER), None)
    role = MentionType.ITEM if later is MentionType.ITEM else next(iter(roles), None)
    if start == end or role is not (MentionType.MODIFIER if counted == start else MentionType.ITEM):
        return None
    return clause[:counted]


def is_of_group(mention: Mention, groups: Set[str | None]) -> bool:
    """Return whether a mention is a modifier of one of the groups."""
    candidates = mention.candidates if mention.role is MentionType.MODIFIER else ()
    return not groups.isdisjoint(sense.group for sense in candidates)
