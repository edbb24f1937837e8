"""Changes made directly in a transaction, on an in-memory database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Any

from order_events.domain.models import Order, OrderDraft, OrderStatus, StatusChange
from order_events.ledger import changes
from order_events.settings import HubSettings
from order_events.storage import schema
from order_events.storage.database import Connection
from order_events.storage.transaction import MenuCache, Tx

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


FINISH = (OrderStatus.CONFIRMED, OrderStatus.PREPARING, OrderStatus.READY, OrderStatus.COMPLETED)


@contextmanager
def database() -> Iterator[Any]:
    """Open an empty database with the current schema: in memory, or the one VOICE_STORE names."""
    settings = HubSettings()
    if settings.on_postgresql:
        from order_events.storage.postgresql.connection import WRITER, PostgresConnection, connect

        address = settings.store.get_secret_value()
        with closing(PostgresConnection(connect(address, WRITER))) as shared:
            yield shared
        return
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        schema.migrate(db)
        yield db


def at(db: Connection, moment: datetime = NOON) -> Tx:
    """Return a transaction at a given time."""
    return Tx(db, "e", MenuCache(), moment)


def order(change: Tx, draft: OrderDraft, key: str | None = None, actor: str = "a") -> Order:
    """Create an order of the restaurant r1."""
    return changes.create_order(change, "r1", draft, actor, key)


def finish(change: Tx, made: Order, steps: tuple[OrderStatus, ...] = FINISH) -> None:
    """Take an order through its life."""
    for status in steps:
        changes.set_status(change, "r1", made.id, StatusChange(status=status), "a")


def kept_orders(db: Connection) -> list[str]:
    """Return the ids of the orders that are left."""
    return [row[0] for row in db.execute("SELECT id FROM orders ORDER BY number")]
