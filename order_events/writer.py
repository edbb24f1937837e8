"""Frames of one socket on their way into its transport.

What is sent within one iteration of the event loop goes out as one write. While the transport has
no room, frames wait in the bounded outbox, and nobody waits for them.
"""

from __future__ import annotations

import asyncio

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from order_events.frames import Burst
from order_events.outbox import Outbox

WRITE_BYTES = 65_536
"""About as much as is joined into one write."""


class FrameWriter:
    """Writes beside aiohttp's own writer, whose compressor is never used: see `frames.deflate`.

    `window` is the connection's for compression, as in `frames`.
    """

    def __init__(
        self,
        request: web.BaseRequest,
        ws: web.WebSocketResponse,
        stream: AbstractStreamWriter,
        transport: asyncio.Transport,
        outbox: Outbox,
    ) -> None:
        self.window = int(ws.compress)
        self._protocol = request.protocol
        self._ws = ws
        self._stream = stream
        self._transport = transport
        # Paused as soon as the system takes no more: what waits then is ours to merge and bound.
        transport.set_write_buffer_limits(high=0)
        self._outbox = outbox
        self._controls: list[tuple[int, bytes]] = []
        self._goodbye: bytes | None = None
        self._loop = asyncio.get_running_loop()
        self._scheduled = False
        self._idle = True
        self._over = False
        self._draining: asyncio.Task[None] | None = None
        self._room = asyncio.Event()
        self._room.set()

    def burst(self, burst: Burst) -> bool:
        """Sends several messages; False when there was no room for all of them."""
        if self._idle and not self._transport.is_closing():
            data = burst.wire(self.window)
            if len(data) <= WRITE_BYTES:
                self._transport.write(data)
                if self._protocol.writing_paused:
                    self._await_room()
                return True
        return all(self.put(m.wire(self.window), m.key) for m in burst.messages)

    def put(self, frame: bytes, key: str | None) -> bool:
        """Sends a frame, which replaces a waiting one of the same key; False: there is no room."""
        if self._over:
            return True
        if not self._outbox.put(frame, key):
            return False
        if not self._outbox.half_empty:
            self._room.clear()
        self._schedule()
        return True

    def control(self, opcode: int, frame: bytes) -> None:
        """Sends a control frame ahead of what waits."""
        # A peer that floods pings without reading gets no queue of answers: the latest counts.
        self._controls = [entry for entry in self._controls if entry[0] != opcode]
        self._controls.append((opcode, frame))
        self._schedule()

    def finish(self, goodbye: bytes) -> None:
        """Sends a last frame behind everything that waits."""
        self._goodbye = goodbye
        self._room.set()
        self._schedule()

    def drop(self) -> None:
        """Forgets what waits."""
        self._outbox.clear()

    def end(self) -> None:
        """Nothing is written any more. A peer that has stopped reading is cut."""
        self._over, self._idle = True, False
        self._outbox.clear()
        self._controls.clear()
        self._room.set()
        if self._protocol.writing_paused:
            self._transport.abort()

    async def room(self) -> None:
        """Waits until at least half of the outbox is free, or nothing more can be sent."""
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
        if self._outbox.half_empty:
            self._room.set()
        if self._goodbye is not None and not self._outbox:
            frames.append(self._goodbye)
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
