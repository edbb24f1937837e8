"""How long a session waits for the hub."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from order_events.protocol.errors import Overloaded, Stopping, StoreUnavailable

PAUSE_S = 0.5
"""Seconds between attempts while the database is away."""
_TIMEOUT = 10.0
"""Seconds the hub may take for one change before a person is asked to look at the order."""

T = TypeVar("T")


async def patiently(
    attempt: Callable[[], Awaitable[T]], patience_s: float, given_up: Callable[[], bool]
) -> T:
    """Return the answer to `attempt`, repeated for `patience_s` seconds if the database is away.

    Then, or once it is `given_up`, raise the last StoreUnavailable, Overloaded or TimeoutError.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + patience_s
    while True:
        try:
            return await attempt()
        except Stopping:
            raise
        except (StoreUnavailable, Overloaded, TimeoutError):
            if given_up() or loop.time() + PAUSE_S > until:
                raise
        await asyncio.sleep(PAUSE_S)


async def in_time(change: Awaitable[T]) -> T:
    """Return the hub's answer; raises TimeoutError after `_TIMEOUT` seconds."""
    async with asyncio.timeout(_TIMEOUT):
        return await change


def made_once(change: Callable[[], Awaitable[T]]) -> Callable[[], Awaitable[T]]:
    """Return an attempt at a change that must not be made twice, for `patiently`.

    If the answer is late, which raises TimeoutError, the next attempt waits for the same answer.
    """
    pending: asyncio.Future[T] | None = None

    async def attempt() -> T:
        nonlocal pending
        if pending is None:
            pending = asyncio.ensure_future(change())
            # Its error has an owner even if nobody waits any longer.
            pending.add_done_callback(lambda done: done.cancelled() or done.exception())
        waited = pending
        try:
            return await in_time(asyncio.shield(waited))
        finally:
            if waited.done():
                pending = None

    return attempt
