"""Inspects a socket's incoming bytes before aiohttp parses them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from aiohttp import web

from order_events.websocket.frame_scanner import Breach, FrameScanner


class FrameGuard(asyncio.Protocol):
    """Sits between a transport and aiohttp's protocol, and passes every call on.

    It sees the bytes first, so nothing received together with a breach has any effect.
    """

    def __init__(self, inner: asyncio.Protocol, scanner: FrameScanner) -> None:
        self._inner = inner
        self._scanner = scanner
        self._on_breach: Callable[[Breach], None] | None = None

    @classmethod
    def install(cls, request: web.Request, max_frames: int) -> FrameGuard | None:
        """Guard the connection of a request that is about to become a socket; None if it is gone.

        A peer that did not wait for the handshake's answer may have sent frames already, which
        aiohttp holds; they are scanned too.
        """
        transport = request.transport
        if transport is None:
            return None
        guard = cls(cast(asyncio.Protocol, transport.get_protocol()), FrameScanner(max_frames))
        # There is no public attribute for it. If a release drops this one, it fails loudly.
        guard._scanner.feed(request.protocol._message_tail)
        transport.set_protocol(guard)
        return guard

    def watch(self, on_breach: Callable[[Breach], None]) -> None:
        """Call `on_breach` once: at the first breach, or now if there has been one."""
        self._on_breach = on_breach
        self._report()

    def _report(self) -> None:
        if self._scanner.breach is not None and self._on_breach is not None:
            on_breach, self._on_breach = self._on_breach, None
            on_breach(self._scanner.breach)

    def data_received(self, data: bytes) -> None:
        """Scan the bytes, then pass them on."""
        if self._scanner.feed(data) is not None:
            self._report()
        self._inner.data_received(data)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Do nothing: never called, because the guard is installed on an open connection."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the callback: the connection is over."""
        self._on_breach = None
        self._inner.connection_lost(exc)

    def eof_received(self) -> bool | None:
        """Pass on that the peer sends no more."""
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        """Pass on that the transport's buffer is full."""
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """Pass on that the transport's buffer has room again."""
        self._inner.resume_writing()
