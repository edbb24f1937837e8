"""What a node does because there are others: drop what is old, go on where one is gone."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable

from order_events.domain.audit_records import SessionState
from order_events.domain.models import Event
from order_events.fanout.hub import Hub
from order_events.fanout.kitchen_feed import KitchenFeed
from order_events.ledger import voice_sessions
from order_events.ledger.ledger import Ledger
from order_events.protocol import filters
from order_events.protocol.errors import OrderError
from order_events.storage.store import Store


class Upkeep:
    """The observer of other nodes' events. `session_changed` is called with those about sessions.

    Lives on the event loop.
    """

    def __init__(self, hub: Hub, store: Store, kitchen_feed: KitchenFeed) -> None:
        self.session_changed: list[Callable[[Event], None]] = []
        self.ledger: Ledger
        self._hub = hub
        self._store = store
        self._kitchen_feed = kitchen_feed
        self._forgetting: set[asyncio.Task[None]] = set()

    def remote(self, event: Event) -> None:
        """Notice an event of another node."""
        if event.type != filters.VOICE_SESSION:
            return
        if json.loads(event.body)["data"]["state"] == SessionState.ERASED:
            self.unseen(event.restaurant_id)
        for notice in self.session_changed:
            notice(event)

    def unseen(self, restaurant_id: str) -> None:
        """Drop what is kept of a restaurant in memory: others may have changed it unseen."""
        self._hub.forget_recent(restaurant_id)
        task = asyncio.create_task(self._forget_figures(restaurant_id), name="forget figures")
        self._forgetting.add(task)
        task.add_done_callback(self._forgetting.discard)

    async def take_care(self, *, settled: bool) -> None:
        """Do what one node does for all: go on with what nodes that are gone have left undone."""
        for restaurant_id in await self._store.read(lambda r: r.kitchens_behind()):
            self._kitchen_feed.changed(restaurant_id)
        if settled:
            await self._store.write(voice_sessions.end_abandoned)

    async def _forget_figures(self, restaurant_id: str) -> None:
        with contextlib.suppress(OrderError):
            await self.ledger.forget_figures(restaurant_id)
