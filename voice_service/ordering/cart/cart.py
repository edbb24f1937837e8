"""The order so far, and what each act does to it. Every change can be undone."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import replace

from voice_service.ordering.acts import (
    Act,
    Add,
    Ambiguity,
    Counting,
    ItemRequest,
    Keep,
    Modify,
    ModifyReferenced,
    Problem,
    Remove,
    Repeat,
    Replace,
    Restart,
    Undo,
    not_understood,
)
from voice_service.ordering.cart.addition import add
from voice_service.ordering.cart.lines import Line
from voice_service.ordering.cart.modification import modify, modify_referenced
from voice_service.ordering.cart.removal import remove
from voice_service.ordering.cart.replacement import replace_item
from voice_service.ordering.cart.state import CartState
from voice_service.ordering.cart.underspecified import restored
from voice_service.ordering.cart.undo import History
from voice_service.ordering.likelihood import SETTLED, Grounds
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.reasons import ReasonCode


class Cart:
    """The lines of one order. `apply` changes them and returns what could not be done.

    `closed` are items that are not served at this hour.
    """

    def __init__(self, menu: CompiledMenu, closed: frozenset[str] = frozenset()) -> None:
        self._menu = menu
        self._state = CartState(menu, closed)
        self._history = History()
        self._removing = False  # the act before took something out, in the same utterance
        self._changes = 0  # of this utterance
        self._changes_before = 0  # of the one before

    @property
    def lines(self) -> tuple[Line, ...]:
        """The lines in the order said, each followed by its parts."""
        return self._state.lines

    @property
    def wanted(self) -> tuple[str, ...]:
        """The items of which one has to be chosen for a combo."""
        combos, lines = self._state.combos, self.lines
        slots = [slot for line in lines for slot in combos.open_slots(lines, line)]
        return tuple(dict.fromkeys(item for slot in slots for item in self._menu.fillings(slot)))

    @property
    def spoken_order(self) -> tuple[str, ...]:
        """The items, the one talked about last at the end."""
        return self._state.spoken_order

    def begin(self) -> None:
        """Begin a new utterance."""
        self._state.begin()
        self._removing = False
        self._changes, self._changes_before = 0, self._changes

    def apply(self, act: Act, grounds: Grounds) -> Problem | None:
        """Carry out one act; `grounds` are those of what it orders."""
        if isinstance(act, Undo | Keep):
            return self._take_back(act) if isinstance(act, Undo) else self._keep(act)
        before = self._state.snapshot()
        filled = set(self._state.filled)
        problem = self._apply(act, grounds)
        completes = bool((self._state.filled - filled) & self._state.begun)
        # A combo and what was chosen for it in the same breath are taken back together, and so is
        # all that was taken out at once.
        joined = completes or (isinstance(act, Remove) and self._removing)
        if self._state.snapshot() != before and not joined:
            self._history.push(before)
            self._changes += 1
        self._removing = isinstance(act, Remove)
        return problem

    def preview(self, acts: Sequence[Act]) -> tuple[Line, ...]:
        """Return the lines that `acts` would leave; nothing changes."""
        trial = copy(self)
        trial._state, trial._history = self._state.fork(), copy(self._history)
        for act in acts:
            trial.apply(act, SETTLED)
        return trial.lines

    def remember(self) -> None:
        """Make "undo that" come back to the order as it is now."""
        self._history.push(self._state.snapshot())

    def adopt(self, lines: Sequence[Line]) -> None:
        """Take the order as others have left it; their changes cannot be undone."""
        self._state.adopt(lines)
        self._history.clear()
        self.begin()

    def set_quantity(self, line_id: str, quantity: int) -> bool:
        """Set how many there are of a line, 0 to take it out; return whether it is there.

        Parts of combos have no quantity of their own.
        """
        line = next((x for x in self.lines if x.id == line_id and x.part_of is None), None)
        if line is None:
            return False
        self.remember()
        if quantity:
            self._state.put(replace(line, quantity=quantity, grounds=SETTLED))
        else:
            self._state.take([line])
        return True

    def settle(self, least: float) -> None:
        """Settle the lines that are asked about: the guest has said that they are right."""
        self._state.lines = tuple(
            replace(line, grounds=SETTLED) if line.doubtful(least) else line for line in self.lines
        )

    def withdraw(self, least: float) -> None:
        """Take out the lines that are asked about: the guest has said that they are wrong."""
        self._state.take([line for line in self.lines if line.doubtful(least)])

    def _apply(self, act: Act, grounds: Grounds) -> Problem | None:
        problem: Problem | None = None
        match act:
            case Add(request):
                problem = add(self._state, request, grounds)
            case Modify():
                problem = modify(self._state, act, grounds)
            case ModifyReferenced():
                problem = modify_referenced(self._state, act, grounds)
            case Replace():
                problem = replace_item(self._state, act, grounds)
            case Remove():
                problem = remove(self._state, act)
            case Repeat():
                problem = self._repeat(act)
            case Restart():
                self._state.restore(((), None))
            case _:
                pass
        return problem

    def _take_back(self, act: Undo) -> Problem | None:
        if act.item and self._history and not self._history.put_in(self.lines):
            # "Cancel the last one": what was changed on it, or the item?
            return not_understood(act.text)
        if act.unclear and not self._changes and self._changes_before > 1:
            # "A cola and fries." "Forget it": the fries, or both?
            return not_understood(act.text)
        undone = [self._undo() for _ in range(act.times or 1)]
        return undone[-1]

    def _undo(self) -> Problem | None:
        if not self._history:
            return Problem(ReasonCode.NOTHING_TO_UNDO, "")
        self._state.restore(self._history.pop())
        return None

    def _keep(self, act: Keep) -> Problem | None:
        """Put back what was just taken out; what is still there only stays."""
        off = not act.items and self._history.took_off(self.lines)
        if off or self._history.took_out(self.lines, act.items):
            return self._undo()
        if act.restores:
            line = restored(self._state.latest())
            if line is None:
                return not_understood(act.text)
            self._state.put(line)
            return None
        if act.unclear:
            return not_understood(act.text)
        here = not act.items or any(line.item in act.items for line in self.lines)
        return None if here else Problem(ReasonCode.NOT_IN_ORDER, act.text)

    def _repeat(self, act: Repeat) -> Problem | None:
        line = self._state.latest()
        if line is None:
            return Problem(ReasonCode.WHAT_FIRST, "")
        if act.bare and self._history.took_out(self.lines, ()):
            return not_understood("")  # another one, or one less?
        recent = self._state.focus.recent
        choices = tuple(dict.fromkeys(x.item for x in self._state.whole() if x.id in recent))
        if act.bare and len(choices) > 1:
            request = ItemRequest(
                choices[0],
                act.quantity,
                counting=Counting(additional=True),
                ambiguity=Ambiguity(choices),
            )
            names = tuple(self._menu.item_name(item) for item in choices)
            return Problem(ReasonCode.AMBIGUOUS_ITEM, "", names, request)
        self._state.put(replace(line, quantity=line.count + act.quantity))
        return None
