"""The latest events of a restaurant, in memory for clients that resume. Pure."""

from __future__ import annotations

from collections import deque
from itertools import islice

from order_events.domain.models import Event


class RecentEvents:
    """At most `max_events` events with at most `max_bytes` bytes, without a gap."""

    def __init__(self, max_events: int, max_bytes: int) -> None:
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._events: deque[Event] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._events)

    def append(self, event: Event) -> None:
        """Add the next event, dropping the oldest ones to make room, and all if there is a gap."""
        if self._events and event.seq != self._events[-1].seq + 1:
            self.clear()
        self._events.append(event)
        self._bytes += len(event.body)
        while len(self._events) > self._max_events or self._bytes > self._max_bytes:
            self._bytes -= len(self._events.popleft().body)

    def clear(self) -> None:
        """Drop all events."""
        self._events.clear()
        self._bytes = 0

    def replace(self, event: Event) -> None:
        """Replace the event with the same seq, if it is here."""
        at = event.seq - self._events[0].seq if self._events else -1
        if 0 <= at < len(self._events):
            self._bytes += len(event.body) - len(self._events[at].body)
            self._events[at] = event

    def after(self, seq: int, limit: int) -> list[Event] | None:
        """Return the events right after a seq, or None if they are not all here."""
        if not self._events or self._events[0].seq > seq + 1:
            return None
        start = seq + 1 - self._events[0].seq
        return list(islice(self._events, start, start + limit))
