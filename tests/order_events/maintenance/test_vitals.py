"""What operators keep an eye on, as metrics."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest
from support.http_requests import get
from support.transactions import FINISH

pytestmark = pytest.mark.sqlite
"""They look into the file, or end the process that has it."""


async def vitals(server: Any) -> dict[str, float]:
    """Return the metrics without labels."""
    _, text, _ = await get(server, "/metrics")
    lines = [line.split() for line in text.splitlines() if not line.startswith("#")]
    return {words[0]: float(words[1]) for words in lines if len(words) == 2 and "{" not in words[0]}


async def test_disk_descriptors_clock_and_log_are_measured(server: Any, draft: Any) -> None:
    """When somebody asks."""
    await server.events.create_order("r1", draft, actor="a")
    now = await vitals(server)
    assert now["order_events_disk_free_bytes"] > 0
    assert 0 < now["process_open_fds"] < now["process_max_fds"]
    assert abs(now["order_events_clock_seconds"] - time.time()) < 60
    assert now["order_events_wal_bytes"] > 0


async def test_the_oldest_unfinished_order_is_known(server: Any, draft: Any) -> None:
    """Of all restaurants; one that is finished has no age."""
    assert (await vitals(server))["order_events_oldest_unfinished_order_seconds"] == 0
    order = await server.events.create_order("r1", draft, actor="a")
    assert (await vitals(server))["order_events_oldest_unfinished_order_seconds"] > 0
    for status in FINISH:
        await server.events.set_status("r1", order.id, status, actor="a")
    assert (await vitals(server))["order_events_oldest_unfinished_order_seconds"] == 0


async def test_metrics_are_told_even_when_the_database_is_not(server: Any) -> None:
    """The others matter all the more."""
    await server.events.store.close()
    assert (await vitals(server))["order_events_disk_free_bytes"] > 0


async def test_metrics_do_not_wait_for_an_analysis(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Surveys are made one at a time, and a scrape has its own time limit."""
    monkeypatch.setattr("order_events.maintenance.vitals._PATIENCE_S", 0.05)
    done = threading.Event()
    busy = asyncio.create_task(server.events.store.survey(lambda _: done.wait(60)))
    try:
        assert (await vitals(server))["order_events_disk_free_bytes"] > 0
        assert not busy.done()
    finally:
        done.set()
        await busy
