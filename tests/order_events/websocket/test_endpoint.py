"""The handler that all sockets share, with an application of the test's own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Annotated, Any, Literal

import aiohttp
import pytest
from pydantic import Field, TypeAdapter

from order_events.app import add_socket
from order_events.auth.tokens import Principal, Role
from order_events.protocol.messages import ClientMessage, CloseCode, ErrorCode, ProtocolError
from order_events.websocket.application import Budget, Opening
from order_events.websocket.connection import Connection


class Say(ClientMessage):
    """A message that is repeated."""

    type: Literal["say"]
    data: Annotated[dict[str, int], Field(max_length=3)]


class Act(ClientMessage):
    """A message that makes the handler do something."""

    type: Literal["act"]
    what: Literal["fail", "leave", "refuse"]


class Echo:
    """A toy socket, whose `say` counts as a voice message."""

    messages: TypeAdapter[Any] = TypeAdapter(Annotated[Say | Act, Field(discriminator="type")])
    types = frozenset({"say", "act"})

    def __init__(self) -> None:
        self.handlers: list[EchoHandler] = []
        self.full = False

    def admit(self, principal: Principal) -> None:
        if principal.role is not Role.DEVICE:
            raise ProtocolError(ErrorCode.FORBIDDEN, "devices only")
        if self.full:
            raise ProtocolError(ErrorCode.OVERLOADED, "no room")

    def budget(self, type_: str) -> Budget:
        return "voice" if type_ == "say" else "regular"

    def connect(self, connection: Connection, opening: Opening) -> EchoHandler:
        handler = EchoHandler(connection)
        self.handlers.append(handler)
        return handler


class EchoHandler:
    """Counts how often it was closed, and takes its time to finish."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.ended = 0
        self.patience = 0.0

    def receive(self, message: Say | Act, now: float) -> None:
        if isinstance(message, Say):
            self.connection.send("said", message.data, id=message.id)
        elif message.what == "fail":
            raise ZeroDivisionError
        elif message.what == "leave":
            self.connection.send_text('{"type":"bye"}')
            self.connection.close(CloseCode.TRY_AGAIN_LATER, "enough")
        else:
            raise ProtocolError(ErrorCode.INVALID_AUDIO, "no", sequence=5)

    def advice(self, limit: int) -> None:
        return None

    def closed(self, now: float) -> None:
        self.ended += 1

    def finished(self) -> Awaitable[None] | None:
        return self._finish() if self.patience else None

    async def _finish(self) -> None:
        await asyncio.sleep(self.patience)
        self.connection.send("last words", None)


@pytest.fixture
async def echo(start: Any) -> Any:
    """A server with the toy socket: (server, application, connect)."""
    toy = Echo()
    server = await start(
        prepare=lambda app: add_socket(app, "/echo", toy, "echo"),
        shutdown_grace_s=0.5,
        shutdown_spread_ms=10,
    )

    async def connect(role: Role = Role.DEVICE) -> Any:
        headers = {"Authorization": f"Bearer {server.token(role=role)}"}
        client = await server.open(path="/echo", headers=headers)
        message = await client.receive()
        client.connected = message
        return client

    return server, toy, connect


async def test_another_socket_has_the_same_rules(echo: Any) -> None:
    """`connected` with the place in history, `ping`, errors with id and sequence."""
    _, _, connect = echo
    client = await connect()
    assert set(client.connected["data"]) == {"connection_id", "epoch", "seq"}
    await client.silent()
    await client.send(type="say", data={"a": 1}, id="x")
    said = await client.expect("said")
    assert (said["data"], said["id"]) == ({"a": 1}, "x")
    await client.send(type="act", what="refuse", id="y")
    error = await client.expect("error")
    assert error["data"] == {"code": "INVALID_AUDIO", "message": "no", "sequence": 5}
    await client.send(type="say", data={"sequence": "x"}, id="z")
    error = await client.expect("error")
    assert (error["data"]["code"], error["id"]) == ("INVALID_MESSAGE", "z")
    assert "data" in error["data"]["message"]
    await client.send(type="subscribe", events=["*"])
    assert (await client.expect("error"))["data"]["code"] == "UNKNOWN_TYPE"


async def test_an_application_decides_whom_it_admits(echo: Any) -> None:
    """FORBIDDEN closes with 1008, other refusals with 1013."""
    _, toy, connect = echo
    client = await connect(Role.SERVER)
    assert client.connected["data"]["code"] == "FORBIDDEN"
    assert await client.close_code() == 1008
    toy.full = True
    client = await connect()
    assert client.connected["data"]["code"] == "OVERLOADED"
    assert await client.close_code() == 1013
    assert toy.handlers == []


