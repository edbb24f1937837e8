"""Frames shared between connections: a real client reads exactly what was sent."""

from __future__ import annotations

import asyncio
import json
import zlib
from typing import Any

import pytest
from aiohttp import WSMessage, WSMsgType
from aiohttp._websocket.reader import WebSocketDataQueue
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_websocket import WebSocketReader
from hypothesis import given, settings
from hypothesis import strategies as st

from order_events.protocol import frames
from order_events.protocol.frames import DEFLATE_FROM, FrameBatch, Message, close_frame, frame

WINDOWS = range(9, 16)
JSON = st.text('{}:,"order table 0123456789é☕', max_size=2_000)
RANDOM = st.binary(max_size=600).map(lambda b: b.hex())
LONG = st.builds(
    lambda text, times: text * times, st.text(min_size=1, max_size=80), st.integers(1, 300)
)
TEXTS = st.one_of(JSON, RANDOM, LONG)


class Received:
    """What aiohttp's client parser has read."""

    def __init__(self, *, compress: bool = True) -> None:
        loop = asyncio.new_event_loop()
        loop.close()
        self._queue = WebSocketDataQueue(BaseProtocol(loop), 2**24, loop=loop)
        self._reader = WebSocketReader(self._queue, 2**24, compress, True)

    def feed(self, data: bytes) -> None:
        self._reader.feed_data(data)

    @property
    def messages(self) -> list[WSMessage]:
        assert self._queue.exception() is None
        return [message for message, _ in self._queue._buffer]

    @property
    def texts(self) -> list[str]:
        assert all(m.type is WSMsgType.TEXT for m in self.messages)
        return [m.data for m in self.messages]


@pytest.mark.parametrize("window", [0, *WINDOWS])
@settings(max_examples=30)
@given(texts=st.lists(TEXTS, max_size=12))
def test_a_client_reads_what_was_sent(window: int, texts: list[str]) -> None:
    """For every window, compressed and not, short and long, one by one and joined."""
    messages = [Message(text.encode()) for text in texts]
    one_by_one, joined = Received(compress=window > 0), Received(compress=window > 0)
    for message in messages:
        one_by_one.feed(message.wire(window))
    joined.feed(FrameBatch(messages).wire(window))
    assert one_by_one.texts == texts
    assert joined.texts == texts


@pytest.mark.parametrize("window", WINDOWS)
@settings(max_examples=30)
@given(texts=st.lists(TEXTS, min_size=1, max_size=30))
def test_a_client_that_keeps_its_context_reads_it_with_the_window_it_agreed_to(
    window: int, texts: list[str]
) -> None:
    """An inflater of exactly that window reads all messages, keeping its context between them.

    One that starts afresh for each message reads the same.
    """
    keeping = zlib.decompressobj(wbits=-window)
    for text in texts:
        wire = Message(text.encode()).wire(window)
        size = {126: 4, 127: 10}.get(wire[1], 2)
        payload = wire[size:]
        if wire[0] & frames.RSV1:
            fresh = zlib.decompressobj(wbits=-window)
            ending = payload + b"\x00\x00\xff\xff"
            assert keeping.decompress(ending) == fresh.decompress(ending) == text.encode()
            # No block was the last one: the context stays open.
            assert not keeping.eof
        else:
            assert payload == text.encode()


def test_short_and_random_messages_are_not_deflated() -> None:
    """From 200 bytes on, and only where it makes them smaller."""
    text = b'{"type":"table:updated"}' * 20
    assert Message(text[: DEFLATE_FROM - 1]).wire(15)[0] == 0x81
    assert Message(text[:DEFLATE_FROM]).wire(15)[0] == 0xC1
    assert Message(bytes(range(256))).wire(15)[0] == 0x81


def test_a_message_is_built_once_for_all_windows_that_are_large_enough() -> None:
    """Such connections share the same bytes object."""
    message = Message(b'{"type":"order:created"}' * 20)
    assert message.wire(15) is message.wire(15) is message.wire(12)
    assert message.wire(9) is not message.wire(15)
    assert message.wire(0) is message.wire(0)
    burst = FrameBatch([message, message])
    assert burst.wire(15) is burst.wire(15)


@given(st.sampled_from([0, 1, 125, 126, 127, 65_535, 65_536, 70_000]))
def test_lengths_are_told_in_the_shortest_form(size: int) -> None:
    """RFC 6455, 5.2."""
    head = len(frame(frames.TEXT, b"x" * size)) - size
    assert head == (2 if size < 126 else 4 if size < 65_536 else 10)


