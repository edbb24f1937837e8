"""A whole modifier group named at once: "no toppings", "all the toppings", "with a topping"."""

from __future__ import annotations

from collections.abc import Sequence

from voice_service.ordering.acts import ItemRequest, ModifierRequest, Problem
from voice_service.ordering.attributes.linking import leaving_off, without
from voice_service.ordering.attributes.statements import (
    GroupStatement,
    ModifierStatement,
    Negation,
    Statement,
)
from voice_service.ordering.doubt import Doubt
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.menu.match import FULL
from voice_service.ordering.reasons import ReasonCode


def leave_off_group(
    statement: GroupStatement,
    current: ItemRequest,
    requests: Sequence[ItemRequest],
    menu: CompiledMenu,
) -> Problem | ModifierStatement | None:
    """Leave off what the item comes with, or the modifier that is called like the group.

    Return what is still to be put on the item, or why the group cannot be left off.
    """
    group, defaults = menu.groups[statement.id], menu.items[current.item].defaults
    named = without(statement.text, current.item, menu)
    if named is not None:
        current.put(named)
        return None
    if not menu.has_group(current.item, group.id):
        return Problem(ReasonCode.MODIFIER_NOT_AVAILABLE, statement.text, request=current)
    current.mods = [m for m in current.mods if m.group != group.id]
    for default in defaults:
        if (group.id, default) in menu.modifiers:
            mod, negated = leaving_off(default, group.id, current.item, menu)
            current.put(ModifierRequest(mod, group.id, negated=negated))
    alike = tuple(s for s in statement.named if s.match >= FULL)
    if len(alike) == len({request.item for request in requests}) == 1 and not defaults:
        return ModifierStatement(alike, statement.text, (), Negation())
    return None


def put_every(
    statement: GroupStatement,
    current: ItemRequest,
    requests: Sequence[ItemRequest],
    menu: CompiledMenu,
) -> Problem | None:
    """Put all of the group onto the current item, or onto the last one that takes it."""
    order = [current, *(r for r in reversed(requests) if r is not current)]
    host = next((r for r in order if menu.has_group(r.item, statement.id)), None)
    if host is None:
        return Problem(ReasonCode.MODIFIER_NOT_AVAILABLE, statement.text, request=current)
    for modifier in menu.groups[statement.id].modifiers:
        mod = ModifierRequest(modifier.id, statement.id, doubts=(Doubt.ALL_OF_GROUP,), every=True)
        host.put(mod)
    return None


def choose_from_group(
    statement: GroupStatement,
    current: ItemRequest,
    beside: Sequence[Statement],
    menu: CompiledMenu,
) -> Problem | None:
    """Return the question which of the group is wanted; None if `beside` or the item says it."""
    group = menu.groups[statement.id]
    named = any(
        isinstance(one, ModifierStatement) and any(s.group == group.id for s in one.candidates)
        for one in beside
    )
    if named or any(m.group == group.id for m in current.mods):
        return None
    choices = tuple(m.name for m in group.modifiers)
    return Problem(ReasonCode.CHOOSE_MODIFIER, statement.text, choices)


def denies_another(mod: ModifierRequest, request: ItemRequest, menu: CompiledMenu) -> bool:
    """True of "hot, no, mild" heard as "no mild": only one is to be had, and another was chosen."""
    single = mod.group in menu.single_groups(request.item)
    default = mod.id in menu.items[request.item].defaults
    others = [m for m in request.mods if m.group == mod.group and not m.negated]
    return mod.negated and single and not default and bool(others)