async def test_voice_messages_have_a_budget_of_their_own(echo: Any) -> None:
    """1000 voice and 100 regular messages pass in the same minute, and not one more."""
    _, _, connect = echo
    client = await connect()
    for _ in range(100):
        await client.send(type="ping")
    for number in range(1000):
        await client.send(type="say", data={"sequence": number})
    for _ in range(100):
        await client.expect("pong")
    for number in range(1000):
        assert (await client.expect("said"))["data"]["sequence"] == number
    # A voice message comes back every 60 ms; several at once cannot all have.
    for number in range(1000, 1030):
        await client.send(type="say", data={"sequence": number})
    refused = [m for m in [await client.receive() for _ in range(30)] if m["type"] == "error"]
    assert refused
    assert refused[-1]["data"]["code"] == "RATE_LIMITED"
    assert refused[-1]["data"]["sequence"] >= 1000
    assert 0 < refused[-1]["data"]["retry_after_ms"] <= 61
    for _ in range(5):
        await client.send(type="ping", id="p")
    answers = [await client.receive() for _ in range(5)]
    assert any(m["type"] == "error" for m in answers)


async def test_our_own_fault_closes_with_1011(echo: Any) -> None:
    """The client learns nothing but that it was not its fault; others go on."""
    _, toy, connect = echo
    client, other = await connect(), await connect()
    await client.send(type="act", what="fail")
    error = await client.expect("error")
    assert error["data"] == {"code": "INTERNAL", "message": "internal error"}
    assert await client.close_code() == 1011
    await other.silent()
    assert [handler.ended for handler in toy.handlers] == [1, 0]


async def test_a_handler_closes_after_what_it_has_sent(echo: Any) -> None:
    """In order: the message, then the close frame with its code and reason."""
    _, toy, connect = echo
    client = await connect()
    await client.send(type="act", what="leave")
    await client.expect("bye")
    received = await client.ws.receive(5)
    assert received.type is aiohttp.WSMsgType.CLOSE
    assert (received.data, received.extra) == (1013, "enough")
    for _ in range(50):
        await asyncio.sleep(0.01)
    assert toy.handlers[0].ended == 1


async def test_a_close_code_arrives_though_the_client_is_still_sending(echo: Any) -> None:
    """A TCP reset must not overtake the close frame."""
    _, _, connect = echo
    client = await connect()
    await client.send(type="act", what="leave")
    for _ in range(300):
        if client.ws.closed:
            break
        try:
            await client.ws.send_str('{"type":"say","data":{}}' + " " * 20_000)
        except (ConnectionError, aiohttp.ClientError):
            break
    await client.expect("bye")
    assert await client.close_code() == 1013


async def test_a_client_that_ignores_the_close_is_cut(echo: Any) -> None:
    """The closing handshake is bounded; nothing is held open."""
    server, toy, connect = echo
    client = await connect()
    client.ws._response.connection.transport.pause_reading()
    await client.send(type="act", what="leave")
    for _ in range(100):
        if toy.handlers[0].ended:
            break
        await asyncio.sleep(0.05)
    assert toy.handlers[0].ended == 1
    assert server.sockets() == 0


async def test_sessions_get_a_bounded_time_to_finish_at_shutdown(echo: Any) -> None:
    """A quick one sends its last message before `going_away`; an endless one is not waited for."""
    server, toy, connect = echo
    quick, endless, idle = await connect(), await connect(), await connect()
    toy.handlers[0].patience, toy.handlers[1].patience = 0.1, 60
    stopping = asyncio.create_task(server.stop())
    await quick.expect("last words")
    for client in (quick, endless, idle):
        await client.expect("going_away")
        assert await client.close_code() == 1001
    await asyncio.wait_for(stopping, 5)
    assert [handler.ended for handler in toy.handlers] == [1, 1, 1]


async def test_nobody_gets_in_while_sessions_finish(echo: Any) -> None:
    """New sockets are refused and readiness fails at once; sessions in progress go on."""
    server, toy, connect = echo
    client = await connect()
    toy.handlers[0].patience = 0.4
    async with server.session.get(server.url + "/readyz") as response:
        assert response.status == 200
    stopping = asyncio.create_task(server.stop())
    await asyncio.sleep(0)
    async with server.session.get(server.url + "/readyz") as response:
        assert response.status == 503
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        await server.open("/echo")
    assert refusal.value.status == 503
    await client.expect("last words")
    await client.expect("going_away")
    assert await client.close_code() == 1001
    await stopping


async def test_a_request_that_is_no_websocket_is_told_so(echo: Any) -> None:
    """426, with an explanation."""
    server, _, _ = echo
    async with server.session.get(server.url + "/echo") as response:
        assert response.status == 426
        assert response.headers["Upgrade"] == "websocket"
