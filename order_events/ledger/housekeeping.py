"""Deletes regularly what has outlived its retention, a bounded part at a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial

import structlog

from order_events.auth.revocations import Revocations
from order_events.auth.screen_tokens import SCREEN_TOKEN_S, SHIFT_S
from order_events.auth.tokens import CLOCK_SKEW_S
from order_events.cluster import positions
from order_events.cluster.cluster import Cluster
from order_events.fanout.hub import Hub
from order_events.ledger import erasure, retention
from order_events.ledger.clock_watch import ClockWatch
from order_events.ledger.ledger import Ledger
from order_events.metrics import HubMetrics
from order_events.protocol.errors import OrderError
from order_events.settings import HubSettings
from order_events.storage.store import Store

MOST_AT_ONCE = 10
"""Transactions of each kind per restaurant and run: some 20,000 rows."""

logger = structlog.get_logger(__name__)


class Housekeeping:
    """Runs every `retention_interval_s` seconds, unless the clock is doubted."""

    def __init__(
        self,
        settings: HubSettings,
        metrics: HubMetrics,
        store: Store,
        hub: Hub,
        ledger: Ledger,
        revocations: Revocations,
        cluster: Cluster,
    ) -> None:
        self._settings = settings
        self._metrics = metrics
        self._store = store
        self._hub = hub
        self._ledger = ledger
        self._revocations = revocations
        self._cluster = cluster
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Begin to run regularly."""
        last = await self._store.read(retention.last_known_time)
        watch = ClockWatch(self._settings.clock_doubt_s, last, time.time(), time.monotonic())
        self._task = asyncio.create_task(self._run_forever(watch), name="retention")

    async def close(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run_forever(self, watch: ClockWatch) -> None:
        while True:
            await asyncio.sleep(self._settings.retention_interval_s)
            doubted = watch.doubts(time.time(), time.monotonic())
            self._metrics.clock_doubted.set(doubted)
            if doubted:
                logger.error(
                    "the clock has jumped ahead: nothing is deleted until it is set right, or has "
                    "gone on steadily",
                    doubt_s=self._settings.clock_doubt_s,
                )
                continue
            try:
                await self.run(time.time())
            except Exception as error:
                # The task's boundary: it tries again after the next interval.
                logger.warning(
                    "deleting what has outlived its retention failed",
                    why=str(error),
                    exc_info=not isinstance(error, OrderError),
                )

    async def run(self, now: float) -> None:
        """Delete what has outlived its retention at `now` (Unix seconds).

        If very much has, the rest is left to the next run. Of several nodes, one does it; the
        others drop what they keep of it in memory.
        """
        # The limit of the settings is for tokens of others; those of screens have their own.
        longest_s = max(self._settings.token_max_lifetime_s, SCREEN_TOKEN_S, SHIFT_S)
        expired = now - longest_s - CLOCK_SKEW_S
        self._revocations.forget(expired)
        if not self._cluster.caretaker.held:
            for restaurant_id in self._cluster.follower.restaurants:
                self._hub.forget_recent(restaurant_id)
            return
        for restaurant_id in await self._store.read(positions.all_restaurants):
            kept = retention.limits(self._settings, restaurant_id)
            await _repeat(partial(self._forget_events, restaurant_id, kept, now))
            await _repeat(partial(self._forget_orders, restaurant_id, kept, now))
            await _repeat(partial(self._forget_sessions, restaurant_id, kept, now))
            await _repeat(partial(self._erase_finished, restaurant_id))
        keys_since = now - self._settings.idempotency_days * retention.DAY_S
        await _repeat(lambda: self._store.write(lambda tx: retention.forget_keys(tx, keys_since)))
        aside_since = now - self._settings.retention_audit_days * retention.DAY_S
        await self._store.write(lambda tx: retention.forget_set_aside(tx, aside_since))
        await self._store.write(lambda tx: retention.forget_revocations(tx, expired, now))

    async def _forget_events(self, restaurant_id: str, kept: retention.Limits, now: float) -> bool:
        oldest, more = await self._store.write(
            lambda tx: retention.forget_events(tx, restaurant_id, kept, now), restaurant_id
        )
        self._hub.forgotten(restaurant_id, oldest)
        return more

    async def _forget_orders(self, restaurant_id: str, kept: retention.Limits, now: float) -> bool:
        return await self._store.write(
            lambda tx: retention.forget_orders(tx, restaurant_id, kept, now), restaurant_id
        )

    async def _forget_sessions(
        self, restaurant_id: str, kept: retention.Limits, now: float
    ) -> bool:
        erased, more = await self._store.write(
            lambda tx: retention.forget_sessions(tx, restaurant_id, kept, now), restaurant_id
        )
        self._hub.replace(erased.events)
        if erased.entries:
            await self._ledger.forget_figures(restaurant_id)
        return more

    async def _erase_finished(self, restaurant_id: str) -> bool:
        events, more = await self._store.write(
            lambda tx: erasure.erase_finished(tx, restaurant_id), restaurant_id
        )
        self._hub.replace(events)
        return more


async def _repeat(forget: Callable[[], Awaitable[bool]]) -> None:
    """Run `forget`, one transaction at a time, until nothing is left or the run's share is used."""
    for _ in range(MOST_AT_ONCE):
        if not await forget():
            return
