"""How connections to SQLite are opened, and a file brought to the present schema."""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from order_events.storage.database import DatabaseUnusable, UnknownSchema
from order_events.storage.migrations import MIGRATIONS


@contextlib.contextmanager
def opening(path: Path) -> Iterator[None]:
    """Raise SQLite errors of the block as DatabaseUnusable, with advice."""
    try:
        yield
    except sqlite3.Error as error:
        raise DatabaseUnusable(_what_to_do(path, error)) from error


def is_damage(error: BaseException) -> bool:
    """Return whether an error means damaged content, so that retrying will not help."""
    return _result_code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _result_code(error: BaseException) -> int | None:
    # The primary code is the lower byte (https://sqlite.org/rescode.html).
    extended = getattr(error, "sqlite_errorcode", None)
    return None if extended is None else extended & 0xFF


def _what_to_do(path: Path, error: sqlite3.Error) -> str:
    if is_damage(error):
        return (
            f"{path} is damaged ({error}): put a backup in its place, or move it and the files "
            f"named {path.name}-wal and {path.name}-shm away to start with an empty one"
        )
    if _result_code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return f"{path} is locked by another program: end that first"
    if _result_code(error) == sqlite3.SQLITE_FULL:
        return f"there is no room on the disk for {path}: free some space"
    return f"{path} cannot be used ({error}): is there room on its disk, and may it be written?"


def connect(path: Path, busy_s: float) -> sqlite3.Connection:
    """Return a connection that commits explicitly, and whose commits survive a loss of power.

    A new file is readable by its owner only; SQLite gives its companion files the same mode.
    """
    # O_EXCL, so that an existing file is not opened: closing it again would drop the locks that
    # other connections of this process hold on it.
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    connection = sqlite3.connect(
        path, timeout=busy_s, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    # Zeros what is deleted. A page that was split may still hold a copy: see `scrub`.
    connection.execute("PRAGMA secure_delete = ON")
    return connection


def remember_scrub(connection: sqlite3.Connection, at: float) -> None:
    """Note that the database is to be written anew from a time (Unix seconds); the earliest counts.

    It is kept in the database, for the case of a crash.
    """
    connection.execute(
        "INSERT INTO meta (key, value) VALUES ('scrub', ?) ON CONFLICT (key) DO UPDATE SET"
        " value = min(CAST(value AS REAL), CAST(excluded.value AS REAL))",
        (at,),
    )


def scrub_due_at(connection: sqlite3.Connection) -> float | None:
    """Return from when on the database is to be written anew (Unix seconds), or None."""
    row = connection.execute("SELECT value FROM meta WHERE key = 'scrub'").fetchone()
    return None if row is None else float(row[0])


def forget_scrub(connection: sqlite3.Connection) -> None:
    """Note that the database has been written anew."""
    connection.execute("DELETE FROM meta WHERE key = 'scrub'")


def size(connection: sqlite3.Connection) -> int:
    """Return the size of the database in bytes."""
    pages: int = connection.execute("PRAGMA page_count").fetchone()[0]
    page_size: int = connection.execute("PRAGMA page_size").fetchone()[0]
    return pages * page_size


def empty_wal(connection: sqlite3.Connection) -> bool:
    """Write the WAL back and truncate it; return False if a reader still needs it."""
    busy: int = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    return busy == 0


def connect_reader(path: Path, busy_s: float) -> sqlite3.Connection:
    """Return a connection that can only read."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro",
        uri=True,
        timeout=busy_s,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.execute("PRAGMA query_only = ON")
    return connection


def migrate(connection: sqlite3.Connection) -> str:
    """Bring the schema up to date and return the database's epoch; raise UnknownSchema."""
    connection.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)")
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _version(connection)
        for number, script in enumerate(MIGRATIONS[version:], version + 1):
            for statement in statements(script):
                connection.execute(statement)
            connection.execute("INSERT INTO schema_version (version) VALUES (?)", (number,))
        connection.execute(
            "INSERT OR IGNORE INTO meta (key, value) VALUES ('epoch', ?)", (secrets.token_hex(6),)
        )
        epoch = connection.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()[0]
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return str(epoch)


def statements(script: str) -> Iterator[str]:
    """Yield a script's statements; semicolons in strings and triggers do not end one."""
    statement = ""
    for part in script.split(";"):
        statement += f"{part};"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def events_ever(connection: sqlite3.Connection) -> int:
    """Return how many events were ever appended, deleted ones included."""
    return int(connection.execute("SELECT coalesce(sum(seq), 0) FROM restaurants").fetchone()[0])


def restaurants(connection: sqlite3.Connection) -> set[str]:
    """Return the restaurants that have a history or a menu."""
    found = connection.execute("SELECT id FROM restaurants UNION SELECT restaurant_id FROM menus")
    return {id_ for (id_,) in found}


def is_empty(connection: sqlite3.Connection) -> bool:
    """Return whether a database holds nothing of any restaurant."""
    tables = ("restaurants", "menus", "orders", "tables")
    any_row = " OR ".join(f"EXISTS (SELECT 1 FROM {table})" for table in tables)  # noqa: S608
    return not connection.execute(f"SELECT {any_row}").fetchone()[0]


def new_epoch(connection: sqlite3.Connection) -> str:
    """Start a new history under a new epoch, and return it: no client can resume across it.

    `seq` counts on. The events are deleted, because each contains its epoch; orders, tables,
    payments and menus stay.
    """
    epoch = secrets.token_hex(6)
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute("DELETE FROM events")
        connection.execute("UPDATE meta SET value = ? WHERE key = 'epoch'", (epoch,))
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return epoch


def stored_version(connection: sqlite3.Connection) -> int:
    """Return the version of the schema that a database has; raise UnknownSchema for a newer one."""
    known = "SELECT 1 FROM sqlite_schema WHERE name = 'schema_version'"
    return 0 if connection.execute(known).fetchone() is None else _version(connection)


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("SELECT max(version) FROM schema_version").fetchone()[0] or 0
    if version > len(MIGRATIONS):
        raise UnknownSchema(
            f"the database has schema version {version}; this program knows {len(MIGRATIONS)}"
        )
    return version
