"""Hundreds of connections that end in every possible way, and leave nothing behind."""

from __future__ import annotations

import asyncio
import gc
import itertools
import socket
import threading
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import aiohttp
import psutil
from support.raw_socket import CLOSE, TEXT, Frame, Raw

from order_events.app import REGISTRY
from order_events.auth.tokens import Role
from order_events.domain.models import OrderDraft
from order_events.root_socket import RootHandler
from order_events.storage.reader_pool import READERS
from order_events.websocket.connection import Connection
from order_events.websocket.connection_loop import ConnectionLoop
from order_events.websocket.frame_guard import FrameGuard

ROUNDS, AT_ONCE = 4, 4
LARGE = OrderDraft.model_validate({"items": [{"menu_item_id": "burger"}] * 100})


async def clean(server: Any) -> None:
    """Close properly."""
    client = await server.connect()
    await client.send(type="subscribe", events=["*"], batch_ms=1_000)
    await client.until("subscribed")
    await client.ws.close()


async def aborted(server: Any) -> None:
    """Reset the connection."""
    client = await Raw.open(server)
    await client.text()
    client.writer.transport.abort()


async def half_open(server: Any) -> None:
    """Stop sending, and read on."""
    client = await Raw.open(server)
    client.writer.write_eof()
    await drained(client)


async def hung_up_early(server: Any) -> None:
    """Hang up while the handshake is being answered."""
    client = await Raw.open(server)
    client.writer.close()


async def stranger(server: Any) -> None:
    """Leave without authenticating."""
    client = await server.open()
    await client.ws.close()


async def bad_token(server: Any) -> None:
    """Closed with 1008."""
    client = await server.open(headers={"Authorization": "Bearer nonsense"})
    assert await client.close_code() == 1008


async def too_late(server: Any) -> None:
    """Closed with 1008 for sending no `auth` message in time."""
    client = await server.open()
    assert await client.close_code() == 1008


async def expired(server: Any) -> None:
    """Closed with 1008 while connected."""
    client = await server.open(headers={"Authorization": f"Bearer {server.token(ttl=0.3)}"})
    assert await client.close_code() == 1008


async def forbidden(server: Any) -> None:
    """Closed with 1008 for the wrong role."""
    token = server.token(role=Role.DEVICE)
    client = await server.open(headers={"Authorization": f"Bearer {token}"})
    assert await client.close_code() == 1008


async def revoked(server: Any) -> None:
    """Closed with 1008 after a revocation."""
    token = server.token()
    token_id = server.authority.verify(token).token_id
    client = await server.open(headers={"Authorization": f"Bearer {token}"})
    await client.expect("connected")
    await server.call("POST", "/v1/revocations", {"token_id": token_id})
    assert await client.close_code() == 1008


async def no_room(server: Any) -> None:
    """Closed with 1013."""
    user = uuid.uuid4().hex
    one, two = [await server.connect(user=user) for _ in range(2)]
    token = server.token(user=user)
    client = await server.open(headers={"Authorization": f"Bearer {token}"})
    assert await client.close_code() == 1013
    await one.ws.close()
    await two.ws.close()


async def too_big(server: Any) -> None:
    """Closed with 1009."""
    client = await Raw.open(server)
    client.send(Frame(TEXT, b" " * 65_537))
    assert await client.closed_with() == 1009


async def broken(server: Any) -> None:
    """Closed with 1002."""
    client = await Raw.open(server)
    client.send(Frame(TEXT, masked=False))
    assert await client.closed_with() == 1002


async def too_slow(server: Any) -> None:
    """Closed with 4008, without even reading that."""
    user = uuid.uuid4().hex
    client = await Raw.open(server, token=server.token("r2", user=user))
    client.writer.transport.pause_reading()
    while server.app[REGISTRY]._users["r2", user]:
        await server.events.create_order("r2", LARGE, actor="test")
    client.writer.close()


async def in_replay(server: Any) -> None:
    """Leave in the middle of a replay."""
    client = await server.connect()
    since = {"epoch": client.connected["data"]["epoch"], "seq": 0}
    await client.send(type="subscribe", events=["*"], since=since)
    await client.until("subscribed")
    client.ws._response.connection.transport.abort()


async def ignores_goodbye(server: Any) -> None:
    """Ignore the close with 1002, until cut."""
    client = await Raw.open(server)
    client.send(Frame(CLOSE, b"\x03\xe8", masked=False))
    await drained(client)


async def refused_upgrade(server: Any) -> None:
    """Send a request that is not a WebSocket."""
    async with server.session.get(server.url, headers={"Upgrade": "websocket"}) as response:
        assert response.status == 426
    with suppress(aiohttp.WSServerHandshakeError):
        await server.open(headers={"Origin": "https://evil.example"})


