"""Checks the header `Host`: a foreign page that makes its own name point here gets nothing.

Such a page (DNS rebinding) is of the same origin as its name, so neither CORS nor `Origin` stops
it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from urllib.parse import urlsplit

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware

from order_events.http.problems import problem
from order_events.protocol.messages import ErrorCode
from order_events.settings import HubSettings
from order_events.token_settings import is_loopback_host
from order_events.websocket.client_address import Callers

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_REFUSED = "this server is not known by that name; see --allowed-hosts"

logger = structlog.get_logger(__name__)


def checking(settings: HubSettings, callers: Callers) -> Middleware:
    """Return a middleware that refuses names under which the server is not known (421).

    A trusted proxy has checked the name.
    """
    listed = frozenset(name.lower() for name in settings.allowed_hosts)
    pages = frozenset(filter(None, (urlsplit(o).hostname for o in settings.allowed_origins)))
    any_name = "*" in listed or not (listed or is_loopback_host(settings.host))

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if any_name or callers.trusts(request) or is_known(request.host, listed | pages):
            return await handler(request)
        logger.warning("host refused", host=request.host)
        return problem(421, ErrorCode.FORBIDDEN, _REFUSED)

    return check


def is_known(host: str, listed: frozenset[str]) -> bool:
    """Return whether a `Host`, with or without a port, is a name of ours.

    Nobody else can own an address, `localhost`, or a name without a dot.
    """
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    name = name.rstrip(".")
    return name in listed or "." not in name or name.endswith(".localhost") or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
