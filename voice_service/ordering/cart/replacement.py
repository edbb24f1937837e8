"""How one item takes the place of another, in a line or in a combo."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from voice_service.ordering.acts import (
    ItemRequest,
    Problem,
    Reference,
    ReferenceKind,
    Replace,
    not_understood,
)
from voice_service.ordering.cart.addition import add
from voice_service.ordering.cart.lines import Line, line_of, replaced, targets
from voice_service.ordering.cart.state import CartState
from voice_service.ordering.cart.underspecified import carried
from voice_service.ordering.likelihood import Grounds
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.reasons import ReasonCode


def replace_item(state: CartState, act: Replace, grounds: Grounds) -> Problem | None:
    """Put an item in the place of another, or add it where there is none to replace."""
    if act.target.ref is not None:
        meant, problem = _replace_referenced(state, act, act.target.ref, grounds)
        if meant or not act.target.items:
            return problem
    lines = targets(state.lines, state.focus.last, act.target)
    if not lines:
        return add(state, act.request, grounds)
    return _replace_line(state, lines[-1], act, grounds)


def _replace_referenced(
    state: CartState, act: Replace, ref: Reference, grounds: Grounds
) -> tuple[bool, Problem | None]:
    """Replace the lines that are pointed at; return whether there are any, and the problem."""
    request = act.request
    meant = state.meant(ref)
    for line, count in meant:
        own = request if ref.which is ReferenceKind.THESE else replace(request, quantity=None)
        here = replace(act, request=own, only=count)
        problem = _replace_line(state, line, here, grounds)
        if problem is not None:
            return True, problem
        state.tell_apart(ref)
    return bool(meant), None if meant else not_understood(ref.text)


def _replace_line(state: CartState, old: Line, act: Replace, grounds: Grounds) -> Problem | None:
    request = act.request
    refused = state.refusal(request)
    if refused is not None:
        return refused
    if old.part_of is not None or state.combos.is_combo(old):
        if _replace_part(state, old, request, grounds):
            return None
        parts = state.combos.parts(state.lines, old)
        if old.part_of is not None or any(part.item == request.item for part in parts):
            return Problem(ReasonCode.PART_OF_COMBO, state.menu.item_name(request.item))
    if act.alike and not _same_category(old.item, request.item, state.menu):
        return add(state, request, grounds)
    if act.only is not None and act.only < old.count:
        old = state.split_off(old, act.only)
    if state.menu.items[request.item].slots:
        _make_combo(state, old, request, grounds)
    else:
        _replace_whole(state, old, act, grounds)
    return None


def _replace_whole(state: CartState, old: Line, act: Replace, grounds: Grounds) -> None:
    """Put an item that is no combo in a line; the parts of an old combo go."""
    request = act.request
    stays = carried(old, request, state.menu)
    chosen_anew = {m.group for m in request.mods}
    exclusive = chosen_anew if act.anew else state.menu.single_groups(request.item)
    alike = _same_category(old.item, request.item, state.menu)
    sizes = _sizes(request, state.menu) if alike else ()
    state.put(replaced(old, request, grounds, sizes, stays, exclusive))
    state.lines = tuple(line for line in state.lines if line.part_of != old.id)


def _replace_part(state: CartState, old: Line, request: ItemRequest, grounds: Grounds) -> bool:
    """Put an item where a combo has another; return False if the combo has no place for it."""
    combo = state.find(old.part_of or old.id)
    slot = state.combos.slot_for(state.lines, combo, request.item, taken=True)
    if slot is None or (old.part_of is not None and slot.id != old.slot):
        return False
    there = [part for part in state.combos.parts(state.lines, combo) if part.slot == slot.id]
    if there and there[0].item == request.item and not (request.size or request.mods):
        return False
    part = line_of(state.new_id(), request, grounds)
    new = replaced(there[0], request, grounds, _sizes(request, state.menu)) if there else part
    state.lines = state.combos.put(state.lines, combo, slot, new)
    state.focus.move_to(combo.id)
    return True


def _make_combo(state: CartState, old: Line, request: ItemRequest, grounds: Grounds) -> None:
    """Put a combo in the place of an item or of another combo, and give it what fits its slots."""
    taken_over = [p for p in state.combos.parts(state.lines, old) if p.chosen] or [old]
    combo = replaced(old, request, grounds, _sizes(request, state.menu))
    lines = [line for line in state.lines if line.part_of != old.id]
    at = next(i for i, line in enumerate(lines) if line.id == old.id)
    lines[at : at + 1] = state.combos.with_defaults(combo, state.new_id)
    state.lines = tuple(lines)
    for part in [*taken_over, *state.combos.beside(state.lines, combo)]:
        slot = state.combos.slot_for(state.lines, combo, part.item, taken=True)
        if slot is not None and not state.combos.chosen(state.lines, combo, slot):
            if part.id != combo.id:
                state.take([part])
            moved = replace(part, id=state.new_id())
            state.lines = state.combos.put(state.lines, combo, slot, moved)
    state.focus.move_to(combo.id)


def _sizes(request: ItemRequest, menu: CompiledMenu) -> Collection[str]:
    return menu.items[request.item].prices


def _same_category(item: str, other: str, menu: CompiledMenu) -> bool:
    return menu.items[item].category == menu.items[other].category