async def half_a_handshake(server: Any) -> None:
    """Stop in the middle of the request."""
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConn")
    await writer.drain()
    writer.close()


async def half_a_message(server: Any) -> None:
    """Stop in the middle of a frame."""
    client = await Raw.open(server)
    whole = bytes(replace(Frame(TEXT, b"x" * 1_000), final=False))
    client.writer.write(whole + whole[:500])
    client.writer.close()


async def drained(client: Raw) -> None:
    """Read until the server has ended the connection."""
    async with asyncio.timeout(10):
        with suppress(ConnectionError):
            await client.reader.read()
    client.writer.close()


WAYS: list[Callable[[Any], Awaitable[None]]] = [
    clean,
    aborted,
    half_open,
    hung_up_early,
    stranger,
    bad_token,
    too_late,
    expired,
    forbidden,
    revoked,
    no_room,
    too_big,
    broken,
    too_slow,
    in_replay,
    ignores_goodbye,
    refused_upgrade,
    half_a_handshake,
    half_a_message,
]


KINDS = (ConnectionLoop, Connection, RootHandler, FrameGuard, aiohttp.web.WebSocketResponse)
NOTHING = {**{kind.__name__: 0 for kind in KINDS}, "sockets": 0, "counted": 0, "restaurants": 0}


def alive() -> list[Any]:
    """Return every live object that belongs to a connection."""
    gc.collect()
    return [thing for thing in gc.get_objects() if isinstance(thing, KINDS)]


def held(server: Any, earlier: set[int]) -> dict[str, int]:
    """Return what a leak would show in; `earlier` are the ids of what other tests left behind."""
    loop: Any = asyncio.get_running_loop()
    registry = server.app[REGISTRY]
    counted = registry.strangers._count + registry._authenticated
    ours = Counter(type(thing).__name__ for thing in alive() if id(thing) not in earlier)
    return {
        **NOTHING,
        **ours,
        "sockets": len(registry),
        "counted": counted + len(registry._users),
        "restaurants": len(registry._restaurants) + len(server.events.hub._channels),
        "tasks": len(asyncio.all_tasks()),
        "timers": sum(not timer.cancelled() for timer in loop._scheduled),
        "descriptors": psutil.Process().num_fds(),
    }


async def settled(server: Any, before: dict[str, int], earlier: set[int]) -> dict[str, int]:
    """Return what is held once everything under way is over."""
    for _ in range(100):
        now = held(server, earlier)
        if all(now[name] <= before[name] for name in before):
            break
        await asyncio.sleep(0.2)
    return now


async def test_nothing_is_left_of_connections_however_they_ended(start: Any) -> None:
    """No task, timer, descriptor, count or object after 300 of them."""
    server = await start(
        auth_timeout_s=0.5,
        close_timeout_s=0.5,
        max_connections_per_user=2,
        regular_per_minute=100_000,
        outbox_messages=20,
    )
    user = itertools.count()
    server_token = server.token
    # The cap is meant for `no_room` alone.
    server.token = lambda *a, **who: server_token(*a, **{"user": f"u{next(user)}", **who})
    for site in server.runner.sites:
        # A reader that has stalled is noticed before the system has buffered megabytes for it.
        site._server.sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16_384)
    for _ in range(20):
        await server.events.create_order("r1", LARGE, actor="test")
    # Without idle connections in between, which would be counted.
    connector = aiohttp.TCPConnector(force_close=True)
    async with aiohttp.ClientSession(connector=connector) as server.session:
        # Kept alive, so that no id of theirs is given out again.
        old = alive()
        earlier = {id(thing) for thing in old}
        # What is opened once and kept: threads, the store's readers, all of which are at work here.
        together = threading.Barrier(READERS)
        await asyncio.gather(
            *(server.events.store.read(lambda r: together.wait(10)) for _ in range(READERS))
        )
        await rounds(server, 1, AT_ONCE)
        before = await settled(server, NOTHING, earlier)
        await rounds(server, ROUNDS, AT_ONCE)
        after = await settled(server, before, earlier)
    assert {name: after[name] - before[name] for name in before if after[name] > before[name]} == {}
    assert {name: after[name] for name in NOTHING} == NOTHING
    closes = server.events.metrics.exposition().decode()
    for code in (1000, 1002, 1006, 1008, 1009, 1013, 4008):
        assert f'closes_total{{code="{code}",socket="root"}}' in closes


async def rounds(server: Any, count: int, at_once: int) -> None:
    """Open and end connections in every way."""
    for _ in range(count):
        await asyncio.gather(*(way(server) for way in WAYS for _ in range(at_once)))
        server.clients.clear()
