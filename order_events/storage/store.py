"""Orders and their events in a database: writers for changes, a few readers for queries.

A change is published only once it is committed. While the database cannot be written, waiting
changes fail with StoreUnavailable; reads go on, and the next change tries again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import closing
from typing import Any, TypeVar

from order_events import tracing
from order_events.domain.models import Event
from order_events.metrics import HubMetrics
from order_events.protocol.errors import Stopping
from order_events.settings import HubSettings
from order_events.storage.damaged_rows import DamagedRows
from order_events.storage.database import Database, DatabaseUnusable
from order_events.storage.group_commit import Job, Writer
from order_events.storage.queries import Reader
from order_events.storage.reader_pool import READERS, SURVEYS, SURVEYS_PER_RESTAURANT, ReaderPool
from order_events.storage.sqlite import SqliteDatabase
from order_events.storage.transaction import Tx

T = TypeVar("T")


class Store:
    """The database that the settings name. `committed` is called on the loop, in commit order.

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
        self._database = database_of(settings)
        self._settings = settings
        self._metrics = metrics
        self._committed = committed
        self._closing = False
        self._writer: Writer | None = None
        self._readers: ReaderPool | None = None
        self._surveys: ReaderPool | None = None

    @property
    def shared(self) -> bool:
        """True if other processes may write to the same database."""
        return self._database.shared

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
            self._database.close()
            raise
        self._writer.start()
        most = self._settings.store_reads
        self._readers = self._pool(self._writer, threads=READERS, most=most, share=most)
        self._surveys = self._pool(
            self._writer, threads=1, most=SURVEYS, share=SURVEYS_PER_RESTAURANT
        )

    def _pool(self, writer: Writer, **size: int) -> ReaderPool:
        return ReaderPool(
            self._database, self.epoch, writer.found_damage, self.damaged_rows, **size
        )

    def restart(self, epoch: str) -> None:
        """Read another history from now on: another node has begun it."""
        self.epoch = epoch
        for readers in (self._readers, self._surveys):
            if readers is not None:
                readers.epoch = epoch

    def _open(self) -> Writer:
        self.epoch = self._database.open()
        with self._database.opening():
            with closing(self._database.reader()) as db:
                self.positions = Reader(db, self.epoch).positions()
            return Writer(
                self._database, self._settings, self._metrics, self._written, self.damaged_rows
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
        self._database.close()

    async def write(self, run: Callable[[Tx], T], restaurant_id: str = "") -> T:
        """Run a change in the writer's thread; return its result once it is on disk.

        An error that `run` raises undoes it alone. Changes of one restaurant are made in order of
        arrival; restaurants take turns. Raises Overloaded if too many changes wait,
        StoreUnavailable if they cannot be committed.
        """
        if self._closing or self._writer is None:
            raise Stopping("orders cannot be changed: the server is stopping")
        with tracing.substep("commit"):
            job: Job[T] = Job(restaurant_id, tracing.carried(run), self._loop.create_future())
            self._writer.submit(job)
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
            raise Stopping("orders cannot be read: the server is stopping")
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


def database_of(settings: HubSettings) -> Database:
    """Return the database that the settings name, not yet open; raise DatabaseUnusable."""
    if not settings.on_postgresql:
        return SqliteDatabase(settings)
    try:
        # Its driver is an extra.
        from order_events.storage.postgresql.database import PostgresqlDatabase  # noqa: PLC0415
    except ImportError as error:
        raise DatabaseUnusable(
            f"{error.name} is not installed: run `pip install 'voice-ordering[cluster]'`"
        ) from error
    return PostgresqlDatabase(settings)
