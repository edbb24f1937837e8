"""Combos in the cart: the parts that a combo comes with, and the slots that items fill."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from order_events.menu.entries import Slot
from voice_service.ordering.acts import ItemRequest, ModifierRequest
from voice_service.ordering.cart.lines import Line, distinct
from voice_service.ordering.menu.compiled import CompiledMenu

Lines = tuple[Line, ...]
Place = tuple[Line, Slot, int | None]
"""A combo, a slot of it, and how many of the combos it is for (None: all of them)."""


class Combos:
    """The rules for combos and their parts. `available` says whether an item can be ordered now."""

    def __init__(self, menu: CompiledMenu, available: Callable[[str], bool]) -> None:
        self._menu = menu
        self._available = available

    def is_combo(self, line: Line) -> bool:
        """Return whether a line has parts."""
        return bool(self._menu.items[line.item].slots)

    def parts(self, lines: Sequence[Line], combo: Line) -> list[Line]:
        """Return the parts of a combo's line."""
        return [line for line in lines if line.part_of == combo.id]

    def open_slots(self, lines: Sequence[Line], combo: Line) -> list[Slot]:
        """Return the slots for which the guest still has to choose."""
        filled = {part.slot for part in self.parts(lines, combo)}
        return [slot for slot in self._menu.items[combo.item].slots if slot.id not in filled]

    def sold_out_part(self, item: str) -> str | None:
        """Return the first part that a combo needs and that cannot be ordered now."""
        for slot in self._menu.items[item].slots:
            choices = self._menu.fillings(slot)
            if not any(self._available(choice) for choice in choices):
                return choices[0]
        return None

    def with_defaults(self, combo: Line, new_id: Callable[[], str]) -> list[Line]:
        """Return the combo's line and a line for each slot that has a default."""
        parts = [
            Line(new_id(), slot.default, None, None, (), combo.grounds, False, False, combo.id)
            for slot in self._menu.items[combo.item].slots
            if slot.default is not None and self._available(slot.default)
        ]
        slots = {s.default: s.id for s in self._menu.items[combo.item].slots}
        return self.settled([combo, *(replace(part, slot=slots[part.item]) for part in parts)])

    def slot_for(
        self, lines: Sequence[Line], combo: Line, item: str, *, taken: bool
    ) -> Slot | None:
        """Return the slot for an item: an open one, or, if `taken`, one with another item in it."""
        still_open = self.open_slots(lines, combo)
        slots = [
            slot
            for slot in self._menu.items[combo.item].slots
            if self._menu.filling(slot, item) is not None and (taken or slot in still_open)
        ]
        return min(slots, key=lambda slot: slot not in still_open, default=None)

    def place(
        self,
        lines: Sequence[Line],
        request: ItemRequest,
        recent: Collection[str | None],
        filled: set[str],
    ) -> Place | None:
        """Return where an item goes: into an open slot of a combo first.

        What is said "with" a combo, or in the same list, may also take the place of a default. Of
        several combos that all have the same thing, so many may then have another. `recent` are
        the ids of the combos just talked about, `filled` those that something was put into.
        """
        combos = [line for line in lines if self.is_combo(line)]
        if request.counting.additional or self._menu.items[request.item].slots:
            return None
        for combo in combos:
            slot = self.slot_for(lines, combo, request.item, taken=False)
            if slot is not None:
                return combo, slot, None
        places = (
            self._place_in(lines, combo, request, listed=combo.id in filled)
            for combo in reversed(combos)
            if combo.id in recent
        )
        return next((place for place in places if place is not None), None)

    def place_of(
        self, lines: Sequence[Line], request: ItemRequest, count: int, filled: Collection[str]
    ) -> Place | None:
        """Return where "one with a sprite" goes: into so many combos, first without a choice."""
        slots = [
            (combo, slot)
            for combo in lines
            if self.is_combo(combo) and combo.count >= count
            if (slot := self.slot_for(lines, combo, request.item, taken=True)) is not None
        ]
        if not slots:
            return None
        combo, slot = min(
            slots, key=lambda place: (self.chosen(lines, *place), place[0].id in filled)
        )
        if self.chosen(lines, combo, slot) and combo.id in filled:
            return None  # each has what was said just now
        return combo, slot, None if combo.count == count else count

    def _place_in(
        self, lines: Sequence[Line], combo: Line, request: ItemRequest, *, listed: bool
    ) -> Place | None:
        """Return the slot of a combo just talked about whose item gives way to this one."""
        slot = self.slot_for(lines, combo, request.item, taken=True)
        if slot is None:
            return None
        if not self.chosen(lines, combo, slot):
            # A guest who still has to choose for it, and only names something, chooses that.
            choosing = listed or bool(self.open_slots(lines, combo))
            fits = request.coordination.after_with or (choosing and not request.quantity)
            return (combo, slot, None) if fits else None
        fewer = listed and request.count < combo.count
        return (combo, slot, request.count) if fewer else None

    def chosen(self, lines: Sequence[Line], combo: Line, slot: Slot) -> bool:
        """Return whether the guest has named what is in a slot."""
        return any(part.slot == slot.id and part.chosen for part in self.parts(lines, combo))

    def put(self, lines: Sequence[Line], combo: Line, slot: Slot, part: Line) -> Lines:
        """Return the lines with a part in its slot, in the place of what was there."""
        old = next((p for p in self.parts(lines, combo) if p.slot == slot.id), None)
        new = replace(
            part,
            id=part.id if old is None else old.id,
            quantity=None,
            part_of=combo.id,
            slot=slot.id,
            chosen=True,
        )
        kept = [line for line in lines if line is not old]
        return self.arranged(self.settled([*kept, new]))

    def beside(self, lines: Sequence[Line], combo: Line) -> list[Line]:
        """Return the lines that may become part of a combo: as many of each as of the combo."""
        return [
            line
            for line in lines
            if line.part_of is None
            and line.id != combo.id
            and line.count == combo.count
            and not self.is_combo(line)
        ]

    def shared(self, lines: Lines, part: Line, new_id: Callable[[], str]) -> Lines:
        """Give a part to every combo that still lacks it: "both with a Coke"."""
        for combo in [line for line in lines if self.is_combo(line)]:
            slot = self.slot_for(lines, combo, part.item, taken=False)
            if slot is not None:
                lines = self.put(lines, combo, slot, replace(part, id=new_id()))
        return lines

    def as_taken(self, lines: Sequence[Line], combo: Line, mod: ModifierRequest) -> ModifierRequest:
        """Return the modifier as a part has it: "cheese" is on the burger, not on a salad."""
        if self.host(lines, combo, mod) is not None:
            return mod
        groups = [
            group
            for part in self.parts(lines, combo)
            for group in self._menu.items[part.item].modifier_groups
            if (group, mod.id) in self._menu.modifiers
        ]
        return replace(mod, group=groups[0]) if groups else mod

    def host(self, lines: Sequence[Line], combo: Line, mod: ModifierRequest) -> Line | None:
        """Return the part of a combo that takes a modifier."""
        parts = self.parts(lines, combo)
        return next((p for p in parts if self._menu.has_group(p.item, mod.group)), None)

    def settled(self, lines: Sequence[Line]) -> list[Line]:
        """Return the lines with a combo's modifiers put onto the parts that take them."""
        found = {line.id: line for line in lines}
        for combo in [line for line in lines if self.is_combo(line) and line.mods]:
            waiting: list[ModifierRequest] = []
            for asked in combo.mods:
                mod = self.as_taken(list(found.values()), combo, asked)
                host = self.host(list(found.values()), combo, mod)
                if host is None:
                    waiting.append(mod)
                else:
                    found[host.id] = replace(host, mods=distinct((*host.mods, mod)))
            found[combo.id] = replace(combo, mods=tuple(waiting))
        return [found[line.id] for line in lines]

    def arranged(self, lines: Sequence[Line]) -> Lines:
        """Return every combo followed by its parts in the order of its slots."""
        ordered: list[Line] = []
        for line in lines:
            if line.part_of is None:
                slots = [slot.id for slot in self._menu.items[line.item].slots]
                parts = self.parts(lines, line)
                ordered += [line, *sorted(parts, key=lambda part: slots.index(part.slot or ""))]
        return tuple(ordered)
