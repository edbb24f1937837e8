"""How lines are changed in place: their size, their number, and what is on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from voice_service.ordering.acts import (
    ItemRequest,
    ModifierRequest,
    Modify,
    ModifyReferenced,
    Problem,
    Reference,
    ReferenceKind,
    Target,
    not_understood,
)
from voice_service.ordering.cart.availability import MOST_OF_ONE
from voice_service.ordering.cart.lines import Line, modified, targets
from voice_service.ordering.cart.resolution import has_modifier
from voice_service.ordering.cart.state import CartState
from voice_service.ordering.cart.underspecified import is_ambiguous_change, lines_having
from voice_service.ordering.likelihood import Grounds
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.reasons import ReasonCode


def modify(state: CartState, act: Modify, grounds: Grounds) -> Problem | None:
    """Change the lines that an act is about; return the first problem, if there is one."""
    lines = lines_having(targets(state.lines, state.focus.last, act.target), act, state.menu)
    if not lines:
        return Problem(ReasonCode.WHAT_FIRST, act.text or _names(act.mods, state.menu))
    if {line.part_of is None for line in lines} == {True, False}:
        # "The coke": that of the combo, or the other one?
        return not_understood(act.text or state.menu.item_name(lines[0].item))
    if act.only is not None:
        some = state.meant(Reference(ReferenceKind.SOME, act.only, text=act.text), lines)
        if not some:
            return not_understood(act.text)
        lines = [line for line, _ in some]
    problems = (_change(state, line, act, grounds) for line in lines)
    return next((problem for problem in problems if problem is not None), None)


def modify_referenced(state: CartState, act: ModifyReferenced, grounds: Grounds) -> Problem | None:
    """Change the lines that are pointed at; return a problem where it is unclear which."""
    changes = _changes_by_line(state, act)
    fits = [line for line in state.whole() if line.id in changes]
    if act.ref.which is ReferenceKind.SOME:
        if act.ref.count > sum(line.count for line in fits):
            named = act.changes[0].target.items[0]
            return Problem(ReasonCode.AMBIGUOUS_QUANTITY, state.menu.item_name(named))
        fits = _undecided(fits, changes, state.menu) or fits
    meant = state.meant(act.ref, fits)
    if any(
        count < line.count and _changes_nothing(line, changes[line.id], state.menu)
        for line, count in meant
    ):
        return not_understood(act.ref.text)
    for line, count in meant:
        change = replace(changes[line.id], target=Target(), only=count)
        problem = _change(state, line, change, grounds)
        if problem is not None:
            return problem
        state.tell_apart(act.ref)
    return None if meant else not_understood(act.ref.text)


def _changes_nothing(line: Line, change: Modify, menu: CompiledMenu) -> bool:
    """True of "ice in one of them" where all have ice: is it the others that go without?"""
    if not change.mods or change.size or change.quantity or change.plain:
        return False
    others = {m.group for m in line.mods if not m.negated} & {*menu.single_groups(line.item)}
    return all(
        not (m.negated or m.qualifier or m.group in others)
        and has_modifier(line, frozenset({(m.group, m.id)}), menu)
        for m in change.mods
    )


def _changes_by_line(state: CartState, act: ModifyReferenced) -> dict[str, Modify]:
    """Return the change that fits each line, or one of a combo's parts, by the line's id."""
    by_item = {change.target.items[0]: change for change in act.changes}
    changes: dict[str, Modify] = {}
    for line in state.whole():
        items = (line.item, *(part.item for part in state.combos.parts(state.lines, line)))
        found = next((by_item[item] for item in items if item in by_item), None)
        if found is not None:
            changes[line.id] = found
    return changes


def _undecided(
    lines: Sequence[Line], changes: Mapping[str, Modify], menu: CompiledMenu
) -> list[Line]:
    """Return the lines that still lack a choice of one: "two chicken" of four tacos."""
    groups = {m.group for change in changes.values() for m in change.mods if not m.negated}
    single = {g for line in lines for g in menu.single_groups(line.item)}
    return [line for line in lines if (groups & single).isdisjoint(m.group for m in line.mods)]


def _change(state: CartState, line: Line, act: Modify, grounds: Grounds) -> Problem | None:
    if state.combos.is_combo(line):
        return _modify_combo(state, line, act, grounds)
    return _modify_line(state, line, act, grounds)


def _modify_combo(state: CartState, combo: Line, act: Modify, grounds: Grounds) -> Problem | None:
    """Change a combo: size and number are its own, toppings go to the part that takes them."""
    if act.only is not None and act.only < combo.count:
        combo = state.split_off(combo, act.only)
        act = replace(act, only=None)
    for asked in act.mods:
        mod = state.combos.as_taken(state.lines, combo, asked)
        host = state.combos.host(state.lines, combo, mod)
        if host is None:
            return Problem(
                ReasonCode.MODIFIER_NOT_AVAILABLE, act.text or _names((mod,), state.menu)
            )
        _modify_line(state, host, Modify(Target(), (mod,)), grounds)
    parts = state.combos.parts(state.lines, combo)
    if act.plain and parts:
        state.put(replace(parts[0], plain=True))
    return _modify_line(state, combo, replace(act, mods=(), plain=False), grounds)


def _modify_line(state: CartState, line: Line, act: Modify, grounds: Grounds) -> Problem | None:
    problem = _impossible(line, act, state.menu)
    if problem is not None:
        return problem
    if act.only is not None and act.only < line.count:
        line = state.split_off(line, act.only)
    item, quantity = state.menu.items[line.item], act.quantity or line.count
    if quantity > MOST_OF_ONE:
        return Problem(ReasonCode.QUANTITY_LIMIT, state.menu.counted_name(item.id, quantity))
    single = [] if act.adds else state.menu.single_groups(item.id)
    state.put(modified(line, act, item.defaults, grounds, single))
    return None


def _impossible(line: Line, act: Modify, menu: CompiledMenu) -> Problem | None:
    """Return why a line cannot be changed like this; None if it can."""
    item = menu.items[line.item]
    foreign = tuple(m for m in act.mods if not menu.has_group(item.id, m.group))
    problem: Problem | None = None
    if act.size is not None and act.size not in item.prices:
        problem = Problem(ReasonCode.SIZE_NOT_AVAILABLE, act.text, request=ItemRequest(line.item))
    elif foreign:
        problem = Problem(ReasonCode.MODIFIER_NOT_AVAILABLE, _names(foreign, menu))
    elif line.part_of is not None and act.quantity is not None:
        problem = Problem(ReasonCode.PART_OF_COMBO, item.name)
    elif is_ambiguous_change(line, act, menu):
        problem = not_understood(act.text or _names(act.mods, menu))
    return problem


def _names(mods: Sequence[ModifierRequest], menu: CompiledMenu) -> str:
    return ", ".join(menu.modifiers[m.group, m.id].name for m in mods)
