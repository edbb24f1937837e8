"""Threads that read from the database; restaurants take turns."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog

from order_events.protocol.errors import StoreUnavailable
from order_events.storage.damaged_rows import DamagedRows
from order_events.storage.database import Connection, Database, Fault
from order_events.storage.fair_queue import FairQueue
from order_events.storage.queries import Reader

T = TypeVar("T")
READERS = 2
"""Threads for the queries that screens wait for."""
SURVEYS = 128
"""Long queries that may wait, …"""
SURVEYS_PER_RESTAURANT = 16
"""… and of one restaurant."""

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Read:
    """A query, and the caller waiting for it. `future` belongs to the event loop."""

    run: Callable[[Reader], Any]
    future: asyncio.Future[Any]


class ReaderPool:
    """A few read-only connections, each with a thread in which `found_damage` may be called.

    At most `most` reads wait, and at most `share` of one restaurant. `epoch` is the history that
    the events belong to.
    """

    def __init__(
        self,
        database: Database,
        epoch: str,
        found_damage: Callable[[], None],
        damaged_rows: DamagedRows,
        *,
        threads: int,
        most: int,
        share: int,
    ) -> None:
        self._database = database
        self.epoch = epoch
        self._found_damage = found_damage
        self._damaged_rows = damaged_rows
        self._loop = asyncio.get_running_loop()
        self._reads: FairQueue[_Read] = FairQueue(most, share)
        self._threads = [
            threading.Thread(target=self._work, name=f"store reader {n}", daemon=True)
            for n in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    async def read(self, run: Callable[[Reader], T], restaurant_id: str) -> T:
        """Return what `run` returns; raise StoreUnavailable, also if too many reads wait."""
        future: asyncio.Future[T] = self._loop.create_future()
        try:
            self._reads.put(restaurant_id, _Read(run, future))
        except queue.Full:
            raise StoreUnavailable("too many requests are waiting; try again") from None
        return await future

    def stop(self, *, serve_waiting: bool = True) -> None:
        """Finish the reads that wait, or refuse them; then close. Blocks until done."""
        self._reads.close()
        if not serve_waiting:
            stopping = StoreUnavailable("orders cannot be read: the server is stopping")
            for read in self._reads.take(len(self._reads), 0):
                self._loop.call_soon_threadsafe(_answer, read.future, None, stopping)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        db: Connection | None = None
        while reads := self._reads.take(1):
            read = reads.pop()
            answer, error = None, None
            try:
                db = db or self._database.reader()
                answer = self._run(read, Reader(db, self.epoch))
            except Exception as raised:  # noqa: BLE001 (the read's boundary: its caller gets it)
                error = self._public(raised)
            self._loop.call_soon_threadsafe(_answer, read.future, answer, error)
            # Otherwise this read and its caller would stay alive until the next one arrives.
            del read, answer, error
        if db is not None:
            db.close()

    def _run(self, read: _Read, reader: Reader) -> Any:
        try:
            return read.run(reader)
        finally:
            for place in reader.damaged:
                self._damaged_rows.note(place)

    def _public(self, error: Exception) -> Exception:
        fault = self._database.fault(error)
        if fault is None:
            return error
        logger.error("the database cannot be read", exc_info=error)
        if fault is Fault.DAMAGE:
            self._found_damage()
        unavailable = StoreUnavailable("orders cannot be read now")
        unavailable.__cause__ = error
        return unavailable


def _answer(future: asyncio.Future[Any], answer: Any, error: Exception | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(answer)
    else:
        future.set_exception(error)
