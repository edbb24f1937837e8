"""What follows a word, where that decides what the word means."""

from __future__ import annotations

from collections.abc import Sequence

from voice_service.ordering.language.cue_sets import (
    ARTICLES,
    DIFFERS,
    ENDS_SENTENCE,
    JOINS,
    STARTS_COMMAND,
)
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.mentions.lookahead import differs, role_follows
from voice_service.ordering.mentions.mention import Mention, MentionType
from voice_service.ordering.references.pointers import ends, read_pointer


def count_more(mentions: Sequence[Mention], index: int) -> tuple[int, int] | None:
    """Return how many more "two more" or "another" asks for, and where it ends.

    None if it says of what: "two more colas".
    """
    mention, end = mentions[index], index + 1
    following = mentions[end] if end < len(mentions) else None
    if mention.cue(Cue.MORE):
        count = 1
        if following is not None and following.role is MentionType.NUMBER:
            count, end = following.span.value or 1, end + 1
    elif (
        mention.role is MentionType.NUMBER
        and following is not None
        and following.cue(Cue.ADDITIONAL)
    ):
        count, end = mention.span.value or 1, end + 1
    else:
        return None
    while (
        end < len(mentions)
        and mentions[end].role is MentionType.CUE
        and mentions[end].cue(Cue.ONE, Cue.SAME)
    ):
        end += 1
    if mentions[end : end + 1] and mentions[end].cue(Cue.COMMA) and differs(mentions, end):
        end += 1
    if mention.cue(Cue.ONE) and end < len(mentions) and mentions[end].cue(*DIFFERS):
        return None  # some languages have one word for "another" and "the other"
    whom = end + 1 == len(mentions) and mentions[end].cue(Cue.FOR)  # "two more for" and filler
    stops = (*ENDS_SENTENCE, *DIFFERS, Cue.AND, Cue.COMMA, Cue.ALSO, Cue.BUT, Cue.DONE, Cue.TO)
    return (count, end) if end == len(mentions) or whom or mentions[end].cue(*stops) else None


def of_kind(mentions: Sequence[Mention], index: int) -> bool:
    """True of "of pork" behind "another", in languages that say so: another choice of the same."""
    measure = any(p.cue(Cue.MEASURE) for p in mentions[index : index + 1])
    return measure and role_follows(mentions, index, MentionType.MODIFIER)


def denies_one(mentions: Sequence[Mention], index: int) -> bool:
    """True of "I don't want the second one", which removes what it points at."""
    found = read_pointer(mentions, index + 1)
    directly = index + 1 < len(mentions) and mentions[index + 1].cue(Cue.ORDINAL, Cue.OTHER)
    return (
        mentions[index].cue(Cue.NO) and directly and found is not None and ends(mentions, found[1])
    )


def may_accept(mentions: Sequence[Mention], index: int) -> bool:
    """True of "no whole milk is fine": is it wanted, or left off?"""
    named = index + 1
    while named < len(mentions) and (mentions[named].candidates or mentions[named].cue(*ARTICLES)):
        named += 1
    accepts = any(p.cue(Cue.ACCEPTS) for p in mentions[named : named + 1])
    return mentions[index].cue(Cue.DENY) and named > index + 1 and accepts


def denied_command(mentions: Sequence[Mention], index: int) -> int | None:
    """Return where "cancel" stands in "don't cancel the coke"; None if no command is denied.

    A "no" alone only answers: "no cancel the coke".
    """
    mention, verb = mentions[index], index
    if not mention.cue(Cue.NO, Cue.NOT) or mention.cue(Cue.DENY):
        return None
    while not mention.cue(Cue.REMOVE) and (
        verb == index or (verb < len(mentions) and mentions[verb].cue(Cue.TO, Cue.FILLER))
    ):
        verb += 1
    commands = (Cue.REMOVE, Cue.UNDO, Cue.RESTART, Cue.CHANGE, Cue.SUBSTITUTE)
    denied = verb < len(mentions) and (mentions[verb].cue(*commands) or takes_off(mentions, verb))
    return verb if denied else None


def takes_off(mentions: Sequence[Mention], index: int) -> bool:
    """True of "take the onions off the burger", which surrounds what is to go."""
    if not mentions[index].cue(Cue.TAKE):
        return False
    for mention in mentions[index + 1 : index + 8]:
        if mention.cue(Cue.OFF):
            return True
        if mention.cue(*ENDS_SENTENCE, *STARTS_COMMAND, *JOINS):
            return False
    return False


def end_of_keep(mentions: Sequence[Mention], index: int) -> int | None:
    """Return where "leave them in" or "keep the fries" ends; None if it says something else."""
    end = index + 1
    if " " in mentions[index].span.text or mentions[index].cue(Cue.IT):
        return None if any(p.cue(Cue.OFF) for p in mentions[end : end + 1]) else end
    while end < len(mentions) and (mentions[end].cue(Cue.THE) or mentions[end].idle):
        end += 1
    if end >= len(mentions) or mentions[end].role not in (MentionType.ITEM, MentionType.MODIFIER):
        return None
    end += 1
    if end < len(mentions) and mentions[end].cue(Cue.OFF):
        return None
    return end + 1 if end < len(mentions) and mentions[end].cue(Cue.ON) else end


def item_ahead(mentions: list[Mention], index: int, end: int) -> bool:
    """True of "… and instead of the fries onion rings": the new item follows the old one."""
    following = [p for p in mentions[end + 1 : end + 4] if not p.idle and not p.cue(Cue.COMMA)]
    return mentions[index - 1].cue(Cue.AND) and any(p.role is MentionType.ITEM for p in following)


def leaves_off(mentions: Sequence[Mention], index: int) -> bool:
    """Return whether a modifier follows "instead of"."""
    following = next((p for p in mentions[index + 1 :] if not p.cue(*ARTICLES)), None)
    return following is not None and following.role is MentionType.MODIFIER


def counts_down(mentions: Sequence[Mention], index: int) -> bool:
    """Return whether "one too many" may begin at `index`."""
    return any(p.cue(Cue.FEWER) for p in mentions[index + 1 : index + 2])


def subtracts(mentions: Sequence[Mention], index: int) -> bool:
    """True of "minus two cokes": so many of what follows go."""
    return mentions[index].cue(Cue.MINUS) and any(
        p.role is MentionType.NUMBER for p in mentions[index + 1 : index + 2]
    )
