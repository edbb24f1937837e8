"""The thread that commits changes in groups: all that wait, in one transaction with one sync."""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import structlog

from order_events.domain.models import Event
from order_events.metrics import HubMetrics
from order_events.protocol.errors import OrderError, Overloaded, StoreUnavailable
from order_events.settings import HubSettings
from order_events.storage import schema
from order_events.storage.damaged_rows import DamagedRows
from order_events.storage.fair_queue import FairQueue
from order_events.storage.scrubber import Scrubber
from order_events.storage.transaction import MenuCache, Tx, utc_now
from order_events.storage.watermark import Watermark

T = TypeVar("T")
PROBE_S = 1.0
"""Seconds between attempts to write to the database after a failed commit."""

logger = structlog.get_logger(__name__)


@dataclass(slots=True)
class Job(Generic[T]):
    """A change, and the caller waiting for it. `future` belongs to the event loop."""

    run: Callable[[Tx], T]
    future: asyncio.Future[T]
    result: T | None = None
    error: BaseException | None = None


class Writer:
    """The only writer. Its thread calls `on_commit` once per group, in commit order."""

    def __init__(
        self,
        db: sqlite3.Connection,
        epoch: str,
        watermark: Watermark,
        settings: HubSettings,
        metrics: HubMetrics,
        on_commit: Callable[[list[Job[Any]], list[Event]], None],
        damaged_rows: DamagedRows,
    ) -> None:
        self._db = db
        self._epoch = epoch
        self._watermark = watermark
        self._events_ever = schema.events_ever(db)
        self._metrics = metrics
        self._on_commit = on_commit
        self._damaged_rows = damaged_rows
        self._batch = settings.store_batch
        self._menus = MenuCache()
        self._scrubber = Scrubber(db)
        self._erased = False
        self._failing = False
        self._damaged = False
        self._jobs: FairQueue[Job[Any]] = FairQueue(
            settings.store_queue, settings.store_queue_per_restaurant
        )
        self._thread = threading.Thread(target=self._work, name="store writer", daemon=True)

    @property
    def healthy(self) -> bool:
        """True if, as far as is known, the database can be written."""
        return not self._failing and not self._damaged

    def start(self) -> None:
        """Begin to commit."""
        self._thread.start()

    def submit(self, restaurant_id: str, job: Job[Any]) -> None:
        """Queue a change; raise Overloaded if too many wait."""
        try:
            self._jobs.put(restaurant_id, job)
        except queue.Full:
            raise Overloaded("too many changes are waiting; try again") from None
        self._metrics.store_queue.set(len(self._jobs))

    def stop(self) -> None:
        """Commit everything that waits, then close the database. Blocks until done."""
        self._jobs.close()
        self._thread.join()

    def found_damage(self) -> None:
        """Stop writing: the database's content is damaged. Thread-safe."""
        self._damaged = True

    def _work(self) -> None:
        while True:
            idle = self.healthy and not self._scrubber.due
            jobs = self._jobs.take(self._batch, None if idle else PROBE_S)
            if jobs:
                self._commit(jobs)
            elif self._jobs.closed:
                break
            elif not self.healthy:
                self._probe()
            if self._scrubber.due and self.healthy:
                self._scrubber.work()
            # Otherwise this group and its callers would stay alive until the next one arrives.
            del jobs
        self._close()

    def _commit(self, jobs: list[Job[Any]]) -> None:
        started = time.perf_counter()
        events: list[Event] = []
        try:
            events = self._transact(jobs)
        except Exception as error:  # noqa: BLE001 (the thread's boundary: it must go on)
            self._fail(jobs, error)
        else:
            self._failing = False
            self._metrics.commit.observe(time.perf_counter() - started)
            self._metrics.commit_size.observe(len(jobs))
        finally:
            self._metrics.store_queue.set(len(self._jobs))
            self._on_commit(jobs, events)

    def _transact(self, jobs: list[Job[Any]]) -> list[Event]:
        if self._damaged:
            raise StoreUnavailable("orders cannot be changed until the database has been repaired")
        events: list[Event] = []
        self._db.execute("BEGIN IMMEDIATE")
        for job in jobs:
            events += self._run(job)
        self._finish(events)
        self._events_ever += len(events)
        self._watermark.write(self._epoch, self._events_ever)
        self._scrubber.committed(erased=self._erased)
        self._erased = False
        return events

    def _finish(self, events: list[Event]) -> None:
        try:
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            if not self._holds(events):
                raise
            logger.warning("a commit reported as failed is in the database", error=str(error))

    def _holds(self, events: list[Event]) -> bool:
        """Return whether events whose commit failed are in the database all the same.

        An error after the last page was written leaves that open. If such events were not
        published, clients would never receive them, because later events follow them in `seq`.
        """
        if not events or self._db.in_transaction:
            return False
        return schema.events_ever(self._db) == self._events_ever + len(events)

    def _run(self, job: Job[Any]) -> list[Event]:
        """Run one change; an error undoes it alone, unless the database itself has failed."""
        tx = Tx(self._db, self._epoch, self._menus, utc_now())
        self._db.execute("SAVEPOINT job")
        try:
            job.result = job.run(tx)
        except Exception as error:  # the change's boundary: its caller gets the error
            if _database_failed(error):
                raise
            job.error = error
            self._db.execute("ROLLBACK TO job")
            tx.appended.clear()
        self._erased |= tx.scrub
        for place in tx.damaged:
            self._damaged_rows.note(place)
        self._db.execute("RELEASE job")
        return tx.appended

    def _fail(self, jobs: list[Job[Any]], error: Exception) -> None:
        self._failing = True
        self._metrics.store_failures.inc()
        logger.error("a commit failed", error=str(error), changes=len(jobs))
        if schema.is_damage(error):
            self.found_damage()
        self._roll_back()
        # It may hold a version that was not committed; that number will be used for another menu.
        self._menus = MenuCache()
        refusal = "orders cannot be changed now; nothing was changed"
        for job in jobs:
            job.result = None
            job.error = error if isinstance(error, OrderError) else StoreUnavailable(refusal)

    def _roll_back(self) -> None:
        # SQLite rolls back by itself after most failures. A rollback that fails is repeated after
        # the next failed commit.
        if self._db.in_transaction:
            try:
                self._db.execute("ROLLBACK")
            except sqlite3.Error:
                logger.exception("a rollback failed")

    def _probe(self) -> None:
        """Try a write, so that readiness recovers without waiting for a change."""
        if self._damaged:
            return
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("INSERT OR REPLACE INTO meta VALUES ('probe', ?)", (time.time(),))
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            logger.warning("the database still cannot be written", error=str(error))
            self._roll_back()
        else:
            logger.info("the database can be written again")
            self._failing = False

    def _close(self) -> None:
        self._scrubber.finish()
        try:
            # Explicit, because closing alone keeps the WAL while another process is reading.
            schema.empty_wal(self._db)
        except sqlite3.Error:
            # Nothing is lost: the next start reads the WAL.
            logger.exception("the WAL could not be emptied")
        self._db.close()


def _database_failed(error: Exception) -> bool:
    """Return whether an error is the database's fault rather than the change's own."""
    own = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.ProgrammingError)
    return isinstance(error, sqlite3.DatabaseError) and not isinstance(error, own)
