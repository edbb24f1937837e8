"""What the store needs of a database: the seam under its queries and transactions.

SQLite and PostgreSQL are two implementations of `Database`. What is above speaks the SQL that both
understand, with the placeholders `?` and `?1`, and knows neither.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol


class DatabaseUnusable(Exception):
    """The database cannot be opened; the message says why, and what to do."""


class UnknownSchema(Exception):
    """The database was written by a newer version of this program."""


class OutcomeUnknown(Exception):
    """A commit was sent, and nobody could be asked yet whether it was made."""


class Fault(enum.Enum):
    """What an error of the database means for the changes that met it."""

    CHANGE = enum.auto()
    """The change was at fault, such as by a duplicate key; it alone is undone."""
    CONFLICT = enum.auto()
    """Another writer was in the way; the same changes may succeed at once."""
    UNAVAILABLE = enum.auto()
    """The database cannot serve now; it may later."""
    DAMAGE = enum.auto()
    """The content is damaged; retrying will not help."""


class Rows(Protocol):
    """The rows that a statement returned, as tuples."""

    @property
    def rowcount(self) -> int:
        """How many rows the statement changed."""

    def fetchone(self) -> Any:
        """Return the next row, or None."""

    def fetchall(self) -> list[Any]:
        """Return the rows that are left."""

    def __iter__(self) -> Iterator[Any]:
        """Yield the rows that are left."""

    def close(self) -> None:
        """Let go of rows that have not been read."""


class Connection(Protocol):
    """A connection for one thread at a time. Errors are the database's own: see `Database.fault`.

    `sqlite3.Connection` is one.
    """

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Rows:
        """Run a statement."""

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> object:
        """Run a statement once for each row of parameters."""

    def close(self) -> None:
        """Close the connection."""


class Transactions(Protocol):
    """A writer's connection. All methods block; all but `close` raise the database's errors.

    `connection` is to be taken anew after `begin`: a lost one is replaced there.
    """

    @property
    def connection(self) -> Connection:
        """What the changes of a transaction use."""

    @property
    def upkeep_due(self) -> bool:
        """True if `upkeep` has something to do."""

    def begin(self, restaurants: Iterable[str]) -> str:
        """Begin a transaction that alone may change these restaurants; return the epoch.

        The empty name stands for what belongs to no restaurant.
        """

    def commit(self, events: int) -> None:
        """Commit a transaction that appended so many events.

        An error means that nothing was committed, except for OutcomeUnknown: `committed` then
        tells, before the next `begin`.
        """

    def committed(self) -> bool:
        """Return whether the transaction was committed that ended with OutcomeUnknown."""

    def roll_back(self) -> None:
        """End the transaction, if there is one, without effect. Raises nothing."""

    def erase_by(self, at: float) -> None:
        """Note, in the transaction, that remains of deleted rows are to go from a time on.

        The time is in Unix seconds.
        """

    def probe(self) -> None:
        """Try whether the database can be written."""

    def upkeep(self) -> None:
        """Do some of the work that waits for a quiet moment. Raises nothing."""

    def close(self) -> None:
        """Close the connection. Raises nothing."""


class Database(Protocol):
    """A database of orders and events. `fault` and `reader` may be called in any thread."""

    shared: bool
    """True if other processes may write to it too."""

    def open(self) -> str:
        """Open it, create or upgrade its schema if necessary, and return its epoch.

        Raises DatabaseUnusable, UnknownSchema or DataDirBusy.
        """

    def secret(self, name: str) -> bytes:
        """Return the secret of this name, made on first use, the same for all who share it.

        It need not be open. Blocks, and raises as `open` does.
        """

    def begin_new_epoch(self) -> str:
        """Start a new history, as after restoring a backup, and return its epoch.

        It need not be open. Blocks, and raises as `open` does.
        """

    def opening(self) -> AbstractContextManager[None]:
        """Raise the database's errors in the block as DatabaseUnusable, with what to do."""

    def transactions(self) -> Transactions:
        """Return the connection of a writer; once if it is not `shared`."""

    def reader(self) -> Connection:
        """Return a connection that can only read."""

    def fault(self, error: BaseException) -> Fault | None:
        """Return what an error means; None if it is none of the database's."""

    def close(self) -> None:
        """Let go of it, once its connections have been closed."""
