"""The database in a file of SQLite's, for one process."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import structlog

from order_events.auth.tokens import load_or_make_secret
from order_events.settings import HubSettings
from order_events.storage import schema
from order_events.storage.database import DatabaseUnusable, Fault
from order_events.storage.scrubber import Scrubber
from order_events.storage.watermark import WATERMARK_FILE, Watermark

DATABASE_FILE = "orders.sqlite3"
_OWN = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.ProgrammingError)

logger = structlog.get_logger(__name__)


class DataDirBusy(Exception):
    """Another process serves this data directory."""


class SqliteDatabase:
    """The database of a data directory, which it locks while it is open."""

    shared = False

    def __init__(self, settings: HubSettings) -> None:
        self._directory = settings.data_dir
        self._path = settings.data_dir / DATABASE_FILE
        self._busy_s = settings.store_busy_s
        self._epoch = ""
        self._lock: int | None = None
        self._watermark: Watermark | None = None

    def open(self) -> str:
        """Open or create it; raise DataDirBusy, UnknownSchema or DatabaseUnusable."""
        self._directory.mkdir(0o700, parents=True, exist_ok=True)
        self._lock = _lock(self._directory)
        self._watermark = Watermark(self._directory)
        with schema.opening(self._path), closing(schema.connect(self._path, self._busy_s)) as db:
            self._epoch = _sure_of_history(db, schema.migrate(db), self._watermark, self._directory)
        return self._epoch

    def secret(self, name: str) -> bytes:
        """Return the secret of this name, a file of the data directory, made on first use."""
        return load_or_make_secret(self._directory, name, announce=False)

    def begin_new_epoch(self) -> str:
        """Start a new history in the data directory, which no server uses; return the epoch."""
        with (
            locked(self._directory),
            schema.opening(self._path),
            closing(schema.connect(self._path, self._busy_s)) as db,
        ):
            schema.migrate(db)
            return start_anew(db, self._directory)

    def opening(self) -> AbstractContextManager[None]:
        """Raise errors of SQLite's in the block as DatabaseUnusable, with what to do."""
        return schema.opening(self._path)

    def transactions(self) -> SqliteTransactions:
        """Return the connection of the only writer."""
        if self._watermark is None:
            raise RuntimeError("the database is not open")
        db = schema.connect(self._path, self._busy_s)
        return SqliteTransactions(db, self._epoch, self._watermark)

    def reader(self) -> sqlite3.Connection:
        """Return a connection that can only read."""
        return schema.connect_reader(self._path, self._busy_s)

    def fault(self, error: BaseException) -> Fault | None:
        """Return what an error means; None if it is none of SQLite's."""
        if not isinstance(error, sqlite3.Error):
            return None
        if schema.is_damage(error):
            return Fault.DAMAGE
        return Fault.CHANGE if isinstance(error, _OWN) else Fault.UNAVAILABLE

    def close(self) -> None:
        """Unlock the data directory."""
        if self._watermark is not None:
            self._watermark.close()
            self._watermark = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


class SqliteTransactions:
    """The only connection that writes."""

    def __init__(self, db: sqlite3.Connection, epoch: str, watermark: Watermark) -> None:
        self.connection = db
        self._epoch = epoch
        self._watermark = watermark
        self._events_ever = schema.events_ever(db)
        self._scrubber = Scrubber(db)
        self._erased = False

    @property
    def upkeep_due(self) -> bool:
        """True if the database is to be scrubbed."""
        return self._scrubber.due

    def begin(self, restaurants: Iterable[str]) -> str:
        """Begin a transaction; return the epoch."""
        self._erased = False
        self.connection.execute("BEGIN IMMEDIATE")
        return self._epoch

    def commit(self, events: int) -> None:
        """Commit a transaction that appended so many events."""
        try:
            self.connection.execute("COMMIT")
        except sqlite3.Error as error:
            self.roll_back()
            if not self._holds(events):
                raise
            logger.warning("a commit reported as failed is in the database", error=str(error))
        self._events_ever += events
        self._watermark.write(self._epoch, self._events_ever)
        self._scrubber.committed(erased=self._erased)

    def _holds(self, events: int) -> bool:
        """Return whether events whose commit failed are in the database all the same.

        An error after the last page was written leaves that open. If such events were not
        published, clients would never receive them, because later events follow them in `seq`.
        """
        if not events or self.connection.in_transaction:
            return False
        return schema.events_ever(self.connection) == self._events_ever + events

    def committed(self) -> bool:
        """Return False: SQLite never leaves the outcome of a commit open."""
        return False

    def roll_back(self) -> None:
        """End the transaction, if there is one, without effect."""
        # SQLite rolls back by itself after most failures. A rollback that fails is repeated after
        # the next failed commit.
        if self.connection.in_transaction:
            try:
                self.connection.execute("ROLLBACK")
            except sqlite3.Error:
                logger.exception("a rollback failed")

    def erase_by(self, at: float) -> None:
        """Have the database written anew from a time on (Unix seconds)."""
        self._erased = True
        schema.remember_scrub(self.connection, at)

    def probe(self) -> None:
        """Write something."""
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.execute("INSERT OR REPLACE INTO meta VALUES ('probe', ?)", (time.time(),))
        self.connection.execute("COMMIT")

    def upkeep(self) -> None:
        """Scrub, if this is a good moment."""
        self._scrubber.work()

    def close(self) -> None:
        """Scrub if that is quick, empty the WAL, and close the connection."""
        self._scrubber.finish()
        try:
            # Explicit, because closing alone keeps the WAL while another process is reading.
            schema.empty_wal(self.connection)
        except sqlite3.Error:
            # Nothing is lost: the next start reads the WAL.
            logger.exception("the WAL could not be emptied")
        self.connection.close()


@contextmanager
def locked(data_dir: Path) -> Iterator[None]:
    """Keep servers from using a data directory meanwhile; raise DataDirBusy if one does."""
    lock = _lock(data_dir)
    try:
        yield
    finally:
        os.close(lock)


def start_anew(db: sqlite3.Connection, data_dir: Path) -> str:
    """Start a new history in a locked data directory; return the new epoch."""
    epoch = schema.new_epoch(db)
    with closing(Watermark(data_dir)) as watermark:
        watermark.write(epoch, schema.events_ever(db))
        watermark.sync()
    return epoch


def _sure_of_history(
    db: sqlite3.Connection, epoch: str, watermark: Watermark, data_dir: Path
) -> str:
    """Return the epoch to serve: a new one unless the database has all that clients have seen.

    Raises DatabaseUnusable if it is empty, although one that was not has been served from here.
    """
    noted, kept = watermark.read(), schema.events_ever(db)
    if noted is not None and noted[1] > 0 and schema.is_empty(db):
        raise DatabaseUnusable(
            f"{data_dir / DATABASE_FILE} is new or was emptied, but {noted[1]} events had been "
            "written in this directory: restore a backup (python -m order_events restore), or "
            f"delete {data_dir / WATERMARK_FILE} to begin with nothing"
        )
    # Without a note of its own, it came from elsewhere: from a backup, perhaps.
    foreign = kept > 0 and (noted is None or noted[0] != epoch)
    if foreign or (noted is not None and noted[0] == epoch and noted[1] > kept):
        logger.error("history was lost: clients will start afresh", noted=noted, kept=kept)
        epoch = schema.new_epoch(db)
    watermark.write(epoch, kept)
    watermark.sync()
    return epoch


def _lock(data_dir: Path) -> int:
    """Lock the data directory; with two servers, each would publish only half of the events."""
    handle = os.open(data_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise DataDirBusy(f"{data_dir} is in use by another process") from error
    return handle
