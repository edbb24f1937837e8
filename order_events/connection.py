"""One socket as its handler sees it: sending never blocks, and a slow reader harms only itself."""

from __future__ import annotations

import asyncio
import struct
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from aiohttp import ClientConnectionResetError, WSMsgType, web

from order_events.auth import Principal
from order_events.metrics import HubMetrics
from order_events.outbox import Outbox
from order_events.protocol import CloseCode, ProtocolError, encode, event
from order_events.settings import HubSettings


class Connection:
    """An authenticated socket. `principal` is replaced when the client renews its token."""

    def __init__(
        self,
        ws: web.WebSocketResponse,
        transport: asyncio.Transport,
        socket: str,
        settings: HubSettings,
        metrics: HubMetrics,
    ) -> None:
        self.id = uuid.uuid4().hex
        self.socket = socket
        self.awaiting_pong = False
        self.close_code: int | None = None
        self._principal: Principal | None = None
        self._ws = ws
        self._transport = transport
        self._settings = settings
        self._metrics = metrics
        self._outbox = Outbox(settings.outbox_messages, settings.outbox_bytes)
        self._controls: list[tuple[WSMsgType, bytes]] = []
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._closing: tuple[CloseCode, str] | None = None
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
        return self._closing is not None

    def send(
        self,
        type_: str,
        data: Mapping[str, Any] | None,
        *,
        id: str | int | None = None,  # noqa: A002 (the field's name on the wire)
    ) -> None:
        """Sends one event; `id` answers the client's message of that id."""
        self.send_encoded(encode(event(type_, data, datetime.now(UTC), id=id)))

    def send_text(self, text: str) -> None:
        """Sends a message that is already JSON."""
        self.send_encoded(text.encode())

    def send_encoded(self, payload: bytes, key: str | None = None) -> None:
        """Sends JSON in UTF-8. A message with a key replaces a waiting one of the same key."""
        if self._closing is not None:
            return
        if not self._outbox.put(payload, key):
            self._metrics.slow_closes.inc()
            self._outbox.clear()
            self.close(CloseCode.TOO_SLOW, "reading too slowly; reconnect and resume")
            return
        if not self._outbox.half_empty:
            self._room.clear()
        self._wake.set()

    def send_error(self, error: ProtocolError) -> None:
        """Sends the `error` event that answers a message."""
        self._metrics.errors.labels(self.socket, error.code.value).inc()
        self.send("error", error.data(), id=error.id)

    def close(self, code: CloseCode, reason: str) -> None:
        """Closes after what was sent before; the first close wins. `reason` goes to the client."""
        if self._closing is not None:
            return
        self._closing = (code, reason)
        self.close_code = int(code)
        self._cut = asyncio.get_running_loop().call_later(
            self._settings.close_timeout_s, self.abort
        )
        self._wake.set()
        self._room.set()

    async def room(self) -> None:
        """Waits until at least half of the outbox is free, or the connection is closing."""
        await self._room.wait()

    def control(self, opcode: WSMsgType, payload: bytes = b"") -> None:
        """Sends a ping or a pong ahead of what waits."""
        # A peer that floods pings without reading gets no queue of answers: the latest counts.
        self._controls = [entry for entry in self._controls if entry[0] is not opcode]
        self._controls.append((opcode, payload))
        self._wake.set()

    def abort(self) -> None:
        """Cuts the connection without a handshake."""
        self._transport.abort()

    def gone(self) -> None:
        """Frees what the connection holds; nothing is sent any more."""
        if self._closing is None:
            self._closing = (CloseCode.NORMAL, "")
        if self._cut is not None:
            self._cut.cancel()
        self._outbox.clear()
        self._controls.clear()
        self._room.set()

    async def write(self) -> None:
        """Writes what is sent, until the close frame is out or the peer is gone."""
        try:
            while await self._write_next():
                pass
        except (ClientConnectionResetError, ConnectionError):
            self.gone()

    async def _write_next(self) -> bool:
        if self._controls:
            opcode, payload = self._controls.pop(0)
            await self._ws.send_frame(payload, opcode)
            return True
        message = self._outbox.pop()
        if message is not None:
            if self._outbox.half_empty:
                self._room.set()
            self._metrics.messages_out.labels(self.socket).inc()
            await self._ws.send_frame(message, WSMsgType.TEXT)
            return True
        if self._closing is not None:
            code, reason = self._closing
            # A close frame's payload is at most 125 bytes (RFC 6455, 5.5).
            await self._ws.send_frame(
                struct.pack("!H", code) + reason.encode()[:123], WSMsgType.CLOSE
            )
            return False
        self._wake.clear()
        await self._wake.wait()
        return True
