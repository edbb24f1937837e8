"""How the order was before each change, so that a change can be taken back."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from voice_service.ordering.lines import Line

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

    def took_out(self, lines: Sequence[Line], items: Collection[str]) -> bool:
        """Whether the last change, to `lines`, took something out: one of `items`, or anything."""
        if not self._before:
            return False
        left = {line.id: line.count for line in lines}
        gone = [line for line in self._before[-1][0] if left.get(line.id, 0) < line.count]
        return any(not items or line.item in items for line in gone)
