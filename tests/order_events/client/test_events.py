"""The consumer of events against a real server: nothing lost, twice or out of order."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web
from support.reconnecting import abort_all

from order_events.auth.tokens import Role
from order_events.client import Event, Events, HistoryLost, Position, Refused, backoff, events
from order_events.client.backoff import Backoff

CREATED = ("order:created",)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reconnect without the waits that real clients owe a server."""
    monkeypatch.setattr(backoff, "_FIRST_S", 0.02)


async def order(server: Any) -> str:
    """Create an order; return its id."""
    _, answer = await server.call("POST", "/v1/orders", {"items": [{"menu_item_id": "burger"}]})
    id_: str = answer["order"]["id"]
    return id_


async def take(consumer: Events, count: int) -> list[Event]:
    """Return the next events."""
    async with asyncio.timeout(20):
        return [await anext(consumer) for _ in range(count)]


def ids(taken: list[Event]) -> list[str]:
    return [event.data["order"]["id"] for event in taken]


async def test_each_event_comes_once_and_in_order_over_lost_connections(server: Any) -> None:
    """What happens while there is no connection comes after it, before anything newer."""
    made: list[str] = []
    async with Events(server.url, server.token(), CREATED) as consumer:
        start = consumer.position
        seen: list[Event] = []
        for _ in range(4):
            made.append(await order(server))
            abort_all(server)
            made += [await order(server) for _ in range(3)]
            seen += await take(consumer, 4)
        assert ids(seen) == made
        assert consumer.position == seen[-1].position
    async with Events(server.url, server.token(), CREATED, since=start) as again:
        assert ids(await take(again, 16)) == made


async def test_filters_batches_and_live_partials_arrive_as_from_the_socket(server: Any) -> None:
    """A partial transcript has no position; a batch is its events."""
    wanted = ("order:created", "voice:transcript")
    async with Events(
        server.url, server.token(), wanted, filters={"lane": ["1"]}, batch_ms=20
    ) as consumer:
        server.events.publish_live(
            "r1", "voice:transcript", {"text": "two"}, key="s", tags={"lane": "1"}
        )
        draft = {"items": [{"menu_item_id": "burger"}], "source": {"lane": "1"}}
        await order(server)
        for _ in range(2):
            await server.call("POST", "/v1/orders", draft)
        live, first, second = await take(consumer, 3)
        assert (live.type, live.position) == ("voice:transcript", None)
        assert first.position is not None
        assert second.position is not None
        assert first.position.seq < second.position.seq


async def test_lost_history_is_told_once_and_then_goes_on(server: Any) -> None:
    """The consumer reads the state, then continues from the position it is given."""
    await order(server)
    stored = Position("another-epoch", 7)
    async with Events(server.url, server.token(), CREATED, since=stored) as consumer:
        assert consumer.position == stored
        with pytest.raises(HistoryLost) as lost:
            await anext(consumer)
        assert consumer.position == lost.value.position
        made = await order(server)
        assert ids(await take(consumer, 1)) == [made]


@pytest.mark.parametrize(
    ("role", "wanted", "code"),
    [
        (Role.DEVICE, CREATED, "FORBIDDEN"),
        (Role.KITCHEN, ("payment:processed",), "FORBIDDEN"),
        (Role.MANAGER, ("order:eaten",), "INVALID_MESSAGE"),
    ],
)
async def test_a_refusal_is_final(
    server: Any, role: Role, wanted: tuple[str, ...], code: str
) -> None:
    """It is raised at once, with the server's reason, and not tried again."""
    consumer = Events(server.url, server.token(role=role), wanted)
    with pytest.raises(Refused) as refused:
        await consumer.__aenter__()
    assert refused.value.code == code
    assert consumer._task is not None
    assert consumer._task.done()


