"""Passes the latest value of each key on, at a bounded rate. Pure: time is an argument."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Throttle(Generic[K, V]):
    """Keeps at least `interval` seconds between two values of a key, merging those in between.

    The last of them survives. Keys that have been unused for that long are forgotten. `now` never
    goes back, so keys are in the order in which their next value may pass.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._next: dict[K, float] = {}
        self._blocked: set[K] = set()
        self._waiting: dict[K, V] = {}

    def __len__(self) -> int:
        return len(self._next) + len(self._blocked)

    def offer(self, key: K, value: V, now: float) -> bool:
        """Return True if the value may pass now; otherwise keep it, replacing the one kept."""
        if key not in self._blocked and now >= self._next.get(key, now):
            self._waiting.pop(key, None)
            self._went(key, now)
            return True
        self._waiting[key] = value
        return False

    def block(self, key: K) -> None:
        """Hold back all values of a key until `release`: its last one is still being delivered."""
        self._next.pop(key, None)
        self._blocked.add(key)

    def release(self, key: K, now: float) -> None:
        """Note that a key's last value has been delivered; the next may pass an interval later."""
        self._blocked.discard(key)
        self._went(key, now)

    def drop(self, key: K) -> None:
        """Drop a waiting value, because something newer has been sent another way."""
        self._waiting.pop(key, None)

    def next_deadline(self) -> float | None:
        """Return when `due` next has something to do, or None."""
        return next(iter(self._next.values()), None)

    def due(self, now: float) -> list[tuple[K, V]]:
        """Return the waiting values whose time has come."""
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
