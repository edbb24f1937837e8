"""The limits of a connection, each from both sides."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from order_events.app import REGISTRY
from order_events.auth.tokens import Role
from order_events.settings import HubSettings
from order_events.websocket import registry, strangers


def message_of(size: int, type_: str = "ping") -> str:
    """Return a valid message of exactly that many UTF-8 bytes, not all of them ASCII."""
    message = {"type": type_, "events": ["*"], "pad": ""}
    pad = size - len(json.dumps(message).encode())
    return json.dumps({**message, "pad": "é" + "x" * (pad - 2)}, ensure_ascii=False)


@pytest.mark.parametrize("compress", [0, 15])
async def test_a_message_of_65536_bytes_is_allowed(server: Any, compress: int) -> None:
    """Exactly the documented limit, with and without compression."""
    client = await server.open(
        headers={"Authorization": f"Bearer {server.token()}"}, compress=compress
    )
    await client.expect("connected")
    assert len(message_of(65_536).encode()) == 65_536
    await client.ws.send_str(message_of(65_536))
    await client.expect("pong")


@pytest.mark.parametrize("size", [65_537, 100_000, 300_000])
@pytest.mark.parametrize("compress", [0, 15])
async def test_a_larger_message_is_closed_with_1009(server: Any, compress: int, size: int) -> None:
    """Counted after inflation, so that one tiny on the wire is caught."""
    client = await server.open(
        headers={"Authorization": f"Bearer {server.token()}"}, compress=compress
    )
    await client.expect("connected")
    await client.ws.send_str(message_of(size))
    assert await client.close_code() == 1009


async def test_a_larger_first_message_is_closed_with_1009(server: Any) -> None:
    """The limit holds before authentication as well."""
    client = await server.open()
    await client.ws.send_str(message_of(65_537))
    assert await client.close_code() == 1009


async def test_a_hundred_messages_a_minute_pass_and_the_next_does_not(server: Any) -> None:
    """The refused one has no effect; its error says when to retry."""
    client = await server.connect()
    for _ in range(99):
        await client.send(type="unsubscribe", events=["order:created"])
    await client.send(type="subscribe", events=["order:created"], id="last")
    for _ in range(99):
        await client.expect("unsubscribed")
    await client.expect("subscribed")
    await client.send(type="subscribe", events=["table:updated"], id="refused")
    error = await client.expect("error")
    assert error["id"] == "refused"
    assert error["data"]["code"] == "RATE_LIMITED"
    assert 0 < error["data"]["retry_after_ms"] <= 601
    change = {"number": "1", "status": "occupied"}
    await server.call("PUT", "/v1/tables/1", change)
    order = {"items": [{"menu_item_id": "burger"}]}
    await server.call("POST", "/v1/orders", order)
    await client.expect("order:created")


async def test_pings_have_an_allowance_of_their_own(server: Any) -> None:
    """A peer at the limit can still tell whether the server is there, and no more."""
    client = await server.connect()
    for _ in range(101):
        await client.send(type="unsubscribe", events=["order:created"])
    for _ in range(100):
        await client.expect("unsubscribed")
    assert (await client.expect("error"))["data"]["code"] == "RATE_LIMITED"
    for number in range(101):
        await client.send(type="ping", id=number)
    for _ in range(100):
        await client.expect("pong")
    error = await client.expect("error")
    assert (error["data"]["code"], error["id"]) == ("RATE_LIMITED", 100)


async def test_after_the_time_told_the_message_is_accepted(start: Any) -> None:
    """`retry_after_ms` is accurate."""
    server = await start(priority_per_minute=300)
    client = await server.connect()
    for _ in range(300):
        await client.send(type="ping")
    for _ in range(300):
        await client.until("pong")
    while True:
        await client.send(type="ping")
        answer = await client.receive()
        if answer["type"] == "error":
            break
    await asyncio.sleep(answer["data"]["retry_after_ms"] / 1000)
    await client.silent()


async def test_wrong_messages_count_as_well(start: Any) -> None:
    """Invalid messages are no way around the limit."""
    server = await start(regular_per_minute=3)
    client = await server.connect()
    await client.ws.send_str("garbage")
    await client.send(type="nonsense")
    await client.ws.send_bytes(b"")
    for _ in range(3):
        assert (await client.expect("error"))["data"]["code"] != "RATE_LIMITED"
    await client.send(type="nonsense", id=1)
    error = await client.expect("error")
    assert (error["data"]["code"], error["id"]) == ("RATE_LIMITED", 1)


async def test_bytes_a_minute_are_limited(start: Any) -> None:
    """Bytes are counted after inflation."""
    server = await start(bytes_per_minute=50_000)
    client = await server.connect()
    for size in (30_000, 20_000):
        await client.ws.send_str(message_of(size, "unsubscribe"))
        await client.expect("unsubscribed")
    client = await server.connect()
    await client.ws.send_str(message_of(49_000, "unsubscribe"))
    await client.expect("unsubscribed")
    await client.ws.send_str(message_of(2_000, "unsubscribe"))
    assert (await client.expect("error"))["data"]["code"] == "RATE_LIMITED"
    await client.ws.send_str(message_of(2_000))
    await client.expect("pong")


async def test_ten_subscriptions_are_active_and_no_eleventh(server: Any) -> None:
    """Removing one makes room for another."""
    client = await server.connect()
    for number in range(10):
        events = ["order:created"] if number else ["table:updated"]
        await client.send(type="subscribe", events=events, filters={"table_id": str(number)})
        await client.expect("subscribed")
    await client.send(type="subscribe", events=["order:status"], id="11")
    error = await client.expect("error")
    assert (error["data"]["code"], error["id"]) == ("SUBSCRIPTION_LIMIT", "11")
    await client.send(type="unsubscribe", events=["table:updated"])
    await client.expect("unsubscribed")
    await client.send(type="subscribe", events=["order:status"])
    await client.expect("subscribed")


async def test_batch_ms_is_bounded(server: Any) -> None:
    """Events are never held back longer than the setting."""
    client = await server.connect()
    await client.send(type="subscribe", events=["*"], batch_ms=5_001)
    assert (await client.expect("error"))["data"]["code"] == "INVALID_MESSAGE"
    await client.send(type="subscribe", events=["*"], batch_ms=5_000)
    await client.expect("subscribed")


async def overloaded(server: Any, **who: Any) -> None:
    """Assert that a connection is refused: OVERLOADED, then 1013."""
    client = await server.open(headers={"Authorization": f"Bearer {server.token(**who)}"})
    assert (await client.expect("error"))["data"]["code"] == "OVERLOADED"
    assert await client.close_code() == 1013


async def test_a_users_connections_are_capped(start: Any) -> None:
    """Another user can still connect, and closing one makes room."""
    server = await start(max_connections_per_user=2)
    first = await server.connect()
    await server.connect()
    await overloaded(server)
    await server.connect(user="u2")
    await first.ws.close()
    await server.connect()


async def test_a_restaurants_connections_are_capped(start: Any) -> None:
    """Another restaurant can still connect."""
    server = await start(max_connections_per_restaurant=1)
    await server.connect("r1")
    await overloaded(server, restaurant="r1", user="u2")
    await server.connect("r2")


async def test_all_connections_are_capped(start: Any) -> None:
    """Whoever connects."""
    server = await start(max_connections=1)
    await server.connect("r1")
    await overloaded(server, restaurant="r2")


async def test_an_addresses_unauthenticated_sockets_are_capped(start: Any) -> None:
    """Authenticating makes room."""
    server = await start(max_unauthenticated_per_address=2)
    first = await server.open()
    await server.open()
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        await server.open()
    assert refusal.value.status == 429
    await first.send(type="auth", token=server.token())
    await first.expect("auth:success")
    await server.open()


async def test_idle_strangers_do_not_keep_good_tokens_out(
    start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token in the header is checked first; otherwise the socket silent longest makes room."""
    server = await start(max_unauthenticated_per_address=2)
    idle = [await server.open() for _ in range(2)]
    for n in range(5):
        await server.connect(user=f"u{n}")
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        await server.open(headers={"Authorization": "Bearer nonsense"})
    assert refusal.value.status == 429
    monkeypatch.setattr(strangers, "IDLE_S", 0.0)
    screen = await server.open()
    await screen.send(type="auth", token=server.token())
    await screen.expect("auth:success")
    assert await idle[0].close_code() == 1013
    await idle[1].send(type="auth", token=server.token())
    await idle[1].expect("auth:success")


