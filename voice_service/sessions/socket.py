"""`/voice-stream` as the endpoint serves it: which message may come when, and what it does."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from enum import Enum, auto
from typing import ClassVar, Final

import structlog
from pydantic import TypeAdapter

from order_events.auth.roles import Action, may
from order_events.auth.tokens import Principal
from order_events.protocol.errors import OrderError
from order_events.protocol.messages import CloseCode, ErrorCode, ProtocolError
from order_events.websocket.application import Budget
from order_events.websocket.connection import Connection
from voice_service.protocol.messages import (
    VOICE_MESSAGES,
    VOICE_TYPES,
    VoiceAudio,
    VoiceEnd,
    VoiceStart,
)
from voice_service.sessions.machine import STOPPING, Phase
from voice_service.sessions.registry import SessionRegistry
from voice_service.sessions.runner import SessionRunner

_log = structlog.get_logger(__name__)

Message = VoiceStart | VoiceAudio | VoiceEnd


class State(Enum):
    """What a connection is doing."""

    IDLE = auto()
    """No session, or the last one has been answered."""
    OPENING = auto()
    """A session is being started or resumed; what comes meanwhile waits."""
    STREAMING = auto()
    ENDING = auto()
    """`voice:end` has come, its answer has not gone yet."""


_WAITING_LIMIT: Final = 200
"""Messages that may wait while a session opens: 20 s of audio in chunks of 100 ms."""


class VoiceApplication:
    """What the endpoint needs to serve `/voice-stream`."""

    messages: TypeAdapter[Message] = VOICE_MESSAGES
    types: frozenset[str] = VOICE_TYPES

    def __init__(self, sessions: SessionRegistry, shutdown_grace: float) -> None:
        self._sessions = sessions
        self._grace = shutdown_grace

    def admit(self, principal: Principal) -> None:
        """Raise ProtocolError unless the role may use a microphone."""
        if not may(principal.role, Action.VOICE):
            raise ProtocolError(
                ErrorCode.FORBIDDEN, f"the role {principal.role.value} may not open voice sessions"
            )

    def budget(self, type_: str) -> Budget:
        """Voice messages have a rate of their own."""
        return "voice" if type_ in VOICE_TYPES else "regular"

    def connect(self, connection: Connection) -> VoiceHandler:
        """The handler of a new connection."""
        return VoiceHandler(connection, self._sessions, self._grace)


class VoiceHandler:
    """One connection. Its table says what each message does in each state."""

    def __init__(self, connection: Connection, sessions: SessionRegistry, grace: float) -> None:
        self._connection = connection
        self._sessions = sessions
        self._grace = grace
        self._live: SessionRunner | None = None
        self._opening: asyncio.Task[None] | None = None
        self._waiting: deque[tuple[Message, float]] = deque()

    @property
    def state(self) -> State:
        """Derived: the session itself knows how far it is."""
        if self._opening is not None:
            return State.OPENING
        if self._live is None or self._live.connection is not self._connection:
            return State.IDLE
        phase = self._live.session.phase
        if phase is Phase.STREAMING:
            return State.STREAMING
        return State.ENDING if phase is Phase.ENDING else State.IDLE

    def receive(self, message: Message, now: float) -> None:
        """Handle one message; raises ProtocolError."""
        try:
            self._TABLE[self.state, type(message)](self, message, now)
        except ProtocolError as error:
            error.id = message.id
            raise

    def closed(self, now: float) -> None:
        """The connection is gone; its session waits for another."""
        if self._opening is not None:
            self._opening.cancel()
        if self._live is not None and self._live.connection is self._connection:
            self._live.detach()

    def finished(self) -> Awaitable[None] | None:
        """When the server stops: the session's last words, for a bounded time."""
        live = self._live
        if live is None or self.state is State.IDLE:
            return None
        live.end(STOPPING)
        return self._last_words(live)

    async def _last_words(self, live: SessionRunner) -> None:
        try:
            async with asyncio.timeout(self._grace):
                await live.ended.wait()
        except TimeoutError:
            return

    # What messages do

    def _start(self, message: Message, now: float) -> None:
        assert isinstance(message, VoiceStart)  # noqa: S101  the table's key, for the type checker
        if self._live is not None:
            self._live.release(self._connection)
            self._live = None
        self._opening = asyncio.get_running_loop().create_task(
            self._open(message), name="voice session opening"
        )
        self._opening.add_done_callback(self._opened)

    async def _open(self, message: VoiceStart) -> None:
        try:
            self._live = await self._sessions.open(
                self._connection.principal, message, self._connection
            )
        except ProtocolError as error:
            error.id = message.id
            self._connection.send_error(error)
            if error.code is ErrorCode.OVERLOADED:
                self._connection.close(CloseCode.TRY_AGAIN_LATER, error.message)
        except OrderError as error:
            self._connection.send_error(ProtocolError(error.code, error.message, id=message.id))
        finally:
            self._opening = None
        while self._waiting and self._opening is None:
            waiting, now = self._waiting.popleft()
            try:
                self.receive(waiting, now)
            except ProtocolError as error:
                self._connection.send_error(error)

    def _opened(self, opening: asyncio.Task[None]) -> None:
        """The endpoint turns our faults into 1011; this task is not under it."""
        if not opening.cancelled() and (fault := opening.exception()) is not None:
            _log.error("a voice session could not be opened", exc_info=fault)
            self._waiting.clear()
            self._connection.send_error(ProtocolError(ErrorCode.INTERNAL, "internal error"))
            self._connection.close(CloseCode.SERVER_ERROR, "internal error")

    def _wait(self, message: Message, now: float) -> None:
        if len(self._waiting) >= _WAITING_LIMIT:
            raise ProtocolError(
                ErrorCode.RATE_LIMITED,
                "the session is still being opened; wait for voice:started",
                retry_after_ms=500,
                sequence=_sequence(message),
            )
        self._waiting.append((message, now))

    def _audio(self, message: Message, now: float) -> None:
        assert isinstance(message, VoiceAudio)  # noqa: S101
        if self._live is not None:
            self._live.audio(message.data.sequence, message.data.audio, now)

    def _end(self, message: Message, now: float) -> None:
        assert isinstance(message, VoiceEnd)  # noqa: S101
        live = self._live
        if live is None or message.data.session_id != live.session.session_id:
            self._no_session(message, now)
        else:
            live.end(message_id=message.id)

    def _no_session(self, message: Message, now: float) -> None:
        raise ProtocolError(
            ErrorCode.SESSION_NOT_FOUND,
            "no such session is open here; send voice:start first",
            sequence=_sequence(message),
        )

    def _already_open(self, message: Message, now: float) -> None:
        raise ProtocolError(
            ErrorCode.SESSION_EXISTS,
            "a session is open here; send voice:end and wait for its answer first",
        )

    def _too_late(self, message: Message, now: float) -> None:
        raise ProtocolError(
            ErrorCode.SESSION_NOT_FOUND,
            "the session has ended; nothing more can be added to it",
            sequence=_sequence(message),
        )

    _TABLE: ClassVar[
        dict[tuple[State, type[Message]], Callable[[VoiceHandler, Message, float], None]]
    ] = {
        (State.IDLE, VoiceStart): _start,
        (State.IDLE, VoiceAudio): _no_session,
        (State.IDLE, VoiceEnd): _no_session,
        (State.OPENING, VoiceStart): _already_open,
        (State.OPENING, VoiceAudio): _wait,
        (State.OPENING, VoiceEnd): _wait,
        (State.STREAMING, VoiceStart): _already_open,
        (State.STREAMING, VoiceAudio): _audio,
        (State.STREAMING, VoiceEnd): _end,
        (State.ENDING, VoiceStart): _already_open,
        (State.ENDING, VoiceAudio): _too_late,
        (State.ENDING, VoiceEnd): _too_late,
    }


def _sequence(message: Message) -> int | None:
    return message.data.sequence if isinstance(message, VoiceAudio) else None
