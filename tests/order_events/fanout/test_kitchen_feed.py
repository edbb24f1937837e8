"""Changed orders reach the kitchen, whatever fails in between."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from datetime import UTC, datetime
from typing import Any

import pytest

from order_events.fanout import kitchen_feed
from order_events.ledger import changes
from order_events.protocol.errors import StoreUnavailable
from order_events.storage import transaction
from order_events.storage.sqlite import DATABASE_FILE
from order_events.storage.transaction import Tx


@pytest.mark.sqlite
async def test_a_kitchen_that_was_not_told_before_a_crash_is_told_after(
    start: Any, draft: Any
) -> None:
    """The database records which orders have been sent."""
    server = await start()
    first = await server.events.create_order("r1", draft, actor="a")
    await _until_sent(server, first.id)
    # As if the process had died between the commit and the `kds:update`.
    await server.stop()
    db = sqlite3.connect(server.events.settings.data_dir / DATABASE_FILE, isolation_level=None)
    writer = Tx(db, server.events.store.epoch, transaction.MenuCache(), datetime.now(UTC))
    order = changes.create_order(writer, "r1", draft, "a", None)
    db.close()
    server = await start(menu=False)
    event = await _until_sent(server, order.id)
    assert [ticket["id"] for ticket in event["data"]["orders"]] == [order.id]


async def _until_sent(server: Any, order_id: str) -> dict[str, Any]:
    for _ in range(100):
        events = await server.events.store.read(lambda r: r.events("r1", 0, 1000))
        for event in events:
            if event.type == "kds:update" and order_id.encode() in event.body:
                return dict(json.loads(event.body))
        await asyncio.sleep(0.02)
    raise AssertionError("the kitchen was never told")


async def test_a_kitchen_that_could_not_be_told_is_told_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After any failure, without another order having to change first."""
    monkeypatch.setattr(kitchen_feed, "RETRY_S", 0.01)
    failures: list[Exception] = [StoreUnavailable("full"), ZeroDivisionError()]
    told = asyncio.Event()

    async def update(restaurant_id: str) -> bool:
        if failures:
            raise failures.pop()
        told.set()
        return False

    kitchens = kitchen_feed.KitchenFeed(100, update)
    kitchens.open()
    kitchens.changed("r1")
    await asyncio.wait_for(told.wait(), 5)
    await kitchens.close()
