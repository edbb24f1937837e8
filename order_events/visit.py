"""One socket from upgrade to goodbye."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from typing import Generic, TypeVar

import structlog
from aiohttp import WSMessage, WSMsgType, hdrs, web
from aiohttp.abc import AbstractStreamWriter
from pydantic import ValidationError

from order_events.application import Application, Handler
from order_events.auth import AuthError, Principal
from order_events.connection import Connection
from order_events.inbound import invalid, named, size_of, type_of
from order_events.protocol import (
    SHELL_MESSAGES,
    SHELL_TYPES,
    Auth,
    AuthExpiringData,
    AuthSuccessData,
    ClientMessage,
    CloseCode,
    ConnectedData,
    ErrorCode,
    ProtocolError,
    utc_from_unix,
)
from order_events.ratelimit import TokenBucket
from order_events.sockets import Sockets

M = TypeVar("M", bound=ClientMessage)

logger = structlog.get_logger(__name__)


class Refused(Exception):
    """The peer may not stay: `error` is told, then the socket closes with `code`."""

    def __init__(self, code: CloseCode, error: ProtocolError) -> None:
        super().__init__(error.message)
        self.code = code
        self.error = error


class Visit(Generic[M]):
    """Serves one connection; `run` returns when it is over, with everything freed."""

    def __init__(
        self,
        application: Application[M],
        sockets: Sockets,
        *,
        name: str,
        request: web.Request,
        ws: web.WebSocketResponse,
        address: str,
    ) -> None:
        self._application = application
        self._sockets = sockets
        self._settings = sockets.settings
        self._metrics = sockets.metrics
        self._name = name
        self._request = request
        self._ws = ws
        self._address = address
        self._stranger = True
        self._loop = asyncio.get_running_loop()
        self._connection: Connection
        self._handler: Handler[M] | None = None
        self._timer: asyncio.TimerHandle | None = None
        now = self._loop.time()
        self._rates = {
            "regular": TokenBucket(self._settings.regular_per_minute, now),
            "voice": TokenBucket(self._settings.voice_per_minute, now),
        }
        self._bytes = TokenBucket(self._settings.bytes_per_minute, now)

    async def run(self) -> None:
        """The whole visit."""
        try:
            stream = await self._ws.prepare(self._request)
            transport = self._request.transport
            if transport is not None:
                await self._stay(stream, transport)
        finally:
            self._known()

    async def _stay(self, stream: AbstractStreamWriter, transport: asyncio.Transport) -> None:
        self._connection = Connection(
            self._request, self._ws, stream, transport, self._name, self._settings, self._metrics
        )
        structlog.contextvars.bind_contextvars(connection=self._connection.id, socket=self._name)
        self._sockets.add(self._connection)
        try:
            await self._serve()
        finally:
            self._leave()

    async def _serve(self) -> None:
        connection = self._connection
        try:
            await self._enter()
            await self._receive_all()
        except Refused as refused:
            connection.send_error(refused.error)
            connection.close(refused.code, refused.error.message)
        except Exception:
            # The one boundary where our own fault becomes a close code.
            logger.exception("a connection failed")
            connection.send_error(ProtocolError(ErrorCode.INTERNAL, "internal error"))
            connection.close(CloseCode.SERVER_ERROR, "internal error")
        if connection.closing:
            await self._await_goodbye()

    async def _enter(self) -> None:
        """Authenticates, then connects the handler; raises Refused."""
        connection = self._connection
        header = self._request.headers.get(hdrs.AUTHORIZATION)
        if header is not None:
            scheme, _, token = header.partition(" ")
            if scheme.lower() != "bearer":
                raise self._unauthorized("the Authorization header must be a Bearer token")
            principal = self._verify(token.strip(), None)
            connection.principal = principal
        else:
            message = await self._first_message()
            if message is None:
                return
            principal = self._verify(message.token, message.restaurant_id, message.id)
            connection.principal = principal
            self._tell_success(message.id)
        structlog.contextvars.bind_contextvars(
            restaurant=principal.restaurant_id, user=principal.user_id
        )
        self._known()
        try:
            self._sockets.admit(principal)
            self._application.admit(principal)
        except ProtocolError as error:
            forbidden = error.code is ErrorCode.FORBIDDEN
            code = CloseCode.POLICY if forbidden else CloseCode.TRY_AGAIN_LATER
            raise Refused(code, error) from error
        self._sockets.seat(connection, self._finish, self._loop.time())
        epoch, seq = self._sockets.head(principal.restaurant_id)
        connected = ConnectedData(connection_id=connection.id, epoch=epoch, seq=seq)
        connection.send("connected", connected.model_dump())
        self._handler = self._application.connect(connection)
        self._arm()
        logger.info("connected", role=principal.role.value)

    async def _first_message(self) -> Auth | None:
        """The `auth` message; None when the peer left. Raises Refused."""
        try:
            async with asyncio.timeout(self._settings.auth_timeout_s):
                while True:
                    received = await self._ws.receive()
                    if received.type is WSMsgType.TEXT:
                        return self._parse_first(received.data)
                    if received.type is WSMsgType.BINARY:
                        raise self._unauthorized("the first message must be `auth`")
                    if not self._control(received):
                        return None
        except TimeoutError:
            raise self._unauthorized("no `auth` message in time") from None

    def _parse_first(self, text: str) -> Auth:
        if size_of(text, self._settings.max_message_bytes) > self._settings.max_message_bytes:
            raise self._too_big()
        self._rates["regular"].take(1, self._loop.time())
        try:
            message = SHELL_MESSAGES.validate_json(text)
        except ValidationError:
            raise self._unauthorized("the first message must be `auth`") from None
        if not isinstance(message, Auth):
            raise self._unauthorized("the first message must be `auth`", message.id)
        return message

    def _verify(
        self,
        token: str,
        restaurant_id: str | None,
        id: str | int | None = None,  # noqa: A002 (the field's name on the wire)
    ) -> Principal:
        try:
            principal = self._sockets.authenticate(token)
        except AuthError as error:
            raise self._unauthorized(str(error), id) from error
        if restaurant_id is not None and restaurant_id != principal.restaurant_id:
            raise self._unauthorized("the token is for another restaurant", id)
        return principal

    def _unauthorized(
        self,
        message: str,
        id: str | int | None = None,  # noqa: A002 (the field's name on the wire)
    ) -> Refused:
        self._metrics.auth_failures.labels(self._name).inc()
        logger.warning("authentication refused", why=message, address=self._address)
        return Refused(CloseCode.POLICY, ProtocolError(ErrorCode.UNAUTHORIZED, message, id=id))

    def _too_big(self) -> Refused:
        limit = self._settings.max_message_bytes
        error = ProtocolError(ErrorCode.INVALID_MESSAGE, f"a message may have {limit} bytes")
        return Refused(CloseCode.TOO_BIG, error)

    def _tell_success(self, id: str | int | None) -> None:  # noqa: A002 (as on the wire)
        who = self._connection.principal
        success = AuthSuccessData(
            user_id=who.user_id,
            restaurant_id=who.restaurant_id,
            role=who.role.value,
            expires_at=utc_from_unix(who.expires_at),
        )
        self._connection.send("auth:success", success.model_dump(), id=id)

    async def _receive_all(self) -> None:
        while self._handler is not None and not self._connection.closing:
            received = await self._ws.receive()
            if self._connection.closing:
                return
            if received.type is WSMsgType.TEXT:
                now = self._loop.time()
                refused = self._text(received.data, now)
                self._metrics.processing.labels(self._name).observe(self._loop.time() - now)
                # Who sends faster than it reads the answers is not read on until it has.
                await self._connection.room()
                if refused:
                    # A flood that is already in memory must not keep the loop from others.
                    await asyncio.sleep(0)
            elif received.type is WSMsgType.BINARY:
                self._connection.awaiting_pong = False
                self._connection.send_error(
                    ProtocolError(ErrorCode.INVALID_MESSAGE, "messages are JSON in text frames")
                )
                self._rates["regular"].take(1, self._loop.time())
            elif not self._control(received):
                return

    def _control(self, received: WSMessage) -> bool:
        """Handles a frame that is not data; False when the socket is over."""
        self._connection.awaiting_pong = False
        if received.type is WSMsgType.PING:
            self._connection.control(WSMsgType.PONG, received.data)
        elif received.type is not WSMsgType.PONG:
            if received.type is WSMsgType.ERROR:
                self._connection.close_code = self._ws.close_code
            return False
        return True

    def _text(self, text: str, now: float) -> bool:
        """Handles one message; True when it was refused."""
        self._connection.awaiting_pong = False
        limit = self._settings.max_message_bytes
        size = size_of(text, limit)
        if size > limit:
            raise self._too_big()
        try:
            self._take(self._bytes, size, now)
            self._dispatch(text, now)
        except ProtocolError as error:
            if error.id is None and error.sequence is None:
                error.id, error.sequence = named(text)
            self._connection.send_error(error)
            return True
        return False

    def _dispatch(self, text: str, now: float) -> None:
        try:
            message = self._application.messages.validate_json(text)
        except ValidationError as error:
            self._not_ours(text, error, now)
            return
        self._metrics.messages_in.labels(self._name, message.type).inc()
        self._take(self._rates[self._application.budget(message.type)], 1, now)
        if self._handler is not None:
            self._handler.receive(message, now)

    def _not_ours(self, text: str, problem: ValidationError, now: float) -> None:
        """`auth`, `ping`, or a message that is wrong: then raises ProtocolError."""
        type_ = type_of(text)
        known = type_ in SHELL_TYPES or type_ in self._application.types
        self._metrics.messages_in.labels(self._name, type_ if known else "other").inc()
        self._take(self._rates["regular"], 1, now)
        if type_ in SHELL_TYPES:
            self._shell_message(text)
        elif type_ is None or known:
            raise invalid(problem)
        else:
            raise ProtocolError(ErrorCode.UNKNOWN_TYPE, "this message type is not known here")

    def _shell_message(self, text: str) -> None:
        try:
            message = SHELL_MESSAGES.validate_json(text)
        except ValidationError as error:
            raise invalid(error) from error
        if isinstance(message, Auth):
            self._renew(message)
        else:
            self._connection.send("pong", None, id=message.id)

    def _take(self, bucket: TokenBucket, amount: float, now: float) -> None:
        wait = bucket.take(amount, now)
        if wait > 0:
            raise ProtocolError(
                ErrorCode.RATE_LIMITED,
                "too many messages; this one had no effect",
                retry_after_ms=int(wait * 1000) + 1,
            )

    def _renew(self, message: Auth) -> None:
        fresh = self._verify(message.token, message.restaurant_id, message.id)
        old = self._connection.principal
        if (fresh.user_id, fresh.restaurant_id, fresh.role) != (
            old.user_id,
            old.restaurant_id,
            old.role,
        ):
            raise self._unauthorized("the token is for somebody else", message.id)
        self._connection.principal = fresh
        self._tell_success(message.id)
        self._arm()

    def _arm(self) -> None:
        """Sets the timer for the notice before the token expires."""
        if self._timer is not None:
            self._timer.cancel()
        left = self._connection.principal.expires_at - time.time()
        notice = max(0.0, left - self._settings.token_expiry_notice_s)
        self._timer = self._loop.call_later(notice, self._expiring)

    def _expiring(self) -> None:
        expires_at = self._connection.principal.expires_at
        data = AuthExpiringData(expires_at=utc_from_unix(expires_at))
        self._connection.send("auth:expiring", data.model_dump())
        left = max(0.0, expires_at - time.time())
        self._timer = self._loop.call_later(left, self._expired)

    def _expired(self) -> None:
        refused = self._unauthorized("the token has expired")
        self._connection.send_error(refused.error)
        self._connection.close(refused.code, refused.error.message)

    def _finish(self) -> Awaitable[None] | None:
        return None if self._handler is None else self._handler.finished()

    async def _await_goodbye(self) -> None:
        """Reads on until the peer has answered our close frame: else a reset may overtake it.

        The connection's own timer cuts the wait short.
        """
        while not self._ws.closed:
            received = await self._ws.receive()
            if received.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED):
                return
            if received.type is WSMsgType.ERROR:
                return

    def _known(self) -> None:
        if self._stranger:
            self._stranger = False
            self._sockets.known(self._address)

    def _leave(self) -> None:
        now = self._loop.time()
        if self._timer is not None:
            self._timer.cancel()
        connection = self._connection
        ours = connection.close_code
        connection.gone()
        self._sockets.remove(connection, now)
        handler, self._handler = self._handler, None
        try:
            if handler is not None:
                handler.closed(now)
        finally:
            code = ours if ours is not None else self._ws.close_code
            self._metrics.closes.labels(self._name, str(code or 1006)).inc()
            if ours is not None and self._request.transport is not None:
                # Our close frame is out and answered; a second one must not follow.
                self._request.transport.close()
            logger.info("disconnected", code=code)
            structlog.contextvars.clear_contextvars()
