"""Put audio chunks in the order of their sequence numbers, whatever order they arrive in.

Pure: time is an argument, in seconds of any monotonic clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Gap:
    """Sequences `first` to `last` (inclusive), given up because they did not arrive in time."""

    first: int
    last: int

    @property
    def count(self) -> int:
        return self.last - self.first + 1


class Outcome(Enum):
    """What happened to a chunk that was pushed."""

    ACCEPTED = auto()
    DUPLICATE = auto()
    """Its sequence was already delivered, is already waiting, or was given up."""
    TOO_FAR = auto()
    """It is `capacity` or more ahead of the next sequence, and was not kept."""


@dataclass(slots=True)
class ReorderBuffer(Generic[T]):
    """Delivers items by ascending sequence, each at most once.

    An item waits at most `patience` seconds for those before it; then they are given up. `capacity`
    bounds how far ahead of the next sequence an item may be. An item beyond it is refused, so that
    a wrong number does no harm. But if nothing else arrives for `patience`, the sender has lost
    what lies between, and the buffer follows it.
    """

    capacity: int
    patience: float
    next_sequence: int = 1
    _waiting: dict[int, tuple[T, float]] = field(default_factory=dict)
    _astray: tuple[int, float] | None = None
    """The latest sequence that was too far ahead, and since when no other has arrived."""

    @property
    def waiting(self) -> Iterator[T]:
        """Iterate over the items that wait for those before them."""
        return (item for item, _ in self._waiting.values())

    def push(self, sequence: int, item: T, now: float) -> tuple[Outcome, list[T | Gap]]:
        """Take one item; return what is now due, in order."""
        if sequence < self.next_sequence or sequence in self._waiting:
            return Outcome.DUPLICATE, []
        due: list[T | Gap] = []
        if sequence - self.next_sequence >= self.capacity:
            if not self._follows(sequence, now):
                return Outcome.TOO_FAR, []
            due = [*self.flush(), Gap(self.next_sequence, sequence - 1)]
            self.next_sequence = sequence
        self._astray = None
        self._waiting[sequence] = (item, now)
        return Outcome.ACCEPTED, due + self._drain()

    def next_deadline(self) -> float | None:
        """Return when the oldest gap will be given up; None while nothing is missing."""
        arrivals = (arrived for _, arrived in self._waiting.values())
        return min((arrived + self.patience for arrived in arrivals), default=None)

    def expire(self, now: float) -> list[T | Gap]:
        """Give up the gaps whose time has come; return what is now due, in order."""
        due: list[T | Gap] = []
        while (deadline := self.next_deadline()) is not None and deadline <= now:
            due += self._give_up()
        return due

    def flush(self) -> list[T | Gap]:
        """Give up every gap, since nothing more will arrive; return what is now due, in order."""
        due: list[T | Gap] = []
        while self._waiting:
            due += self._give_up()
        return due

    def hold(self, now: float) -> None:
        """Restart all waiting times: the connection was lost, so the chunks are not late."""
        self._waiting = {s: (item, now) for s, (item, _) in self._waiting.items()}

    def _follows(self, sequence: int, now: float) -> bool:
        before, since = self._astray or (sequence, now)
        if abs(sequence - before) >= self.capacity:
            since = now
        self._astray = (sequence, since)
        return now - since >= self.patience

    def _give_up(self) -> list[T | Gap]:
        first, arrived = self.next_sequence, min(self._waiting)
        self.next_sequence = arrived
        return [Gap(first, arrived - 1), *self._drain()]

    def _drain(self) -> list[T | Gap]:
        due: list[T | Gap] = []
        while self.next_sequence in self._waiting:
            due.append(self._waiting.pop(self.next_sequence)[0])
            self.next_sequence += 1
        return due
