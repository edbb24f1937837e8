"""The aiohttp handler shared by all sockets: everything about a connection except its messages.

Origin, authentication and renewal, rates, sizes, parsing, errors, heartbeat, close codes and
clean-up are handled here and in `connection_loop`. What a message means is up to a `Handler`.
"""

from __future__ import annotations

import zlib
from typing import Generic, TypeVar

import structlog
from aiohttp import HttpVersion11, WSCloseCode, hdrs, web

from order_events.protocol.messages import ClientMessage
from order_events.websocket import deflate_offers
from order_events.websocket.application import Application, Budget, Handler
from order_events.websocket.connection import Connection
from order_events.websocket.connection_loop import ConnectionLoop, Handshake
from order_events.websocket.origins import origin_allowed
from order_events.websocket.registry import ConnectionRegistry

__all__ = ["Application", "Budget", "Connection", "Endpoint", "Handler"]

M = TypeVar("M", bound=ClientMessage)

logger = structlog.get_logger(__name__)


class _Socket(web.WebSocketResponse):
    """Closes with 1007 what cannot be inflated; aiohttp would say that all was well."""

    async def close(
        self, *, code: int = WSCloseCode.OK, message: bytes = b"", drain: bool = True
    ) -> bool:
        if code == WSCloseCode.OK and isinstance(self.exception(), zlib.error):
            code, message = WSCloseCode.INVALID_TEXT, b"this cannot be inflated"
        return await super().close(code=code, message=message, drain=drain)


class Endpoint(Generic[M]):
    """One WebSocket route. `name` labels its metrics and logs."""

    loop_type: type[ConnectionLoop[M]] = ConnectionLoop
    """Serves each socket; a subclass may set another."""

    def __init__(
        self, application: Application[M], registry: ConnectionRegistry, name: str
    ) -> None:
        self.application = application
        self.registry = registry
        self.name = name

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Accept or refuse a socket, and serve it until it is closed."""
        settings = self.registry.settings
        if not self.registry.accepting:
            raise web.HTTPServiceUnavailable(text="the server is going away")
        origin = request.headers.get(hdrs.ORIGIN)
        if not origin_allowed(origin, request.host, settings.allowed_origins):
            logger.warning("origin refused", socket=self.name, origin=origin)
            raise web.HTTPForbidden(text="this page may not connect here")
        offered = request.headers.getall(hdrs.SEC_WEBSOCKET_EXTENSIONS, ())
        subprotocols = request.headers.get(hdrs.SEC_WEBSOCKET_PROTOCOL, "").split(",")
        ws = _Socket(
            # None of them means anything to us, but browsers fail a connection without an answer.
            protocols=[subprotocols[0].strip()],
            timeout=settings.close_timeout_s,
            autoclose=False,
            autoping=False,
            compress=settings.compression and deflate_offers.sound(offered),
            # This only bounds memory. The dispatcher checks the real limit after inflation, which
            # allows an orderly close.
            max_msg_size=2 * settings.max_message_bytes + 1,
        )
        # RFC 6455, 4.1; aiohttp checks its other requirements, but also takes versions 7 and 8.
        current = request.headers.get(hdrs.SEC_WEBSOCKET_VERSION) == "13"
        asked = request.method == hdrs.METH_GET and request.version >= HttpVersion11 and current
        if not asked or not ws.can_prepare(request):
            raise web.HTTPUpgradeRequired(
                headers={hdrs.UPGRADE: "websocket", hdrs.SEC_WEBSOCKET_VERSION: "13"},
                text="this is a WebSocket of version 13",
            )
        handshake = Handshake(request, ws, self.registry.callers.address(request))
        loop = self.loop_type(self.application, self.registry, self.name, handshake)
        await loop.check_header()
        if not loop.enter():
            raise web.HTTPTooManyRequests(text="too many connections that are not authenticated")
        await loop.run()
        # aiohttp needs a response even if the peer hung up before the handshake was answered.
        return ws if ws.prepared else web.Response()
