"""Frames that break the protocol: how a real server closes the connection."""

from __future__ import annotations

import asyncio
import struct
import zlib
from dataclasses import replace
from typing import Any

import pytest
from support.raw_socket import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Frame, Raw


def deflated(data: bytes) -> bytes:
    """Return one message as permessage-deflate sends it."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]


HELLO = Frame(TEXT, b'{"type":"ping","id":1}')
HALF = Frame(TEXT, b'{"type":', final=False)
EMPTY = Frame(TEXT, final=False)

BROKEN = {
    "not masked": ([replace(HELLO, masked=False)], 1002),
    "not masked, a ping": ([Frame(PING, masked=False)], 1002),
    "not masked, after good ones": ([HELLO, replace(HELLO, masked=False)], 1002),
    "reserved bit 1 without compression": ([replace(HELLO, rsv=4)], 1002),
    "reserved bit 2": ([replace(HELLO, rsv=2)], 1002),
    "reserved bit 3": ([replace(HELLO, rsv=1)], 1002),
    "reserved opcode": ([Frame(0x3)], 1002),
    "reserved control opcode": ([Frame(0xB)], 1002),
    "control frame in fragments": ([Frame(PING, final=False)], 1002),
    "control frame too long": ([Frame(PING, bytes(126))], 1002),
    "continuation of nothing": ([Frame(CONTINUATION, b"x")], 1002),
    "continuation after the end": ([HELLO, Frame(CONTINUATION, b"x")], 1002),
    "message inside another": ([HALF, HELLO], 1002),
    "message inside an empty one": ([EMPTY, HELLO], 1002),
    "invalid UTF-8": ([Frame(TEXT, b'"\xc3\x28"')], 1007),
    "surrogates": ([Frame(TEXT, b'"\xed\xa0\x80"')], 1007),
    "UTF-8 cut short": ([Frame(TEXT, b'"\xc3', final=False), Frame(CONTINUATION)], 1007),
    "close code of one byte": ([Frame(CLOSE, b"\x03")], 1002),
    "close code 0": ([Frame(CLOSE, b"\x00\x00")], 1002),
    "close code 999": ([Frame(CLOSE, struct.pack("!H", 999))], 1002),
    "close code 1004": ([Frame(CLOSE, struct.pack("!H", 1004))], 1002),
    "close code 1005": ([Frame(CLOSE, struct.pack("!H", 1005))], 1002),
    "close code 1006": ([Frame(CLOSE, struct.pack("!H", 1006))], 1002),
    "close code 1015": ([Frame(CLOSE, struct.pack("!H", 1015))], 1002),
    "close code 2999": ([Frame(CLOSE, struct.pack("!H", 2999))], 1002),
    "close code 5000": ([Frame(CLOSE, struct.pack("!H", 5000))], 1002),
    "close code 65535": ([Frame(CLOSE, struct.pack("!H", 65_535))], 1002),
    "close reason is no UTF-8": ([Frame(CLOSE, b"\x03\xe8\xff")], 1007),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_a_broken_frame_is_closed_with_its_code(server: Any, name: str) -> None:
    """Breaches that aiohttp refuses and those it accepts; other connections are unaffected."""
    frames, code = BROKEN[name]
    other = await server.connect()
    client = await Raw.open(server)
    client.send(*frames)
    assert await client.closed_with() == code
    await other.silent()
    closes = f'order_events_closes_total{{code="{code}",socket="root"}} 1.0'
    for _ in range(100):
        if closes in server.events.metrics.exposition().decode():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(server.events.metrics.exposition().decode())


DEFLATED_BROKEN = {
    "ping": ([Frame(PING, rsv=4)], 1002),
    "close": ([Frame(CLOSE, b"\x03\xe8", rsv=4)], 1002),
    "continuation": ([EMPTY, Frame(CONTINUATION, b"x", rsv=4)], 1002),
}


@pytest.mark.parametrize("name", DEFLATED_BROKEN)
async def test_only_a_message_can_be_compressed(server: Any, name: str) -> None:
    """Only the first frame of a message may carry the compression bit."""
    frames, code = DEFLATED_BROKEN[name]
    client = await Raw.open(server, deflate=True)
    client.send(*frames)
    assert await client.closed_with() == code


async def test_a_breach_has_no_effect(server: Any) -> None:
    """Not even a valid message in the same packet takes effect."""
    client = await Raw.open(server)
    await client.text()
    client.send(HELLO, replace(HELLO, masked=False), HELLO)
    first, payload = await client.frame()
    assert (first & 0x0F, int.from_bytes(payload[:2])) == (CLOSE, 1002)


async def test_frames_sent_with_the_handshake_are_looked_at(server: Any) -> None:
    """A client should wait for the answer; one that does not is held to the same rules."""
    client = await Raw.open(server, early=bytes(HELLO))
    assert b"connected" in await client.text()
    assert b"pong" in await client.text()
    half = bytes(HELLO)
    client = await Raw.open(server, early=half[:7])
    client.writer.write(half[7:])
    assert b"pong" in [await client.text(), await client.text()][1]
    client = await Raw.open(server, early=bytes(replace(HELLO, masked=False)))
    assert await client.closed_with() == 1002


async def test_a_small_message_that_inflates_to_the_limit_counts_in_full(start: Any) -> None:
    """79 bytes that inflate to 64 KiB are accepted, but soon use up the bytes of a minute."""
    server = await start(bytes_per_minute=3 * 65_536)
    text = b'{"type":"nonsense","pad":"' + b"x" * 65_508 + b'"}'
    assert len(text) == 65_536
    bomb = Frame(TEXT, deflated(text), rsv=4)
    assert len(bomb.payload) < 150
    client = await Raw.open(server, deflate=True)
    await client.text()
    client.send(bomb, bomb, bomb)
    for _ in range(3):
        assert b"UNKNOWN_TYPE" in await client.text()
    client.send(bomb)
    assert b"RATE_LIMITED" in await client.text()


@pytest.mark.parametrize("size", [65_537, 1_000_000, 100_000_000])
async def test_a_bomb_is_not_inflated_to_its_end(server: Any, size: int) -> None:
    """1009, whether it is a little or a lot too large."""
    client = await Raw.open(server, deflate=True)
    client.send(Frame(TEXT, deflated(bytes(size)), rsv=4))
    assert await client.closed_with() == 1009


async def test_binary_messages_cost_what_others_cost(start: Any) -> None:
    """Each is refused, and rate-limited beyond the limit; their bytes count as well."""
    server = await start(regular_per_minute=2, bytes_per_minute=70_000)
    client = await Raw.open(server)
    await client.text()
    client.send(Frame(BINARY, b"x"), Frame(BINARY, b"x"), Frame(BINARY, b"x"))
    answers = [await client.text() for _ in range(3)]
    assert [b"RATE_LIMITED" in answer for answer in answers] == [False, False, True]
    client.send(Frame(BINARY, bytes(65_537)))
    assert await client.closed_with() == 1009
    client = await Raw.open(server)
    await client.text()
    client.send(Frame(BINARY, bytes(65_536)), Frame(BINARY, bytes(65_536)))
    answers = [await client.text() for _ in range(2)]
    assert [b"RATE_LIMITED" in answer for answer in answers] == [False, True]


async def test_pings_are_limited(start: Any) -> None:
    """As many as the setting allows are answered; one more closes with 1008."""
    server = await start(control_per_minute=5)
    client = await Raw.open(server)
    await client.text()
    for number in range(5):
        client.send(Frame(PING, b"%d" % number))
        assert await client.frame() == (0x80 | PONG, b"%d" % number)
    client.send(Frame(PING))
    assert b"RATE_LIMITED" in await client.text()
    assert await client.closed_with() == 1008


async def test_a_message_in_endless_frames_is_refused(server: Any) -> None:
    """Empty frames would use no memory and never end; 1,024 are allowed."""
    client = await Raw.open(server)
    await client.text()
    more, end = Frame(CONTINUATION, final=False), Frame(CONTINUATION, b"}")
    client.send(Frame(TEXT, b'{"type":"ping"', final=False), *[more] * 1_022, end)
    assert b"pong" in await client.text()
    client.send(EMPTY, *[more] * 1_024)
    assert await client.closed_with() == 1009


async def test_a_message_that_grows_without_end_is_refused(server: Any) -> None:
    """Its frames are small, but their sum is not."""
    client = await Raw.open(server)
    await client.text()
    more = Frame(CONTINUATION, bytes(1_000), final=False)
    client.send(Frame(TEXT, b"x", final=False), *[more] * 200)
    assert await client.closed_with() == 1009
