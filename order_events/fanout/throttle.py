"""Lets the latest value of every key through, at most so often. Pure: time is an argument."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Throttle(Generic[K, V]):
    """At least `interval` seconds lie between two values of one key; the ones between are merged
    to the last. Keys that have been quiet for that long are forgotten.

    `now` never goes back, so the keys are in the order in which their next value may go.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._next: dict[K, float] = {}
        self._blocked: set[K] = set()
        self._waiting: dict[K, V] = {}

    def __len__(self) -> int:
        return len(self._next) + len(self._blocked)

    def offer(self, key: K, value: V, now: float) -> bool:
        """True when the value may go at once; else it waits and replaces the one that waited."""
        if key not in self._blocked and now >= self._next.get(key, now):
            self._waiting.pop(key, None)
            self._went(key, now)
            return True
        self._waiting[key] = value
        return False

    def block(self, key: K) -> None:
        """Holds everything of a key back until `release`: what went is still on its way."""
        self._next.pop(key, None)
        self._blocked.add(key)

    def release(self, key: K, now: float) -> None:
        """What went has arrived now; the next may go one interval later."""
        self._blocked.discard(key)
        self._went(key, now)

    def drop(self, key: K) -> None:
        """Forgets the value that waits: something newer has been sent another way."""
        self._waiting.pop(key, None)

    def next_deadline(self) -> float | None:
        """When `due` has something to do."""
        return next(iter(self._next.values()), None)

    def due(self, now: float) -> list[tuple[K, V]]:
        """The values whose time has come."""
        values = []
        while (deadline := self.next_deadline()) is not None and deadline <= now:
            key = next(iter(self._next))
            del self._next[key]
            if key in self._waiting:
                values.append((key, self._waiting.pop(key)))
                self._went(key, now)
        return values

    def _went(self, key: K, now: float) -> None:
        self._next.pop(key, None)
        self._next[key] = now + self._interval