async def test_all_unauthenticated_sockets_are_capped(start: Any) -> None:
    """Across all addresses; leaving makes room, and authenticated ones do not count."""
    server = await start(max_connections=2)
    first = await server.open()
    second = await server.open()
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        await server.open()
    assert refusal.value.status == 429
    await first.ws.close()
    third = await server.open()
    for client in (second, third):
        await client.send(type="auth", token=server.token())
        await client.expect("auth:success")
        await client.expect("connected")
    await server.open()


async def test_a_batch_is_sent_at_once_when_it_is_full(start: Any, draft: Any) -> None:
    """At the setting's number of events; one fewer waits for its time."""
    server = await start(batch_events=3)
    client = await server.connect()
    await client.send(type="subscribe", events=["order:created"], batch_ms=5_000)
    await client.expect("subscribed")
    for _ in range(5):
        await server.events.create_order("r1", draft, actor="a")
    batch = await client.expect("batch")
    assert len(batch["events"]) == 3
    await client.silent()
    await server.events.create_order("r1", draft, actor="a")
    assert len((await client.expect("batch"))["events"]) == 3


async def test_a_peer_that_does_not_answer_pings_is_dropped(start: Any) -> None:
    """One that answers stays."""
    server = await start(heartbeat_s=0.2)
    dead = await server.open(headers={"Authorization": f"Bearer {server.token()}"}, autoping=False)
    alive = await server.connect()
    reading = asyncio.create_task(alive.ws.receive())
    for _ in range(40):
        if server.sockets() == 1:
            break
        await asyncio.sleep(0.05)
    assert server.sockets() == 1
    await asyncio.sleep(0.5)
    assert server.sockets() == 1
    await alive.send(type="ping")
    assert json.loads((await reading).data)["type"] == "pong"
    await dead.ws.close()


