"""Fan-out: every committed event, encoded once, to the subscribers of its restaurant and type.

Lives on the event loop. A subscriber's `deliver` never blocks, so a slow one slows nobody.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from itertools import islice
from typing import Protocol

import structlog

from order_events.metrics import HubMetrics
from order_events.models import Event, LiveEvent

logger = structlog.get_logger(__name__)


class Subscriber(Protocol):
    """Somebody who wants events."""

    def deliver(self, event: Event) -> None:
        """Takes a committed event, in order; must not block."""

    def deliver_live(self, event: LiveEvent) -> None:
        """Takes an ephemeral event; must not block."""

    def broken(self) -> None:
        """Delivering has failed; the subscriber must be told that it has missed something."""


class _Channel:
    """One restaurant: who listens to what, and the latest events."""

    __slots__ = ("listeners", "recent", "subscribers")

    def __init__(self, recent: int) -> None:
        self.subscribers: dict[Subscriber, frozenset[str]] = {}
        self.listeners: dict[str, dict[Subscriber, None]] = {}
        self.recent: deque[Event] = deque(maxlen=recent)


class Hub:
    """All restaurants of a process. `open` sets where each one's history stands."""

    def __init__(self, recent: int, metrics: HubMetrics) -> None:
        self.epoch = ""
        self._recent = recent
        self._metrics = metrics
        self._positions: dict[str, tuple[int, int]] = {}
        self._channels: dict[str, _Channel] = {}

    def open(self, epoch: str, positions: dict[str, tuple[int, int]]) -> None:
        """`positions`: per restaurant the last seq and the oldest that is kept."""
        self.epoch = epoch
        self._positions = dict(positions)

    def head(self, restaurant_id: str) -> tuple[str, int]:
        """(epoch, seq): everything up to seq has been fanned out."""
        return self.epoch, self._positions.get(restaurant_id, (0, 1))[0]

    def oldest(self, restaurant_id: str) -> int:
        """The seq at which history begins; the next one if there is none."""
        return self._positions.get(restaurant_id, (0, 1))[1]

    def forgotten(self, restaurant_id: str, oldest: int) -> None:
        """History now begins at `oldest`."""
        head, _ = self._positions[restaurant_id]
        self._positions[restaurant_id] = (head, oldest)

    def restaurants(self) -> list[str]:
        """All restaurants that have a history."""
        return list(self._positions)

    def attach(self, restaurant_id: str, subscriber: Subscriber, events: Iterable[str]) -> None:
        """Subscribes, or changes what a subscriber listens to."""
        channel = self._channels.setdefault(restaurant_id, _Channel(self._recent))
        self._forget(channel, subscriber)
        wanted = frozenset(events)
        channel.subscribers[subscriber] = wanted
        for type_ in wanted:
            channel.listeners.setdefault(type_, {})[subscriber] = None

    def detach(self, restaurant_id: str, subscriber: Subscriber) -> None:
        """Forgets a subscriber; harmless if there is none."""
        channel = self._channels.get(restaurant_id)
        if channel is None:
            return
        self._forget(channel, subscriber)
        if not channel.subscribers:
            del self._channels[restaurant_id]

    @staticmethod
    def _forget(channel: _Channel, subscriber: Subscriber) -> None:
        for type_ in channel.subscribers.pop(subscriber, frozenset()):
            listeners = channel.listeners[type_]
            del listeners[subscriber]
            if not listeners:
                del channel.listeners[type_]

    def publish(self, event: Event) -> None:
        """Fans out a committed event. Events of a restaurant come in the order of their seq."""
        _, oldest = self._positions.get(event.restaurant_id, (0, 1))
        self._positions[event.restaurant_id] = (event.seq, oldest)
        self._metrics.published.labels(event.type).inc()
        channel = self._channels.get(event.restaurant_id)
        if channel is None:
            return
        channel.recent.append(event)
        for subscriber in tuple(channel.listeners.get(event.type, ())):
            try:
                subscriber.deliver(event)
            except Exception:
                # One subscriber's fault must not keep the event from the others.
                logger.exception("delivering failed", restaurant=event.restaurant_id)
                subscriber.broken()

    def publish_live(self, event: LiveEvent) -> None:
        """Fans out an ephemeral event."""
        self._metrics.live.inc()
        channel = self._channels.get(event.restaurant_id)
        if channel is None:
            return
        for subscriber in tuple(channel.listeners.get(event.type, ())):
            try:
                subscriber.deliver_live(event)
            except Exception:
                logger.exception("delivering failed", restaurant=event.restaurant_id)
                subscriber.broken()

    def recent(self, restaurant_id: str, after: int, limit: int) -> list[Event] | None:
        """The events right after a seq, if they are still in memory; else None."""
        channel = self._channels.get(restaurant_id)
        if channel is None or not channel.recent or channel.recent[0].seq > after + 1:
            return None
        start = after + 1 - channel.recent[0].seq
        return list(islice(channel.recent, start, start + limit))
