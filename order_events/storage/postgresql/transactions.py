"""A writer's transactions in PostgreSQL: what they lock, and what became of one whose end was lost.

A group first locks the rows of its restaurants, in the order of their ids, so that no two writers
can wait for each other. The row holds the counter of `seq`; its lock lasts until the commit, so
that the order of commits is the order of `seq`.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

import psycopg
import structlog
from psycopg import errors
from psycopg.pq import TransactionStatus

from order_events.storage.database import OutcomeUnknown
from order_events.storage.postgresql.connection import WRITER, PostgresConnection, connect

_NOBODYS = 0x6F72646572
"""The advisory lock for what belongs to no restaurant."""
_RESOLVE_S, _RESOLVE_PAUSE_S = 10.0, 0.25
"""Seconds for which the server is asked what became of a commit, and between two questions."""

logger = structlog.get_logger(__name__)


class PostgresTransactions:
    """One of the connections that write."""

    upkeep_due = False

    def __init__(self, address: str) -> None:
        self._address = address
        self.connection = PostgresConnection(connect(address, WRITER))
        self._id = ""

    def begin(self, restaurants: Iterable[str]) -> str:
        """Begin a transaction and lock its restaurants; return the epoch.

        A connection that was lost is replaced first.
        """
        wanted = sorted(set(restaurants))
        if not self.connection.raw.closed:
            try:
                return self._begin(wanted)
            except psycopg.OperationalError:
                if not self.connection.raw.closed:
                    raise
        self._connect()
        return self._begin(wanted)

    def _connect(self) -> None:
        self.connection.close()
        self.connection = PostgresConnection(connect(self._address, WRITER))

    def _begin(self, wanted: list[str]) -> str:
        raw = self.connection.raw
        named = [restaurant_id for restaurant_id in wanted if restaurant_id]
        # One round trip. The epoch is read by a statement of its own: only then does it see what
        # was committed while the locks were waited for.
        with raw.pipeline():
            raw.execute(b"BEGIN")
            if len(named) < len(wanted):
                raw.execute(b"SELECT pg_advisory_xact_lock($1)", (_NOBODYS,))
            locked = raw.execute(
                b"SELECT id FROM restaurants WHERE id = ANY($1::text[]) ORDER BY id FOR UPDATE",
                (named,),
            )
            state = raw.execute(
                b"SELECT value, pg_current_xact_id()::text FROM meta WHERE key = 'epoch'"
            )
            present = {row[0] for row in locked}
            epoch, self._id = state.fetchone() or ("", "")
        missing = [id_ for id_ in named if id_ not in present]
        if missing:
            raw.execute(
                b"INSERT INTO restaurants (id, seq) SELECT unnest($1::text[]), 0"
                b" ON CONFLICT DO NOTHING",
                (missing,),
            )
            raw.execute(
                b"SELECT id FROM restaurants WHERE id = ANY($1::text[]) ORDER BY id FOR UPDATE",
                (missing,),
            )
        return str(epoch)

    def commit(self, events: int) -> None:
        """Commit; if the answer is lost, find out what became of it.

        Raises psycopg.Error if nothing was committed, OutcomeUnknown if that cannot be found out.
        """
        try:
            done = self.connection.raw.execute(b"COMMIT")
        except psycopg.Error as error:
            if not self.connection.raw.closed:
                raise
            self._resolve(error)
            return
        # A transaction in which a statement has failed is rolled back, without an error.
        if done.statusmessage != "COMMIT":
            raise errors.TransactionRollback(f"the server answered {done.statusmessage}")

    def _resolve(self, lost: psycopg.Error) -> None:
        until = time.monotonic() + _RESOLVE_S
        while True:
            try:
                made = self.committed()
                break
            except (psycopg.Error, OutcomeUnknown) as error:
                if time.monotonic() > until:
                    raise OutcomeUnknown("the answer to a commit was lost") from error
            time.sleep(_RESOLVE_PAUSE_S)
        if not made:
            raise lost
        logger.warning("a commit whose answer was lost has been made")

    def committed(self) -> bool:
        """Return whether the last transaction was committed, as the server knows it.

        Raises psycopg.Error if it cannot be asked, OutcomeUnknown while the server itself does not
        know.
        """
        if self.connection.raw.closed:
            self._connect()
        try:
            row = self.connection.raw.execute(
                b"SELECT pg_xact_status($1::text::xid8)", (self._id,)
            ).fetchone()
        except errors.InvalidParameterValue:
            # The number is yet to be used: a standby that had not received it has taken over.
            return False
        if row == ("in progress",):
            raise OutcomeUnknown("the server is still busy with a commit")
        return row == ("committed",)

    def roll_back(self) -> None:
        """End the transaction, if there is one, without effect."""
        raw = self.connection.raw
        if raw.closed or raw.info.transaction_status is TransactionStatus.IDLE:
            return
        try:
            raw.execute(b"ROLLBACK")
        except psycopg.Error as error:
            logger.warning("a transaction was left to the server to end", why=str(error))
            raw.close()

    def erase_by(self, at: float) -> None:
        """Do nothing: PostgreSQL's own vacuum removes what was deleted."""

    def probe(self) -> None:
        """Write something."""
        if self.connection.raw.closed:
            self._connect()
        self.connection.execute(
            "INSERT INTO meta (key, value) VALUES ('probe', ?) ON CONFLICT (key)"
            " DO UPDATE SET value = excluded.value",
            (str(time.time()),),
        )

    def upkeep(self) -> None:
        """Do nothing: the server keeps itself."""

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()
