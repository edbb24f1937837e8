"""One socket as its handler sees it: sending never blocks, and a slow reader harms only itself."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from aiohttp import WSMsgType

from order_events.auth.tokens import Principal
from order_events.metrics import HubMetrics
from order_events.protocol.frames import FrameBatch, Message, close_frame, frame
from order_events.protocol.messages import CloseCode, ProtocolError, encode, event
from order_events.settings import HubSettings
from order_events.websocket.frame_writer import FrameWriter, OpenSocket
from order_events.websocket.outbox import Outbox


class Connection:
    """An authenticated socket. `principal` is replaced when the client renews its token."""

    def __init__(
        self, opened: OpenSocket, socket: str, settings: HubSettings, metrics: HubMetrics
    ) -> None:
        self.id = uuid.uuid4().hex
        self.socket = socket
        self.awaiting_pong = False
        self.close_code: int | None = None
        self._principal: Principal | None = None
        self._transport = opened.transport
        self._settings = settings
        self._metrics = metrics
        outbox = Outbox(settings.outbox_messages, settings.outbox_bytes)
        self._writer = FrameWriter(opened, outbox)
        self._closing = False
        self._cut: asyncio.TimerHandle | None = None

    @property
    def authenticated(self) -> bool:
        """Whether there is a principal yet."""
        return self._principal is not None

    @property
    def principal(self) -> Principal:
        """Who is connected."""
        if self._principal is None:
            raise RuntimeError("the connection is not authenticated yet")
        return self._principal

    @principal.setter
    def principal(self, principal: Principal) -> None:
        self._principal = principal

    @property
    def closing(self) -> bool:
        """Whether `close` was called or the peer is gone; nothing more is sent then."""
        return self._closing

    def send(
        self,
        type_: str,
        data: Mapping[str, Any] | None,
        *,
        id: str | int | None = None,  # noqa: A002 (the field's name on the wire)
    ) -> None:
        """Sends one event; `id` answers the client's message of that id."""
        self.send_message(Message(encode(event(type_, data, datetime.now(UTC), id=id))))

    def send_text(self, text: str) -> None:
        """Sends a message that is already JSON."""
        self.send_message(Message(text.encode()))

    def send_message(self, message: Message) -> None:
        """Sends a message. One with a key replaces a waiting one of the same key."""
        if self._closing:
            return
        self._metrics.messages_out.labels(self.socket).inc()
        if not self._writer.put(message.wire(self._writer.window), message.key):
            self.too_slow()

    def send_batch(self, batch: FrameBatch) -> int:
        """Sends messages that others get as well, and returns for how many there was room; who
        calls counts them, and does something about the rest."""
        return len(batch.messages) if self._closing else self._writer.put_batch(batch)

    def send_all(self, messages: Sequence[Message]) -> int:
        """Sends messages of this connection alone, and returns for how many there was room."""
        if self._closing:
            return len(messages)
        sent = self._writer.put_all(messages)
        self._metrics.messages_out.labels(self.socket).inc(sent)
        return sent

    @property
    def waiting(self) -> tuple[int, int]:
        """Messages and bytes that wait for the peer to read."""
        return self._writer.waiting

    @property
    def keeping_up(self) -> bool:
        """Whether the peer has read as fast as we have written, as far as can be told."""
        return self._writer.keeping_up

    def too_slow(self) -> None:
        """Closes with 4008, and forgets what waits."""
        self._metrics.slow_closes.inc()
        self._writer.drop()
        self.close(CloseCode.TOO_SLOW, "reading too slowly; reconnect and resume")

    def send_error(self, error: ProtocolError) -> None:
        """Sends the `error` event that answers a message."""
        self._metrics.errors.labels(self.socket, error.code.value).inc()
        self.send("error", error.data(), id=error.id)

    def close(self, code: CloseCode, reason: str) -> None:
        """Closes after what was sent before; the first close wins. `reason` goes to the client."""
        if self._closing:
            return
        self._closing = True
        self.close_code = int(code)
        self._cut = asyncio.get_running_loop().call_later(
            self._settings.close_timeout_s, self.abort
        )
        self._writer.finish(close_frame(code, reason))

    async def room(self) -> None:
        """Waits until at least half of the outbox is free, or the connection is closing."""
        await self._writer.room()

    async def drained(self) -> None:
        """Waits until there is room for a message of any size, or the connection is closing."""
        await self._writer.drained()

    def control(self, opcode: WSMsgType, payload: bytes = b"") -> None:
        """Sends a ping or a pong ahead of what waits."""
        self._writer.control(opcode, frame(opcode, payload))

    def abort(self) -> None:
        """Cuts the connection without a handshake."""
        self._transport.abort()

    def release(self) -> None:
        """Frees what the connection holds; nothing is sent any more."""
        self._closing = True
        if self._cut is not None:
            self._cut.cancel()
        self._writer.end()
