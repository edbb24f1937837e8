"""A WebSocket client that sends whatever it likes, frame by frame."""

from __future__ import annotations

import asyncio
import base64
import os
import struct
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA


@dataclass(frozen=True)
class Frame:
    """A frame as a client sends it; `rsv` are the three reserved bits."""

    opcode: int
    payload: bytes = b""
    final: bool = True
    rsv: int = 0
    masked: bool = True

    def __bytes__(self) -> bytes:
        head = bytes([self.final << 7 | self.rsv << 4 | self.opcode])
        size, flag = len(self.payload), self.masked << 7
        if size < 126:
            head += bytes([flag | size])
        elif size < 65_536:
            head += bytes([flag | 126]) + struct.pack("!H", size)
        else:
            head += bytes([flag | 127]) + struct.pack("!Q", size)
        if not self.masked:
            return head + self.payload
        key = (b"\x01\x02\x03\x04" * (size // 4 + 1))[:size]
        mixed = int.from_bytes(self.payload) ^ int.from_bytes(key)
        return head + b"\x01\x02\x03\x04" + mixed.to_bytes(size)


def wire(frames: Sequence[Frame]) -> bytes:
    """Return the bytes of frames, one after the other."""
    return b"".join(map(bytes, frames))


class Raw:
    """A client that sends arbitrary bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self._unpack = zlib.decompressobj(-15)

    @classmethod
    async def open(
        cls,
        server: Any,
        *,
        token: str | None = None,
        deflate: bool = False,
        early: bytes = b"",
    ) -> Raw:
        """Connect and authenticate; `early` is sent with the handshake."""
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        extensions = "Sec-WebSocket-Extensions: permessage-deflate\r\n" if deflate else ""
        key = base64.b64encode(os.urandom(16)).decode()
        writer.write(
            (
                f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
                "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                f"Sec-WebSocket-Key: {key}\r\n{extensions}"
                f"Authorization: Bearer {token or server.token()}\r\n\r\n"
            ).encode()
            + early
        )
        answer = await reader.readuntil(b"\r\n\r\n")
        assert b" 101 " in answer.splitlines()[0]
        return cls(reader, writer)

    def send(self, *frames: Frame) -> None:
        self.writer.write(wire(frames))

    async def frame(self) -> tuple[int, bytes]:
        """Return the next frame from the server: its first byte and its payload."""
        async with asyncio.timeout(5):
            first, second = await self.reader.readexactly(2)
            assert not second & 0x80, "a server must not mask"
            size = second & 0x7F
            if size == 126:
                size = int.from_bytes(await self.reader.readexactly(2))
            elif size == 127:
                size = int.from_bytes(await self.reader.readexactly(8))
            return first, await self.reader.readexactly(size)

    async def closed_with(self) -> int:
        """Answer the server's close frame, wait for the end, and return the close code."""
        while True:
            first, payload = await self.frame()
            if first & 0x0F == CLOSE:
                break
        self.send(Frame(CLOSE, payload[:2]))
        async with asyncio.timeout(3):
            # Where aiohttp closes by itself, it does so without waiting for our answer.
            with suppress(ConnectionError):
                assert await self.reader.read() == b"", "nothing may follow a close frame"
        self.writer.close()
        return int.from_bytes(payload[:2])

    async def text(self) -> bytes:
        """Return the next message, inflated if it is compressed."""
        first, payload = await self.frame()
        assert first & 0x0F == TEXT
        return self._unpack.decompress(payload + b"\0\0\xff\xff") if first & 0x40 else payload
