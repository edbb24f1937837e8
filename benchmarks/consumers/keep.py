"""Keeps a restaurant's events in SQLite: each event and the position after it in one transaction.

    python benchmarks/consumers/keep.py URL TOKEN DATABASE

Runs until it is killed, and continues where it was when it is started again.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys

from order_events.client import Events, Position

SCHEMA = """
CREATE TABLE IF NOT EXISTS events (event_id TEXT, seq INTEGER);
CREATE TABLE IF NOT EXISTS position (id INTEGER PRIMARY KEY, epoch TEXT, seq INTEGER);
"""


async def keep(url: str, token: str, path: str) -> None:
    """Store whatever comes."""
    db = sqlite3.connect(path)
    db.execute("PRAGMA journal_mode=WAL")
    db.executescript(SCHEMA)
    row = db.execute("SELECT epoch, seq FROM position WHERE id = 1").fetchone()
    since = None if row is None else Position(*row)
    async with Events(url, token, since=since) as events:
        with db:
            # Row 0 is where it all began: the benchmark compares what has happened since.
            db.execute("INSERT OR IGNORE INTO position VALUES (0, ?, ?)", events.position)
            store(db, events.position)
        async for event in events:
            if event.position is not None:
                with db:
                    kept = (event.message["event_id"], event.position.seq)
                    db.execute("INSERT INTO events VALUES (?, ?)", kept)
                    store(db, event.position)


def store(db: sqlite3.Connection, position: Position) -> None:
    """Store the position from which to continue."""
    db.execute("INSERT OR REPLACE INTO position VALUES (1, ?, ?)", position)


if __name__ == "__main__":
    asyncio.run(keep(*sys.argv[1:]))
