"""Who may sign in after a restore: what was revoked since the backup must stay revoked."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

_TABLES = ("devices", "staff", "pairings", "used_links")
_TIMES = (
    ("events", "SELECT max(at) FROM events"),
    ("revocations", "SELECT max(at) FROM revocations"),
    ("devices", "SELECT max(max(renewed_at, ifnull(seen_at, 0))) FROM devices"),
)


def carry_over(db: sqlite3.Connection, replaced: Path) -> bool:
    """Give `db`, a backup, the revocations of the database that it replaces.

    Screens, staff and pairings are those of whichever was used last: that is the replaced one,
    unless it belongs to a standby. Returns False, with `db` unchanged, if it cannot be read.
    """
    try:
        with closing(sqlite3.connect(f"{replaced.absolute().as_uri()}?mode=ro", uri=True)) as old:
            later = _last_used(old) > _last_used(db)
            copied = {table: _rows(old, db, table) for table in (*_TABLES, "revocations")}
    except sqlite3.Error:
        return False
    db.execute("BEGIN IMMEDIATE")
    for table, (columns, rows) in copied.items():
        if not columns or (table in _TABLES and not later):
            continue
        if table in _TABLES:
            db.execute(f"DELETE FROM {table}")  # noqa: S608
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        new = rows - set(db.execute(f"SELECT {names} FROM {table}"))  # noqa: S608
        db.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", new)  # noqa: S608
    db.execute("COMMIT")
    return True


def _last_used(db: sqlite3.Connection) -> float:
    times = (db.execute(query).fetchone()[0] for table, query in _TIMES if _columns(db, table))
    return max((float(time) for time in times if time is not None), default=0.0)


def _rows(
    old: sqlite3.Connection, new: sqlite3.Connection, table: str
) -> tuple[list[str], set[tuple[object, ...]]]:
    """Return the columns that both have, whatever version the old one has, and its rows."""
    columns = [name for name in _columns(old, table) if name in _columns(new, table)]
    if not columns:
        return [], set()
    return columns, set(old.execute(f"SELECT {', '.join(columns)} FROM {table}"))  # noqa: S608


def _columns(db: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
