"""Health, readiness and metrics, as operators ask for them."""

from __future__ import annotations

import json
from typing import Any

from support.http_requests import ask, get, statuses

from order_events.settings import HubSettings


async def test_health_readiness_and_metrics(server: Any, draft: Any) -> None:
    """The metrics include those that the protocol lists."""
    assert (await get(server, "/healthz"))[0] == 200
    status, text, _ = await get(server, "/readyz")
    assert (status, json.loads(text)) == (
        200,
        {"ready": True, "reasons": [], "degraded": []},
    )
    client = await server.connect()
    await client.send(type="ping")
    await client.send(type="nonsense")
    await client.until("error")
    await server.events.create_order("r1", draft, actor="a")
    await client.until("order:created")
    _, text, headers = await get(server, "/metrics")
    assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
    for line in (
        'order_events_connections{socket="root"} 1.0',
        'order_events_messages_received_total{socket="root",type="ping"} 1.0',
        'order_events_messages_received_total{socket="root",type="other"} 1.0',
        'order_events_errors_total{code="UNKNOWN_TYPE",socket="root"} 1.0',
        'order_events_message_processing_seconds_count{socket="root"} 2.0',
        'order_events_published_total{type="order:created"} 1.0',
    ):
        assert line in text


async def test_the_operators_page_is_for_this_machine_where_no_token_is_set(start: Any) -> None:
    """A trusted proxy's callers are elsewhere."""
    page = "/web/operator.html"
    elsewhere = {"X-Forwarded-For": "192.0.2.7"}
    server = await start(trusted_proxies=["127.0.0.1"])
    assert await statuses(server, 1, page) == [200]
    assert await statuses(server, 1, page, **elsewhere) == [403]
    await server.stop()
    open_to_all = await start(trusted_proxies=["127.0.0.1"], metrics_token="scrape-me-please")
    assert await statuses(open_to_all, 1, page, **elsewhere) == [200]


async def test_metrics_may_ask_for_a_token_of_their_own(start: Any) -> None:
    """A restaurant's token does not open them, because they cover all restaurants."""
    server = await start(metrics_token="scrape-me-please")
    assert await statuses(server, 1, "/metrics") == [401]
    manager = f"Bearer {server.token()}"
    assert await statuses(server, 1, "/metrics", Authorization=manager) == [401]
    good = await ask(server, "/metrics", Authorization="Bearer scrape-me-please")
    assert good.status == 200
    assert "scrape-me-please" not in repr(HubSettings(metrics_token="scrape-me-please"))
