"""All open sockets of a server: their limits, their heartbeat, and the orderly stop."""

from __future__ import annotations

import asyncio
import random
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Mapping
from typing import Protocol, TypeVar

import structlog
from aiohttp import WSMsgType

from order_events.auth.tokens import AuthError, Principal, TokenAuthority, UnknownKey
from order_events.metrics import HubMetrics
from order_events.protocol.messages import CloseCode, ErrorCode, ProtocolError
from order_events.settings import HubSettings
from order_events.websocket.client_address import Callers
from order_events.websocket.connection import Connection
from order_events.websocket.strangers import Strangers

RECONNECTION_S = 60.0
"""A user who connects again within this many seconds counts as reconnecting."""
KEY_WAITS_PER_ADDRESS = 20
"""Tokens of one address that may wait for an unknown key to be published."""
_KEY_RETRY_MS = 2_000
_REMEMBERED_USERS = 10_000
_LEAST_S = 0.3
"""Seconds that each part of the stop has, even if the others have used them up."""

_K = TypeVar("_K", bound=Hashable)

logger = structlog.get_logger(__name__)

Head = Callable[[str], tuple[str, int]]
"""Returns a restaurant's (epoch, seq): everything up to seq has been fanned out."""
Finish = Callable[[], Awaitable[None] | None]


class Elsewhere(Protocol):
    """Counts the connections that the other nodes of the service have."""

    def connections(self, restaurant_id: str) -> int:
        """Return those of a restaurant."""

    def connections_of(self, restaurant_id: str, user_id: str) -> int:
        """Return those of one of its users."""


