"""What answers a question that is still open, and what leaves it open."""

from __future__ import annotations

from collections.abc import Sequence

from voice_service.ordering.acts import Act, Add, Modify, ModifyReferenced, Repeat, Replace, Target

CHOICES = frozenset({"ambiguous_item", "choose_item"})
"""Which of several items is meant: only one of them answers that, or its like."""
# Something was asked for and not understood: leaving something off is no answer to that.
_MISSED = frozenset({"not_understood", "unknown_item"})
_HOW_MANY = "ambiguous_quantity"
_WHICH_MODIFIER = frozenset({"ambiguous_modifier", "choose_modifier"})
_WHICH_SIZE = "conflicting_size"


def keeps_question_open(code: str, acts: Sequence[Act]) -> bool:
    """Whether a question with this code is open still when `acts` have changed the order."""
    if code in CHOICES:
        return True  # an item that answers it closes it
    if code in _MISSED:
        return not any(map(_wants, acts))
    changes = [change for act in acts for change in _changes(act)]
    if code == _HOW_MANY:
        return not any(c.quantity is not None for c in changes)
    if code in _WHICH_MODIFIER:
        return not any(c.mods for c in changes)
    return code == _WHICH_SIZE and not any(c.size is not None for c in changes)


def _changes(act: Act) -> Sequence[Modify]:
    """What an act says of lines, those it puts there included."""
    match act:
        case Modify():
            return (act,)
        case ModifyReferenced(changes=changes):
            return changes
        case Add(group) | Replace(request=group):
            return (Modify(Target(), tuple(group.mods), group.size, group.quantity),)
        case _:
            return ()


def _wants(act: Act) -> bool:
    """Whether an act asks for something, as a guest would who was not understood."""
    match act:
        case Modify(mods=mods, size=size, quantity=quantity, plain=plain):
            wanted = any(not mod.negated for mod in mods)
            return wanted or plain or size is not None or quantity is not None
        case ModifyReferenced(changes=changes):
            return any(map(_wants, changes))
        case Add() | Replace() | Repeat():
            return True
        case _:
            return False
