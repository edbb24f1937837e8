"""Which changes to the order answer a question that is still open."""

from __future__ import annotations

from collections.abc import Sequence

from voice_service.ordering.acts import Act, Add, Modify, ModifyReferenced, Repeat, Replace, Target
from voice_service.ordering.dialogue.turns import Reason
from voice_service.ordering.reasons import ClosedBy


def keeps_question_open(reason: Reason, acts: Sequence[Act]) -> bool:
    """Return whether the question of `reason` is still open after `acts` changed the order."""
    match reason.handling.closed_by:
        case ClosedBy.ANY_CHANGE:
            return False
        case ClosedBy.CHOICE:
            return True  # the conversation closes it when one of the items is named
        case ClosedBy.REQUEST:
            return not any(map(_requests, acts))
        case ClosedBy.QUANTITY:
            return all(change.quantity is None for change in _all_changes(acts))
        case ClosedBy.MODIFIER:
            return not any(change.mods for change in _all_changes(acts))
        case ClosedBy.SIZE:
            return all(change.size is None for change in _all_changes(acts))


def _all_changes(acts: Sequence[Act]) -> list[Modify]:
    return [change for act in acts for change in _changes(act)]


def _changes(act: Act) -> Sequence[Modify]:
    """Return what an act says of lines, including those that it adds."""
    match act:
        case Modify():
            return (act,)
        case ModifyReferenced(changes=changes):
            return changes
        case Add(group) | Replace(request=group):
            return (Modify(Target(), tuple(group.mods), group.size, group.quantity),)
        case _:
            return ()


def _requests(act: Act) -> bool:
    """Return whether an act asks for something, as a guest who was not understood would."""
    match act:
        case Modify(mods=mods, size=size, quantity=quantity, plain=plain):
            wanted = any(not mod.negated for mod in mods)
            return wanted or plain or size is not None or quantity is not None
        case ModifyReferenced(changes=changes):
            return any(map(_requests, changes))
        case Add() | Replace() | Repeat():
            return True
        case _:
            return False
