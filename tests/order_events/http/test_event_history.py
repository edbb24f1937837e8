"""The history over HTTP: the same events as on the socket, in bounded pages."""

from __future__ import annotations

from typing import Any

from support.histories import collect, pour

from order_events.domain.models import OrderStatus


async def test_the_http_history_is_what_the_socket_sends(server: Any, draft: Any) -> None:
    """The same events, byte for byte, through the same filters, page by page."""
    client = await server.connect()
    await client.send(type="subscribe", events=["order:*"], filters={"status": ["confirmed"]})
    await client.expect("subscribed")
    for _ in range(4):
        order = await server.events.create_order("r1", draft, actor="a")
        await server.events.set_status("r1", order.id, OrderStatus.CONFIRMED, actor="a")
    live = await collect(client, 8)
    pages: list[dict[str, Any]] = []
    after, more = 0, True
    while more:
        status, page = await server.call(
            "GET", f"/v1/events?after={after}&events=order:*&status=confirmed&limit=3"
        )
        assert status == 200
        assert page["epoch"] == client.connected["data"]["epoch"]
        pages += page["events"]
        after, more = page["seq"], page["more"]
    assert pages == live


async def test_http_history_refuses_what_it_does_not_know(server: Any) -> None:
    """A misspelt parameter, an unknown event, a wrong number."""
    for query in ("since=4", "events=order:made", "after=-1", "limit=0", "limit=1001"):
        status, answer = await server.call("GET", f"/v1/events?{query}")
        assert (status, answer["error"]["code"]) == (400, "INVALID_MESSAGE"), query
    assert (await server.call("GET", "/v1/events?limit=1000&after=0"))[0] == 200
    assert (await server.call("GET", "/v1/events?epoch=other"))[1]["recovered"] is False


async def test_a_page_of_history_is_bounded_in_bytes(start: Any) -> None:
    """It holds at least one event, says that there are more, and goes on where it ended."""
    server = await start(history_bytes=10_000)
    for size in (4_000, 4_000, 4_000, 20_000, 20_000, 10):
        await pour(server, 1, size)
    pages, after, more = [], 0, True
    while more:
        page = (await server.call("GET", f"/v1/events?after={after}&limit=1000"))[1]
        pages.append([event["seq"] for event in page["events"]])
        after, more = page["seq"], page["more"]
    assert pages == [[1, 2, 3], [4], [5], [6]]
