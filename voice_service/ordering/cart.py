"""The order so far: lines, and what each act does to them. Every change can be undone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from voice_service.ordering.acts import (
    Act,
    Add,
    Group,
    Mod,
    Modify,
    Problem,
    Remove,
    Repeat,
    Replace,
    Restart,
    Target,
    Undo,
)
from voice_service.ordering.menu import CompiledMenu

MOST_OF_ONE = 999  # what an order line can hold; far beyond what is accepted without a person
_MOST_LINES = 60
_UNDO_DEPTH = 50


@dataclass(frozen=True)
class Line:
    """One line. `size` and `quantity` are None where the guest said nothing.

    `confidence` is 0 to 1. `joined`: it accompanies the line before it.
    """

    id: str
    item: str
    quantity: int | None
    size: str | None
    mods: tuple[Mod, ...]
    confidence: float
    plain: bool = False
    joined: bool = False

    @property
    def count(self) -> int:
        return self.quantity or 1


class Cart:
    """The lines of one order. `apply` changes them and answers with what could not be done."""

    def __init__(self, menu: CompiledMenu) -> None:
        self._menu = menu
        self.lines: tuple[Line, ...] = ()
        self._last: str | None = None
        self._next_id = 1
        self._history: list[tuple[tuple[Line, ...], str | None]] = []

    @property
    def spoken_order(self) -> tuple[str, ...]:
        """The items, the one talked about last at the end."""
        others = [line.item for line in self.lines if line.id != self._last]
        return (*others, *(line.item for line in self.lines if line.id == self._last))

    def apply(self, act: Act, confidence: float) -> Problem | None:
        """Carries out one act; `confidence` is that of the words behind it."""
        if isinstance(act, Undo):
            return self._undo()
        before = (self.lines, self._last)
        problem = self._apply(act, confidence)
        if (self.lines, self._last) != before:
            self._history = [*self._history[-_UNDO_DEPTH:], before]
        return problem

    def adopt(self, lines: Sequence[Line]) -> None:
        """Others have changed the order: it is as they left it, and they are not undone."""
        self.lines = tuple(lines)
        self._last = lines[-1].id if lines else None
        numbers = (int(line.id) for line in lines if line.id.isdecimal())
        self._next_id = max([self._next_id, *(number + 1 for number in numbers)])
        self._history = []

    def settle(self, confidence: float) -> None:
        """The guest has said that lines below `confidence` are right."""
        self.lines = tuple(
            replace(line, confidence=1.0) if line.confidence < confidence else line
            for line in self.lines
        )

    def withdraw(self, confidence: float) -> None:
        """The guest has said that lines below `confidence` are wrong."""
        self._take([line for line in self.lines if line.confidence < confidence], None)

    def _apply(self, act: Act, confidence: float) -> Problem | None:
        match act:
            case Add(group):
                return self._add(group, confidence)
            case Modify():
                return self._modify(act, confidence)
            case Replace():
                return self._replace(act, confidence)
            case Remove():
                return self._remove(act)
            case Repeat(quantity):
                return self._repeat(quantity)
            case Restart():
                self.lines, self._last = (), None
            case _:
                pass
        return None

    def _undo(self) -> Problem | None:
        if not self._history:
            return Problem("nothing_to_undo", "")
        self.lines, self._last = self._history.pop()
        return None

    def _add(self, group: Group, confidence: float) -> Problem | None:
        refused = self._refused(group)
        if refused is not None:
            return refused
        if group.more and group.size is None and not group.mods:
            same = self._latest((group.item,), None)
            if same is not None:
                self._put(replace(same, quantity=same.count + (group.quantity or 1)))
                return None
        line = Line(
            str(self._next_id),
            group.item,
            group.quantity,
            group.size,
            tuple(group.mods),
            confidence,
            group.plain,
            group.joined,
        )
        self._next_id += 1
        self.lines = (*self.lines, line)
        self._last = line.id
        return None

    def _refused(self, group: Group) -> Problem | None:
        item = self._menu.items[group.item]
        if item.sold_out:
            return Problem("sold_out", item.name)
        if (group.quantity or 1) > MOST_OF_ONE:
            return Problem("quantity_limit", f"{group.quantity} {item.name}")
        if len(self.lines) >= _MOST_LINES:
            return Problem("order_limit", item.name)
        return None

    def _modify(self, act: Modify, confidence: float) -> Problem | None:
        lines = self._targets(act.target)
        if not lines:
            return Problem("what_first", act.text or self._mod_names(act.mods))
        for line in lines:
            problem = self._modify_line(line, act, confidence)
            if problem is not None:
                return problem
        return None

    def _modify_line(self, line: Line, act: Modify, confidence: float) -> Problem | None:
        item = self._menu.items[line.item]
        if act.size is not None and act.size not in item.prices:
            return Problem("size_not_available", act.text, group=Group(line.item))
        if act.only is not None and act.only < line.count:
            line = self._split_off(line, act.only)
        quantity = act.quantity or line.quantity
        if (quantity or 1) > MOST_OF_ONE:
            return Problem("quantity_limit", f"{quantity} {item.name}")
        mods = [m for m in line.mods if all((m.id, m.group) != (n.id, n.group) for n in act.mods)]
        added_back = [m for m in act.mods if not self._undone(line, m)]
        self._put(
            replace(
                line,
                quantity=quantity,
                size=act.size or line.size,
                mods=(*mods, *added_back),
                plain=line.plain or act.plain,
                confidence=min(line.confidence, confidence),
            )
        )
        return None

    def _split_off(self, line: Line, count: int) -> Line:
        """A line of its own for `count` of a line's items."""
        part = replace(line, id=str(self._next_id), quantity=count)
        self._next_id += 1
        self._put(replace(line, quantity=line.count - count))
        self.lines = (*self.lines, part)
        return part

    def _undone(self, line: Line, mod: Mod) -> bool:
        """Whether a "without" only takes back what the guest had added."""
        added = any((m.id, m.group) == (mod.id, mod.group) and not m.negated for m in line.mods)
        return mod.negated and added and mod.id not in self._menu.items[line.item].defaults

    def _replace(self, act: Replace, confidence: float) -> Problem | None:
        lines = self._targets(act.target)
        group = act.group
        if not lines or (act.alike and not self._alike(lines[-1].item, group.item)):
            return self._add(group, confidence)
        refused = self._refused(group)
        if refused is not None:
            return refused
        old = lines[-1]
        item = self._menu.items[group.item]
        kept_size = old.size if old.size in item.prices else None
        same = old.item == group.item
        kept = {(m.id, m.group): m for m in old.mods if same}
        kept |= {(m.id, m.group): m for m in group.mods}
        self._put(
            replace(
                old,
                item=group.item,
                quantity=group.quantity if group.quantity is not None else old.quantity,
                size=group.size or kept_size,
                mods=tuple(kept.values()),
                plain=group.plain or (old.plain and same),
                confidence=confidence,
            )
        )
        return None

    def _alike(self, one: str, other: str) -> bool:
        return self._menu.items[one].category == self._menu.items[other].category

    def _remove(self, act: Remove) -> Problem | None:
        lines = self._targets(act.target)
        if act.inherit and len(lines) and lines[-1].id == self._last:
            lines = lines[:-1]
        if not lines:
            return Problem("not_in_order", act.text) if act.asked else None
        last = next((line for line in self.lines if line.id == self._last), None)
        if act.inherit and last is not None and last.quantity is None:
            self._put(replace(last, quantity=lines[-1].quantity))
        self._take(lines if act.quantity is None else lines[-1:], act.quantity)
        return None

    def _take(self, lines: Sequence[Line], quantity: int | None) -> None:
        for line in lines:
            if quantity is not None and quantity < line.count:
                self._put(replace(line, quantity=line.count - quantity))
                continue
            self.lines = tuple(one for one in self.lines if one.id != line.id)
            if self._last == line.id:
                self._last = self.lines[-1].id if self.lines else None

    def _repeat(self, quantity: int) -> Problem | None:
        line = self._latest((), None)
        if line is None:
            return Problem("what_first", "")
        self._put(replace(line, quantity=line.count + quantity))
        return None

    def _put(self, line: Line) -> None:
        self.lines = tuple(line if one.id == line.id else one for one in self.lines)
        self._last = line.id

    def _targets(self, target: Target) -> list[Line]:
        if target.all_lines:
            return list(self.lines)
        if not target.items:
            latest = self._latest((), target.size)
            return [latest] if latest is not None else []
        matching = [line for line in self.lines if line.item in target.items]
        sized = [line for line in matching if target.size in (None, line.size)]
        return self._latest_last(sized or matching)

    def _latest_last(self, lines: list[Line]) -> list[Line]:
        return sorted(lines, key=lambda line: line.id == self._last)

    def _latest(self, items: Sequence[str], size: str | None) -> Line | None:
        fitting = [
            line
            for line in self.lines
            if (not items or line.item in items) and size in (None, line.size)
        ]
        ordered = self._latest_last(fitting)
        return ordered[-1] if ordered else None

    def _mod_names(self, mods: Sequence[Mod]) -> str:
        return ", ".join(self._menu.modifiers[m.group, m.id].name for m in mods)
