"""Copies the rows of a SQLite database into PostgreSQL, in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from psycopg import errors, sql

from order_events.storage.database import DatabaseUnusable
from order_events.storage.postgresql.connection import Raw, connect
from order_events.storage.postgresql.database import SECRET, migrate

_OF_NO_RESTAURANT = frozenset({"meta", "schema_version", "leases", "used_links", "set_aside"})


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied: how many rows of each table, and the epoch that is served now.

    `history_kept` is False if the target has a history of its own, under another epoch: clients of
    the restaurants then start afresh.
    """

    rows: dict[str, int]
    epoch: str
    history_kept: bool


def copy_into(
    address: str,
    source: sqlite3.Connection,
    restaurants: Sequence[str] | None,
    secrets: dict[str, bytes],
) -> Copied:
    """Copy some restaurants, or everything if None; secrets by name, unless there are some.

    Raises psycopg.Error, or DatabaseUnusable if the target has any of these restaurants already.
    """
    epoch: str = source.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()[0]
    # No limits of time: this takes as long as it takes.
    with closing(connect(address, {})) as raw:
        served = migrate(raw)
        try:
            with raw.transaction():
                if _is_new(raw):
                    raw.execute(b"UPDATE meta SET value = $1 WHERE key = 'epoch'", (epoch,))
                    _put_secrets(raw, secrets)
                    served = epoch
                rows = {
                    table: _copy(raw, source, table, restaurants)
                    for table in _tables(raw, everything=restaurants is None)
                    if table != "events" or served == epoch
                }
        except errors.UniqueViolation as error:
            raise DatabaseUnusable(
                f"the target has rows of these restaurants already: {error.diag.message_detail}; "
                "nothing was copied"
            ) from error
    return Copied(rows, served, served == epoch)


def _is_new(raw: Raw) -> bool:
    counted = raw.execute(b"SELECT coalesce(sum(seq), 0) FROM restaurants").fetchone()
    # A node that has looked for a restaurant has left a row without a history.
    raw.execute(b"DELETE FROM restaurants WHERE seq = 0")
    return counted is not None and counted[0] == 0


def _put_secrets(raw: Raw, secrets: dict[str, bytes]) -> None:
    for name, secret in secrets.items():
        raw.execute(
            b"INSERT INTO meta (key, value) VALUES ($1, $2)"
            b" ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            (SECRET.format(name), secret.decode()),
        )


def _tables(raw: Raw, *, everything: bool) -> list[str]:
    found = raw.execute(
        b"SELECT table_name FROM information_schema.tables"
        b" WHERE table_schema = current_schema() ORDER BY table_name"
    )
    left_out = {"meta", "schema_version", "leases"} if everything else _OF_NO_RESTAURANT
    return [name for (name,) in found if name not in left_out]


def _copy(
    raw: Raw, source: sqlite3.Connection, table: str, restaurants: Sequence[str] | None
) -> int:
    columns: dict[str, str] = dict(
        raw.execute(
            b"SELECT column_name, data_type FROM information_schema.columns"
            b" WHERE table_schema = current_schema() AND table_name = $1"
            b" ORDER BY ordinal_position",
            (table,),
        ).fetchall()
    )
    into = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join([sql.Identifier(name) for name in columns])
    )
    count = 0
    with raw.cursor() as cursor, cursor.copy(into) as copy:
        for row in _rows(source, table, list(columns), restaurants):
            copy.write_row(tuple(map(_converted, row, columns.values())))
            count += 1
    return count


def _rows(
    source: sqlite3.Connection, table: str, columns: list[str], restaurants: Sequence[str] | None
) -> Iterator[Sequence[Any]]:
    select = f"SELECT {', '.join(columns)} FROM {table}"  # noqa: S608 (names of the schema)
    if restaurants is None:
        yield from source.execute(select)
        return
    key = "id" if table == "restaurants" else "restaurant_id"
    for restaurant_id in restaurants:
        yield from source.execute(f"{select} WHERE {key} = ?", (restaurant_id,))


def _converted(value: Any, type_: str) -> Any:
    # SQLite has numbers for booleans, and keeps a number in a TEXT column as text or as it came.
    if type_ == "boolean":
        return bool(value)
    return str(value) if type_ == "text" and isinstance(value, (int, float)) else value