class ConnectionRegistry:
    """The state that all endpoints of a server share.

    `prepare` sees to it that the head of a restaurant is known here, and `elsewhere` counts the
    connections at other nodes. `strangers` are the sockets that are not authenticated yet;
    `callers` tells whose address a request counts towards. `head` returns a restaurant's
    (epoch, seq); `revoked` returns whether a principal's token has been revoked. What is in
    `when_stopping` is called once, at the begin of the stop.
    """

    def __init__(
        self,
        settings: HubSettings,
        authority: TokenAuthority,
        metrics: HubMetrics,
        head: Head,
        revoked: Callable[[Principal], bool],
        *,
        prepare: Callable[[str], Awaitable[None]],
        elsewhere: Elsewhere,
    ) -> None:
        self.settings = settings
        self._authority = authority
        self._revoked = revoked
        self.metrics = metrics
        self.head = head
        self.prepare = prepare
        self._elsewhere = elsewhere
        self.accepting = True
        self.when_stopping: list[Callable[[], None]] = []
        self._deadline: float | None = None
        self._open: dict[Connection, Finish | None] = {}
        self.strangers = Strangers(
            settings.max_unauthenticated_per_address, settings.max_connections
        )
        self.callers = Callers(settings.trusted_proxies)
        self._awaiting_keys: Counter[str] = Counter()
        self._users: Counter[tuple[str, str]] = Counter()
        self._restaurants: Counter[str] = Counter()
        self._authenticated = 0
        self._last_seen: OrderedDict[tuple[str, str, str], float] = OrderedDict()
        self._sweeper: asyncio.Task[None] | None = None
        self._empty = asyncio.Event()
        self._empty.set()

    def __len__(self) -> int:
        return len(self._open)

    def verify(self, token: str) -> Principal:
        """Return the principal of a token; raise AuthError."""
        principal = self._authority.verify(token)
        if self._revoked(principal):
            raise AuthError("the token has been revoked")
        return principal

    async def authenticate(self, token: str, address: str) -> Principal:
        """Return the principal of a token, waiting for its key if it is not known yet.

        Only so many tokens from one address may wait. Raises AuthError, or
        ProtocolError(UNAVAILABLE) if tokens cannot be checked.
        """
        try:
            return self.verify(token)
        except UnknownKey:
            if self._awaiting_keys[address] >= KEY_WAITS_PER_ADDRESS:
                raise ProtocolError(
                    ErrorCode.UNAVAILABLE,
                    "too many tokens from this address wait for their keys; try again",
                    retry_after_ms=_KEY_RETRY_MS,
                ) from None
        self._awaiting_keys[address] += 1
        try:
            await self._authority.reread_keys()
        finally:
            _decrement(self._awaiting_keys, address)
        return self.verify(token)

    def start(self) -> None:
        """Start the heartbeat."""
        self._sweeper = asyncio.create_task(self._sweep_forever(), name="heartbeat")

    def add(self, connection: Connection) -> None:
        """Include an open socket in the heartbeat and the stop."""
        self._open[connection] = None
        self._empty.clear()

    def admit(self, principal: Principal) -> None:
        """Raise ProtocolError(OVERLOADED) if the server, restaurant or user is at its limit.

        Nothing is counted until `add_authenticated`.
        """
        limits = self.settings
        user = (principal.restaurant_id, principal.user_id)
        if (
            self._authenticated >= limits.max_connections
            or self._restaurants[principal.restaurant_id]
            + self._elsewhere.connections(principal.restaurant_id)
            >= limits.max_connections_per_restaurant
            or self._users[user] + self._elsewhere.connections_of(*user)
            >= limits.max_connections_per_user
        ):
            raise ProtocolError(ErrorCode.OVERLOADED, "too many connections; try again later")

    def connections_by_user(self) -> Mapping[tuple[str, str], int]:
        """Return how many connections each user of a restaurant has here."""
        return self._users

    def add_authenticated(self, connection: Connection, finish: Finish, now: float) -> None:
        """Count an authenticated connection; `finish` is called when the server stops."""
        self._open[connection] = finish
        principal = connection.principal
        self._authenticated += 1
        self._users[(principal.restaurant_id, principal.user_id)] += 1
        self._restaurants[principal.restaurant_id] += 1
        self.metrics.connections.labels(connection.socket).inc()
        last_seen = self._last_seen.pop(
            (connection.socket, principal.restaurant_id, principal.user_id), None
        )
        if last_seen is not None and now - last_seen <= RECONNECTION_S:
            self.metrics.reconnections.labels(connection.socket).inc()

    def remove(self, connection: Connection, now: float) -> None:
        """Remove a socket that is gone."""
        if self._open.pop(connection, None) is not None:
            principal = connection.principal
            self._authenticated -= 1
            _decrement(self._users, (principal.restaurant_id, principal.user_id))
            _decrement(self._restaurants, principal.restaurant_id)
            self.metrics.connections.labels(connection.socket).dec()
            self._last_seen[(connection.socket, principal.restaurant_id, principal.user_id)] = now
            while len(self._last_seen) > _REMEMBERED_USERS:
                self._last_seen.popitem(last=False)
        if not self._open:
            self._empty.set()

    def close_revoked(self) -> int:
        """Close (1008) every connection whose token has been revoked; return how many."""
        chosen = [c for c in self._open if c.authenticated and self._revoked(c.principal)]
        for connection in chosen:
            error = ProtocolError(ErrorCode.UNAUTHORIZED, "the token has been revoked")
            connection.send_error(error)
            connection.close(CloseCode.POLICY, error.message)
        return len(chosen)

    async def stop(self) -> None:
        """Let handlers finish (bounded), announce the stop, close the sockets, and cut the rest.

        Each client is told to wait for a random time. May be called again, for a socket whose
        handshake was under way the first time.
        """
        self.accepting = False
        if self._sweeper is not None:
            self._sweeper.cancel()
        if self._deadline is None:
            self._deadline = asyncio.get_running_loop().time() + self._stop_s
            for notify in self.when_stopping:
                notify()
        await self._finish()
        for connection in list(self._open):
            delay = random.randint(1, self.settings.shutdown_spread_ms)  # noqa: S311
            if connection.authenticated:
                connection.send("going_away", {"retry_after_ms": delay})
            connection.close(CloseCode.GOING_AWAY, "the server is going away")
        try:
            async with asyncio.timeout(self.remaining()):
                await self._empty.wait()
        except TimeoutError:
            for connection in list(self._open):
                connection.abort()

    @property
    def _stop_s(self) -> float:
        return self.settings.shutdown_grace_s + self.settings.close_timeout_s

    def remaining(self) -> float:
        """Return the seconds that are left of the stop, but a few tenths in any case.

        All parts of it share them, so that they do not add up.
        """
        if self._deadline is None:
            return self._stop_s
        return max(_LEAST_S, self._deadline - asyncio.get_running_loop().time())

    async def _finish(self) -> None:
        waits = [
            asyncio.ensure_future(_all(wait))
            for finish in list(self._open.values())
            if finish is not None and (wait := finish()) is not None
        ]
        if not waits:
            return
        done, late = await asyncio.wait(waits, timeout=self.settings.shutdown_grace_s)
        for task in late:
            task.cancel()
        for task in done:
            if (error := task.exception()) is not None:
                logger.error("a session failed to finish", exc_info=error)

    async def _sweep_forever(self) -> None:
        while True:
            await asyncio.sleep(self.settings.heartbeat_s)
            self.sweep()

    def sweep(self) -> None:
        """Cut peers that have not answered since the last sweep, and ping the others."""
        waiting = [connection.waiting for connection in self._open]
        self.metrics.outbox_messages.set(sum(messages for messages, _ in waiting))
        self.metrics.outbox_fullest.set(max((size for _, size in waiting), default=0))
        for connection in list(self._open):
            if connection.awaiting_pong:
                connection.abort()
            else:
                connection.awaiting_pong = True
                connection.control(WSMsgType.PING)


def _decrement(counter: Counter[_K], key: _K) -> None:
    counter[key] -= 1
    if counter[key] <= 0:
        del counter[key]


async def _all(wait: Awaitable[None]) -> None:
    await wait
