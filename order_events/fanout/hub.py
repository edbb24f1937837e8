"""Fan-out: every committed event, encoded once, to the subscribers of its restaurant and type.

Lives on the event loop. Subscribers with equal interests form a group: whether they want an event
is decided once, and what is published within one iteration of the loop is joined once and delivered
together. A write costs a system call however small it is, so for a restaurant whose deliveries take
long, later events are joined for a moment too. Delivering never blocks, so a slow subscriber slows
nobody else.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from typing import Protocol

import structlog

from order_events import tracing
from order_events.domain.models import Event, LiveEvent
from order_events.fanout.recent_events import RecentEvents
from order_events.fanout.root_session import Interest
from order_events.metrics import HubMetrics
from order_events.protocol.filters import Tags
from order_events.protocol.frames import FrameBatch, Message

ROOT_SOCKET = "root"
"""The name, in metrics, of the socket whose connections subscribe."""

LONG_S = 0.001
"""Seconds of processor time; after a shorter delivery, nothing is held back."""
SHARE = 0.25
"""Share of the loop's time that delivering may take, as long as no event waits over MOST_S."""
MOST_S = 0.02
"""Most seconds that an event waits for others to join it."""
MOST_EVENTS = 64
"""Pending events of one restaurant at which they are delivered without waiting for more."""

Pending = tuple[Message, int]
"""A message, and for how many milliseconds it may be held back."""

logger = structlog.get_logger(__name__)


class Subscriber(Protocol):
    """A receiver of events."""

    def deliver(self, batch: FrameBatch) -> None:
        """Send these events, in order; must not block."""

    def hold(self, pending: Sequence[Pending]) -> None:
        """Send or hold back these events, in order; must not block."""

    def broken(self) -> None:
        """Tell the client that it has missed something: a delivery failed."""


class _Group:
    """Subscribers with equal interests, and the events published for them but not delivered."""

    __slots__ = ("interest", "members", "pending")

    def __init__(self, interest: Interest) -> None:
        self.interest = interest
        self.members: dict[Subscriber, None] = {}
        self.pending: list[Pending] = []

    def flush(self) -> int:
        """Deliver what is pending; return how many messages were sent at once."""
        pending, self.pending = self.pending, []
        if not pending:
            return 0
        batch = None if self.interest.batched else FrameBatch([message for message, _ in pending])
        for subscriber in tuple(self.members):
            try:
                if batch is not None:
                    subscriber.deliver(batch)
                else:
                    subscriber.hold(pending)
            except Exception:
                # A boundary: one subscriber's fault must not keep the events from the others.
                logger.exception("a delivery failed")
                subscriber.broken()
        return 0 if batch is None else len(pending) * len(self.members)


class _RestaurantChannel:
    """One restaurant: its subscribers, its latest events, and when it next delivers.

    `free_at` is in the loop's seconds; `pending` counts the events published but not delivered.
    """

    __slots__ = (
        "free_at",
        "groups",
        "listeners",
        "pending",
        "recent",
        "steps",
        "subscribers",
        "timer",
    )

    def __init__(self, recent: RecentEvents) -> None:
        self.subscribers: dict[Subscriber, _Group] = {}
        self.groups: dict[Interest, _Group] = {}
        self.listeners: dict[str, dict[_Group, None]] = {}
        self.recent = recent
        self.free_at = 0.0
        self.pending = 0
        self.steps: list[tracing.Step] = []
        self.timer: asyncio.Handle | None = None

    def join(self, subscriber: Subscriber, interest: Interest) -> None:
        """Add a subscriber to the group with its interest."""
        group = self.groups.get(interest)
        if group is None:
            group = self.groups[interest] = _Group(interest)
            for type_ in interest.events:
                self.listeners.setdefault(type_, {})[group] = None
        group.members[subscriber] = None
        self.subscribers[subscriber] = group

    def leave(self, subscriber: Subscriber) -> None:
        """Remove a subscriber, and its group if that is empty."""
        group = self.subscribers.pop(subscriber, None)
        if group is None:
            return
        del group.members[subscriber]
        if not group.members:
            del self.groups[group.interest]
            for type_ in group.interest.events:
                del self.listeners[type_][group]
                if not self.listeners[type_]:
                    del self.listeners[type_]

    def trace(self, event: Event) -> None:
        """Begin the step that ends when the event is with all sockets."""
        step = tracing.begin(
            "fan out", event.trace, event_id=event.event_id, type=event.type, seq=event.seq
        )
        if step is not None:
            self.steps.append(step)

    def traced(self) -> None:
        """End the steps of the events that have been delivered."""
        for step in self.steps:
            step.end(subscribers=len(self.subscribers))
        self.steps.clear()

    def pend(self, type_: str, tags: Tags, message: Message) -> None:
        """Add an event to the pending ones of the groups that want it."""
        self.pending += 1
        for group in self.listeners.get(type_, ()):
            wait_ms = group.interest.wait_ms(type_, tags)
            if wait_ms is not None:
                group.pending.append((message, wait_ms))

    def flush(self) -> int:
        """Deliver what is pending; return how many messages were sent at once."""
        self.pending = 0
        return sum(group.flush() for group in tuple(self.groups.values()))


