"""Brings what other nodes commit to the hub: every event of a followed restaurant, in order, once.

A restaurant is followed while it has subscribers here, and for a while after somebody asked. Events
of this node reach the hub at once where nothing is missing before them; everything else is read
from the database, whose order of commits is the order of `seq`. Lives on the event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

import structlog

from order_events.bus.bus import Bus
from order_events.bus.messages import Wakeup
from order_events.cluster import positions
from order_events.cluster.positions import Positions
from order_events.domain.models import Event
from order_events.fanout.hub import Hub
from order_events.metrics import HubMetrics
from order_events.protocol.errors import OrderError, StoreUnavailable
from order_events.settings import HubSettings
from order_events.storage.store import Store

LINGER_S = 60.0
"""Seconds that a restaurant without subscribers is followed after somebody asked for its head."""
_MOST_OWN = 1_000
"""Own events of a restaurant that are kept while those before them are read."""

logger = structlog.get_logger(__name__)


class Observer(Protocol):
    """Is told what happens at other nodes. Must not block."""

    def remote(self, event: Event) -> None:
        """Notice an event of another node; the hub has it."""

    def unseen(self, restaurant_id: str) -> None:
        """Drop what is kept of a restaurant in memory: others may have changed it unseen."""


@dataclass(slots=True)
class _Followed:
    """A followed restaurant: the seq up to which history is known to reach, and until when."""

    target: int
    until: float
    own: dict[int, Event] = field(default_factory=dict)
    reading: asyncio.Task[None] | None = None


class Follower:
    """Publishes to the hub, and tells the observer what came from other nodes."""

    def __init__(
        self,
        settings: HubSettings,
        hub: Hub,
        store: Store,
        bus: Bus,
        metrics: HubMetrics,
        observer: Observer,
        *,
        shared: bool,
    ) -> None:
        self._settings = settings
        self._hub = hub
        self._store = store
        self._bus = bus
        self._shared = shared
        self._metrics = metrics
        self._observer = observer
        self._followed: dict[str, _Followed] = {}
        self._preparing: dict[str, asyncio.Task[None]] = {}
        self._polled: dict[str, int] = {}

    async def close(self) -> None:
        """Stop reading."""
        tasks = [f.reading for f in self._followed.values() if f.reading is not None]
        tasks += self._preparing.values()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def committed(self, events: Sequence[Event]) -> None:
        """Publish events that this node has committed, and tell the others."""
        heads: dict[str, Event] = {}
        for event in events:
            self._publish_own(event)
            heads[event.restaurant_id] = event
        for restaurant_id, event in heads.items():
            self._bus.send(Wakeup(restaurant_id, event.epoch, event.seq))

    def woken(self, wakeup: Wakeup) -> None:
        """Read what another node says there is."""
        followed = self._followed.get(wakeup.restaurant_id)
        if followed is not None and wakeup.epoch == self._hub.epoch:
            self._reach(wakeup.restaurant_id, followed, wakeup.head)

    async def prepare(self, restaurant_id: str) -> None:
        """Follow a restaurant; once this returns, the hub's head is the present one.

        Raises StoreUnavailable.
        """
        if not self._shared:
            return
        followed = self._followed.get(restaurant_id)
        if followed is not None:
            followed.until = self._now() + LINGER_S
            return
        task = self._preparing.get(restaurant_id) or self._prepare_soon(restaurant_id)
        # Cancelling one who waits must not cancel what others wait for.
        await asyncio.shield(task)

    async def reach(self, restaurant_id: str, seq: int) -> None:
        """Have the hub reach `seq`, if history does: a client may have seen more at another node.

        Raises StoreUnavailable.
        """
        await self.prepare(restaurant_id)
        if not self._shared or self._head(restaurant_id) >= seq:
            return
        found = await self._store.read(lambda r: positions.read(r, [restaurant_id]), restaurant_id)
        followed = self._followed.get(restaurant_id)
        if followed is None or found.epoch != self._hub.epoch:
            return
        self._reach(restaurant_id, followed, found.at(restaurant_id)[0])
        if followed.reading is not None:
            await asyncio.wait({followed.reading})
        if self._head(restaurant_id) < min(seq, found.at(restaurant_id)[0]):
            raise StoreUnavailable("events of other nodes cannot be read now")

    def touch(self, restaurant_id: str) -> None:
        """Follow a restaurant soon, without waiting for it."""
        followed = self._followed.get(restaurant_id)
        if followed is not None:
            followed.until = self._now() + LINGER_S
        elif self._shared and restaurant_id not in self._preparing:
            self._prepare_soon(restaurant_id)

    async def poll(self, in_use: Container[str]) -> Positions | None:
        """Look for what no wake-up told; return where histories stand, if that can be read.

        Restaurants `in_use` stay followed, as those with subscribers do.
        """
        self._forget_unused(in_use)
        followed = list(self._followed)
        # What is fanned out while the database answers may be newer than the answer.
        self._polled = {restaurant_id: self._head(restaurant_id) for restaurant_id in followed}
        try:
            found = await self._store.read(lambda r: positions.read(r, followed))
        except OrderError as error:
            logger.warning("other nodes' events cannot be read now", why=str(error))
            return None
        if found.epoch == self._hub.epoch:
            for restaurant_id in followed:
                head, oldest = found.at(restaurant_id)
                state = self._followed.get(restaurant_id)
                if state is not None:
                    self._hub.forgotten(restaurant_id, oldest)
                    self._reach(restaurant_id, state, head)
        return found

    @property
    def restaurants(self) -> list[str]:
        """The restaurants that are followed."""
        return list(self._followed)

    def is_ahead_of(self, found: Positions) -> bool:
        """Return whether the database has lost events that were fanned out here before `found`."""
        return any(
            restaurant_id in self._followed and found.at(restaurant_id)[0] < seq
            for restaurant_id, seq in self._polled.items()
        )

    def restart(self, epoch: str) -> None:
        """Serve another history from now on; whoever listens must connect again."""
        for followed in self._followed.values():
            if followed.reading is not None:
                followed.reading.cancel()
        self._followed.clear()
        self._store.restart(epoch)
        self._hub.restart(epoch)

    def _publish_own(self, event: Event) -> None:
        if event.epoch != self._hub.epoch:
            # This history ended, or begins with the next poll.
            return
        followed = self._followed.get(event.restaurant_id)
        if followed is None:
            self._hub.publish(event)
            return
        head = self._head(event.restaurant_id)
        if followed.reading is None and event.seq == head + 1:
            self._hub.publish(event)
        elif event.seq > head:
            if len(followed.own) < _MOST_OWN:
                followed.own[event.seq] = event
            self._reach(event.restaurant_id, followed, event.seq)

    def _reach(self, restaurant_id: str, followed: _Followed, head: int) -> None:
        """Have the hub reach `head`."""
        followed.target = max(followed.target, head)
        if followed.reading is None and followed.target > self._head(restaurant_id):
            followed.reading = asyncio.create_task(
                self._read_on(restaurant_id, followed), name="read other nodes' events"
            )

    def _prepare_soon(self, restaurant_id: str) -> asyncio.Task[None]:
        task = asyncio.create_task(self._begin(restaurant_id), name="follow")
        self._preparing[restaurant_id] = task
        task.add_done_callback(partial(self._prepared, restaurant_id))
        return task

    def _prepared(self, restaurant_id: str, task: asyncio.Task[None]) -> None:
        del self._preparing[restaurant_id]
        if not task.cancelled():
            # Retrieve it: otherwise asyncio logs it if nobody waits.
            task.exception()

    async def _begin(self, restaurant_id: str) -> None:
        found = await self._store.read(lambda r: positions.read(r, [restaurant_id]), restaurant_id)
        head, oldest = found.at(restaurant_id)
        if found.epoch == self._hub.epoch:
            # No subscriber is skipped over: there is none before this returns.
            self._hub.advance(restaurant_id, head, oldest)
        self._followed[restaurant_id] = _Followed(head, self._now() + LINGER_S)
        self._bus.follow(restaurant_id)
        self._observer.unseen(restaurant_id)

    async def _read_on(self, restaurant_id: str, followed: _Followed) -> None:
        try:
            while followed.target > self._head(restaurant_id):
                if not await self._read_next(restaurant_id, followed):
                    # A wake-up came before its commit, or was wrong: the next poll knows.
                    followed.target = self._head(restaurant_id)
        except OrderError as error:
            logger.warning("other nodes' events cannot be read now", why=str(error))
        except Exception:
            # The task's boundary: the next poll tries again.
            logger.exception("following a restaurant failed", restaurant=restaurant_id)
        finally:
            followed.reading = None

    async def _read_next(self, restaurant_id: str, followed: _Followed) -> bool:
        """Publish what comes next; return False if there is nothing."""
        known = self._head(restaurant_id)
        own = followed.own.pop(known + 1, None)
        if own is not None:
            self._hub.publish(own)
            return True
        limits = self._settings
        events = await self._store.read(
            lambda r: r.events(restaurant_id, known, limits.replay_chunk, limits.history_bytes),
            restaurant_id,
        )
        if not events:
            return False
        if events[0].seq != known + 1:
            logger.error("events were deleted before they were read", restaurant=restaurant_id)
            self._hub.skip(restaurant_id, events[0].seq - 1)
        for event in events:
            if event.epoch != self._hub.epoch:
                return False
            self._hub.publish(event)
            if followed.own.pop(event.seq, None) is None:
                self._metrics.remote.inc()
                self._observer.remote(event)
        return True

    def _forget_unused(self, in_use: Container[str]) -> None:
        now = self._now()
        for restaurant_id, followed in list(self._followed.items()):
            if restaurant_id in in_use or self._hub.watched(restaurant_id):
                followed.until = now + LINGER_S
            elif followed.until <= now and followed.reading is None:
                del self._followed[restaurant_id]
                self._bus.unfollow(restaurant_id)

    def _head(self, restaurant_id: str) -> int:
        return self._hub.head(restaurant_id)[1]

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
