"""Measures, when metrics are read, what an operator has to keep an eye on."""

from __future__ import annotations

import contextlib
import shutil
import time

from order_events.metrics import HubMetrics
from order_events.protocol.errors import OrderError
from order_events.service import OrderEvents
from order_events.storage.queries import Reader
from order_events.storage.store import DATABASE_FILE


async def measure(events: OrderEvents) -> None:
    """Set the gauges for the disk, the WAL, the clock and the oldest unfinished order."""
    metrics: HubMetrics = events.metrics
    directory = events.settings.data_dir
    metrics.clock.set(time.time())
    with contextlib.suppress(OSError):
        metrics.disk_free.set(shutil.disk_usage(directory).free)
    try:
        metrics.wal.set((directory / f"{DATABASE_FILE}-wal").stat().st_size)
    except OSError:
        metrics.wal.set(0)
    # While the database cannot be read, the others matter all the more.
    with contextlib.suppress(OrderError):
        begun = await events.store.survey(Reader.oldest_unfinished)
        metrics.oldest_order.set(0 if begun is None else max(0.0, time.time() - begun))
