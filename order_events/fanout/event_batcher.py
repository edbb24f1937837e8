"""Holds a connection's events back briefly, to send those that fall together as one. Pure."""

from __future__ import annotations

from functools import lru_cache

from order_events.protocol import messages
from order_events.protocol.frames import Message


class EventBatcher:
    """The held-back events of one connection, in order. `now` is in monotonic seconds.

    A batch is sent at its deadline, at `max_events` or `max_bytes`, or before an event that may not
    wait or is larger than a batch: the order on the connection never changes.
    """

    def __init__(self, max_events: int, max_bytes: int) -> None:
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._waiting: list[Message] = []
        self._bytes = 0
        self.deadline: float | None = None

    def add(self, message: Message, wait_ms: int, now: float) -> list[Message]:
        """Add an event that may wait `wait_ms` milliseconds; return the messages to send now."""
        if wait_ms == 0 or len(message.body) > self._max_bytes:
            return [*self.flush(), message]
        out = self.flush() if self._bytes + len(message.body) > self._max_bytes else []
        self._waiting.append(message)
        self._bytes += len(message.body)
        latest = now + wait_ms / 1000
        self.deadline = latest if self.deadline is None else min(self.deadline, latest)
        if len(self._waiting) >= self._max_events:
            out += self.flush()
        return out

    def clear(self) -> None:
        """Drop what waits."""
        self._waiting = []
        self._bytes = 0
        self.deadline = None

    def due(self, now: float) -> list[Message]:
        """Return the messages to send now, if the deadline has come."""
        return self.flush() if self.deadline is not None and now >= self.deadline else []

    def flush(self) -> list[Message]:
        """Return what waits as one message; a single event is sent as itself."""
        waiting = self._waiting
        self.clear()
        if len(waiting) > 1:
            return [_batch(tuple(waiting))]
        return waiting


@lru_cache(maxsize=64)
def _batch(events: tuple[Message, ...]) -> Message:
    # Connections with equal subscriptions get equal batches at about the same time; caching
    # encodes and compresses each batch once for all of them.
    first = next((event.seq for event in events if event.seq is not None), None)
    return Message(messages.batch([event.body for event in events]), seq=first)
