"""How the order was before each change, so that a change can be taken back."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from voice_service.ordering.cart.lines import Line

_DEPTH = 50

Snapshot = tuple[tuple[Line, ...], str | None]
"""The lines, and the id of the one talked about last."""


class History:
    """The states before the last changes of one order."""

    def __init__(self) -> None:
        self._before: list[Snapshot] = []

    def __bool__(self) -> bool:
        return bool(self._before)

    def push(self, snapshot: Snapshot) -> None:
        """Remember the state before a change."""
        self._before = [*self._before[-_DEPTH:], snapshot]

    def pop(self) -> Snapshot:
        """Return the state before the last change, and forget it. There has to be one."""
        last, self._before = self._before[-1], self._before[:-1]
        return last

    def clear(self) -> None:
        """Forget all changes, so that none can be taken back."""
        self._before = []

    def put_in(self, lines: Sequence[Line]) -> bool:
        """Return whether the last change, which led to `lines`, put more into the order."""
        before = self._before[-1][0] if self._before else ()
        return sum(line.count for line in lines) > sum(line.count for line in before)

    def took_off(self, lines: Sequence[Line]) -> bool:
        """Return whether the last change, to `lines`, only left modifiers off one of them."""
        before = self._before[-1][0] if self._before else ()
        if _items(before) != _items(lines):
            return False
        return any(_on(now) < _on(was) for was, now in zip(before, lines, strict=True))

    def took_out(self, lines: Sequence[Line], items: Collection[str]) -> bool:
        """Return whether the last change, to `lines`, took out one of `items` (if empty, any)."""
        if not self._before:
            return False
        left = {line.id: line.count for line in lines}
        gone = [line for line in self._before[-1][0] if left.get(line.id, 0) < line.count]
        return any(not items or line.item in items for line in gone)


def _items(lines: Sequence[Line]) -> list[tuple[str, str, int]]:
    return [(line.id, line.item, line.count) for line in lines]


def _on(line: Line) -> int:
    """Return how many modifiers a line has, each that is left off counted against it."""
    return sum(-1 if mod.negated else 1 for mod in line.mods)
