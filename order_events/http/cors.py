"""Cross-origin requests: which pages of other servers may read `/v1` and the modules under `/web`.

Tokens travel in a header and never in a cookie, so no answer allows credentials.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from order_events.http.problems import problem
from order_events.protocol.messages import ErrorCode
from order_events.settings import HubSettings
from order_events.websocket.origins import origin_listed

_SHARED = r"/v1/.|/web/[^/]+\.js$"
_METHODS = "GET, POST, PUT, PATCH, DELETE"
_ACCEPTED = "Authorization, Content-Type, Idempotency-Key, If-None-Match, Traceparent"
_EXPOSED = "ETag, Retry-After, WWW-Authenticate"
_PREFLIGHT_S = 600
"""Seconds for which a browser need not ask again."""
_REFUSED = "this page's origin is not among the --allowed-origins of the server"

logger = structlog.get_logger(__name__)


def sharing(settings: HubSettings, more_paths: str, more_headers: Iterable[str]) -> Middleware:
    """Return a middleware that answers preflights and marks answers for the allowed origins.

    `more_paths` is a prefix of further paths that are shared, and `more_headers` are headers that
    requests may have besides the protocol's own.
    """
    shared = re.compile(f"{_SHARED}|{re.escape(more_paths)}")
    accepted = ", ".join((_ACCEPTED, *more_headers))

    @web.middleware
    async def share(request: web.Request, handler: Handler) -> web.StreamResponse:
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is None or not shared.match(request.path):
            return await handler(request)
        allowed = origin_listed(origin, settings.allowed_origins)
        if _is_preflight(request):
            if not allowed:
                logger.warning("origin refused", path=request.path, origin=origin)
                return problem(403, ErrorCode.FORBIDDEN, _REFUSED)
            response: web.StreamResponse = web.Response(status=204)
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_METHODS] = _METHODS
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_HEADERS] = accepted
            response.headers[hdrs.ACCESS_CONTROL_MAX_AGE] = str(_PREFLIGHT_S)
        else:
            response = await handler(request)
        if allowed:
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
            response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = _EXPOSED
        response.headers[hdrs.VARY] = hdrs.ORIGIN
        return response

    return share


def _is_preflight(request: web.Request) -> bool:
    asked = hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers
    return request.method == hdrs.METH_OPTIONS and asked
