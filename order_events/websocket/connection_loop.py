"""The life of one connection, from the upgrade to the closing handshake."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog
from aiohttp import WebSocketError, WSCloseCode, WSMessage, WSMsgType, web
from aiohttp.abc import AbstractStreamWriter

from order_events import tracing
from order_events.auth.tokens import AuthError, Principal
from order_events.protocol.errors import OrderError
from order_events.protocol.messages import (
    Auth,
    ClientMessage,
    CloseCode,
    ConnectedData,
    ErrorCode,
    ProtocolError,
    Refused,
)
from order_events.websocket.application import Application, Opening
from order_events.websocket.connection import Connection
from order_events.websocket.credentials import Credentials, bearer_of
from order_events.websocket.dispatcher import Dispatcher
from order_events.websocket.frame_guard import FrameGuard
from order_events.websocket.frame_scanner import Breach
from order_events.websocket.frame_writer import OpenSocket
from order_events.websocket.registry import ConnectionRegistry
from order_events.websocket.strangers import Stranger

M = TypeVar("M", bound=ClientMessage)

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Handshake:
    """A request for a socket, not answered yet. `address` is the one it counts towards."""

    request: web.Request
    ws: web.WebSocketResponse
    address: str


class ConnectionLoop(Generic[M]):
    """Serves one connection: authenticates it, dispatches its messages, and cleans up after it."""

    dispatcher_type: type[Dispatcher[M]] = Dispatcher
    """Understands the messages; a subclass may set another."""

    def __init__(
        self,
        application: Application[M],
        registry: ConnectionRegistry,
        name: str,
        handshake: Handshake,
    ) -> None:
        self._application = application
        self._registry = registry
        self._settings = registry.settings
        self._metrics = registry.metrics
        self._name = name
        self._request = handshake.request
        self._ws = handshake.ws
        self._address = handshake.address
        self._brought: Principal | AuthError | ProtocolError | None = None
        self._stranger: Stranger | None = None
        self._loop = asyncio.get_running_loop()
        self._connection: Connection
        self._opened: Connection | None = None
        self._credentials: Credentials
        self._dispatcher: Dispatcher[M]

    async def check_header(self) -> None:
        """Verify the token of the upgrade request, if there is one."""
        token = bearer_of(self._request)
        if token is not None:
            try:
                self._brought = await self._registry.authenticate(token, self._address)
            except (AuthError, ProtocolError) as error:
                self._brought = error

    def enter(self) -> bool:
        """Return whether there is room. A socket that is authenticated already has room."""
        if isinstance(self._brought, Principal):
            return True
        self._stranger = self._registry.strangers.enter(
            self._address, self._loop.time(), self._evict
        )
        return self._stranger is not None

    def _evict(self) -> None:
        if self._opened is not None:
            self._opened.close(CloseCode.TRY_AGAIN_LATER, "others of your address are waiting")
        elif self._request.transport is not None:
            self._request.transport.abort()

    async def run(self) -> None:
        """Serve the connection; return when it is over and everything it held is freed."""
        try:
            guard = FrameGuard.install(self._request, self._settings.max_message_frames)
            try:
                stream = await self._ws.prepare(self._request)
            except ConnectionError:
                return
            transport = self._request.transport
            if guard is not None and transport is not None:
                await self._serve_open(guard, stream, transport)
        finally:
            self._release_unauthenticated()

    async def _serve_open(
        self, guard: FrameGuard, stream: AbstractStreamWriter, transport: asyncio.Transport
    ) -> None:
        opened = OpenSocket(self._request, self._ws, stream, transport)
        self._connection = self._connection_of(opened)
        # In the query as well, because browsers cannot set headers.
        named = {**self._request.query, **self._request.headers}
        self._connection.trace = tracing.received({k.lower(): v for k, v in named.items()})
        self._opened = self._connection
        self._credentials = Credentials(self._connection, self._registry, self._address)
        self._dispatcher = self.dispatcher_type(
            self._application,
            self._connection,
            self._credentials,
            self._settings,
            self._metrics,
            self._loop.time(),
        )
        structlog.contextvars.bind_contextvars(connection=self._connection.id, socket=self._name)
        self._registry.add(self._connection)
        guard.watch(self._breached)
        try:
            await self._serve()
        finally:
            self._clean_up()

    def _connection_of(self, opened: OpenSocket) -> Connection:
        return Connection(opened, self._name, self._settings, self._metrics)

    async def _serve(self) -> None:
        connection = self._connection
        try:
            if await self._authenticate():
                await self._receive_all()
        except Refused as refused:
            connection.send_error(refused.error)
            connection.close(refused.code, refused.error.message)
        except Exception:
            # The connection's boundary: a fault of ours becomes a close code.
            logger.exception("a connection failed")
            connection.send_error(ProtocolError(ErrorCode.INTERNAL, "internal error"))
            connection.close(CloseCode.SERVER_ERROR, "internal error")
        if connection.closing:
            await self._await_close_frame()

    async def _authenticate(self) -> bool:
        """Authenticate, then connect the handler; return False if the peer left first.

        Raises Refused.
        """
        message = None
        if self._brought is not None:
            self._credentials.take_header(self._brought)
        else:
            message = await self._first_message()
            if message is None or self._connection.closing:
                return False
            await self._credentials.authenticate_first_message(message)
            if self._connection.closing:
                return False
        await self._prepare()
        if self._connection.closing:
            return False
        self._admit()
        if message is not None:
            self._credentials.confirm(message)
        self._registry.add_authenticated(self._connection, self._finish, self._loop.time())
        self._send_connected()
        self._connect(Opening(self._request.query, message))
        self._credentials.schedule_expiry()
        logger.info("connected", role=self._connection.principal.role.value)
        return True

    async def _prepare(self) -> None:
        """See to it that the restaurant's head is known. There is no await from here to `_connect`,
        so no event can be missed between the two. Raises Refused.
        """
        try:
            await self._registry.prepare(self._connection.principal.restaurant_id)
        except OrderError as error:
            unavailable = ProtocolError(ErrorCode.UNAVAILABLE, error.message)
            raise Refused(CloseCode.TRY_AGAIN_LATER, unavailable) from error

    def _connect(self, opening: Opening) -> None:
        try:
            self._dispatcher.handler = self._application.connect(self._connection, opening)
        except ProtocolError as error:
            raise Refused(CloseCode.POLICY, error) from error

    def _send_connected(self) -> None:
        epoch, seq = self._registry.head(self._connection.principal.restaurant_id)
        connected = ConnectedData(connection_id=self._connection.id, epoch=epoch, seq=seq)
        self._connection.send("connected", connected.model_dump())

    def _admit(self) -> None:
        principal = self._connection.principal
        structlog.contextvars.bind_contextvars(
            restaurant=principal.restaurant_id, user=principal.user_id
        )
        self._release_unauthenticated()
        try:
            self._registry.admit(principal)
            self._application.admit(principal)
        except ProtocolError as error:
            forbidden = error.code is ErrorCode.FORBIDDEN
            code = CloseCode.POLICY if forbidden else CloseCode.TRY_AGAIN_LATER
            raise Refused(code, error) from error

    async def _first_message(self) -> Auth | None:
        """Return the `auth` message, or None if the peer left. Raises Refused."""
        try:
            async with asyncio.timeout(self._settings.auth_timeout_s):
                while True:
                    received = await self._ws.receive()
                    if received.type is WSMsgType.TEXT:
                        return self._dispatcher.first_message(received.data, self._loop.time())
                    if received.type is WSMsgType.BINARY:
                        raise self._dispatcher.not_auth()
                    if not await self._control(received):
                        return None
        except TimeoutError:
            raise self._credentials.refuse("no `auth` message in time") from None

    async def _receive_all(self) -> None:
        while not self._connection.closing:
            received = await self._ws.receive()
            if self._connection.closing:
                return
            if received.type is WSMsgType.TEXT or received.type is WSMsgType.BINARY:
                self._connection.awaiting_pong = False
                refused = self._message(received)
                # Stop reading from a peer that sends faster than it reads our answers.
                await self._connection.room()
                if refused:
                    # Frames in memory are received without yielding: let other connections run.
                    await asyncio.sleep(0)
            elif not await self._control(received):
                return

    def _message(self, received: WSMessage) -> bool:
        """Handle a message; return whether it was refused."""
        now = self._loop.time()
        if received.type is WSMsgType.BINARY:
            self._dispatcher.binary(received.data, now)
            return True
        refused = self._dispatcher.text(received.data, now)
        self._metrics.processing.labels(self._name).observe(self._loop.time() - now)
        return refused

    async def _control(self, received: WSMessage) -> bool:
        """Handle a frame that is not data; return False once the socket is closed."""
        self._connection.awaiting_pong = False
        if received.type is WSMsgType.PING or received.type is WSMsgType.PONG:
            self._dispatcher.control(self._loop.time())
            return received.type is WSMsgType.PONG or await self._pong(received.data)
        if received.type is WSMsgType.CLOSE:
            await self._check_close_code(received.data)
        elif isinstance(received.data, WebSocketError):
            # aiohttp has answered with a close frame of this code.
            self._connection.close_code = int(received.data.code)
        return False

    async def _pong(self, payload: bytes) -> bool:
        """Answer a ping; return False if the peer is gone.

        Waits for the write, so that a peer that does not read its pongs is not read from either.
        """
        try:
            await self._ws.pong(payload)
        except ConnectionError:
            return False
        return True

    async def _check_close_code(self, code: int) -> None:
        """Refuse the close codes that RFC 6455 (7.4) forbids and aiohttp accepts."""
        if code == WSCloseCode.ABNORMAL_CLOSURE or code >= 5000:
            self._connection.close_code = CloseCode.PROTOCOL_ERROR
            await self._ws.close(code=CloseCode.PROTOCOL_ERROR)

    def _breached(self, breach: Breach) -> None:
        logger.warning("a peer broke the protocol", why=breach.reason, address=self._address)
        self._connection.close(breach.code, breach.reason)

    def _finish(self) -> Awaitable[None] | None:
        handler = self._dispatcher.handler
        return None if handler is None else handler.finished()

    async def _await_close_frame(self) -> None:
        """Read until the peer has answered our close frame; otherwise a reset may overtake it.

        The connection's own timer bounds the wait.
        """
        while not self._ws.closed:
            received = await self._ws.receive()
            if received.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED):
                return
            if received.type is WSMsgType.ERROR:
                return

    def _release_unauthenticated(self) -> None:
        if self._stranger is not None:
            self._registry.strangers.leave(self._stranger)

    def _clean_up(self) -> None:
        now = self._loop.time()
        self._credentials.release()
        connection = self._connection
        ours = connection.close_code
        connection.release()
        self._registry.remove(connection, now)
        handler, self._dispatcher.handler = self._dispatcher.handler, None
        try:
            if handler is not None:
                handler.closed(now)
        finally:
            code = ours if ours is not None else self._ws.close_code
            self._metrics.closes.labels(self._name, str(code or 1006)).inc()
            if ours is not None and self._request.transport is not None:
                # Our close frame was sent and answered; aiohttp must not send a second one.
                self._request.transport.close()
            log = logger.info if connection.authenticated else logger.debug
            log("disconnected", code=code)
            structlog.contextvars.clear_contextvars()
