"""Schedules `kds:update`: soon after an order changes, at a bounded rate per restaurant."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from order_events.fanout.throttle import Throttle
from order_events.protocol.errors import OrderError

RETRY_S = 1.0
"""Seconds after a failed update until the next attempt."""

logger = structlog.get_logger(__name__)

Update = Callable[[str], Awaitable[bool]]
"""Commits a restaurant's `kds:update`; returns whether more orders are left."""


class KitchenFeed:
    """Commits `kds:update` at most `per_second` times a second for each restaurant.

    Lives on the event loop.
    """

    def __init__(self, per_second: int, update: Update) -> None:
        self._update = update
        self._throttle: Throttle[str, None] = Throttle(1 / per_second)
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_open = False

    def open(self) -> None:
        """Begin to commit updates."""
        self._loop = asyncio.get_running_loop()
        self._is_open = True

    async def close(self) -> None:
        """Stop. The database knows which orders are left; they are sent after the next start."""
        self._is_open = False
        if self._timer is not None:
            self._timer.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def changed(self, restaurant_id: str) -> None:
        """Schedule an update: some order of the restaurant has changed."""
        if not self._is_open:
            return
        if self._throttle.offer(restaurant_id, None, self._loop.time()):
            self._start_update(restaurant_id)
        self._arm()

    def _arm(self) -> None:
        deadline = self._throttle.next_deadline()
        if deadline is not None and self._timer is None:
            self._timer = self._loop.call_at(deadline, self._due)

    def _due(self) -> None:
        self._timer = None
        for restaurant_id, _ in self._throttle.due(self._loop.time()):
            self._start_update(restaurant_id)
        self._arm()

    def _start_update(self, restaurant_id: str) -> None:
        # The interval counts from the end of the commit, however long that takes.
        self._throttle.block(restaurant_id)
        task = asyncio.create_task(self._commit(restaurant_id), name="kds:update")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _commit(self, restaurant_id: str) -> None:
        more = False
        try:
            more = await self._update(restaurant_id)
        except Exception as error:
            # The task's boundary: whatever fails, the kitchen's updates must resume. Nothing is
            # lost, because the database knows which orders have not been sent.
            logger.warning(
                "a kds:update could not be committed",
                restaurant=restaurant_id,
                why=str(error),
                exc_info=not isinstance(error, OrderError),
            )
            self._loop.call_later(RETRY_S, self.changed, restaurant_id)
        finally:
            self._throttle.release(restaurant_id, self._loop.time())
        if more:
            self._throttle.offer(restaurant_id, None, self._loop.time())
        self._arm()