async def test_a_message_counts_as_an_answer_to_a_ping(server: Any) -> None:
    """A peer that sends is alive even without a pong; one that then falls silent is not."""
    client = await server.open(
        headers={"Authorization": f"Bearer {server.token()}"}, autoping=False
    )
    await client.expect("connected")
    for _ in range(3):
        server.app[REGISTRY].sweep()
        assert (await client.ws.receive(5)).type is aiohttp.WSMsgType.PING
        await client.silent()
    assert server.sockets() == 1
    server.app[REGISTRY].sweep()
    server.app[REGISTRY].sweep()
    for _ in range(500):
        if server.sockets() == 0:
            break
        await asyncio.sleep(0.01)
    assert server.sockets() == 0


async def test_not_everybody_who_left_is_remembered(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reconnections are only counted, so the most recent users suffice."""
    monkeypatch.setattr(registry, "_REMEMBERED_USERS", 2)
    for number in range(5):
        client = await server.connect(user=f"u{number}")
        await client.ws.close()
    for _ in range(500):
        if server.sockets() == 0:
            break
        await asyncio.sleep(0.01)
    assert len(server.app[REGISTRY]._last_seen) == 2


async def test_a_stalled_reader_is_closed_with_4008_and_slows_nobody(
    start: Any, draft: Any
) -> None:
    """It has read a prefix without a gap, catches up by replay, and misses nothing."""
    server = await start(outbox_messages=40, close_timeout_s=5)
    # Large events, so that the buffers of the system fill up soon.
    big = draft.model_copy(update={"items": draft.items * 100, "notes": "n" * 500})
    stalled = await server.open(headers={"Authorization": f"Bearer {server.token()}"}, compress=0)
    connected = await stalled.expect("connected")
    stalled.ws._response.connection.transport.pause_reading()
    quick = await server.connect()
    for client in (quick, stalled):
        await client.send(type="subscribe", events=["order:created"])
    await quick.expect("subscribed")
    seqs = []
    while "slow_closes_total 1.0" not in server.events.metrics.exposition().decode():
        await server.events.create_order("r1", big, actor="a")
        seqs.append((await quick.expect("order:created"))["seq"])
        assert len(seqs) < 2_000
    stalled.ws._response.connection.transport.resume_reading()
    await stalled.expect("subscribed")
    read = []
    while True:
        received = await stalled.ws.receive(5)
        if received.type is not aiohttp.WSMsgType.TEXT:
            break
        read.append(json.loads(received.data)["seq"])
    assert stalled.ws.close_code == 4008
    assert read == seqs[: len(read)]
    assert len(read) < len(seqs)
    back = await server.connect()
    since = {"epoch": connected["data"]["epoch"], "seq": read[-1]}
    await back.send(type="subscribe", events=["order:created"], since=since)
    assert (await back.expect("subscribed"))["data"]["recovered"] is True
    rest = [(await back.expect("order:created"))["seq"] for _ in seqs[len(read) :]]
    assert read + rest == seqs


async def test_nothing_is_left_behind_by_connections(server: Any) -> None:
    """However they ended: no task, no socket, no subscriber."""
    before = len(asyncio.all_tasks())
    for number in range(12):
        client = await server.connect(role=Role.KITCHEN)
        await client.send(type="subscribe", events=["*"], batch_ms=1000)
        await client.expect("subscribed")
        if number % 3 == 0:
            await client.ws.close()
        elif number % 3 == 1:
            client.ws._response.connection.transport.abort()
        else:
            await client.ws.send_str(message_of(70_000))
            await client.close_code()
    stranger = await server.open()
    await stranger.ws.close()
    for _ in range(100):
        if server.sockets() == 0 and len(asyncio.all_tasks()) <= before:
            break
        await asyncio.sleep(0.02)
    assert server.sockets() == 0
    assert len(asyncio.all_tasks()) <= before
    assert not server.events.hub._channels
    exposition = server.events.metrics.exposition().decode()
    assert 'order_events_connections{socket="root"} 0.0' in exposition
    assert 'order_events_reconnections_total{socket="root"} 11.0' in exposition


async def test_sockets_behind_a_trusted_proxy_are_counted_by_client(start: Any) -> None:
    """The limit on unauthenticated sockets is the client's, not the proxy's."""
    server = await start(max_unauthenticated_per_address=1, trusted_proxies="127.0.0.1")
    await server.open(headers={"X-Forwarded-For": "192.0.2.1"})
    await server.open(headers={"X-Forwarded-For": "192.0.2.2"})
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await server.open(headers={"X-Forwarded-For": "192.0.2.1"})
    assert refused.value.status == 429


async def test_a_proxy_that_is_not_trusted_is_warned_about_once(start: Any) -> None:
    """Its clients share one limit, which nobody would guess."""
    server = await start()
    with capture_logs() as lines:
        for n in range(3):
            await server.open(headers={"X-Forwarded-For": f"192.0.2.{n}"})
    assert len([line for line in lines if "X-Forwarded-For" in line["event"]]) == 1


async def test_the_parts_of_a_stop_share_one_time(start: Any) -> None:
    """By default they fit into the ten seconds that containers allow."""
    defaults = HubSettings(_env_file=None)
    assert defaults.shutdown_grace_s + defaults.close_timeout_s <= 8
    server = await start(shutdown_grace_s=2, close_timeout_s=1)
    connections = server.app[REGISTRY]
    assert connections.remaining() == 3
    told: list[float] = []
    connections.when_stopping.append(lambda: told.append(connections.remaining()))
    await server.stop()
    await connections.stop()
    assert len(told) == 1
    assert connections.remaining() < 3
