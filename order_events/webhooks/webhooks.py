"""All webhooks of a server: kept in the database, each with its deliveries.

Methods return once the change is on disk. All raise OrderError and ProtocolError.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from weakref import WeakValueDictionary

import structlog

from order_events.cluster.cluster import Cluster
from order_events.domain.webhooks import (
    SecretRotation,
    Webhook,
    WebhookChange,
    WebhookDraft,
    WebhookTestAnswer,
)
from order_events.fanout.hub import Hub
from order_events.metrics import HubMetrics
from order_events.protocol.errors import OrderError
from order_events.protocol.messages import encode, event
from order_events.settings import HubSettings
from order_events.storage.store import Store
from order_events.storage.transaction import Tx
from order_events.webhooks import records
from order_events.webhooks.delivery import Delivery, Services
from order_events.webhooks.records import Kept
from order_events.webhooks.sender import Sender

_HOUR_S = 3_600.0
STEP_S = 2.0
"""Seconds between looks at what other nodes have changed."""

logger = structlog.get_logger(__name__)


class Webhooks:
    """The webhooks of all restaurants. `open` starts the deliveries, `close` stops them."""

    def __init__(
        self,
        settings: HubSettings,
        store: Store,
        hub: Hub,
        cluster: Cluster,
        metrics: HubMetrics,
    ) -> None:
        self._settings = settings
        self._store = store
        self._hub = hub
        self._cluster = cluster
        self._metrics = metrics
        self._deliveries: dict[str, Delivery] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._task: asyncio.Task[None] | None = None
        self._services: Services

    async def open(self) -> None:
        """Continue every webhook where it was."""
        settings = self._settings
        self._services = Services(
            store=self._store,
            hub=self._hub,
            sender=Sender(
                settings.webhook_timeout_s, private_networks=settings.webhook_private_networks
            ),
            off_after_s=settings.webhook_off_after_hours * _HOUR_S,
            reach=self._cluster.follower.reach,
            count=lambda result: self._metrics.webhook_deliveries.labels(result).inc(),
        )
        if self._cluster.shared:
            self._task = asyncio.create_task(self._keep_in_step(), name="webhooks")
            return
        for kept in await self._store.read(records.everything):
            self._start(kept)

    async def close(self) -> None:
        """Stop delivering; what has not been taken comes after the next start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for webhook_id in list(self._deliveries):
            await self._stop(webhook_id)
        await self._services.sender.close()

    async def list(self, restaurant_id: str) -> tuple[Webhook, ...]:
        """Return a restaurant's webhooks, oldest first."""
        return await self._store.read(lambda r: records.listed(r, restaurant_id), restaurant_id)

    async def get(self, restaurant_id: str, webhook_id: str) -> Webhook:
        """Return a webhook."""
        kept = await self._kept(restaurant_id, webhook_id)
        return kept.webhook

    async def create(
        self, restaurant_id: str, draft: WebhookDraft, *, actor: str
    ) -> tuple[Webhook, str]:
        """Add a webhook for whatever happens from now on; return it and its secret."""
        await self._services.sender.check(draft.url)
        await self._cluster.follower.prepare(restaurant_id)
        _, head = self._hub.head(restaurant_id)
        most = self._settings.webhooks_per_restaurant
        kept = await self._store.write(
            lambda tx: records.create(tx, restaurant_id, draft, actor, head, most), restaurant_id
        )
        self._start(kept)
        return kept.webhook, kept.secrets[0][0]

    async def change(self, restaurant_id: str, webhook_id: str, change: WebhookChange) -> Webhook:
        """Apply the fields that the change names, and try again at once."""
        if change.url is not None:
            await self._services.sender.check(change.url)
        kept = await self._changed(
            restaurant_id,
            webhook_id,
            lambda tx: records.change(tx, restaurant_id, webhook_id, change),
        )
        return kept.webhook

    async def rotate(
        self, restaurant_id: str, webhook_id: str, rotation: SecretRotation
    ) -> tuple[Webhook, str]:
        """Give a webhook a new secret, and return both."""
        old_valid_s = rotation.old_valid_hours * _HOUR_S
        kept = await self._changed(
            restaurant_id,
            webhook_id,
            lambda tx: records.rotate(tx, restaurant_id, webhook_id, old_valid_s),
        )
        return kept.webhook, kept.secrets[0][0]

    async def delete(self, restaurant_id: str, webhook_id: str) -> Webhook:
        """Remove a webhook, and return what it was."""
        async with self._lock(webhook_id):
            kept = await self._store.write(
                lambda tx: records.delete(tx, restaurant_id, webhook_id), restaurant_id
            )
            await self._stop(webhook_id)
            return kept.webhook

    async def test(self, restaurant_id: str, webhook_id: str) -> WebhookTestAnswer:
        """Send a `webhook:test` now, out of turn, even if the webhook is switched off."""
        kept = await self._kept(restaurant_id, webhook_id)
        message_id = str(uuid.uuid4())
        body = encode(
            event(
                "webhook:test",
                {"webhook_id": webhook_id},
                datetime.now(UTC),
                event_id=message_id,
                restaurant_id=restaurant_id,
            )
        )
        outcome = await self._services.sender.send(
            kept.webhook.url, kept.valid_secrets(time.time()), message_id, body
        )
        return WebhookTestAnswer(
            delivered=outcome.delivered, status=outcome.status, problem=outcome.problem
        )

    async def _kept(self, restaurant_id: str, webhook_id: str) -> Kept:
        return await self._store.read(
            lambda r: records.require(r, restaurant_id, webhook_id), restaurant_id
        )

    def _lock(self, webhook_id: str) -> asyncio.Lock:
        """Return what keeps changes of one webhook apart, so that it has one delivery at most."""
        return self._locks.setdefault(webhook_id, asyncio.Lock())

    async def _changed(
        self, restaurant_id: str, webhook_id: str, change: Callable[[Tx], Kept]
    ) -> Kept:
        async with self._lock(webhook_id):
            kept = await self._kept(restaurant_id, webhook_id)
            # Stopped first, so that it notes nothing about the old address afterwards.
            await self._stop(webhook_id)
            try:
                kept = await self._store.write(change, restaurant_id)
            finally:
                self._start(kept)
            return kept

    async def _keep_in_step(self) -> None:
        """Deliver while this node is the one that does, as other nodes have changed webhooks."""
        while True:
            try:
                await self._step()
            except OrderError as error:
                logger.warning("webhooks cannot be read now", why=str(error))
            except Exception:
                # The task's boundary: it goes on with the next look.
                logger.exception("looking at the webhooks failed")
            await asyncio.sleep(STEP_S)

    async def _step(self) -> None:
        kept = await self._store.read(records.everything) if self._cluster.caretaker.held else []
        wanted = {each.webhook.id: each for each in kept if each.webhook.enabled}
        for webhook_id in self._deliveries.keys() | wanted.keys():
            async with self._lock(webhook_id):
                delivery = self._deliveries.get(webhook_id)
                current = wanted.get(webhook_id)
                if delivery is None or current is None or not delivery.serves(current):
                    await self._stop(webhook_id)
                    if current is not None:
                        self._start(current)

    def _start(self, kept: Kept) -> None:
        if kept.webhook.enabled and self._cluster.caretaker.held:
            self._deliveries[kept.webhook.id] = Delivery(kept, self._services)

    async def _stop(self, webhook_id: str) -> None:
        delivery = self._deliveries.pop(webhook_id, None)
        if delivery is not None:
            await delivery.stop()
