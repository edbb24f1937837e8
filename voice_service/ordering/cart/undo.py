"""How the order was before each change, so that a change can be taken back."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from voice_service.ordering.cart.lines import Line

_DEPTH = 50

State = tuple[tuple[Line, ...], str | None]
"""The lines, and the id of the one talked about last."""


class History:
    """The states before the last changes, of one order."""

    def __init__(self) -> None:
        self._before: list[State] = []

    def __bool__(self) -> bool:
        return bool(self._before)

    def push(self, state: State) -> None:
        """Remembers the state that a change has left."""
        self._before = [*self._before[-_DEPTH:], state]

    def pop(self) -> State:
        """The state before the last change, which is forgotten. There has to be one."""
        return self._before.pop()

    def clear(self) -> None:
        """Nothing of what was can come back."""
        self._before = []

    def put_in(self, lines: Sequence[Line]) -> bool:
        """Whether the last change, to `lines`, put more into the order than there was."""
        before = self._before[-1][0] if self._before else ()
        return sum(line.count for line in lines) > sum(line.count for line in before)

    def took_off(self, lines: Sequence[Line]) -> bool:
        """Whether the last change, to `lines`, left off something on one of them, and no more."""
        before = self._before[-1][0] if self._before else ()
        if [(x.id, x.item, x.count) for x in before] != [(x.id, x.item, x.count) for x in lines]:
            return False
        return any(_on(now) < _on(was) for was, now in zip(before, lines, strict=True))

    def took_out(self, lines: Sequence[Line], items: Collection[str]) -> bool:
        """Whether the last change, to `lines`, took something out: one of `items`, or anything."""
        if not self._before:
            return False
        left = {line.id: line.count for line in lines}
        gone = [line for line in self._before[-1][0] if left.get(line.id, 0) < line.count]
        return any(not items or line.item in items for line in gone)


def _on(line: Line) -> int:
    """How many modifiers a line has, each that is left off counted against it."""
    return sum(-1 if mod.negated else 1 for mod in line.mods)
