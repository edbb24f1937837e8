"""The hub's interface for publishers in the same process and for the HTTP API.

Every method that changes something returns once the change and its events are on disk.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import structlog

from order_events.auth.revocations import Revocations, Revoked
from order_events.cluster.cluster import Cluster
from order_events.domain.api_models import PaymentsQuery
from order_events.domain.drafts import ItemDraft
from order_events.domain.models import (
    Event,
    LiveEvent,
    Order,
    OrderChange,
    OrderDraft,
    OrderStatus,
    Payment,
    PaymentDraft,
    RevocationDraft,
    StatusChange,
    Table,
    TableChange,
)
from order_events.fanout.hub import Hub
from order_events.fanout.kitchen_feed import KitchenFeed
from order_events.fanout.live_feed import LiveFeed
from order_events.ledger import changes, voice_sessions
from order_events.ledger.housekeeping import Housekeeping
from order_events.ledger.kitchen import Kitchen
from order_events.ledger.ledger import Ledger
from order_events.ledger.voice_sessions import Fence
from order_events.menu.menu import Menu
from order_events.metrics import HubMetrics
from order_events.protocol import filters
from order_events.protocol.messages import encode, event
from order_events.settings import HubSettings
from order_events.storage.damaged_rows import DamagedRow, Place, Readable, parse
from order_events.storage.store import Store
from order_events.storage.transaction import MenuCache, Tx
from order_events.upkeep import Upkeep
from order_events.webhooks.webhooks import Webhooks

logger = structlog.get_logger(__name__)

T = TypeVar("T")
TagValues = Mapping[str, str | Iterable[str] | None]
_ORDER_EVENTS = frozenset({filters.ORDER_CREATED, filters.ORDER_UPDATED, filters.ORDER_STATUS})


class OrderEvents:
    """The orders and events of one process.

    Call its methods on the event loop. They raise OrderError. A change by a voice session has its
    `fence`.
    """

    def __init__(self, settings: HubSettings, metrics: HubMetrics) -> None:
        self.settings = settings
        self.metrics = metrics
        self.hub = Hub(
            metrics, recent_events=settings.recent_events, recent_bytes=settings.recent_bytes
        )
        self.store = Store(settings, metrics, self._committed)
        self._kitchen_feed = KitchenFeed(settings.kds_per_second, self._update_kitchen)
        self.upkeep = Upkeep(self.hub, self.store, self._kitchen_feed)
        self.revocations = Revocations()
        self.cluster = Cluster(
            settings,
            metrics,
            self.hub,
            self.store,
            self.revocations,
            observer=self.upkeep,
            care=self.upkeep.take_care,
        )
        self.ledger = self.upkeep.ledger = Ledger(settings, self.store, self.hub, self.cluster)
        self.kitchen = Kitchen(self.store, timedelta(minutes=settings.recall_minutes))
        self.webhooks = Webhooks(settings, self.store, self.hub, self.cluster, metrics)
        self._live = LiveFeed(settings.live_per_second, self.cluster.publish_live)
        # Alone, a process paces itself, and more evenly.
        self._kitchen_pause_s = 1 / settings.kds_per_second if self.cluster.shared else 0.0
        self._menus = MenuCache()
        self._housekeeping = Housekeeping(
            settings, metrics, self.store, self.hub, self.ledger, self.revocations, self.cluster
        )
        self._is_open = False

    async def open(self) -> None:
        """Open the store; raise DataDirBusy, UnknownSchema, DatabaseUnusable or OSError."""
        await self.store.open()
        self.hub.open(self.store.epoch, self.store.positions)
        self.revocations.load(await self.store.read(lambda r: r.revocations()))
        self._is_open = True
        self._live.open()
        self._kitchen_feed.open()
        for restaurant_id in await self.store.read(lambda r: r.kitchens_behind()):
            self._kitchen_feed.changed(restaurant_id)
        if not self.cluster.shared:
            await self.store.write(voice_sessions.end_interrupted)
        await self.cluster.open()
        await self._housekeeping.open()
        await self.webhooks.open()

    async def close(self) -> None:
        """Commit the changes already requested, then close the store."""
        self._is_open = False
        self._live.close()
        await self.webhooks.close()
        await self._kitchen_feed.close()
        await self._housekeeping.close()
        await self.cluster.close()
        await self.store.close()

    @property
    def ready(self) -> bool:
        """True if changes can be committed."""
        return self._is_open and self.store.healthy

    async def menu(self, restaurant_id: str) -> Menu | None:
        """Return the restaurant's menu, or None if it has none."""
        versioned = await self.versioned_menu(restaurant_id)
        return None if versioned is None else versioned[1]

    async def versioned_menu(self, restaurant_id: str) -> tuple[int, Menu] | None:
        """Return the menu's version and the menu, or None if there is none."""
        row = await self.store.read(lambda r: r.menu_row(restaurant_id), restaurant_id)
        if row is None:
            return None
        version, body = row
        menu = self._menus.get(restaurant_id, version)
        if menu is None:
            # In a thread, because parsing a large menu would block the loop.
            place = Place("menus", (restaurant_id,))
            try:
                menu = await asyncio.to_thread(parse, Menu, body, place)
            except DamagedRow:
                self.store.damaged_rows.note(place)
                raise
            self._menus.put(restaurant_id, version, menu)
        return version, menu

    async def put_menu(
        self, restaurant_id: str, menu: Menu, actor: str, *, trial_orders: int | None = None
    ) -> int:
        """Replace the menu, on trial for `trial_orders` if given; return its version."""
        return await self.store.write(
            lambda tx: changes.put_menu(tx, restaurant_id, menu, actor, trial_orders),
            restaurant_id,
        )

    async def sell_out(
        self, restaurant_id: str, item_id: str, sold_out: bool, *, actor: str
    ) -> int:
        """Mark a menu item as sold out or available; return the menu's version."""
        return await self.store.write(
            lambda tx: changes.sell_out(tx, restaurant_id, item_id, sold_out, actor), restaurant_id
        )

    async def create_order(
        self,
        restaurant_id: str,
        draft: OrderDraft,
        *,
        actor: str,
        idempotency_key: str | None = None,
        spoken: bool = False,
        fence: Fence | None = None,
    ) -> Order:
        """Create an order, or return the one that an earlier call with this key created.

        Reusing the key with a different draft or actor raises KeyReused, unless it is `spoken`: by
        a guest, whom the key identifies rather than a request, and whose order counts for a trial.
        """
        return await self._fenced(
            fence,
            lambda tx: changes.create_order(
                tx,
                restaurant_id,
                draft,
                actor,
                idempotency_key,
                most_total=self.settings.max_order_total,
                spoken=spoken,
            ),
            restaurant_id,
        )

    async def revise_order(
        self,
        restaurant_id: str,
        order_id: str,
        items: Sequence[ItemDraft],
        *,
        actor: str,
        notes: str | None = None,
        version: int | None = None,
    ) -> Order:
        """Replace the order's items, and its notes if any are given.

        Raises StaleVersion if `version` is given and the order has another one.
        """
        noted = {} if notes is None else {"notes": notes}
        change = OrderChange(items=tuple(items), version=version, **noted)
        return await self.change_order(restaurant_id, order_id, change, actor=actor)

    async def change_order(
        self,
        restaurant_id: str,
        order_id: str,
        change: OrderChange,
        *,
        actor: str,
        fence: Fence | None = None,
    ) -> Order:
        """Apply the fields that the change names."""
        return await self._fenced(
            fence,
            lambda tx: changes.change_order(
                tx,
                restaurant_id,
                order_id,
                change,
                actor,
                most_total=self.settings.max_order_total,
            ),
            restaurant_id,
        )

    async def set_status(
        self,
        restaurant_id: str,
        order_id: str,
        status: OrderStatus,
        *,
        actor: str,
        version: int | None = None,
        reason: str | None = None,
        fence: Fence | None = None,
    ) -> Order:
        """Move the order one step on; `reason` is kept in its audit."""
        change = StatusChange(status=status, version=version, reason=reason)
        return await self._fenced(
            fence,
            lambda tx: changes.set_status(tx, restaurant_id, order_id, change, actor),
            restaurant_id,
        )

    async def order(self, restaurant_id: str, order_id: str) -> Order | None:
        """Return an order of this restaurant, or None."""
        return await self.store.read(lambda r: r.order(restaurant_id, order_id), restaurant_id)

    async def orders(
        self,
        restaurant_id: str,
        *,
        status: OrderStatus | None = None,
        table_id: str | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> tuple[Readable[Order], int | None]:
        """Return orders, the newest first, and `before` for the next page."""
        return await self.store.read(
            lambda r: r.orders(
                restaurant_id, status=status, table_id=table_id, before=before, limit=limit
            ),
            restaurant_id,
        )

    async def table(self, restaurant_id: str, table_id: str) -> Table | None:
        """Return a table of this restaurant, or None."""
        return await self.store.read(lambda r: r.table(restaurant_id, table_id), restaurant_id)

    async def change_table(
        self, restaurant_id: str, table_id: str, change: TableChange, *, actor: str
    ) -> Table:
        """Change a table, creating it if necessary."""
        return await self.store.write(
            lambda tx: changes.change_table(tx, restaurant_id, table_id, change, actor),
            restaurant_id,
        )

    async def take_payment(
        self,
        restaurant_id: str,
        draft: PaymentDraft,
        *,
        actor: str,
        idempotency_key: str | None = None,
    ) -> Payment:
        """Record a payment, or return the one that an earlier call with this key recorded.

        Reusing the key with a different draft or actor raises KeyReused.
        """
        return await self.store.write(
            lambda tx: changes.take_payment(tx, restaurant_id, draft, actor, idempotency_key),
            restaurant_id,
        )

    async def tables(
        self, restaurant_id: str, after: str = "", limit: int = 200
    ) -> tuple[Readable[Table], str | None]:
        """Return tables in the order of their ids, and `after` for the next page."""
        return await self.store.read(lambda r: r.tables(restaurant_id, after, limit), restaurant_id)

    async def payments(
        self, restaurant_id: str, query: PaymentsQuery
    ) -> tuple[Readable[Payment], str | None]:
        """Return payments, the oldest first, and `after` for the next page."""
        return await self.store.read(
            lambda r: r.payments(restaurant_id, **query.model_dump()), restaurant_id
        )

    async def revoke(self, restaurant_id: str, draft: RevocationDraft, *, actor: str) -> None:
        """Revoke a token, or all tokens of a user; the caller closes the open connections."""
        revoked = Revoked(restaurant_id, draft.token_id, draft.user_id, time.time())
        await self.store.write(lambda tx: tx.revoke(revoked, actor), restaurant_id)
        self.cluster.revoked(revoked)

    async def publish(
        self,
        restaurant_id: str,
        type_: str,
        data: Mapping[str, Any],
        *,
        tags: TagValues,
        fence: Fence | None = None,
    ) -> Event:
        """Commit and publish a durable event.

        A waiting live event of the same type and session is dropped, because this one is newer.
        Raises ValueError for a type that is not one of `filters.EVENTS`.
        """
        if type_ not in filters.EVENTS:
            raise ValueError(f"{type_!r} is no event of the protocol")
        known = filters.tags(tags)
        for session_id in known.get("session_id", ()):
            self._live.drop((restaurant_id, type_, session_id))
        return await self._fenced(
            fence, lambda tx: changes.publish(tx, restaurant_id, type_, data, known), restaurant_id
        )

    async def _fenced(
        self, fence: Fence | None, change: Callable[[Tx], T], restaurant_id: str
    ) -> T:
        """Make a change, if the voice session that makes it still may. Raises as `Fence` says."""

        def run(tx: Tx) -> T:
            if fence is not None:
                voice_sessions.check(tx, restaurant_id, fence)
            return change(tx)

        return await self.store.write(run, restaurant_id)

    def publish_live(
        self,
        restaurant_id: str,
        type_: str,
        data: Mapping[str, Any],
        *,
        key: str,
        tags: TagValues,
    ) -> None:
        """Publish an ephemeral event, which has no place in history.

        Events with the same key (the session) are throttled to `live_per_second`; only the latest
        is sent.
        """
        # Like a durable event, it names the restaurant.
        message = event(type_, data, datetime.now(UTC), restaurant_id=restaurant_id)
        live = LiveEvent(restaurant_id, type_, key, filters.tags(tags), encode(message))
        self._live.offer(live)

    def _committed(self, events: list[Event]) -> None:
        self.cluster.follower.committed(events)
        for committed in events:
            if committed.type in _ORDER_EVENTS:
                self._kitchen_feed.changed(committed.restaurant_id)

    async def _update_kitchen(self, restaurant_id: str) -> bool:
        return await self.store.write(
            lambda tx: changes.update_kitchen(tx, restaurant_id, self._kitchen_pause_s),
            restaurant_id,
        )

    async def forget(self, now: float) -> None:
        """Delete what has outlived its retention at `now` (Unix seconds)."""
        await self._housekeeping.run(now)
