"""Audio chunks in order of their sequence numbers, whatever order they arrive in.

Pure: time is an argument, in seconds of any monotonic clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Gap:
    """Sequences `first` to `last` (inclusive) that are given up: they did not arrive in time."""

    first: int
    last: int

    @property
    def count(self) -> int:
        return self.last - self.first + 1


class Outcome(Enum):
    """What became of a chunk that was pushed."""

    ACCEPTED = auto()
    DUPLICATE = auto()
    """Its sequence was already delivered, is already waiting, or was given up."""


@dataclass(slots=True)
class ReorderBuffer(Generic[T]):
    """Delivers items by ascending sequence, each at most once.

    `capacity` bounds how far ahead of the next sequence an item may wait; an item beyond that
    closes the oldest gap at once. `patience` is how long, in seconds, a gap may stay open.
    """

    capacity: int
    patience: float
    next_sequence: int = 1
    _waiting: dict[int, T] = field(default_factory=dict)
    _gap_since: float | None = None

    def push(self, sequence: int, item: T, now: float) -> tuple[Outcome, list[T | Gap]]:
        """Take one item; return what is now due, in order."""
        if sequence < self.next_sequence or sequence in self._waiting:
            return Outcome.DUPLICATE, []
        self._waiting[sequence] = item
        due = self._drain()
        while self._waiting and max(self._waiting) - self.next_sequence >= self.capacity:
            due += self._give_up()
        self._watch(now, restart=bool(due))
        return Outcome.ACCEPTED, due

    def next_deadline(self) -> float | None:
        """When the oldest gap will be given up; None while nothing is missing."""
        return None if self._gap_since is None else self._gap_since + self.patience

    def expire(self, now: float) -> list[T | Gap]:
        """Give up the oldest gap if its time has come; return what is now due, in order."""
        deadline = self.next_deadline()
        if deadline is None or now < deadline:
            return []
        due = self._give_up()
        self._watch(now, restart=True)
        return due

    def flush(self) -> list[T | Gap]:
        """Give up every gap: nothing more will arrive."""
        due: list[T | Gap] = []
        while self._waiting:
            due += self._give_up()
        self._gap_since = None
        return due

    def hold(self, now: float) -> None:
        """Start the patience of an open gap anew: the connection was away, not the chunk late."""
        self._watch(now, restart=True)

    def _give_up(self) -> list[T | Gap]:
        first, arrived = self.next_sequence, min(self._waiting)
        self.next_sequence = arrived
        return [Gap(first, arrived - 1), *self._drain()]

    def _drain(self) -> list[T | Gap]:
        due: list[T | Gap] = []
        while self.next_sequence in self._waiting:
            due.append(self._waiting.pop(self.next_sequence))
            self.next_sequence += 1
        return due

    def _watch(self, now: float, *, restart: bool) -> None:
        if not self._waiting:
            self._gap_since = None
        elif restart or self._gap_since is None:
            self._gap_since = now
