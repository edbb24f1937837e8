"""What is put into an order: a line of its own, more of one, or a part of a combo."""

from __future__ import annotations

from dataclasses import replace

from voice_service.ordering.acts import ItemRequest, Problem, not_understood
from voice_service.ordering.cart.lines import Line, line_of
from voice_service.ordering.cart.state import CartState
from voice_service.ordering.doubt import Doubt
from voice_service.ordering.likelihood import Grounds


def add(state: CartState, request: ItemRequest, grounds: Grounds) -> Problem | None:
    """Put an item into the order; return the problem if it cannot be had, or has no place."""
    refused = state.refusal(request)
    if refused is not None:
        return refused
    if request.counting.additional and request.size is None and not request.mods:
        same = state.latest(request.item)
        if same is not None:
            state.put(replace(same, quantity=same.count + request.count))
            return None
    if request.elided.choices:
        request, guessed = _like_last(state, request)
        grounds = grounds.doubted(Doubt.LIKE_THE_LAST) if guessed else grounds
    filled = _fill(state, request, grounds)
    if not filled and request.counting.combos is not None:
        ordered = [line.item for line in state.whole()]
        if state.menu.combos_with(request.item, ordered):
            # "The second one with a sprite", and all that there are have their drink.
            return not_understood(state.menu.item_name(request.item))
    if not filled:
        state.append(line_of(state.new_id(), request, grounds))
    return None


def _like_last(state: CartState, request: ItemRequest) -> tuple[ItemRequest, bool]:
    """Complete a request with the choices of the last of its kind; return whether it is a guess.

    Nobody can say whether "another with bacon" is without onions as well.
    """
    same = state.latest(request.item)
    if same is None:
        return request, False
    item = state.menu.items[request.item]
    chosen = {mod.group for mod in request.mods if not mod.negated}
    needed = {group for group in item.modifier_groups if state.menu.groups[group].min}
    mods = [mod for mod in same.mods if mod.group in needed - chosen]
    # "Not decaf" takes back what the last one was.
    gone = {m.id for m in request.mods if m.negated and m.id not in item.defaults}
    instead = chosen.intersection(state.menu.single_groups(item.id))
    rest = [m for m in same.mods if m.group not in needed | instead and m.id not in gone]
    takes_back = gone.intersection(m.id for m in same.mods)
    own = [m for m in request.mods if m.id not in takes_back]
    request = replace(request, size=request.size or same.size, mods=[*mods, *own])
    return request, same.plain or bool(rest)


def _fill(state: CartState, request: ItemRequest, grounds: Grounds) -> bool:
    """Put an item where a combo has a place for it; return False if it is one of its own."""
    recent = {state.focus.last, *state.filled}
    if request.counting.combos is not None:
        place = state.combos.place_of(state.lines, request, request.counting.combos, state.filled)
    else:
        place = state.combos.place(state.lines, request, recent, state.filled)
    if place is None:
        return False
    combo, slot, only = place
    if only is not None:
        combo = state.split_off(combo, only)
    part = line_of(state.new_id(), request, grounds)
    state.lines = state.combos.put(state.lines, combo, slot, part)
    state.filled.add(combo.id)
    state.focus.move_to(combo.id)
    if request.counting.shared:
        state.lines = state.combos.shared(state.lines, part, state.new_id)
    _add_rest(state, request, combo, part)
    return True


def _add_rest(state: CartState, request: ItemRequest, combo: Line, part: Line) -> None:
    """Put what is more than the combos have places for into a line of its own."""
    more = request.count - combo.count
    if more > 0:
        state.append(replace(part, id=state.new_id(), quantity=more))
