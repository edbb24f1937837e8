"""What is taken out of an order: lines, so many of them, or what they are pointed at by."""

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
from voice_service.ordering.cart.state import Tally
from voice_service.ordering.reasons import ReasonCode


class Takeout(Tally):
    """Lines that can be taken out as a guest says it."""

    def _remove(self, act: Remove) -> Problem | None:
        if act.others:
            return self._remove_others(act)
        if act.target.ref is not None:
            return self._remove_pointed(act.target.ref)
        lines = targets(self.lines, self._last, act.target)
        if act.inherit and len(lines) and lines[-1].id == self._last:
            lines = lines[:-1]
        if not lines:
            return Problem(ReasonCode.NOT_IN_ORDER, act.text) if act.asked else None
        last = next((line for line in self.lines if line.id == self._last), None)
        if all(line.part_of is not None for line in lines):
            return self._remove_part(lines[-1], last if act.inherit else None)
        lines = [line for line in lines if line.part_of is None]
        if act.inherit and last is not None and last.quantity is None:
            self._put(replace(last, quantity=lines[-1].quantity))
        self._take(lines if act.quantity is None else lines[-1:], act.quantity)
        return None

    def _remove_others(self, act: Remove) -> Problem | None:
        """ "All but the first one": what is not meant goes."""
        whole = self._whole()
        if act.target.ref is not None:
            kept = {line.id: count for line, count in self._meant(act.target.ref, whole)}
        else:
            kept = {line.id: line.count for line in targets(whole, self._last, act.target)}
        if not kept and act.target.ref is None and self._leave_part(act.target):
            return None
        for line in whole if kept else ():
            if kept.get(line.id, 0) < line.count:
                self._take([line], line.count - kept.get(line.id, 0))
        return None if kept else not_understood(act.text)

    def _leave_part(self, target: Target) -> bool:
        """ "Just the burger" of a combo: it stays, and nothing of the combo."""
        parts = targets(self.lines, self._last, target)
        if len(parts) != 1 or len(self._whole()) > 1:
            return False
        combo = next(line for line in self.lines if line.id == parts[0].part_of)
        alone = replace(parts[0], quantity=combo.quantity, part_of=None, slot=None)
        self.lines, self._last = (alone,), alone.id
        return True

    def _remove_pointed(self, ref: Reference) -> Problem | None:
        every = [(line, line.count) for line in self._whole()]
        only = ref.which is ReferenceKind.SOME and sum(count for _, count in every) == ref.count
        lines = every if only else self._meant(ref, self._whole())
        for line, count in lines:
            self._take([line], count)
        return None if lines else not_understood(ref.text)

    def _remove_part(self, part: Line, instead: Line | None) -> Problem | None:
        """A combo keeps its parts; another item may take the place of one."""
        combo = next(line for line in self.lines if line.id == part.part_of)
        slot = next(s for s in self._menu.items[combo.item].slots if s.id == part.slot)
        if instead is None or self._menu.filling(slot, instead.item) is None:
            return Problem(ReasonCode.PART_OF_COMBO, self._menu.item_name(part.item))
        self._take([instead], None)
        self.lines = self._combos.put(self.lines, combo, slot, instead)
        self._last = combo.id
        return None
