"""What follows in an utterance, where it decides what a word before it means."""

from __future__ import annotations

from collections.abc import Sequence

from voice_service.ordering.language import Cue
from voice_service.ordering.parts import Part, Role
from voice_service.ordering.talk import COMMANDS

MARKS = (Cue.STOP, Cue.QUESTION_MARK)


def names_something(parts: Sequence[Part], start: int, cue: Cue) -> bool:
    """Whether an item or modifier follows at once, maybe after an article."""
    for part in parts[start:]:
        if part.role in (Role.ITEM, Role.MODIFIER):
            return True
        if not (part.cue(cue, Cue.THE) and not part.cue(Cue.STOP)):
            return False
    return False


def taken_off(parts: Sequence[Part], index: int) -> bool:
    """ "take the onions off the burger": a removal around its object."""
    if not parts[index].cue(Cue.TAKE):
        return False
    for part in parts[index + 1 : index + 8]:
        if part.cue(Cue.OFF):
            return True
        if part.cue(*MARKS, *COMMANDS, Cue.AND, Cue.WITH):
            return False
    return False


def stays(parts: Sequence[Part], index: int) -> int | None:
    """Where "leave them in" or "keep the fries" ends; None if the words say something else."""
    if " " in parts[index].span.text:
        return index + 1
    end = index + 1
    while end < len(parts) and (parts[end].cue(Cue.THE) or parts[end].idle):
        end += 1
    if end >= len(parts) or parts[end].role not in (Role.ITEM, Role.MODIFIER):
        return None
    end += 1
    if end < len(parts) and parts[end].cue(Cue.OFF):
        return None
    return end + 1 if end < len(parts) and parts[end].cue(Cue.ON) else end


def item_ahead(parts: list[Part], index: int, end: int) -> bool:
    """ "… and instead of the fries onion rings": the new item comes after the old one."""
    following = [p for p in parts[end + 1 : end + 4] if not p.idle and not p.cue(Cue.COMMA)]
    return parts[index - 1].cue(Cue.AND) and any(p.role is Role.ITEM for p in following)


def leaves_off(parts: Sequence[Part], index: int) -> bool:
    """Whether "instead of" is followed by a modifier."""
    following = next((p for p in parts[index + 1 :] if not p.cue(Cue.THE, Cue.A)), None)
    return following is not None and following.role is Role.MODIFIER


def no_longer(parts: Sequence[Part], index: int) -> bool:
    """ "Minus two cokes": so many of what follows go."""
    return parts[index].cue(Cue.MINUS) and any(
        p.role is Role.NUMBER for p in parts[index + 1 : index + 2]
    )


def one_more_after(parts: Sequence[Part], index: int) -> bool:
    """Whether a comma ends what is changed, and a wish begins: "cancel the taco, a churro"."""
    changed = parts[index].cue(Cue.COMMA) and parts[index - 1].role is Role.ITEM
    return changed and any(p.cue(Cue.A, Cue.REQUEST) for p in parts[index + 1 : index + 2])
