"""A look at a socket's bytes on their way to aiohttp."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from aiohttp import web

from order_events.websocket.frame_scanner import Breach, FrameScanner


class FrameGuard(asyncio.Protocol):
    """Stands between a transport and aiohttp's protocol; hands everything on.

    It is told before aiohttp, so that nothing of what came with a breach has an effect.
    """

    def __init__(self, inner: asyncio.Protocol, scanner: FrameScanner) -> None:
        self._inner = inner
        self._scanner = scanner
        self._on_breach: Callable[[Breach], None] | None = None

    @classmethod
    def install(cls, request: web.Request, max_frames: int) -> FrameGuard | None:
        """Guards the connection of a request that is about to become a socket; None if it is gone.

        A peer that does not wait for the answer to its handshake has sent more by now, which
        aiohttp keeps to itself.
        """
        transport = request.transport
        if transport is None:
            return None
        guard = cls(cast(asyncio.Protocol, transport.get_protocol()), FrameScanner(max_frames))
        # Private, but there is no other way to it; a release without it must not pass unnoticed.
        guard._scanner.feed(request.protocol._message_tail)
        transport.set_protocol(guard)
        return guard

    def watch(self, on_breach: Callable[[Breach], None]) -> None:
        """Calls `on_breach` once, now if there has been a breach already."""
        self._on_breach = on_breach
        self._tell()

    def _tell(self) -> None:
        if self._scanner.breach is not None and self._on_breach is not None:
            on_breach, self._on_breach = self._on_breach, None
            on_breach(self._scanner.breach)

    def data_received(self, data: bytes) -> None:
        """Looks at the bytes, then hands them on."""
        if self._scanner.feed(data) is not None:
            self._tell()
        self._inner.data_received(data)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Never called: the connection was made before the guard."""

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is over."""
        self._on_breach = None
        self._inner.connection_lost(exc)

    def eof_received(self) -> bool | None:
        """The peer sends no more."""
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        """The transport's buffer is full."""
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """The transport's buffer has room again."""
        self._inner.resume_writing()
