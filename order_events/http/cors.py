"""Cross-origin requests: which pages of other servers may read `/v1` and the modules under `/web`.

Tokens travel in a header and never in a cookie, so no answer allows credentials.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from order_events.http.problems import problem
from order_events.protocol.messages import ErrorCode
from order_events.settings import HubSettings
from order_events.websocket.origins import origin_listed

_MODULES = re.compile(r"/web/[^/]+\.js$")
_METHODS = "GET, POST, PUT, PATCH, DELETE"
_ACCEPTED = "Authorization, Content-Type, Idempotency-Key, If-None-Match, Traceparent"
_EXPOSED = "ETag, Retry-After, WWW-Authenticate"
_PREFLIGHT_S = 600
"""Seconds for which a browser need not ask again."""
_REFUSED = "this page's origin is not among the --allowed-origins of the server"

Mark = Callable[[web.Request, web.StreamResponse], Awaitable[None]]

logger = structlog.get_logger(__name__)


def answering_preflights(
    settings: HubSettings, api_paths: tuple[str, ...], more_headers: Iterable[str]
) -> Middleware:
    """Return a middleware that answers the preflights of shared paths.

    `more_headers` are headers that requests may have besides the protocol's own.
    """
    accepted = ", ".join((_ACCEPTED, *more_headers))

    @web.middleware
    async def preflight(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not (_is_preflight(request) and _is_shared(request.path, api_paths)):
            return await handler(request)
        origin = request.headers.get(hdrs.ORIGIN, "")
        if not origin_listed(origin, settings.allowed_origins):
            logger.warning("origin refused", path=request.path, origin=origin)
            return problem(403, ErrorCode.FORBIDDEN, _REFUSED)
        response = web.Response(status=204)
        response.headers[hdrs.ACCESS_CONTROL_ALLOW_METHODS] = _METHODS
        response.headers[hdrs.ACCESS_CONTROL_ALLOW_HEADERS] = accepted
        response.headers[hdrs.ACCESS_CONTROL_MAX_AGE] = str(_PREFLIGHT_S)
        return response

    return preflight


def sharing(settings: HubSettings, api_paths: tuple[str, ...]) -> Mark:
    """Return a signal handler that marks answers of shared paths for the allowed origins.

    A signal and no middleware, so that no answer escapes it, wherever it was made.
    """

    async def share(request: web.Request, response: web.StreamResponse) -> None:
        if not _is_shared(request.path, api_paths):
            return
        # Without an Origin too: a cache must not give that answer to a page.
        response.headers[hdrs.VARY] = hdrs.ORIGIN
        origin = request.headers.get(hdrs.ORIGIN, "")
        if origin_listed(origin, settings.allowed_origins):
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
            response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = _EXPOSED

    return share


def _is_shared(path: str, api_paths: tuple[str, ...]) -> bool:
    return path.startswith(api_paths) or _MODULES.match(path) is not None


def _is_preflight(request: web.Request) -> bool:
    asked = hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers
    return request.method == hdrs.METH_OPTIONS and asked
