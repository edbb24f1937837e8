"""Measures, when metrics are read, what an operator has to keep an eye on."""

from __future__ import annotations

import asyncio
import contextlib
import math
import shutil
import time

from order_events.metrics import HubMetrics
from order_events.protocol.errors import OrderError
from order_events.service import OrderEvents
from order_events.storage.queries import Reader
from order_events.storage.sqlite import DATABASE_FILE

_PATIENCE_S = 2.0
"""Longest that a scrape waits for the database; the gauge then keeps its last value."""


async def measure(events: OrderEvents) -> None:
    """Set the gauges for the disk, the WAL, the clock and the oldest unfinished order."""
    metrics: HubMetrics = events.metrics
    directory = events.settings.data_dir
    metrics.clock.set(time.time())
    if events.settings.on_postgresql:
        # Nothing is kept on this disk; a number would raise alarms.
        metrics.disk_free.set(math.nan)
    else:
        with contextlib.suppress(OSError):
            metrics.disk_free.set(shutil.disk_usage(directory).free)
    try:
        metrics.wal.set((directory / f"{DATABASE_FILE}-wal").stat().st_size)
    except OSError:
        metrics.wal.set(0)
    # If the database cannot be read, or an analysis keeps it busy, the others matter all the more.
    with contextlib.suppress(OrderError, TimeoutError):
        async with asyncio.timeout(_PATIENCE_S):
            begun = await events.store.survey(Reader.oldest_unfinished)
        metrics.oldest_order.set(0 if begun is None else max(0.0, time.time() - begun))
