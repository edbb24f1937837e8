"""A socket as its handler sees it: sending never blocks, and a slow reader harms only itself."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from aiohttp import WSMsgType

from order_events.auth.tokens import Principal
from order_events.metrics import HubMetrics
from order_events.protocol.frames import FrameBatch, Message, close_frame, frame
from order_events.protocol.messages import CloseCode, ProtocolError, encode, event
from order_events.settings import HubSettings
from order_events.websocket.frame_writer import FrameWriter, OpenSocket
from order_events.websocket.outbox import Outbox

if TYPE_CHECKING:
    from opentelemetry.context import Context


class Connection:
    """An open socket.

    `principal` is set by authentication, and replaced when the client renews its token. `trace` is
    the place in a trace that the upgrade request named.
    """

    def __init__(
        self, opened: OpenSocket, socket: str, settings: HubSettings, metrics: HubMetrics
    ) -> None:
        self.id = uuid.uuid4().hex
        self.socket = socket
        self.awaiting_pong = False
        self.close_code: int | None = None
        self.trace: Context | None = None
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
        """True once there is a principal."""
        return self._principal is not None

    @property
    def principal(self) -> Principal:
        """The authenticated user; raises RuntimeError before authentication."""
        if self._principal is None:
            raise RuntimeError("the connection is not authenticated yet")
        return self._principal

    @principal.setter
    def principal(self, principal: Principal) -> None:
        self._principal = principal

    @property
    def closing(self) -> bool:
        """True once `close` has been called or the peer is gone; nothing is sent after that."""
        return self._closing

    def send(
        self,
        type_: str,
        data: Mapping[str, Any] | None,
        *,
        id: str | int | None = None,  # noqa: A002 (the field's name on the wire)
    ) -> None:
        """Send an event; `id` is that of the client's message it answers."""
        self.send_message(Message(encode(event(type_, data, datetime.now(UTC), id=id))))

    def send_text(self, text: str) -> None:
        """Send a message that is already JSON."""
        self.send_message(Message(text.encode()))

    def send_message(self, message: Message) -> None:
        """Send a message, which replaces a waiting one that has the same key."""
        if self._closing:
            return
        self._metrics.messages_out.labels(self.socket).inc()
        if not self._writer.put(message.wire(self._writer.window), message.key):
            self.too_slow()

    def send_batch(self, batch: FrameBatch) -> int:
        """Send messages shared with other connections; return how many there was room for.

        The caller counts them, and deals with the rest.
        """
        return len(batch.messages) if self._closing else self._writer.put_batch(batch)

    def send_all(self, messages: Sequence[Message]) -> int:
        """Send messages of this connection alone; return how many there was room for."""
        if self._closing:
            return len(messages)
        sent = self._writer.put_all(messages)
        self._metrics.messages_out.labels(self.socket).inc(sent)
        return sent

    @property
    def waiting(self) -> tuple[int, int]:
        """How many messages, and how many bytes, wait for the peer to read."""
        return self._writer.waiting

    @property
    def keeping_up(self) -> bool:
        """True if, as far as can be told, the peer reads as fast as we write."""
        return self._writer.keeping_up

    def too_slow(self) -> None:
        """Drop what waits and close with 4008."""
        self._metrics.slow_closes.inc()
        self._writer.drop()
        self.close(CloseCode.TOO_SLOW, "reading too slowly; reconnect and resume")

    def send_error(self, error: ProtocolError) -> None:
        """Send the `error` event that answers a message."""
        self._metrics.errors.labels(self.socket, error.code.value).inc()
        self.send("error", error.data(), id=error.id)

    def close(self, code: CloseCode, reason: str) -> None:
        """Close after everything already sent; only the first call counts.

        `reason` is sent to the client. If the handshake takes longer than `close_timeout_s`, the
        connection is cut.
        """
        if self._closing:
            return
        self._closing = True
        self.close_code = int(code)
        self._cut = asyncio.get_running_loop().call_later(
            self._settings.close_timeout_s, self.abort
        )
        self._writer.finish(close_frame(code, reason))

    async def room(self) -> None:
        """Wait until at least half of the outbox is free, or the connection is closing."""
        await self._writer.room()

    async def drained(self) -> None:
        """Wait until a message of any size fits, or the connection is closing."""
        await self._writer.drained()

    def control(self, opcode: WSMsgType, payload: bytes = b"") -> None:
        """Send a ping or pong ahead of waiting messages."""
        self._writer.control(opcode, frame(opcode, payload))

    def abort(self) -> None:
        """Cut the connection without a closing handshake."""
        self._transport.abort()

    def release(self) -> None:
        """Free what the connection holds; nothing is sent after this."""
        self._closing = True
        if self._cut is not None:
            self._cut.cancel()
        self._writer.end()
