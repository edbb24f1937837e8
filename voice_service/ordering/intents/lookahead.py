"""What follows in an utterance, where it decides what a word before it means."""

from __future__ import annotations

from collections.abc import Sequence

from voice_service.ordering.language.pack import Cue
from voice_service.ordering.mentions.lookahead import (
    COMMANDS,
    DIFFERS,
    MARKS,
    differs,
)
from voice_service.ordering.mentions.mention import Mention, MentionType
from voice_service.ordering.references.pointers import ends, read_pointer


def more_of_it(parts: Sequence[Mention], index: int) -> tuple[int, int] | None:
    """How many more "two more" or "another" at `index` asks for, and where it ends.

    None if it says of what: "two more colas".
    """
    part, end = parts[index], index + 1
    following = parts[end] if end < len(parts) else None
    if part.cue(Cue.MORE):
        count = 1
        if following is not None and following.role is MentionType.NUMBER:
            count, end = following.span.value or 1, end + 1
    elif part.role is MentionType.NUMBER and following is not None and following.cue(Cue.ADDITIONAL):
        count, end = part.span.value or 1, end + 1
    else:
        return None
    while end < len(parts) and parts[end].role is MentionType.CUE and parts[end].cue(Cue.ONE):
        end += 1
    if parts[end : end + 1] and parts[end].cue(Cue.COMMA) and differs(parts, end):
        end += 1
    if part.cue(Cue.ONE) and end < len(parts) and parts[end].cue(*DIFFERS):
        return None  # the word for "another" may be that for "the other"
    whom = end + 1 == len(parts) and parts[end].cue(Cue.FOR)  # and words that carry nothing
    stops = (*MARKS, *DIFFERS, Cue.AND, Cue.COMMA, Cue.ALSO, Cue.BUT, Cue.DONE, Cue.TO)
    return (count, end) if end == len(parts) or whom or parts[end].cue(*stops) else None


def denies_one(parts: Sequence[Mention], index: int) -> bool:
    """ "I don't want the second one": a removal of what is pointed at."""
    found = read_pointer(parts, index + 1)
    directly = index + 1 < len(parts) and parts[index + 1].cue(Cue.ORDINAL, Cue.OTHER)
    return parts[index].cue(Cue.NO) and directly and found is not None and ends(parts, found[1])


def taken_off(parts: Sequence[Mention], index: int) -> bool:
    """ "take the onions off the burger": a removal around its object."""
    if not parts[index].cue(Cue.TAKE):
        return False
    for part in parts[index + 1 : index + 8]:
        if part.cue(Cue.OFF):
            return True
        if part.cue(*MARKS, *COMMANDS, Cue.AND, Cue.WITH):
            return False
    return False


def stays(parts: Sequence[Mention], index: int) -> int | None:
    """Where "leave them in" or "keep the fries" ends; None if the words say something else."""
    end = index + 1
    if " " in parts[index].span.text or parts[index].cue(Cue.IT):
        return None if any(p.cue(Cue.OFF) for p in parts[end : end + 1]) else end
    while end < len(parts) and (parts[end].cue(Cue.THE) or parts[end].idle):
        end += 1
    if end >= len(parts) or parts[end].role not in (MentionType.ITEM, MentionType.MODIFIER):
        return None
    end += 1
    if end < len(parts) and parts[end].cue(Cue.OFF):
        return None
    return end + 1 if end < len(parts) and parts[end].cue(Cue.ON) else end


def item_ahead(parts: list[Mention], index: int, end: int) -> bool:
    """ "… and instead of the fries onion rings": the new item comes after the old one."""
    following = [p for p in parts[end + 1 : end + 4] if not p.idle and not p.cue(Cue.COMMA)]
    return parts[index - 1].cue(Cue.AND) and any(p.role is MentionType.ITEM for p in following)


def leaves_off(parts: Sequence[Mention], index: int) -> bool:
    """Whether "instead of" is followed by a modifier."""
    following = next((p for p in parts[index + 1 :] if not p.cue(Cue.THE, Cue.A)), None)
    return following is not None and following.role is MentionType.MODIFIER


def no_longer(parts: Sequence[Mention], index: int) -> bool:
    """ "Minus two cokes": so many of what follows go."""
    return parts[index].cue(Cue.MINUS) and any(
        p.role is MentionType.NUMBER for p in parts[index + 1 : index + 2]
    )


def one_more_after(parts: Sequence[Mention], index: int) -> bool:
    """Whether a comma ends what is changed, and a wish begins: "cancel the taco, a churro"."""
    changed = parts[index].cue(Cue.COMMA) and parts[index - 1].role is MentionType.ITEM
    return changed and any(p.cue(Cue.A, Cue.REQUEST) for p in parts[index + 1 : index + 2])
