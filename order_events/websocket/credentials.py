"""A connection's token: verified, renewed, and enforced when it expires."""

from __future__ import annotations

import asyncio
import time

import structlog
from aiohttp import web

from order_events.auth.tokens import AuthError, Principal, UnknownKey
from order_events.protocol.messages import (
    Auth,
    AuthExpiringData,
    AuthSuccessData,
    CloseCode,
    ErrorCode,
    MessageId,
    ProtocolError,
    Refused,
    utc_from_unix,
)
from order_events.websocket.connection import Connection
from order_events.websocket.registry import ConnectionRegistry

logger = structlog.get_logger(__name__)


class Credentials:
    """Sets a connection's principal, and closes it with 1008 when its token expires."""

    def __init__(self, connection: Connection, registry: ConnectionRegistry, address: str) -> None:
        self._connection = connection
        self._registry = registry
        self._address = address
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._renewing: asyncio.Task[None] | None = None

    def take_header(self, brought: Principal | AuthError | ProtocolError) -> None:
        """Take what the token of the upgrade request turned out to be; raise Refused."""
        if isinstance(brought, Exception):
            raise self._refusal(brought, None)
        self._connection.principal = brought

    async def authenticate_first_message(self, message: Auth) -> None:
        """Verify the token of the first message; raise Refused. `confirm` answers it."""
        try:
            fresh = await self._registry.authenticate(message.token, self._address)
        except (AuthError, ProtocolError) as error:
            raise self._refusal(error, message.id) from error
        self._check_restaurant(fresh, message)
        self._connection.principal = fresh

    def confirm(self, message: Auth) -> None:
        """Answer a first message whose user was admitted."""
        self._send_success(message.id)

    def renew(self, message: Auth) -> None:
        """Replace the token by a new one for the same restaurant, user and role; raise Refused.

        If its key is not known yet, that happens a little later.
        """
        try:
            fresh = self._registry.verify(message.token)
        except UnknownKey:
            if self._renewing is None:
                self._renewing = self._loop.create_task(self._renew_later(message), name="renewal")
                self._renewing.add_done_callback(self._renewed)
            return
        except AuthError as error:
            raise self._refusal(error, message.id) from error
        self._replace(fresh, message)

    async def _renew_later(self, message: Auth) -> None:
        try:
            try:
                fresh = await self._registry.authenticate(message.token, self._address)
            except (AuthError, ProtocolError) as error:
                raise self._refusal(error, message.id) from error
            self._replace(fresh, message)
        except Refused as refused:
            self._connection.send_error(refused.error)
            self._connection.close(refused.code, refused.error.message)

    def _renewed(self, task: asyncio.Task[None]) -> None:
        self._renewing = None
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("a renewal failed", exc_info=error)

    def _replace(self, fresh: Principal, message: Auth) -> None:
        self._check_restaurant(fresh, message)
        if _identity(fresh) != _identity(self._connection.principal):
            raise self.refuse("the token is for somebody else", message.id)
        self._connection.principal = fresh
        self._send_success(message.id)
        self.schedule_expiry()

    def schedule_expiry(self) -> None:
        """Schedule the notice that the token expires, and then its expiry."""
        self.cancel_expiry()
        left = self._connection.principal.expires_at - time.time()
        notice = max(0.0, left - self._registry.settings.token_expiry_notice_s)
        self._timer = self._loop.call_later(notice, self._expiring)

    def cancel_expiry(self) -> None:
        """Cancel the scheduled notice or expiry."""
        if self._timer is not None:
            self._timer.cancel()

    def release(self) -> None:
        """Stop everything: the connection is gone."""
        self.cancel_expiry()
        if self._renewing is not None:
            self._renewing.cancel()

    def refuse(self, message: str, id_: MessageId | None = None) -> Refused:
        """Count and log a failed authentication; return the exception to raise."""
        self._registry.metrics.auth_failures.labels(self._connection.socket).inc()
        logger.warning("authentication refused", why=message, address=self._address)
        return Refused(CloseCode.POLICY, ProtocolError(ErrorCode.UNAUTHORIZED, message, id=id_))

    def _refusal(self, error: AuthError | ProtocolError, id_: MessageId | None) -> Refused:
        """Return the refusal for a token; one that cannot be checked now may come again."""
        if isinstance(error, AuthError):
            return self.refuse(str(error), id_)
        error.id = id_
        return Refused(CloseCode.TRY_AGAIN_LATER, error)

    def _check_restaurant(self, principal: Principal, message: Auth) -> None:
        if message.restaurant_id not in (None, principal.restaurant_id):
            raise self.refuse("the token is for another restaurant", message.id)

    def _send_success(self, id_: MessageId | None) -> None:
        principal = self._connection.principal
        success = AuthSuccessData(
            user_id=principal.user_id,
            restaurant_id=principal.restaurant_id,
            role=principal.role.value,
            expires_at=utc_from_unix(principal.expires_at),
        )
        self._connection.send("auth:success", success.model_dump(), id=id_)

    def _expiring(self) -> None:
        expires_at = self._connection.principal.expires_at
        data = AuthExpiringData(expires_at=utc_from_unix(expires_at))
        self._connection.send("auth:expiring", data.model_dump())
        left = max(0.0, expires_at - time.time())
        self._timer = self._loop.call_later(left, self._expired)

    def _expired(self) -> None:
        refused = self.refuse("the token has expired")
        self._connection.send_error(refused.error)
        self._connection.close(refused.code, refused.error.message)


def bearer_of(request: web.Request) -> str | None:
    """Return the token of the `Authorization` header, or None if there is no such header.

    A header of another scheme gives an empty token.
    """
    header = request.headers.get("Authorization")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _identity(principal: Principal) -> tuple[str, str, str]:
    return principal.restaurant_id, principal.user_id, principal.role
