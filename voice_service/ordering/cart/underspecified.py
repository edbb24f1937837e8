"""What a change leaves unsaid: which of several lines it is about, how many, and what stays."""

from __future__ import annotations

from dataclasses import replace

from voice_service.ordering.acts import ItemRequest, ModifierRequest, Modify
from voice_service.ordering.cart.lines import Line
from voice_service.ordering.cart.resolution import has_modifier
from voice_service.ordering.menu.compiled import CompiledMenu


def lines_having(lines: list[Line], act: Modify, menu: CompiledMenu) -> list[Line]:
    """Return those of several lines that have what is to be left off; all if none has it."""
    if len(lines) == 1 or not act.mods or not all(m.negated for m in act.mods):
        return lines
    named = [frozenset({(m.group, m.id)}) for m in act.mods]
    return [x for x in lines if any(has_modifier(x, mod, menu) for mod in named)] or lines


def is_ambiguous_change(line: Line, act: Modify, menu: CompiledMenu) -> bool:
    """Return whether a change may be about something other than the line as a whole.

    "A coffee with two sugars, make it three": coffees, or sugars? "Half chicken", where a taco has
    one meat? "Chicken", of three tacos that are beef so far: all of them? "No medium", of a mild
    curry: no, medium?
    """
    bare = act.quantity is not None and not (act.mods or act.size or act.plain)
    counted = any(m.quantity > 1 for m in line.mods)
    single = menu.single_groups(line.item)
    halved = any(m.qualifier == "half" and m.group in single for m in act.mods)
    chosen = {m.group for m in line.mods if not m.negated and m.group in single}
    denied = any(m.negated and m.group in chosen and not _there(line, m, menu) for m in act.mods)
    again = any(m.group in chosen and not _has(line, m) for m in act.mods if not m.negated)
    return (bare and counted) or halved or denied or (again and act.bare and line.count > 1)


def _there(line: Line, mod: ModifierRequest, menu: CompiledMenu) -> bool:
    """Return whether a line has a modifier, or would have it by itself."""
    return _has(line, mod) or mod.id in menu.items[line.item].defaults


def _has(line: Line, mod: ModifierRequest) -> bool:
    return any((m.id, m.group) == (mod.id, mod.group) for m in line.mods)


def carried(old: Line, request: ItemRequest, menu: CompiledMenu) -> list[ModifierRequest]:
    """Return the modifiers of the old item that stay with a new one: what is left off, and choices.

    Extras do not, as the guest has not said that they should.
    """
    if old.item == request.item:
        return []
    new = menu.items[request.item]
    single = {*menu.single_groups(new.id)} - {m.group for m in request.mods}
    return [
        m
        for m in old.mods
        if m.group in new.modifier_groups
        and (m.id in new.defaults if m.negated else m.group in single)
    ]


def restored(line: Line | None) -> Line | None:
    """Put back the one modifier that was left off; return None where that is not exactly one."""
    off = [mod for mod in line.mods if mod.negated] if line is not None else []
    if line is None or len(off) != 1:
        return None
    return replace(line, mods=tuple(mod for mod in line.mods if not mod.negated))
