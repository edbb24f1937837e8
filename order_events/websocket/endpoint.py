"""The aiohttp shell that both sockets use: everything about a connection but its messages.

Origin, authentication and its renewal, rates, sizes, parsing, errors, heartbeat, close codes and
freeing what a connection held are here and in `visit`; what messages mean is a `Handler`'s
business.
"""

from __future__ import annotations

from typing import Generic, TypeVar

import structlog
from aiohttp import HttpVersion11, hdrs, web

from order_events.protocol.messages import ClientMessage
from order_events.websocket import deflate_offers
from order_events.websocket.application import Application, Budget, Handler
from order_events.websocket.client_address import caller
from order_events.websocket.connection import Connection
from order_events.websocket.connection_loop import ConnectionLoop, Handshake
from order_events.websocket.origins import origin_allowed
from order_events.websocket.registry import ConnectionRegistry

__all__ = ["Application", "Budget", "Connection", "Endpoint", "Handler"]

M = TypeVar("M", bound=ClientMessage)

logger = structlog.get_logger(__name__)


class Endpoint(Generic[M]):
    """One route. `name` labels metrics and logs."""

    loop_type: type[ConnectionLoop[M]] = ConnectionLoop
    """What serves one socket."""

    def __init__(
        self, application: Application[M], registry: ConnectionRegistry, name: str
    ) -> None:
        self.application = application
        self.registry = registry
        self.name = name

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serves one socket for its whole life."""
        settings = self.registry.settings
        if not self.registry.accepting:
            raise web.HTTPServiceUnavailable(text="the server is going away")
        origin = request.headers.get(hdrs.ORIGIN)
        if not origin_allowed(origin, request.host, settings.allowed_origins):
            logger.warning("origin refused", socket=self.name, origin=origin)
            raise web.HTTPForbidden(text="this page may not connect here")
        offered = request.headers.getall(hdrs.SEC_WEBSOCKET_EXTENSIONS, ())
        ws = web.WebSocketResponse(
            timeout=settings.close_timeout_s,
            autoclose=False,
            autoping=False,
            compress=settings.compression and deflate_offers.sound(offered),
            # The limit itself is checked after inflation, by us: closing is then orderly. This
            # one only bounds memory.
            max_msg_size=2 * settings.max_message_bytes + 1,
        )
        # RFC 6455, 4.1, of which aiohttp asks everything else.
        asked = request.method == hdrs.METH_GET and request.version >= HttpVersion11
        if not asked or not ws.can_prepare(request):
            raise web.HTTPUpgradeRequired(
                headers={hdrs.UPGRADE: "websocket"}, text="this is a WebSocket"
            )
        address = caller(request, settings.trusted_proxies)
        if not self.registry.reserve_unauthenticated(address):
            raise web.HTTPTooManyRequests(text="too many connections that are not authenticated")
        handshake = Handshake(request, ws, address)
        await self.loop_type(self.application, self.registry, self.name, handshake).run()
        # Who hung up before the answer gets none; aiohttp wants one all the same.
        return ws if ws.prepared else web.Response()
