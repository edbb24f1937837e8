"""What is taken out of an order: lines, so many of them, or the lines that are pointed at."""

from __future__ import annotations

from dataclasses import replace

from voice_service.ordering.acts import (
    Problem,
    Reference,
    ReferenceKind,
    Remove,
    Target,
    not_understood,
)
from voice_service.ordering.cart.lines import Line, targets
from voice_service.ordering.cart.state import CartState
from voice_service.ordering.reasons import ReasonCode


def remove(state: CartState, act: Remove) -> Problem | None:
    """Take out what the guest no longer wants; return the problem if that is not clear."""
    if act.others:
        return _remove_others(state, act)
    if act.target.ref is not None:
        return _remove_referenced(state, act.target.ref)
    lines = targets(state.lines, state.focus.last, act.target)
    if act.inherit and lines and lines[-1].id == state.focus.last:
        lines = lines[:-1]
    if not lines:
        return Problem(ReasonCode.NOT_IN_ORDER, act.text) if act.asked else None
    last = next((line for line in state.lines if line.id == state.focus.last), None)
    if all(line.part_of is not None for line in lines):
        return _remove_part(state, lines[-1], last if act.inherit else None)
    lines = [line for line in lines if line.part_of is None]
    if act.inherit and last is not None and last.quantity is None:
        state.put(replace(last, quantity=lines[-1].quantity))
    state.take(lines if act.quantity is None else lines[-1:], act.quantity)
    return None


def _remove_others(state: CartState, act: Remove) -> Problem | None:
    """ "All but the first one": take out what is not meant."""
    whole = state.whole()
    if act.target.ref is not None:
        kept = {line.id: count for line, count in state.meant(act.target.ref)}
    else:
        kept = {line.id: line.count for line in targets(whole, state.focus.last, act.target)}
    if not kept and act.target.ref is None and _keep_part_alone(state, act.target):
        return None
    for line in whole if kept else ():
        if kept.get(line.id, 0) < line.count:
            state.take([line], line.count - kept.get(line.id, 0))
    return None if kept else not_understood(act.text)


def _keep_part_alone(state: CartState, target: Target) -> bool:
    """ "Just the burger" of a combo: keep it, and nothing else of the combo."""
    parts = targets(state.lines, state.focus.last, target)
    if len(parts) != 1 or len(state.whole()) > 1:
        return False
    combo = state.find(parts[0].part_of)
    alone = replace(parts[0], quantity=combo.quantity, part_of=None, slot=None)
    state.restore(((alone,), alone.id))
    return True


def _remove_referenced(state: CartState, ref: Reference) -> Problem | None:
    every = [(line, line.count) for line in state.whole()]
    all_of_them = ref.which is ReferenceKind.SOME and sum(n for _, n in every) == ref.count
    meant = every if all_of_them else state.meant(ref)
    for line, count in meant:
        state.take([line], count)
    return None if meant else not_understood(ref.text)


def _remove_part(state: CartState, part: Line, instead: Line | None) -> Problem | None:
    """Put another item in the place of a combo's part; without one, the combo keeps it."""
    combo = state.find(part.part_of)
    slot = next(s for s in state.menu.items[combo.item].slots if s.id == part.slot)
    if instead is None or state.menu.filling(slot, instead.item) is None:
        return Problem(ReasonCode.PART_OF_COMBO, state.menu.item_name(part.item))
    state.take([instead])
    state.lines = state.combos.put(state.lines, combo, slot, instead)
    state.focus.move_to(combo.id)
    return None
