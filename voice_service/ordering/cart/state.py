"""The lines of an order: how they are put, split and taken out, and which are talked about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from voice_service.ordering.acts import Reference, ReferenceKind
from voice_service.ordering.cart.combos import Combos
from voice_service.ordering.cart.lines import Line
from voice_service.ordering.cart.resolution import (
    Focus,
    Meant,
    matches_description,
    resolve_reference,
)
from voice_service.ordering.menu.compiled import CompiledMenu


class Tally:
    """Lines in the order said, each followed by its parts. What acts do to them is the cart's."""

    def __init__(self, menu: CompiledMenu, combos: Combos) -> None:
        self._menu = menu
        self._combos = combos
        self.lines: tuple[Line, ...] = ()
        self._talked = Focus()
        self._next_id = 1
        self._begun: set[str] = set()  # combos of this utterance

    @property
    def _last(self) -> str | None:
        return self._talked.last

    @_last.setter
    def _last(self, line_id: str | None) -> None:
        self._talked.last = line_id
        if line_id is not None:
            self._talked.current.add(line_id)

    @property
    def spoken_order(self) -> tuple[str, ...]:
        """The items, the one talked about last at the end."""
        others = [line.item for line in self.lines if line.id != self._last]
        return (*others, *(line.item for line in self.lines if line.id == self._last))

    @property
    def single(self) -> frozenset[str]:
        """The items of which there is just one."""
        counts = Counter[str]()
        for line in self.lines:
            counts[line.item] += line.count
        return frozenset(item for item, count in counts.items() if count == 1)

    def _whole(self) -> list[Line]:
        """The lines in the order said, without parts of combos."""
        return [line for line in self.lines if line.part_of is None]

    def _meant(self, ref: Reference, fits: Sequence[Line]) -> Meant:
        if ref.such is not None:
            fits = [line for line in fits if matches_description(ref.such, line, self._menu)]
        return resolve_reference(ref, self._whole(), fits, self._talked)

    def _tell_apart(self, ref: Reference) -> None:
        if (
            ref.which
            in (
                ReferenceKind.SOME,
                ReferenceKind.OTHER,
                ReferenceKind.PLACE,
                ReferenceKind.SUCH,
                ReferenceKind.HALF,
            )
            and self._last is not None
        ):
            self._talked.distinguished.add(self._last)

    def _append(self, line: Line) -> None:
        if self._combos.is_combo(line):
            self._begun.add(line.id)
        self.lines = (*self.lines, *self._combos.with_defaults(line, self._new_id))
        self._last = line.id

    def _new_id(self) -> str:
        self._next_id += 1
        return str(self._next_id - 1)

    def _split_off(self, line: Line, count: int) -> Line:
        """A line of its own, with its own parts, for `count` of a line's items."""
        part = replace(line, id=self._new_id(), quantity=count)
        self._put(replace(line, quantity=line.count - count))
        parts = [
            replace(one, id=self._new_id(), part_of=part.id)
            for one in self._combos.parts(self.lines, line)
        ]
        at = next(i for i, one in enumerate(self.lines) if one.id == line.id)
        # Before the rest: the first of several is then followed by the second.
        self.lines = (*self.lines[:at], part, *parts, *self.lines[at:])
        return part

    def _take(self, lines: Sequence[Line], quantity: int | None) -> None:
        for line in lines:
            if quantity is not None and quantity < line.count:
                self._put(replace(line, quantity=line.count - quantity))
                continue
            self.lines = tuple(one for one in self.lines if line.id not in (one.id, one.part_of))
            if self._last == line.id:
                whole = [one.id for one in self.lines if one.part_of is None]
                self._last = whole[-1] if whole else None

    def _put(self, line: Line) -> None:
        self.lines = tuple(line if one.id == line.id else one for one in self.lines)
        self._last = line.part_of or line.id
