"""The state of an order: its lines, the focus of the talk about them, and the ids of new lines."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy, deepcopy
from dataclasses import replace

from voice_service.ordering.acts import ItemRequest, Problem, Reference, ReferenceKind
from voice_service.ordering.cart.availability import Stock
from voice_service.ordering.cart.focus import Focus
from voice_service.ordering.cart.lines import Line, latest
from voice_service.ordering.cart.resolution import Meant, matches_description, resolve_reference
from voice_service.ordering.cart.undo import Snapshot
from voice_service.ordering.menu.compiled import CompiledMenu

_TELLS_APART = frozenset(
    {
        ReferenceKind.SOME,
        ReferenceKind.OTHER,
        ReferenceKind.PLACE,
        ReferenceKind.SUCH,
        ReferenceKind.HALF,
    }
)
"""References to a part of the lines: "the other" is then one of the rest."""


class CartState:
    """The lines in the order said, each followed by its parts, and what the talk is about.

    `closed` are items that are not served at this hour. `begun` and `filled` hold the combos that
    were ordered, and that something was chosen for, in this utterance.
    """

    def __init__(self, menu: CompiledMenu, closed: frozenset[str]) -> None:
        self.menu = menu
        self.lines: tuple[Line, ...] = ()
        self.focus = Focus()
        self.begun: set[str] = set()
        self.filled: set[str] = set()
        self._stock = Stock(menu, closed)
        self.combos = self._stock.combos
        self._next_id = 1

    def begin(self) -> None:
        """Begin a new utterance: what a combo was just said to hold is settled."""
        self.filled, self.begun = set(), set()
        self.focus.begin()

    def fork(self) -> CartState:
        """Return a state of its own that is as this one is now."""
        fork = copy(self)
        fork.focus = deepcopy(self.focus)
        fork.begun, fork.filled = set(self.begun), set(self.filled)
        return fork

    def adopt(self, lines: Sequence[Line]) -> None:
        """Take the lines as others have left them, the last one as the one talked about."""
        self.lines = tuple(lines)
        self.focus.move_to(lines[-1].id if lines else None)
        numbers = (int(line.id) for line in lines if line.id.isdecimal())
        self._next_id = max([self._next_id, *(number + 1 for number in numbers)])

    def snapshot(self) -> Snapshot:
        """Return what `restore` needs to come back to this state."""
        return self.lines, self.focus.last

    def restore(self, snapshot: Snapshot) -> None:
        """Return to an earlier state of the order."""
        self.lines = snapshot[0]
        self.focus.move_to(snapshot[1])

    @property
    def spoken_order(self) -> tuple[str, ...]:
        """The items, the one talked about last at the end."""
        last = self.focus.last
        others = [line.item for line in self.lines if line.id != last]
        return (*others, *(line.item for line in self.lines if line.id == last))

    def whole(self) -> list[Line]:
        """Return the lines without the parts of combos."""
        return [line for line in self.lines if line.part_of is None]

    def find(self, line_id: str | None) -> Line:
        """Return the line with an id, which has to be there."""
        return next(line for line in self.lines if line.id == line_id)

    def latest(self, *items: str) -> Line | None:
        """Return the line talked about last, of these items if any are given."""
        return latest(self.lines, self.focus.last, items, None)

    def refusal(self, request: ItemRequest) -> Problem | None:
        """Return why an item cannot be ordered now; None if it can."""
        return self._stock.refusal(request, self.lines)

    def meant(self, ref: Reference, fits: Sequence[Line] | None = None) -> Meant:
        """Return the lines that a reference means, out of those that it `fits` (all if None)."""
        whole = self.whole()
        fits = whole if fits is None else fits
        if ref.such is not None:
            fits = [line for line in fits if matches_description(ref.such, line, self.menu)]
        return resolve_reference(ref, whole, fits, self.focus)

    def tell_apart(self, ref: Reference) -> None:
        """Remember the line just changed as told apart, if the reference does that."""
        if ref.which in _TELLS_APART and self.focus.last is not None:
            self.focus.distinguished.add(self.focus.last)

    def new_id(self) -> str:
        """Return an id that no line has had."""
        self._next_id += 1
        return str(self._next_id - 1)

    def append(self, line: Line) -> None:
        """Put a line at the end, a combo with the parts that it comes with."""
        if self.combos.is_combo(line):
            self.begun.add(line.id)
        self.lines = (*self.lines, *self.combos.with_defaults(line, self.new_id))
        self.focus.move_to(line.id)

    def put(self, line: Line) -> None:
        """Put a line in the place of the one with its id."""
        self.lines = tuple(line if old.id == line.id else old for old in self.lines)
        self.focus.move_to(line.part_of or line.id)

    def split_off(self, line: Line, count: int) -> Line:
        """Give `count` of a line's items a line of their own, with its own parts."""
        part = replace(line, id=self.new_id(), quantity=count)
        self.put(replace(line, quantity=line.count - count))
        parts = [
            replace(old, id=self.new_id(), part_of=part.id)
            for old in self.combos.parts(self.lines, line)
        ]
        at = next(i for i, old in enumerate(self.lines) if old.id == line.id)
        # Before the rest: the first of several is then followed by the second.
        self.lines = (*self.lines[:at], part, *parts, *self.lines[at:])
        return part

    def take(self, lines: Sequence[Line], quantity: int | None = None) -> None:
        """Take out lines, or `quantity` of each."""
        for line in lines:
            if quantity is not None and quantity < line.count:
                self.put(replace(line, quantity=line.count - quantity))
                continue
            self.lines = tuple(old for old in self.lines if line.id not in (old.id, old.part_of))
            if self.focus.last == line.id:
                whole = self.whole()
                self.focus.move_to(whole[-1].id if whole else None)
