"""The database in PostgreSQL, as the store opens it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg

from order_events.settings import HubSettings
from order_events.storage.database import DatabaseUnusable, Fault, UnknownSchema
from order_events.storage.postgresql import dialect
from order_events.storage.postgresql.connection import WRITER, PostgresReader, Raw, connect
from order_events.storage.postgresql.migrations import MIGRATIONS
from order_events.storage.postgresql.transactions import PostgresTransactions

_MIGRATING = 0x736368656D61
"""The advisory lock under which the schema is changed."""
SECRET = "secret {}"  # noqa: S105 (a key)
"""The key of a secret in the table `meta`."""
OLDEST_SERVER = 140_000
"""The oldest server whose functions are known to be enough, as libpq counts versions."""


class PostgresqlDatabase:
    """A database that any number of processes may write to."""

    shared = True

    def __init__(self, settings: HubSettings) -> None:
        self._address = settings.store.get_secret_value()

    def open(self) -> str:
        """Connect, create or upgrade the schema, and return the epoch.

        Raises UnknownSchema or DatabaseUnusable.
        """
        with self.opening(), closing(connect(self._address, WRITER)) as raw:
            return migrate(raw)

    def secret(self, name: str) -> bytes:
        """Return the secret of this name, a row of the database, made on first use."""
        key = SECRET.format(name)
        with self.opening(), closing(connect(self._address, WRITER)) as raw:
            migrate(raw)
            raw.execute(
                b"INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                (key, secrets.token_urlsafe(48)),
            )
            return str(_one(raw, b"SELECT value FROM meta WHERE key = $1", key)).encode()

    def begin_new_epoch(self) -> str:
        """Start a new history and return its epoch. Nodes that are running follow it."""
        epoch = secrets.token_hex(6)
        with self.opening(), closing(connect(self._address, WRITER)) as raw:
            migrate(raw)
            with raw.transaction():
                # Writers that have read the old epoch must have committed before.
                raw.execute(b"LOCK TABLE restaurants IN EXCLUSIVE MODE")
                raw.execute(b"UPDATE meta SET value = $1 WHERE key = 'epoch'", (epoch,))
                raw.execute(b"DELETE FROM events")
        return epoch

    @contextmanager
    def opening(self) -> Iterator[None]:
        """Raise errors of PostgreSQL's in the block as DatabaseUnusable, with what to do."""
        try:
            yield
        except psycopg.OperationalError as error:
            raise DatabaseUnusable(
                f"the database cannot be reached: {error}\nset VOICE_STORE to its address, "
                "postgresql://user@host/database, and PGPASSFILE to the file with the password"
            ) from error
        except psycopg.ProgrammingError as error:
            if error.sqlstate is None:
                # libpq quotes the address, which may have a password.
                raise DatabaseUnusable(
                    "VOICE_STORE is no address such as postgresql://user@host/database"
                ) from None
            raise DatabaseUnusable(f"the database cannot be used: {error}") from error
        except psycopg.Error as error:
            raise DatabaseUnusable(f"the database cannot be used: {error}") from error

    def transactions(self) -> PostgresTransactions:
        """Return the connection of one more writer."""
        return PostgresTransactions(self._address)

    def reader(self) -> PostgresReader:
        """Return a connection that can only read."""
        return PostgresReader(self._address)

    def fault(self, error: BaseException) -> Fault | None:
        """Return what an error means; None if it is none of PostgreSQL's."""
        return dialect.fault(error)

    def close(self) -> None:
        """Do nothing: only the connections hold anything."""


def migrate(raw: Raw) -> str:
    """Bring the schema up to date and return the database's epoch.

    Nodes that start together wait for each other. A schema of the next version is left alone: it
    can be used by this one too. Raises UnknownSchema for a later one, DatabaseUnusable for a server
    that is too old.
    """
    if raw.info.server_version < OLDEST_SERVER:
        raise DatabaseUnusable("the server is too old: PostgreSQL 14 is the oldest that serves")
    with raw.transaction():
        raw.execute(b"SELECT pg_advisory_xact_lock($1)", (_MIGRATING,))
        raw.execute(b"CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)")
        version = _one(raw, b"SELECT coalesce(max(version), 0) FROM schema_version")
        if version > len(MIGRATIONS) + 1:
            raise UnknownSchema(
                f"the database has schema version {version}; this program knows {len(MIGRATIONS)}"
            )
        for number, script in enumerate(MIGRATIONS[version:], version + 1):
            raw.execute(script.encode())
            raw.execute(b"INSERT INTO schema_version (version) VALUES ($1)", (number,))
        raw.execute(
            b"INSERT INTO meta (key, value) VALUES ('epoch', $1) ON CONFLICT DO NOTHING",
            (secrets.token_hex(6),),
        )
        return str(_one(raw, b"SELECT value FROM meta WHERE key = 'epoch'"))


def _one(raw: Raw, sql: bytes, *parameters: str) -> Any:
    row = raw.execute(sql, parameters).fetchone()
    return None if row is None else row[0]