@given(st.text(max_size=200), st.sampled_from([1000, 1013, 4008]))
def test_a_close_frame_is_valid_whatever_the_reason(reason: str, code: int) -> None:
    """At most 125 bytes, and never half a character."""
    received = Received()
    received.feed(close_frame(code, reason))
    [message] = received.messages
    assert (message.type, message.data) == (WSMsgType.CLOSE, code)
    assert reason.startswith(message.extra)
    assert len(reason.encode()) > 100 or message.extra == reason


async def test_a_long_mixed_series_reaches_clients_of_every_kind(server: Any) -> None:
    """Small and large, compressed and not: replies, events and batches.

    Every client, whatever it negotiated, sees what the uncompressed one sees.
    """
    clients = [await negotiated(server, offer) for offer in OFFERS]
    for number, client in enumerate(clients):
        for batch_ms in (0, 40)[: 1 + number % 2]:
            await client.send(type="subscribe", events=["*"], batch_ms=batch_ms)
            await client.expect("subscribed")
    for number in range(60):
        tags = {"table_id": str(number)}
        data = {"note": "large and repetitive " * (number**2 % 1_500)}
        await server.events.publish("r1", "voice:order", data, tags=tags)
        server.events.publish_live(
            "r1", "voice:transcript", data, key=str(number), tags={"session_id": str(number)}
        )
    seen = [await durable(client, 60) for client in clients]
    assert all(events == seen[0] for events in seen)
    assert [event["seq"] for event in seen[0]] == list(range(1, 61))


OFFERS = [
    None,
    "permessage-deflate",
    "permessage-deflate; client_max_window_bits",
    "permessage-deflate; server_no_context_takeover",
    "permessage-deflate; client_no_context_takeover; server_no_context_takeover",
    *(f"permessage-deflate; server_max_window_bits={window}" for window in WINDOWS),
]


async def durable(client: Any, count: int) -> list[dict[str, Any]]:
    """Return that many durable events, unpacked from batches."""
    events: list[dict[str, Any]] = []
    while len(events) < count:
        message = await client.receive()
        several = message["events"] if message["type"] == "batch" else [message]
        events += [event for event in several if "seq" in event]
    return events


async def negotiated(server: Any, offer: str | None) -> Any:
    """Return a client that makes this offer and holds the server to its answer."""
    raw = RawClient(*await asyncio.open_connection("127.0.0.1", server.port))
    await raw.upgrade(server.token(), offer)
    await raw.expect("connected")
    return raw


class RawClient:
    """A WebSocket whose inflater has no larger window than was negotiated.

    It keeps its context, unless the server promised not to use it.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._window, self._fresh = 15, False
        self._inflater: Any = None

    async def upgrade(self, token: str, offer: str | None) -> None:
        head = (
            "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            f"Authorization: Bearer {token}\r\n"
        )
        if offer is not None:
            head += f"Sec-WebSocket-Extensions: {offer}\r\n"
        self._writer.write(f"{head}\r\n".encode())
        answer = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower()
        assert " 101 " in answer
        assert ("permessage-deflate" in answer) == (offer is not None)
        if "server_max_window_bits=" in answer:
            self._window = int(answer.split("server_max_window_bits=")[1].split(";")[0].split()[0])
        self._fresh = "server_no_context_takeover" in answer

    async def send(self, **message: Any) -> None:
        payload = json.dumps(message).encode()
        assert len(payload) < 126
        self._writer.write(bytes((0x81, 0x80 | len(payload), 0, 0, 0, 0)) + payload)

    async def receive(self) -> dict[str, Any]:
        async with asyncio.timeout(5):
            first, size = await self._reader.readexactly(2)
            if size >= 126:
                size = int.from_bytes(await self._reader.readexactly(2 if size == 126 else 8))
            payload = await self._reader.readexactly(size)
        if first & frames.RSV1:
            if self._inflater is None or self._fresh:
                self._inflater = zlib.decompressobj(wbits=-self._window)
            payload = self._inflater.decompress(payload + b"\x00\x00\xff\xff")
        message: dict[str, Any] = json.loads(payload)
        return message

    async def expect(self, type_: str) -> dict[str, Any]:
        message = await self.receive()
        assert message["type"] == type_, message
        return message
