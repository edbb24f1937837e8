"""A real server observes every metric of the hub, and counts what it should."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from order_events.metrics import HubMetrics

ELSEWHERE = {
    "order_events_clock_doubted",
    "order_events_clock_seconds",
    "order_events_disk_free_bytes",
    "order_events_oldest_unfinished_order_seconds",
    "order_events_wal_bytes",
    "order_events_store_failures",
    "order_events_slow_closes",
    "order_events_outbox_messages",
    "order_events_outbox_fullest_bytes",
    "order_events_webhook_deliveries",
    "order_events_remote",
}
"""What is measured when it is read, or needs a broken disk or clock, a stalled reader or a
receiver, is tested with those."""


def values(metrics: HubMetrics) -> dict[str, float]:
    """Return every sample by its name and labels."""
    return {
        f"{sample.name}{sorted(sample.labels.items())}": sample.value
        for family in metrics.registry.collect()
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


def observed(metrics: HubMetrics) -> set[str]:
    """Return the metric families that have been observed."""
    return {
        family.name
        for family in metrics.registry.collect()
        if any(s.value for s in family.samples if not s.name.endswith("_created"))
    }


async def until(holds: Callable[[], bool]) -> None:
    """Wait for something the server does on its own."""
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110  there is no event for it
            await asyncio.sleep(0.01)


async def test_every_metric_is_observed(server: Any, draft: Any) -> None:
    """Connections, messages, failures, reconnections, processing, events, replay, commits."""
    metrics = server.events.metrics
    queued: list[float] = []
    first = await server.connect()
    await first.send(type="fly")
    await first.until("error")
    await first.ws.close()
    await until(lambda: server.sockets() == 0)
    again = await server.connect()
    stranger = await server.open()
    await stranger.send(type="auth", token="bad")
    await stranger.close_code()
    writes = [server.events.create_order("r1", draft, actor="a") for _ in range(5)]
    tasks = [asyncio.create_task(write) for write in writes]
    while not all(task.done() for task in tasks):
        await asyncio.sleep(0)
        queued += [sample.value for m in metrics.store_queue.collect() for sample in m.samples]
    server.events.publish_live("r1", "voice:transcript", {}, key="s", tags={"session_id": "s"})
    since = {"epoch": again.connected["data"]["epoch"], "seq": 0}
    await again.send(type="subscribe", events=["order:created"], since=since)
    await again.until("subscribed")
    for _ in range(5):
        await again.until("order:created")
    await server.call("GET", "/v1/orders")
    await until(lambda: values(metrics)["order_events_replay_seconds_count[]"] == 1)
    everything = {family.name for family in metrics.registry.collect()}
    assert max(queued) >= 1
    assert everything - observed(metrics) <= ELSEWHERE | {"order_events_store_queue"}
    found = values(metrics)
    root = "[('socket', 'root')]"
    assert found[f"order_events_connections{root}"] == 1
    assert found[f"order_events_reconnections_total{root}"] == 1
    assert found[f"order_events_auth_failures_total{root}"] == 1
    assert found[f"order_events_message_processing_seconds_count{root}"] == 2
    assert found["order_events_replayed_total[]"] >= 5
    assert found["order_events_commit_changes_sum[]"] >= 5
    request = "[('method', 'GET'), ('path', '/v1/orders'), ('status', '200')]"
    assert found[f"order_events_http_request_seconds_count{request}"] == 1


async def test_requests_for_what_does_not_exist_share_a_label(server: Any) -> None:
    """Clients must not decide how many time series there are."""
    for path in ("/v1/a", "/v1/b", "/c"):
        async with server.session.get(server.url + path) as response:
            assert response.status == 404
    other = "[('method', 'other'), ('path', 'other'), ('status', '404')]"
    found = values(server.events.metrics)
    assert found[f"order_events_http_request_seconds_count{other}"] == 3
