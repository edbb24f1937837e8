"""Sends answers at the pace of whoever reads them, and bounds what slow readers may hold."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import asynccontextmanager

from aiohttp import hdrs, web
from aiohttp.typedefs import Middleware

from order_events.auth.tokens import Principal
from order_events.http.problems import problem
from order_events.protocol.messages import ErrorCode
from order_events.settings import HubSettings
from order_events.websocket.client_address import Callers

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

SLICE = 65_536
"""Bytes given to the connection at a time; smaller answers are sent as they are."""
READS_AT_ONCE = 8
PRINCIPAL = web.RequestKey("PRINCIPAL", Principal)
"""Who sent a request, once that is known."""


class Held:
    """Bytes of large answers that are being read, per key."""

    def __init__(self) -> None:
        self._bytes: Counter[Hashable] = Counter()

    def take(self, limits: dict[Hashable, int], size: int) -> bool:
        """Count an answer towards several keys, unless one of them is at its limit.

        Whoever holds nothing may hold one answer of any size.
        """
        held = [(self._bytes[key], limit) for key, limit in limits.items()]
        if any(bytes_ > 0 and bytes_ + size > limit for bytes_, limit in held):
            return False
        self._bytes.update(dict.fromkeys(limits, size))
        return True

    def give(self, limits: dict[Hashable, int], size: int) -> None:
        """Stop counting it."""
        for key in limits:
            self._bytes[key] -= size
            if self._bytes[key] <= 0:
                del self._bytes[key]


class Turns:
    """Lets at most READS_AT_ONCE answers per user be put together at a time; the others wait.

    There are few threads that read, so waiting here costs no time, and it saves memory.
    """

    def __init__(self) -> None:
        self._gates: dict[Hashable, tuple[asyncio.Semaphore, int]] = {}

    @asynccontextmanager
    async def turn(self, user: Hashable) -> AsyncIterator[None]:
        """Wait for a turn, and keep it for the block."""
        gate, users = self._gates.get(user) or (asyncio.Semaphore(READS_AT_ONCE), 0)
        self._gates[user] = gate, users + 1
        try:
            async with gate:
                yield
        finally:
            gate, users = self._gates[user]
            if users == 1:
                del self._gates[user]
            else:
                self._gates[user] = gate, users - 1


def delivering(settings: HubSettings, callers: Callers, api_paths: tuple[str, ...]) -> Middleware:
    """Return a middleware that sends large answers in slices, each once the last was accepted.

    A reader that accepts nothing for `idle_http_s` is cut. Answers under `api_paths` are not
    cached.
    """
    held = Held()

    def uncached(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
        if request.path.startswith(api_paths) and not response.prepared:
            response.headers.setdefault(hdrs.CACHE_CONTROL, "no-store")
            response.headers.setdefault(hdrs.X_CONTENT_TYPE_OPTIONS, "nosniff")
        return response

    @web.middleware
    async def deliver(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = uncached(request, await handler(request))
        body = response.body if isinstance(response, web.Response) else None
        if not isinstance(body, bytes) or len(body) <= SLICE or request.method == hdrs.METH_HEAD:
            return response
        limits: dict[Hashable, int] = {
            callers.address(request): settings.http_bytes_per_address,
        }
        principal = request.get(PRINCIPAL)
        if principal is not None:
            limits[principal.restaurant_id, principal.user_id] = settings.http_bytes_per_user
        if not held.take(limits, len(body)):
            refusal = problem(
                429,
                ErrorCode.RATE_LIMITED,
                "too many large answers are still being read; read those first",
                1_000,
            )
            return uncached(request, refusal)
        try:
            return await _send(request, response, body, settings.idle_http_s)
        finally:
            held.give(limits, len(body))

    return deliver


async def _send(
    request: web.Request, response: web.StreamResponse, body: bytes, patience_s: float
) -> web.StreamResponse:
    sent = web.StreamResponse(status=response.status, headers=response.headers)
    sent.content_length = len(body)
    connection = None if request.transport is None else request.transport.get_extra_info("socket")
    if connection is not None:
        # Otherwise the system takes megabytes before anybody reads.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, SLICE)
    try:
        await sent.prepare(request)
        for start in range(0, len(body), SLICE):
            async with asyncio.timeout(patience_s):
                await sent.write(body[start : start + SLICE])
        async with asyncio.timeout(patience_s):
            await sent.write_eof()
    except TimeoutError:
        if request.transport is not None:
            request.transport.abort()
    return sent
