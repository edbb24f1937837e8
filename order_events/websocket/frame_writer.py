"""Writes one socket's frames to its transport.

Frames sent within one iteration of the event loop go out in one write. While the transport has no
room, they wait in the bounded outbox, and the sender does not wait for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from order_events.protocol.frames import FrameBatch, Message
from order_events.websocket.outbox import Outbox

WRITE_BYTES = 65_536
"""Bytes after which no further frame is added to one write."""


@dataclass(frozen=True, slots=True)
class OpenSocket:
    """aiohttp's objects for a socket whose handshake is done."""

    request: web.BaseRequest
    ws: web.WebSocketResponse
    stream: AbstractStreamWriter
    transport: asyncio.Transport


class FrameWriter:
    """Writes beside aiohttp's own writer, whose compressor is never used: see `frames.deflate`.

    `window` is the connection's compression window, as in `frames`.
    """

    def __init__(self, opened: OpenSocket, outbox: Outbox) -> None:
        self.window = int(opened.ws.compress)
        self._protocol = opened.request.protocol
        self._ws = opened.ws
        self._stream = opened.stream
        self._transport = opened.transport
        # Pause as soon as the system accepts no more: frames then wait in the bounded outbox.
        # Not 0: asyncio's TLS transport would then be full even when it is empty.
        opened.transport.set_write_buffer_limits(high=1, low=0)
        self._outbox = outbox
        self._controls: list[tuple[int, bytes]] = []
        self._close_frame: bytes | None = None
        self._loop = asyncio.get_running_loop()
        self._scheduled = False
        self._idle = True
        self._over = False
        self._draining: asyncio.Task[None] | None = None
        self._room = asyncio.Event()

    @property
    def waiting(self) -> tuple[int, int]:
        """How many messages, and how many bytes, wait for the peer to read."""
        return len(self._outbox), self._outbox.size

    @property
    def keeping_up(self) -> bool:
        """True if the system has accepted everything written, as it does while the peer reads."""
        return not self._protocol.writing_paused

    def put_batch(self, batch: FrameBatch) -> int:
        """Send several messages; return how many there was room for."""
        if self._idle and not self._transport.is_closing():
            data = batch.wire(self.window)
            if len(data) <= WRITE_BYTES:
                self._transport.write(data)
                if self._protocol.writing_paused:
                    self._await_room()
                return len(batch.messages)
        return self.put_all(batch.messages)

    def put_all(self, messages: Sequence[Message]) -> int:
        """Send messages until there is no room; return how many were sent."""
        for sent, message in enumerate(messages):
            if not self.put(message.wire(self.window), message.key):
                return sent
        return len(messages)

    def put(self, frame: bytes, key: str | None) -> bool:
        """Send a frame, replacing a waiting one of the same key; return False if it has no room."""
        if self._over:
            return True
        if not self._outbox.put(frame, key):
            # Frames the system accepts right now do not need room in the outbox.
            self._flush()
            if not self._over and not self._outbox.put(frame, key):
                return False
        self._schedule()
        return True

    def control(self, opcode: int, frame: bytes) -> None:
        """Send a control frame ahead of waiting messages."""
        # Only the latest of each kind: a flood of pings must not grow a queue of pongs.
        self._controls = [entry for entry in self._controls if entry[0] != opcode]
        self._controls.append((opcode, frame))
        self._schedule()

    def finish(self, close_frame: bytes) -> None:
        """Send a close frame after everything that waits."""
        self._close_frame = close_frame
        self._room.set()
        self._schedule()

    def drop(self) -> None:
        """Drop everything that waits."""
        self._outbox.clear()

    def end(self) -> None:
        """Stop writing. A peer that has stopped reading is cut off."""
        self._over, self._idle = True, False
        self._outbox.clear()
        self._controls.clear()
        self._room.set()
        if self._protocol.writing_paused:
            self._transport.abort()

    async def room(self) -> None:
        """Wait until at least half of the outbox is free, or nothing more can be sent."""
        while not (self._finishing or self._outbox.half_empty):
            await self._changed()

    async def drained(self) -> None:
        """Wait until nothing waits and the system has accepted everything, or nothing can be sent.

        Then there is room for a message of any size.
        """
        while not (self._finishing or (self.keeping_up and not self._outbox)):
            await self._changed()

    @property
    def _finishing(self) -> bool:
        return self._over or self._close_frame is not None

    async def _changed(self) -> None:
        self._room.clear()
        await self._room.wait()

    def _schedule(self) -> None:
        self._idle = False
        if not self._scheduled and self._draining is None:
            self._scheduled = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._scheduled = False
        if not self._over and (self._transport.is_closing() or self._ws.closed):
            self.end()
        while not self._over and not self._protocol.writing_paused:
            data = self._next()
            if not data:
                self._idle = not self._over
                return
            self._transport.write(data)
        if not self._over:
            self._await_room()

    def _next(self) -> bytes:
        frames = [frame for _, frame in self._controls]
        self._controls.clear()
        frames += self._outbox.take(WRITE_BYTES)
        self._room.set()
        if self._close_frame is not None and not self._outbox:
            frames.append(self._close_frame)
            self._over = True
        return b"".join(frames)

    def _await_room(self) -> None:
        self._idle = False
        if self._draining is None:
            self._draining = self._loop.create_task(self._stream.drain(), name="socket writer")
            self._draining.add_done_callback(self._drained)

    def _drained(self, task: asyncio.Task[None]) -> None:
        self._draining = None
        if task.cancelled() or task.exception() is not None:
            self.end()
        else:
            self._flush()