async def test_a_wrong_token_and_a_wrong_address_are_refusals(server: Any) -> None:
    """Neither gets better by itself."""
    with pytest.raises(Refused, match="UNAUTHORIZED"):
        await Events(server.url, "not-a-token").__aenter__()
    with pytest.raises(Refused, match="HTTP_404"):
        await Events(f"{server.url}/nowhere", server.token()).__aenter__()


async def test_a_token_function_is_called_for_each_connection_and_renewal(start: Any) -> None:
    """A connection outlives its token; without a function it ends with the token."""
    server = await start(token_expiry_notice_s=60)
    given = iter([server.token(ttl=61), *(server.token(ttl=600) for _ in range(5))])
    asked, renewed = [], asyncio.Event()

    async def token() -> str:
        asked.append(None)
        if len(asked) > 1:
            renewed.set()
        return next(given)

    async with Events(server.url, token, CREATED) as consumer:
        await renewed.wait()
        made = [await order(server)]
        abort_all(server)
        made.append(await order(server))
        assert ids(await take(consumer, 2)) == made
        assert len(asked) == 3


async def test_an_expired_token_that_cannot_be_renewed_ends_the_iteration(start: Any) -> None:
    """After the events that arrived before, and again at each further attempt."""
    server = await start()
    async with Events(server.url, server.token(ttl=1.5), CREATED) as consumer:
        await order(server)
        await take(consumer, 1)
        for _ in range(2):
            with pytest.raises(Refused, match="UNAUTHORIZED"):
                await take(consumer, 1)


async def test_what_a_token_function_raises_reaches_the_consumer(server: Any) -> None:
    """A fault of the caller's own is not taken for a lost connection."""

    def token() -> str:
        raise KeyError("no credentials")

    with pytest.raises(KeyError):
        await Events(server.url, token).__aenter__()


async def test_a_slow_consumer_holds_a_bounded_number_of_events(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest waits at the server, and comes when the consumer reads on."""
    monkeypatch.setattr(events, "_BUFFERED", 2)
    async with Events(server.url, server.token(), CREATED) as consumer:
        made = [await order(server) for _ in range(6)]
        assert consumer._waiting.qsize() <= 2
        assert ids(await take(consumer, 6)) == made
    with pytest.raises(StopAsyncIteration):
        await anext(consumer)


def test_waits_double_up_to_half_a_minute_and_start_again_after_a_steady_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A server that admits a client only to drop it does not count as a success."""
    monkeypatch.setattr(backoff, "_FIRST_S", 1.0)
    waits = Backoff()
    for n in (1, 2, 4, 8, 16, 30, 30):
        assert n / 2 <= waits.next(0.0) <= n
    waits.online(100.0)
    assert waits.next(109.0) >= 15
    waits.online(200.0)
    assert waits.next(210.0) <= 1


def test_an_event_is_immutable() -> None:
    """Consumers pass events on to other tasks."""
    event = Event("order:created", {}, "", None, {})
    with pytest.raises(dataclasses.FrozenInstanceError):
        event.type = "other"  # type: ignore[misc]


async def test_a_server_that_comes_back_is_found_again() -> None:
    """A connection that cannot be made is tried again; so is a server that fails."""
    answers: Iterator[int] = iter([503, 500])
    served = asyncio.Event()

    async def handle(request: web.Request) -> web.StreamResponse:
        status = next(answers, None)
        if status is not None:
            return web.Response(status=status)
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        first = await ws.receive_json()
        assert first["subscribe"]["events"] == ["*"]
        data = {"recovered": False, "epoch": "e", "seq": 3}
        await ws.send_json({"type": "connected", "data": {}})
        await ws.send_json({"type": "subscribed", "data": data, "id": first["id"]})
        await served.wait()
        return ws

    app = web.Application()
    app.router.add_get("/", handle)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with Events(f"http://127.0.0.1:{runner.addresses[0][1]}", "t") as consumer:
            assert consumer.position == Position("e", 3)
            served.set()
    finally:
        await runner.cleanup()
