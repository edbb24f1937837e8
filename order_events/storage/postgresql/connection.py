"""Connections to PostgreSQL: what they are opened with, and how statements are run on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import psycopg
from psycopg import RawCursor, conninfo

from order_events.storage.database import Rows
from order_events.storage.postgresql import dialect

KINDS = ("postgresql",)
"""What a store's address may be beside a URL; the address then comes from libpq's variables."""
CONNECT_S = 5
"""Seconds that a server may take to accept a connection."""
SILENT_MS = 10_000
"""Milliseconds after which a server that does not answer the network counts as gone."""
LOCKS_S, CHANGES_S = 10, 30
"""Seconds that a statement of a change may wait for other writers, and take."""
HELD_S = 4
"""Seconds that a process which stands still may keep others waiting for its transaction."""
QUERIES_S = 120
"""Seconds that a query may take."""
_DEFAULTS: dict[str, Any] = {
    "application_name": "order_events",
    "connect_timeout": CONNECT_S,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": SILENT_MS,
    # Of several servers in the address, the one that can be written.
    "target_session_attrs": "read-write",
}
WRITER = {
    "lock_timeout": f"{LOCKS_S}s",
    "statement_timeout": f"{CHANGES_S}s",
    "idle_in_transaction_session_timeout": f"{HELD_S}s",
}
READER = {"default_transaction_read_only": "on", "statement_timeout": f"{QUERIES_S}s"}

Raw = psycopg.Connection[tuple[Any, ...]]


def connect(address: str, settings: Mapping[str, str]) -> Raw:
    """Return a connection that commits each statement unless a transaction is begun.

    Raises psycopg.OperationalError; its message has no password.
    """
    given: Mapping[str, Any] = {} if address in KINDS else conninfo.conninfo_to_dict(address)
    whole = conninfo.make_conninfo("", **{**_DEFAULTS, **given})
    raw: Raw = psycopg.connect(whole, autocommit=True, cursor_factory=RawCursor)
    try:
        raw.execute(
            b"SELECT set_config(name, value, FALSE)"
            b" FROM unnest($1::text[], $2::text[]) AS settings (name, value)",
            (list(settings), list(settings.values())),
        )
    except BaseException:
        raw.close()
        raise
    return raw


class PostgresConnection:
    """A connection on which statements with SQLite's placeholders run."""

    def __init__(self, raw: Raw) -> None:
        self.raw = raw

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Rows:
        """Run a statement; raise psycopg.Error, or InvalidOrder for a text with NUL."""
        dialect.refuse_nul(parameters)
        return self.raw.execute(dialect.translated(sql), parameters)

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> None:
        """Run a statement once for each row of parameters; raise as `execute` does."""
        rows = list(parameters)
        for row in rows:
            dialect.refuse_nul(row)
        with self.raw.cursor() as cursor:
            cursor.executemany(dialect.translated(sql), rows)

    def close(self) -> None:
        """Close the connection."""
        self.raw.close()


class PostgresReader:
    """A read-only connection that is made anew when the server has gone and come back."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._connection: PostgresConnection | None = None

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Rows:
        """Run a query, once more if the connection turns out to be lost; raise as above."""
        known = self._connection
        if known is not None and not known.raw.closed:
            try:
                return known.execute(sql, parameters)
            except psycopg.OperationalError:
                if not known.raw.closed:
                    raise
        self._connection = PostgresConnection(connect(self._address, READER))
        return self._connection.execute(sql, parameters)

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> None:
        """Refuse: a reader changes nothing."""
        raise TypeError("a reader's connection changes nothing")

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()
