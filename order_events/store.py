"""Orders and their events on disk: one writer thread that commits changes in groups.

Nobody is told of a change before it is committed. A database that cannot be written fails the
changes that wait with StoreUnavailable; readers go on, and the next change tries again.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import structlog

from order_events import schema
from order_events.errors import OrderError, Overloaded, StoreUnavailable
from order_events.metrics import HubMetrics
from order_events.models import Event
from order_events.settings import HubSettings
from order_events.tx import MenuCache, Reader, Tx, utc_now

T = TypeVar("T")
READERS = 2
DATABASE_FILE = "orders.sqlite3"

logger = structlog.get_logger(__name__)


class DataDirBusy(Exception):
    """Another process serves this data directory."""


@dataclass(slots=True)
class _Job(Generic[T]):
    run: Callable[[Tx], T]
    future: asyncio.Future[T]
    result: T | None = None
    error: BaseException | None = None


class Store:
    """The database of a data directory. `committed` is called on the loop, in commit order."""

    def __init__(
        self,
        settings: HubSettings,
        metrics: HubMetrics,
        committed: Callable[[list[Event]], None],
    ) -> None:
        self.epoch = ""
        self.healthy = False
        self._path = settings.data_dir / DATABASE_FILE
        self._settings = settings
        self._metrics = metrics
        self._committed = committed
        self._jobs: queue.Queue[_Job[Any] | None] = queue.Queue(settings.store_queue)
        self._closing = False
        self._writer: threading.Thread | None = None
        self._readers: ThreadPoolExecutor | None = None
        self._local = threading.local()
        self._reader_connections: list[sqlite3.Connection] = []
        self._lock: int | None = None

    async def open(self) -> None:
        """Opens or makes the database; raises DataDirBusy, UnknownSchema or sqlite3.Error."""
        self._loop = asyncio.get_running_loop()
        db = await asyncio.to_thread(self._open)
        self.healthy = True
        self._writer = threading.Thread(
            target=self._write_forever, args=(db,), name="store writer", daemon=True
        )
        self._writer.start()
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="store reader")

    def _open(self) -> sqlite3.Connection:
        self._settings.data_dir.mkdir(0o700, parents=True, exist_ok=True)
        self._lock = _lock(self._settings.data_dir)
        db = schema.connect(self._path, self._settings.store_busy_s)
        self.epoch = schema.migrate(db)
        return db

    async def close(self) -> None:
        """Commits what waits, then closes the database and leaves nothing in the WAL."""
        self._closing = True
        # The readers first: SQLite empties and removes the WAL when its last connection closes,
        # and only one that may write can do so.
        if self._readers is not None:
            await asyncio.to_thread(self._readers.shutdown)
        for connection in self._reader_connections:
            connection.close()
        self._reader_connections.clear()
        if self._writer is not None:
            await asyncio.to_thread(self._jobs.put, None)
            await asyncio.to_thread(self._writer.join)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        self.healthy = False

    async def write(self, run: Callable[[Tx], T]) -> T:
        """What `run` returns, once it is on disk.

        `run` is called in the writer's thread. An OrderError it raises undoes it alone. Raises
        Overloaded when too many changes wait, StoreUnavailable when they cannot be committed.
        """
        if self._closing or self._writer is None:
            raise StoreUnavailable("orders cannot be changed: the server is stopping")
        job: _Job[T] = _Job(run, self._loop.create_future())
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            raise Overloaded("too many changes are waiting; try again") from None
        self._metrics.store_queue.set(self._jobs.qsize())
        # A caller that goes away must not take its change back half way.
        return await asyncio.shield(job.future)

    async def read(self, run: Callable[[Reader], T]) -> T:
        """What `run` returns, called in a reader's thread; raises StoreUnavailable."""
        if self._readers is None or self._closing:
            raise StoreUnavailable("orders cannot be read: the server is stopping")
        return await self._loop.run_in_executor(self._readers, self._read, run)

    def _read(self, run: Callable[[Reader], T]) -> T:
        try:
            reader: Reader | None = getattr(self._local, "reader", None)
            if reader is None:
                db = schema.connect_reader(self._path, self._settings.store_busy_s)
                self._reader_connections.append(db)
                reader = self._local.reader = Reader(db, self.epoch)
            return run(reader)
        except sqlite3.Error as error:
            logger.exception("the database cannot be read")
            raise StoreUnavailable("orders cannot be read now") from error

    def _write_forever(self, db: sqlite3.Connection) -> None:
        menus = MenuCache()
        while True:
            job = self._jobs.get()
            jobs: list[_Job[Any]] = []
            while job is not None:
                jobs.append(job)
                if len(jobs) == self._settings.store_batch:
                    break
                try:
                    job = self._jobs.get_nowait()
                except queue.Empty:
                    break
            if jobs:
                self._commit(db, menus, jobs)
            if job is None:
                self._finish(db)
                return

    @staticmethod
    def _finish(db: sqlite3.Connection) -> None:
        try:
            # Another process may be reading, and then closing alone would leave the WAL as it is.
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error:
            # Nothing is lost: the next start reads what is in the WAL.
            logger.exception("the WAL could not be emptied")
        db.close()

    def _commit(self, db: sqlite3.Connection, menus: MenuCache, jobs: list[_Job[Any]]) -> None:
        started = time.perf_counter()
        events: list[Event] = []
        try:
            db.execute("BEGIN IMMEDIATE")
            for job in jobs:
                events += self._run(db, menus, job)
            db.execute("COMMIT")
        except sqlite3.Error as error:
            events = []
            self._fail(db, jobs, error)
        else:
            self.healthy = True
            self._metrics.commit.observe(time.perf_counter() - started)
            self._metrics.commit_size.observe(len(jobs))
        finally:
            self._metrics.store_queue.set(self._jobs.qsize())
            self._loop.call_soon_threadsafe(self._tell, jobs, events)

    def _run(self, db: sqlite3.Connection, menus: MenuCache, job: _Job[Any]) -> list[Event]:
        tx = Tx(db, self.epoch, menus, utc_now())
        db.execute("SAVEPOINT job")
        try:
            job.result = job.run(tx)
        except (OrderError, sqlite3.IntegrityError) as error:
            job.error = error
        except sqlite3.Error:
            raise
        except Exception as error:  # noqa: BLE001 (handed to the caller, who waits for it)
            job.error = error
        if job.error is not None:
            db.execute("ROLLBACK TO job")
            tx.appended.clear()
        db.execute("RELEASE job")
        return tx.appended

    def _fail(self, db: sqlite3.Connection, jobs: list[_Job[Any]], problem: sqlite3.Error) -> None:
        self.healthy = False
        self._metrics.store_failures.inc()
        logger.error("a commit failed", error=str(problem), changes=len(jobs))
        if db.in_transaction:
            try:
                db.execute("ROLLBACK")
            except sqlite3.Error:
                logger.exception("a rollback failed")
        for job in jobs:
            job.result = None
            job.error = StoreUnavailable("orders cannot be changed now; nothing was changed")

    def _tell(self, jobs: list[_Job[Any]], events: list[Event]) -> None:
        try:
            self._committed(events)
        finally:
            for job in jobs:
                if job.future.done():
                    continue
                if job.error is not None:
                    job.future.set_exception(job.error)
                    # Nobody may be waiting any more; that is no error of ours.
                    job.future.exception()
                else:
                    job.future.set_result(job.result)


def _lock(data_dir: Path) -> int:
    """Two servers on one database would each tell their clients only half of the events."""
    handle = os.open(data_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise DataDirBusy(f"{data_dir} is in use by another process") from error
    return handle
