"""Passes live events on: of each session the latest, at a bounded rate."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from order_events.domain.models import LiveEvent
from order_events.fanout.throttle import Throttle

LiveKey = tuple[str, str, str]
"""A restaurant, a type and what the event is about (the session)."""


class LiveFeed:
    """Calls `publish` at most `per_second` times a second for each key. Lives on the event loop."""

    def __init__(self, per_second: int, publish: Callable[[LiveEvent], None]) -> None:
        self._publish = publish
        self._throttle: Throttle[LiveKey, LiveEvent] = Throttle(1 / per_second)
        self._timer: asyncio.TimerHandle | None = None
        self._is_open = False

    def open(self) -> None:
        """Begin to pass events on."""
        self._loop = asyncio.get_running_loop()
        self._is_open = True

    def close(self) -> None:
        """Drop what waits, and whatever comes."""
        self._is_open = False
        if self._timer is not None:
            self._timer.cancel()

    def offer(self, event: LiveEvent) -> None:
        """Pass an event on, now or in the place of those that wait."""
        if not self._is_open:
            return
        key = (event.restaurant_id, event.type, event.key)
        if self._throttle.offer(key, event, self._loop.time()):
            self._publish(event)
        self._arm()

    def drop(self, key: LiveKey) -> None:
        """Drop a waiting event, because something newer has been sent another way."""
        self._throttle.drop(key)

    def _arm(self) -> None:
        deadline = self._throttle.next_deadline()
        if deadline is not None and self._timer is None:
            self._timer = self._loop.call_at(deadline, self._due)

    def _due(self) -> None:
        self._timer = None
        for _, event in self._throttle.due(self._loop.time()):
            self._publish(event)
        self._arm()
