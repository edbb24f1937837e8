"""What a change leaves unsaid: on which of several lines, in what number, what of them stays."""

from __future__ import annotations

from dataclasses import replace

from voice_service.ordering.acts import ItemRequest, ModifierRequest, Modify
from voice_service.ordering.cart.lines import Line
from voice_service.ordering.cart.resolution import has_modifier
from voice_service.ordering.menu.compiled import CompiledMenu


def lines_having(lines: list[Line], act: Modify, menu: CompiledMenu) -> list[Line]:
    """Of several lines those that have what is to be left off, if any have."""
    if len(lines) == 1 or not act.mods or not all(m.negated for m in act.mods):
        return lines
    named = [frozenset({(m.group, m.id)}) for m in act.mods]
    return [x for x in lines if any(has_modifier(x, one, menu) for one in named)] or lines


def is_ambiguous_change(line: Line, act: Modify, menu: CompiledMenu) -> bool:
    """Whether a number or a half may be about something else than the line as a whole.

    "A coffee with two sugars, make it three": coffees? Half of what there is only one of?
    "Chicken", of three tacos that are beef so far: all of them?
    """
    bare = act.quantity is not None and not (act.mods or act.size or act.plain)
    counted = any(m.quantity > 1 for m in line.mods)
    single = menu.single_groups(line.item)
    halved = any(m.qualifier == "half" and m.group in single for m in act.mods)
    chosen = {m.group for m in line.mods if not m.negated and m.group in single}
    again = any(m.group in chosen and not _has(line, m) for m in act.mods if not m.negated)
    return (bare and counted) or halved or (again and act.bare and line.count > 1)


def _has(line: Line, mod: ModifierRequest) -> bool:
    return any((m.id, m.group) == (mod.id, mod.group) for m in line.mods)


def carried(old: Line, group: ItemRequest, menu: CompiledMenu) -> list[ModifierRequest]:
    """What was said of another item and stays with the new one: what is left off, and choices.

    Whether extras stay as well is not said.
    """
    if old.item == group.item:
        return []
    new = menu.items[group.item]
    single = {*menu.single_groups(new.id)} - {m.group for m in group.mods}
    return [
        m
        for m in old.mods
        if m.group in new.modifier_groups
        and (m.id in new.defaults if m.negated else m.group in single)
    ]


def restored(line: Line | None) -> Line | None:
    """The line with the one thing back that was left off; None where that is not one thing."""
    off = [mod for mod in line.mods if mod.negated] if line is not None else []
    if line is None or len(off) != 1:
        return None
    return replace(line, mods=tuple(mod for mod in line.mods if not mod.negated))
