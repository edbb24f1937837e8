"""Orders and their events on disk: one writer for changes, a few readers for queries.

A change is published only once it is committed. While the database cannot be written, waiting
changes fail with StoreUnavailable; reads go on, and the next change tries again.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import structlog

from order_events.domain.models import Event
from order_events.metrics import HubMetrics
from order_events.protocol.errors import StoreUnavailable
from order_events.settings import HubSettings
from order_events.storage import schema
from order_events.storage.damaged_rows import DamagedRows
from order_events.storage.group_commit import Job, Writer
from order_events.storage.queries import Reader
from order_events.storage.reader_pool import READERS, SURVEYS, SURVEYS_PER_RESTAURANT, ReaderPool
from order_events.storage.schema import DatabaseUnusable
from order_events.storage.transaction import Tx
from order_events.storage.watermark import WATERMARK_FILE, Watermark

T = TypeVar("T")
DATABASE_FILE = "orders.sqlite3"

logger = structlog.get_logger(__name__)


class DataDirBusy(Exception):
    """Another process serves this data directory."""


class Store:
    """The database of a data directory. `committed` is called on the loop, in commit order.

    `positions` is, once open, where each restaurant's history stood then: its last seq and the
    oldest that is kept (last + 1 if none is). `damaged_rows` are those found since then.
    """

    def __init__(
        self,
        settings: HubSettings,
        metrics: HubMetrics,
        committed: Callable[[list[Event]], None],
    ) -> None:
        self.epoch = ""
        self.positions: dict[str, tuple[int, int]] = {}
        self.damaged_rows = DamagedRows()
        self._path = settings.data_dir / DATABASE_FILE
        self._settings = settings
        self._metrics = metrics
        self._committed = committed
        self._closing = False
        self._writer: Writer | None = None
        self._readers: ReaderPool | None = None
        self._surveys: ReaderPool | None = None
        self._watermark: Watermark | None = None
        self._lock: int | None = None

    @property
    def healthy(self) -> bool:
        """True if the last commit succeeded."""
        return self._writer is not None and self._writer.healthy and not self._closing

    async def open(self) -> None:
        """Open or create the database; raise DataDirBusy, UnknownSchema or DatabaseUnusable."""
        self._loop = asyncio.get_running_loop()
        try:
            self._writer = await asyncio.to_thread(self._open)
        except BaseException:
            self._let_go()
            raise
        self._writer.start()
        most = self._settings.store_reads
        self._readers = self._pool(self._writer, threads=READERS, most=most, share=most)
        self._surveys = self._pool(
            self._writer, threads=1, most=SURVEYS, share=SURVEYS_PER_RESTAURANT
        )

    def _pool(self, writer: Writer, **size: int) -> ReaderPool:
        return ReaderPool(
            self._path,
            self.epoch,
            self._settings,
            writer.found_damage,
            self.damaged_rows,
            **size,
        )

    def _open(self) -> Writer:
        self._settings.data_dir.mkdir(0o700, parents=True, exist_ok=True)
        self._lock = _lock(self._settings.data_dir)
        self._watermark = Watermark(self._settings.data_dir)
        with schema.opening(self._path):
            db = schema.connect(self._path, self._settings.store_busy_s)
            self.epoch = _sure_of_history(
                db, schema.migrate(db), self._watermark, self._settings.data_dir
            )
            self.positions = Reader(db, self.epoch).positions()
            return Writer(
                db,
                self.epoch,
                self._watermark,
                self._settings,
                self._metrics,
                self._written,
                self.damaged_rows,
            )

    async def close(self) -> None:
        """Commit what waits, then close the database, leaving nothing in the WAL."""
        self._closing = True
        # The readers first: SQLite removes the WAL when the last connection closes, if that
        # connection may write.
        if self._surveys is not None:
            await asyncio.to_thread(self._surveys.stop, serve_waiting=False)
            self._surveys = None
        if self._readers is not None:
            await asyncio.to_thread(self._readers.stop)
            self._readers = None
        if self._writer is not None:
            await asyncio.to_thread(self._writer.stop)
            self._writer = None
        self._let_go()

    def _let_go(self) -> None:
        if self._watermark is not None:
            self._watermark.close()
            self._watermark = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    async def write(self, run: Callable[[Tx], T], restaurant_id: str = "") -> T:
        """Run a change in the writer's thread; return its result once it is on disk.

        An error that `run` raises undoes it alone. Changes of one restaurant are made in order of
        arrival; restaurants take turns. Raises Overloaded if too many changes wait,
        StoreUnavailable if they cannot be committed.
        """
        if self._closing or self._writer is None:
            raise StoreUnavailable("orders cannot be changed: the server is stopping")
        job: Job[T] = Job(run, self._loop.create_future())
        self._writer.submit(restaurant_id, job)
        # Cancelling the caller must not cancel a change that is under way.
        return await asyncio.shield(job.future)

    async def read(self, run: Callable[[Reader], T], restaurant_id: str = "") -> T:
        """Run a query in a reader's thread and return its result; raise StoreUnavailable."""
        return await self._from(self._readers, run, restaurant_id)

    async def survey(self, run: Callable[[Reader], T], restaurant_id: str = "") -> T:
        """Run a query that takes long, in a thread of its own, one at a time; raise as `read`."""
        return await self._from(self._surveys, run, restaurant_id)

    async def _from(
        self, readers: ReaderPool | None, run: Callable[[Reader], T], restaurant_id: str
    ) -> T:
        if readers is None or self._closing:
            raise StoreUnavailable("orders cannot be read: the server is stopping")
        return await readers.read(run, restaurant_id)

    def _written(self, jobs: list[Job[Any]], events: list[Event]) -> None:
        """Pass a group on to the event loop; called in the writer's thread."""
        self._loop.call_soon_threadsafe(self._publish, jobs, events)

    def _publish(self, jobs: list[Job[Any]], events: list[Event]) -> None:
        try:
            self._committed(events)
        finally:
            for job in jobs:
                if job.future.done():
                    continue
                if job.error is not None:
                    job.future.set_exception(job.error)
                    # Retrieve it: otherwise asyncio logs it if the caller has gone.
                    job.future.exception()
                else:
                    job.future.set_result(job.result)


def begin_new_epoch(settings: HubSettings) -> str:
    """Start a new history in a data directory that no server uses; return the new epoch.

    For a data directory restored from a backup. Raises as `Store.open` does.
    """
    path = settings.data_dir / DATABASE_FILE
    with (
        locked(settings.data_dir),
        schema.opening(path),
        closing(schema.connect(path, settings.store_busy_s)) as db,
    ):
        schema.migrate(db)
        return start_anew(db, settings.data_dir)


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