class Hub:
    """The channels of all restaurants. `open` sets where each one's history stands."""

    def __init__(self, metrics: HubMetrics, *, recent_events: int, recent_bytes: int) -> None:
        self.epoch = ""
        self._recent_events = recent_events
        self._recent_bytes = recent_bytes
        self._metrics = metrics
        self._positions: dict[str, tuple[int, int]] = {}
        self._channels: dict[str, _RestaurantChannel] = {}
        self._sent = metrics.messages_out.labels(ROOT_SOCKET)

    def open(self, epoch: str, positions: dict[str, tuple[int, int]]) -> None:
        """Set the epoch and, per restaurant, the last seq and the oldest that is kept."""
        self.epoch = epoch
        self._positions = dict(positions)

    def head(self, restaurant_id: str) -> tuple[str, int]:
        """Return (epoch, seq): everything up to seq has been fanned out."""
        return self.epoch, self._positions.get(restaurant_id, (0, 1))[0]

    def oldest(self, restaurant_id: str) -> int:
        """Return the seq at which history begins; the next one if there is none."""
        return self._positions.get(restaurant_id, (0, 1))[1]

    def forgotten(self, restaurant_id: str, oldest: int) -> None:
        """Note that history now begins at `oldest`."""
        head, _ = self._positions.get(restaurant_id, (0, 1))
        self._positions[restaurant_id] = (head, oldest)

    def advance(self, restaurant_id: str, head: int, oldest: int) -> None:
        """Note where a history stands that nobody here has followed so far."""
        known, _ = self._positions.get(restaurant_id, (0, 1))
        self._positions[restaurant_id] = (max(head, known), oldest)

    def skip(self, restaurant_id: str, head: int) -> None:
        """Go on after `head`: the events before it are lost to whoever listens now."""
        self._positions[restaurant_id] = (head, head + 1)
        self._break(restaurant_id)

    def restart(self, epoch: str) -> None:
        """Begin another history; whoever listens to the one before must connect again."""
        self.epoch = epoch
        self._positions.clear()
        for restaurant_id in list(self._channels):
            self._break(restaurant_id)

    def _break(self, restaurant_id: str) -> None:
        channel = self._channels.get(restaurant_id)
        if channel is not None:
            channel.recent.clear()
            for subscriber in tuple(channel.subscribers):
                subscriber.broken()

    def watched(self, restaurant_id: str) -> bool:
        """Return whether a restaurant has subscribers."""
        return restaurant_id in self._channels

    def forget_recent(self, restaurant_id: str) -> None:
        """Have what is resumed read from the database: another node has rewritten events there."""
        channel = self._channels.get(restaurant_id)
        if channel is not None:
            channel.recent.clear()

    def replace(self, events: Iterable[Event]) -> None:
        """Replace events already published by these, which have the same places."""
        for event in events:
            channel = self._channels.get(event.restaurant_id)
            if channel is not None:
                channel.recent.replace(event)

    def attach(self, restaurant_id: str, subscriber: Subscriber, interest: Interest) -> None:
        """Subscribe, or change a subscriber's interest, from the next event on."""
        self.flush(restaurant_id)
        channel = self._channels.get(restaurant_id)
        if channel is None:
            recent = RecentEvents(self._recent_events, self._recent_bytes)
            channel = self._channels[restaurant_id] = _RestaurantChannel(recent)
        channel.leave(subscriber)
        channel.join(subscriber, interest)

    def detach(self, restaurant_id: str, subscriber: Subscriber) -> None:
        """Remove a subscriber, if there is one."""
        channel = self._channels.get(restaurant_id)
        if channel is None:
            return
        channel.leave(subscriber)
        if not channel.subscribers:
            if channel.timer is not None:
                channel.timer.cancel()
            del self._channels[restaurant_id]

    def publish(self, event: Event) -> None:
        """Fan out a committed event. A restaurant's events must come in the order of their seq."""
        _, oldest = self._positions.get(event.restaurant_id, (0, 1))
        self._positions[event.restaurant_id] = (event.seq, oldest)
        self._metrics.published.labels(event.type).inc()
        channel = self._channels.get(event.restaurant_id)
        if channel is not None:
            channel.recent.append(event)
            channel.pend(event.type, event.tags, event.message)
            if event.trace is not None:
                channel.trace(event)
            self._schedule(channel)

    def publish_live(self, event: LiveEvent) -> None:
        """Fan out an ephemeral event."""
        self._metrics.live.inc()
        channel = self._channels.get(event.restaurant_id)
        if channel is not None:
            channel.pend(event.type, event.tags, event.message)
            self._schedule(channel)

    def flush(self, restaurant_id: str) -> None:
        """Deliver now what has been published and would be delivered a little later."""
        channel = self._channels.get(restaurant_id)
        if channel is not None and channel.timer is not None:
            self._flush(channel)

    def _schedule(self, channel: _RestaurantChannel) -> None:
        loop = asyncio.get_running_loop()
        if channel.timer is not None:
            if channel.pending != MOST_EVENTS:
                return
            channel.timer.cancel()
        if channel.pending == MOST_EVENTS or channel.free_at <= loop.time():
            channel.timer = loop.call_soon(self._flush, channel)
        else:
            channel.timer = loop.call_at(channel.free_at, self._flush, channel)

    def _flush(self, channel: _RestaurantChannel) -> None:
        if channel.timer is not None:
            channel.timer.cancel()
            channel.timer = None
        # Processor time, not wall time: otherwise other work on the machine would delay everything.
        start = time.thread_time()
        self._sent.inc(channel.flush())
        channel.traced()
        took = time.thread_time() - start
        if took > LONG_S:
            now = asyncio.get_running_loop().time()
            channel.free_at = now + min(took * (1 / SHARE - 1), MOST_S)

    def recent(self, restaurant_id: str, after: int, limit: int) -> list[Event] | None:
        """Return the events right after a seq, or None if they are no longer in memory."""
        channel = self._channels.get(restaurant_id)
        return None if channel is None else channel.recent.after(after, limit)
