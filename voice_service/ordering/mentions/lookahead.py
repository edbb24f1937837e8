"""What follows a word, or stands before it, where that decides what the word means."""

from __future__ import annotations

from collections.abc import Sequence

from voice_service.ordering.language.cue_sets import DIFFERS
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.mentions.mention import Mention, MentionType


def names_something(mentions: Sequence[Mention], start: int, cue: Cue) -> bool:
    """Return whether an item or modifier follows at once, perhaps after an article or `cue`."""
    for mention in mentions[start:]:
        if mention.role in (MentionType.ITEM, MentionType.MODIFIER):
            return True
        if not (mention.cue(cue, Cue.THE) and not mention.cue(Cue.STOP)):
            return False
    return False


def differs(mentions: Sequence[Mention], index: int) -> bool:
    """Return whether a difference follows: "another one, without onions"."""
    start = index + any(p.cue(Cue.COMMA) for p in mentions[index : index + 1])
    return any(p.cue(*DIFFERS) for p in mentions[start : start + 1])


def just_before(mentions: Sequence[Mention], index: int) -> Sequence[Mention]:
    """Return the mention before, and the one before that if an article stands between."""
    start = index - 2 if index > 1 and mentions[index - 1].cue(Cue.THE) else index - 1
    return mentions[max(start, 0) : index]


def role_follows(mentions: Sequence[Mention], index: int, role: MentionType) -> bool:
    """Return whether the next mention is of a role."""
    following = mentions[index + 1 : index + 2]
    return bool(following) and following[0].role is role


def next_is(mentions: Sequence[Mention], index: int, *cues: Cue) -> bool:
    """Return whether one of `cues` follows, with nothing but idle words between."""
    for mention in mentions[index + 1 :]:
        if mention.cue(*cues):
            return True
        if not mention.idle and not mention.cue(Cue.ONE, Cue.COMMA):
            return False
    return False


def told_apart(mentions: Sequence[Mention], index: int) -> bool:
    """Return whether what follows tells one of several apart: "one with cheese"."""
    return next_is(mentions, index, *DIFFERS, Cue.EXTRA, Cue.ON)


def for_all(mentions: Sequence[Mention], index: int) -> bool:
    """Return whether what follows "both" is about all of them: "both with cheese"."""
    roles = (MentionType.SIZE, MentionType.MODIFIER)
    return told_apart(mentions, index) or any(role_follows(mentions, index, role) for role in roles)


def half_with(mentions: Sequence[Mention], index: int) -> bool:
    """Return whether "half with cheese" begins here."""
    return (
        mentions[index].cue(Cue.HALF)
        and index + 1 < len(mentions)
        and mentions[index + 1].cue(Cue.WITH)
        and role_follows(mentions, index + 1, MentionType.MODIFIER)
    )
