"""The thread that commits changes in groups: all that wait, in one transaction with one sync."""

from __future__ import annotations

import asyncio
import queue
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
from order_events.storage.damaged_rows import DamagedRows
from order_events.storage.database import Database, Fault, OutcomeUnknown
from order_events.storage.fair_queue import FairQueue
from order_events.storage.transaction import MenuCache, Tx, utc_now

T = TypeVar("T")
PROBE_S = 1.0
"""Seconds between attempts to write to the database after a failed commit."""
CONFLICTS = 5
"""How often a group is tried again after another process's writer was in its way."""

logger = structlog.get_logger(__name__)


@dataclass(slots=True)
class Job(Generic[T]):
    """A change, and the caller waiting for it. `future` belongs to the event loop."""

    restaurant_id: str
    run: Callable[[Tx], T]
    future: asyncio.Future[T]
    result: T | None = None
    error: BaseException | None = None


class Writer:
    """A thread that commits. It calls `on_commit` once per group, in commit order."""

    def __init__(
        self,
        database: Database,
        settings: HubSettings,
        metrics: HubMetrics,
        on_commit: Callable[[list[Job[Any]], list[Event]], None],
        damaged_rows: DamagedRows,
    ) -> None:
        self._database = database
        self._transactions = database.transactions()
        self._metrics = metrics
        self._on_commit = on_commit
        self._damaged_rows = damaged_rows
        self._batch = settings.store_batch
        self._menus = MenuCache()
        self._in_doubt: list[Event] | None = None
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

    def submit(self, job: Job[Any]) -> None:
        """Queue a change; raise Overloaded if too many wait."""
        try:
            self._jobs.put(job.restaurant_id, job)
        except queue.Full:
            raise Overloaded("too many changes are waiting; try again") from None
        self._metrics.store_queue.set(len(self._jobs))

    def stop(self) -> None:
        """Commit everything that waits, then close the connection. Blocks until done."""
        self._jobs.close()
        self._thread.join()

    def found_damage(self) -> None:
        """Stop writing: the database's content is damaged. Thread-safe."""
        self._damaged = True

    def _work(self) -> None:
        while True:
            idle = self.healthy and not self._transactions.upkeep_due
            jobs = self._jobs.take(self._batch, None if idle else PROBE_S)
            if jobs:
                self._commit(jobs)
            elif self._jobs.closed:
                break
            elif not self.healthy:
                self._probe()
            if self.healthy and self._transactions.upkeep_due:
                self._transactions.upkeep()
            # Otherwise this group and its callers would stay alive until the next one arrives.
            del jobs
        self._transactions.close()

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
        self._settle()
        for _ in range(CONFLICTS):
            try:
                return self._attempt(jobs)
            except Exception as error:
                if self._database.fault(error) is not Fault.CONFLICT:
                    raise
                logger.info("another writer was in the way: once more", why=str(error))
                self._undo()
        return self._attempt(jobs)

    def _attempt(self, jobs: list[Job[Any]]) -> list[Event]:
        epoch = self._transactions.begin({job.restaurant_id for job in jobs})
        events: list[Event] = []
        for job in jobs:
            events += self._run(job, epoch)
        try:
            self._transactions.commit(len(events))
        except OutcomeUnknown:
            self._in_doubt = events
            raise
        return events

    def _settle(self) -> None:
        """Find out what became of a commit in doubt, and tell of its events if it was made.

        Later events follow them in `seq`, so it comes before any other commit.
        """
        if self._in_doubt is None:
            return
        events = self._in_doubt if self._transactions.committed() else []
        self._in_doubt = None
        self._on_commit([], events)

    def _run(self, job: Job[Any], epoch: str) -> list[Event]:
        """Run one change; an error undoes it alone, unless the database itself has failed."""
        db = self._transactions.connection
        tx = Tx(db, epoch, self._menus, utc_now())
        job.result = job.error = None
        db.execute("SAVEPOINT job")
        try:
            job.result = job.run(tx)
        except Exception as error:  # the change's boundary: its caller gets the error
            if self._database.fault(error) not in (None, Fault.CHANGE):
                raise
            job.error = error
            db.execute("ROLLBACK TO job")
            tx.appended.clear()
        else:
            if tx.erase_by is not None:
                self._transactions.erase_by(tx.erase_by)
        for place in tx.damaged:
            self._damaged_rows.note(place)
        db.execute("RELEASE job")
        return tx.appended

    def _fail(self, jobs: list[Job[Any]], error: Exception) -> None:
        self._failing = True
        self._metrics.store_failures.inc()
        logger.error("a commit failed", error=str(error), changes=len(jobs))
        if self._database.fault(error) is Fault.DAMAGE:
            self.found_damage()
        self._undo()
        refusal = "orders cannot be changed now; nothing was changed"
        if isinstance(error, OutcomeUnknown):
            refusal = "the database cannot be reached: this may or may not have been changed"
        for job in jobs:
            job.result = None
            job.error = error if isinstance(error, OrderError) else StoreUnavailable(refusal)

    def _undo(self) -> None:
        self._transactions.roll_back()
        # It may hold a version that was not committed; that number will be used for another menu.
        self._menus = MenuCache()

    def _probe(self) -> None:
        """Try a write, so that readiness recovers without waiting for a change."""
        if self._damaged:
            return
        try:
            self._settle()
            self._transactions.probe()
        except Exception as error:  # noqa: BLE001 (the thread's boundary: it must go on)
            logger.warning("the database still cannot be written", error=str(error))
            self._transactions.roll_back()
        else:
            logger.info("the database can be written again")
            self._failing = False
