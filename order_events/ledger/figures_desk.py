"""Answers requests for figures so that they cost other restaurants little.

Requests for the same days share one computation, and its answer is given again until something has
happened in the restaurant. Where much happens, computing takes at most SHARE of the time.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from functools import partial

from order_events.domain.audit_records import AnalyticsQuery
from order_events.fanout.hub import Hub
from order_events.ledger.daily_figures import DailyFigures
from order_events.storage.queries import Reader
from order_events.storage.store import Store
from order_events.storage.transaction import utc_now

SHARE = 0.1
"""Share of the time that computing one restaurant's answer may take, if it is asked for again and
again: an answer may be ten times as old as it took to compute."""
CURRENT_S = 60.0
"""Seconds for which an answer is given again while nothing happens: the day may end meanwhile."""
_KEPT = 64
"""Answers that are kept, of some 100 KB each."""

Key = tuple[str, AnalyticsQuery]


@dataclass(frozen=True, slots=True)
class _Answer:
    """An answer as JSON, the restaurant's position when it was begun, and the loop's times."""

    body: bytes
    head: tuple[str, int]
    begun: float
    done: float

    def holds(self, head: tuple[str, int], now: float) -> bool:
        if self.head == head:
            return now - self.begun < CURRENT_S
        return (now - self.begun) * SHARE < self.done - self.begun


class FiguresDesk:
    """The figures of all restaurants of a process. Call it on the event loop."""

    def __init__(self, store: Store, hub: Hub) -> None:
        self._store = store
        self._hub = hub
        self._figures = DailyFigures()
        self._answers: OrderedDict[Key, _Answer] = OrderedDict()
        self._computing: dict[Key, asyncio.Task[bytes]] = {}

    async def answer(self, restaurant_id: str, query: AnalyticsQuery) -> bytes:
        """Return an `AnalyticsAnswer` as JSON; raise OrderError."""
        key = restaurant_id, query
        known = self._answers.get(key)
        now = asyncio.get_running_loop().time()
        if known is not None and known.holds(self._hub.head(restaurant_id), now):
            self._answers.move_to_end(key)
            return known.body
        task = self._computing.get(key)
        if task is None:
            task = asyncio.create_task(self._compute(key), name="analytics")
            self._computing[key] = task
            task.add_done_callback(partial(self._computed, key))
        # Cancelling one caller must not cancel what others wait for.
        return await asyncio.shield(task)

    async def forget(self, restaurant_id: str) -> None:
        """Drop everything about a restaurant; what is being computed will not be kept."""
        for known in (self._answers, self._computing):
            for key in [key for key in known if key[0] == restaurant_id]:
                del known[key]
        await self._store.survey(lambda r: self._figures.forget(restaurant_id), restaurant_id)

    async def _compute(self, key: Key) -> bytes:
        restaurant_id, query = key
        loop = asyncio.get_running_loop()
        begun, head = loop.time(), self._hub.head(restaurant_id)

        def read(reader: Reader) -> bytes:
            answer = self._figures.answer(reader, restaurant_id, query, utc_now())
            return answer.model_dump_json().encode()

        body = await self._store.survey(read, restaurant_id)
        if self._computing.get(key) is asyncio.current_task():
            self._answers[key] = _Answer(body, head, begun, loop.time())
            self._answers.move_to_end(key)
            if len(self._answers) > _KEPT:
                self._answers.popitem(last=False)
        return body

    def _computed(self, key: Key, task: asyncio.Task[bytes]) -> None:
        if self._computing.get(key) is task:
            del self._computing[key]
        if not task.cancelled():
            # Retrieve it: otherwise asyncio logs it if all callers have gone.
            task.exception()
