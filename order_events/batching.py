"""Holds a connection's events back for a moment, to send those that fall together as one. Pure."""

from __future__ import annotations

from order_events import protocol


class Batcher:
    """Encoded events of one connection, in order. `now` is in seconds, monotonic.

    A batch is sent at its deadline, when it has `max_events` or `max_bytes`, or before an event
    that may not wait: the order on the connection never changes.
    """

    def __init__(self, max_events: int, max_bytes: int) -> None:
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._waiting: list[bytes] = []
        self._bytes = 0
        self.deadline: float | None = None

    def add(self, body: bytes, wait_ms: int, now: float) -> list[bytes]:
        """Takes an event that may wait `wait_ms` milliseconds; the messages to send now."""
        if wait_ms == 0:
            return [*self.flush(), body]
        out = self.flush() if self._bytes + len(body) > self._max_bytes else []
        self._waiting.append(body)
        self._bytes += len(body)
        latest = now + wait_ms / 1000
        self.deadline = latest if self.deadline is None else min(self.deadline, latest)
        if len(self._waiting) >= self._max_events:
            out += self.flush()
        return out

    def due(self, now: float) -> list[bytes]:
        """The messages to send now if the deadline has come."""
        return self.flush() if self.deadline is not None and now >= self.deadline else []

    def flush(self) -> list[bytes]:
        """What waits, as one message; a single event goes as itself."""
        waiting, self._waiting = self._waiting, []
        self._bytes = 0
        self.deadline = None
        if len(waiting) > 1:
            return [protocol.batch(waiting)]
        return waiting
