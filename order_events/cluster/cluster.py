"""This process as one node of several: what it hears from the others, and what it tells them."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Callable, Mapping

import structlog

from order_events.auth.revocations import Revocations, Revoked
from order_events.bus.factory import make_bus
from order_events.bus.messages import BusMessage, Live, Wakeup
from order_events.cluster import positions
from order_events.cluster.follower import Follower, Observer
from order_events.cluster.leases import Care, Caretaker
from order_events.cluster.revocation_watch import RevocationWatch
from order_events.cluster.shared_limits import SharedLimits, User
from order_events.domain.models import LiveEvent
from order_events.fanout.hub import Hub
from order_events.metrics import HubMetrics
from order_events.settings import HubSettings
from order_events.storage.store import Store

POLL_S = 1.0
"""Seconds between looks into the database, whether or not anybody called."""

logger = structlog.get_logger(__name__)


class Cluster:
    """The other nodes, as far as this one needs them. Lives on the event loop.

    On its own, a process has no other nodes; then all of this costs nothing. What is in
    `when_revoked` is called when another node has revoked tokens; `connected` returns how many
    connections each user has here.
    """

    def __init__(
        self,
        settings: HubSettings,
        metrics: HubMetrics,
        hub: Hub,
        store: Store,
        revocations: Revocations,
        *,
        observer: Observer,
        care: Care,
    ) -> None:
        self.node = uuid.uuid4().hex
        bus = make_bus(settings, self.node)
        # Without a bus, nodes of one database look into it every POLL_S.
        self.shared = bus.shared or store.shared
        self.when_revoked: list[Callable[[], object]] = []
        self.connected: Callable[[], Mapping[User, int]] = dict
        self.limits = SharedLimits()
        self.caretaker = Caretaker(store, self.node, shared=self.shared, care=care)
        self.follower = Follower(settings, hub, store, bus, metrics, observer, shared=self.shared)
        self._hub = hub
        self._store = store
        self._bus = bus
        self._revocations = revocations
        self._watch = RevocationWatch(store, revocations, self._revoked_elsewhere)
        self._look = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def trouble(self) -> str | None:
        """Why events of other nodes come a second or two later, or None."""
        return self._bus.trouble

    async def open(self) -> None:
        """Begin to listen to the other nodes."""
        await self._bus.open(self)
        if self.shared:
            self._task = asyncio.create_task(self._run(), name="cluster")
        await self.caretaker.open()

    async def close(self) -> None:
        """Leave the other nodes. What they have been told is sent first."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self.caretaker.close()
        await self.follower.close()
        await self._bus.close()

    def received(self, message: BusMessage, node: str) -> None:
        """Take a message of another node."""
        if node == self.node or message.epoch != self._hub.epoch:
            return
        if isinstance(message, Wakeup):
            self.follower.woken(message)
            if message.revoked:
                self._look.set()
        elif isinstance(message, Live):
            self._hub.publish_live(message.event)
        else:
            self.limits.take(message, node, asyncio.get_running_loop().time())

    def reconnected(self) -> None:
        """Look at once for what was missed."""
        self._look.set()

    def publish_live(self, event: LiveEvent) -> None:
        """Fan out an ephemeral event here and elsewhere."""
        self._hub.publish_live(event)
        if self.shared:
            self._bus.send(Live(self._hub.epoch, event))

    def requested(self, user: User, now: float) -> int:
        """Note a user's request; return how many others came to other nodes since the last."""
        if not self.shared:
            return 0
        self.follower.touch(user[0])
        self.limits.requested(user)
        return self.limits.requests_elsewhere(user, now)

    def revoked(self, entry: Revoked) -> None:
        """Note a revocation that this node has written, and tell the others."""
        self._revocations.add(entry)
        epoch, head = self._hub.head(entry.restaurant_id)
        self._bus.send(Wakeup(entry.restaurant_id, epoch, head, revoked=True))

    async def _run(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL_S):
                    await self._look.wait()
            self._look.clear()
            try:
                await self._poll()
            except Exception:
                # The task's boundary: it goes on with the next look.
                logger.exception("looking for other nodes' changes failed")

    async def _poll(self) -> None:
        self._tell_usage()
        await self._watch.look()
        found = await self.follower.poll({restaurant for restaurant, _ in self.connected()})
        if found is None:
            return
        if found.epoch != self._hub.epoch:
            logger.error("history was lost: clients will start afresh", epoch=found.epoch)
            self.follower.restart(found.epoch)
        elif self.follower.is_ahead_of(found):
            await self._begin_anew()

    async def _begin_anew(self) -> None:
        """Begin another history: the database has lost some of what clients have seen here."""
        served = self._hub.epoch
        logger.error("the database has lost events that were served", epoch=served)
        await self._store.write(lambda tx: positions.begin_anew(tx, served))
        self._look.set()

    def _tell_usage(self) -> None:
        now = asyncio.get_running_loop().time()
        news = self.limits.news(self._hub.epoch, self.connected(), self.follower.restaurants, now)
        for usage in news:
            self._bus.send(usage)

    def _revoked_elsewhere(self) -> None:
        for close in self.when_revoked:
            close()
