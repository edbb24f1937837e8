"""Authenticates and authorizes HTTP requests, and limits their rate."""

from __future__ import annotations

import asyncio
import hmac

import structlog
from aiohttp import web
from pydantic import SecretStr

from order_events.auth.roles import Action, Role, may
from order_events.auth.tokens import AuthError, Principal, UnknownKey
from order_events.cluster.cluster import Cluster
from order_events.http.delivery import Turns
from order_events.protocol.messages import ErrorCode, ProtocolError
from order_events.protocol.ratelimit import Buckets, refuse_above_rate
from order_events.websocket.credentials import bearer_of
from order_events.websocket.registry import ConnectionRegistry

_KEY_LENGTH = 200

logger = structlog.get_logger(__name__)


class Authenticator:
    """Admits requests with a valid token and the right role, at the rates of the settings."""

    def __init__(self, registry: ConnectionRegistry, cluster: Cluster) -> None:
        self._registry = registry
        self._cluster = cluster
        self.settings = registry.settings
        self.turns = Turns()
        self._users: Buckets[tuple[str, str]] = Buckets()
        self._addresses: Buckets[str] = Buckets()

    async def check(self, request: web.Request, action: Action) -> Principal:
        """Return the principal.

        Raises ProtocolError: UNAUTHORIZED, RATE_LIMITED, FORBIDDEN, or UNAVAILABLE if tokens cannot
        be checked now.
        """
        try:
            principal = await self._authenticated(request, bearer(request))
        except AuthError as error:
            raise self._unauthorized(request, str(error)) from error
        self._refuse_above_rate(principal)
        if not may(principal.role, action):
            raise ProtocolError(ErrorCode.FORBIDDEN, f"your role may not {action.value}")
        return principal

    async def _authenticated(self, request: web.Request, token: str) -> Principal:
        """Return the principal; raise AuthError or ProtocolError.

        To wait for a key, a token pays as an unknown one before it waits, and gets that back if it
        is accepted or counted otherwise.
        """
        try:
            return self._registry.verify(token)
        except UnknownKey:
            self.anonymous(request)
        address = self._registry.callers.address(request)
        try:
            principal = await self._registry.authenticate(token, address)
        except AuthError:
            self._addresses.give_back(address)
            raise
        self._addresses.give_back(address)
        return principal

    def _refuse_above_rate(self, principal: Principal) -> None:
        limits, now = self.settings, asyncio.get_running_loop().time()
        service = principal.role is Role.SERVICE
        per_minute = limits.http_service_per_minute if service else limits.http_per_minute
        user = (principal.restaurant_id, principal.user_id)
        elsewhere = self._cluster.requested(user, now)
        if elsewhere:
            self._users.debit(user, elsewhere, per_minute, now)
        refuse_above_rate(self._users.take(user, per_minute, now), "requests")

    def anonymous(self, request: web.Request) -> None:
        """Count a request without a valid token; raise ProtocolError(RATE_LIMITED)."""
        refuse_above_rate(
            self._addresses.take(
                self._registry.callers.address(request),
                self.settings.http_strangers_per_minute,
                asyncio.get_running_loop().time(),
            ),
            "requests",
        )

    def requires_token(self, request: web.Request, secret: SecretStr) -> None:
        """Raise ProtocolError unless the request has this secret as its Bearer token."""
        try:
            brought = bearer(request)
        except AuthError as error:
            raise self._unauthorized(request, str(error)) from error
        if not hmac.compare_digest(
            brought.encode("utf-8", "surrogateescape"), secret.get_secret_value().encode()
        ):
            raise self._unauthorized(request, "the token is not valid")

    def _unauthorized(self, request: web.Request, why: str) -> ProtocolError:
        self.anonymous(request)
        self._registry.metrics.auth_failures.labels("http").inc()
        address = self._registry.callers.address(request)
        logger.warning("authentication refused", why=why, address=address)
        return ProtocolError(ErrorCode.UNAUTHORIZED, why)


def idempotency_key(request: web.Request) -> str | None:
    """Return the `Idempotency-Key` header, prefixed to keep it apart from the service's own keys.

    None if there is none; raises ProtocolError(INVALID_MESSAGE) for a key that is not accepted.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not 0 < len(key) <= _KEY_LENGTH:
        raise ProtocolError(
            ErrorCode.INVALID_MESSAGE, f"Idempotency-Key: must have 1 to {_KEY_LENGTH} characters"
        )
    if not key.isprintable():
        # Bytes that are not UTF-8 arrive as surrogates, which SQLite does not store.
        raise ProtocolError(ErrorCode.INVALID_MESSAGE, "Idempotency-Key: must be printable text")
    return f"http:{key}"


def bearer(request: web.Request) -> str:
    """Return the token of the `Authorization` header; raise AuthError."""
    token = bearer_of(request)
    if not token:
        raise AuthError("a Bearer token is needed")
    return token
