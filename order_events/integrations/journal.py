"""What has been carried out, in an SQLite file of its own: with it, nothing is done twice."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from order_events.client import Position
from order_events.integrations.orders import Order

KEPT_S: Final = 7 * 86_400.0
"""Seconds that an order is remembered after its last change."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS position (id INTEGER PRIMARY KEY, epoch TEXT, seq INTEGER);
CREATE TABLE IF NOT EXISTS orders (
    id TEXT PRIMARY KEY, body TEXT, sent TEXT, reference TEXT, touched REAL
);
CREATE INDEX IF NOT EXISTS orders_by_age ON orders (touched);
CREATE TABLE IF NOT EXISTS attempts (key TEXT PRIMARY KEY, begun REAL);
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """An order as it was last seen, as it was last `sent` (None: never, or cancelled there), and
    what it is called there."""

    order: Order
    sent: Order | None = None
    reference: str | None = None


class Journal:
    """The file at `path`. Use it on one thread, from one process, and close it."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @property
    def position(self) -> Position | None:
        """Up to where events are done; None in a new file."""
        row = self._db.execute("SELECT epoch, seq FROM position").fetchone()
        return None if row is None else Position(*row)

    def entry(self, order_id: str) -> Entry | None:
        """Return what is known of an order."""
        row = self._db.execute(
            "SELECT body, sent, reference FROM orders WHERE id = ?", (order_id,)
        ).fetchone()
        if row is None:
            return None
        body, sent, reference = row
        return Entry(_read(body), None if sent is None else _read(sent), reference)

    def begin(self, key: str) -> bool:
        """Note that a step begins; return whether it began before and its end is not known."""
        done = self._db.execute(
            "INSERT OR IGNORE INTO attempts VALUES (?, ?)", (key, time.time())
        ).rowcount
        return done == 0

    def finish(
        self, entry: Entry | None, position: Position | None, key: str | None = None
    ) -> None:
        """Note in one transaction that a step is done, and that events up to `position` are."""
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            if key is not None:
                self._db.execute("DELETE FROM attempts WHERE key = ?", (key,))
            if entry is not None:
                self._put(entry)
            if position is not None:
                self._db.execute("INSERT OR REPLACE INTO position VALUES (1, ?, ?)", position)

    def _put(self, entry: Entry) -> None:
        now = time.time()
        sent = None if entry.sent is None else entry.sent.model_dump_json()
        row = (entry.order.id, entry.order.model_dump_json(), sent, entry.reference, now)
        self._db.execute("INSERT OR REPLACE INTO orders VALUES (?, ?, ?, ?, ?)", row)
        self._db.execute("DELETE FROM orders WHERE touched < ?", (now - KEPT_S,))
        self._db.execute("DELETE FROM attempts WHERE begun < ?", (now - KEPT_S,))


def _read(body: str) -> Order:
    return Order.model_validate_json(body)
