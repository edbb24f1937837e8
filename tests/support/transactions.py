"""Changes made directly in a transaction, on an in-memory database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime

from order_events.domain.models import Order, OrderDraft, OrderStatus, StatusChange
from order_events.ledger import changes
from order_events.storage import schema
from order_events.storage.transaction import MenuCache, Tx

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


FINISH = (OrderStatus.CONFIRMED, OrderStatus.PREPARING, OrderStatus.READY, OrderStatus.COMPLETED)


@contextmanager
def database() -> Iterator[sqlite3.Connection]:
    """Open an empty in-memory database with the current schema."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        schema.migrate(db)
        yield db


def at(db: sqlite3.Connection, moment: datetime = NOON) -> Tx:
    """Return a transaction at a given time."""
    return Tx(db, "e", MenuCache(), moment)


def order(change: Tx, draft: OrderDraft, key: str | None = None, actor: str = "a") -> Order:
    """Create an order of the restaurant r1."""
    return changes.create_order(change, "r1", draft, actor, key)


def finish(change: Tx, made: Order, steps: tuple[OrderStatus, ...] = FINISH) -> None:
    """Take an order through its life."""
    for status in steps:
        changes.set_status(change, "r1", made.id, StatusChange(status=status), "a")


def kept_orders(db: sqlite3.Connection) -> list[str]:
    """Return the ids of the orders that are left."""
    return [row[0] for row in db.execute("SELECT id FROM orders ORDER BY number")]
