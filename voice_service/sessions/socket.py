"""The protocol of `/voice-stream`: which message is allowed in which state, and what it does."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from enum import IntEnum
from typing import ClassVar, Final

import structlog
from pydantic import TypeAdapter

from order_events.auth.roles import Action, may
from order_events.auth.tokens import Principal
from order_events.protocol.errors import OrderError
from order_events.protocol.messages import CloseCode, ErrorCode, ProtocolError
from order_events.websocket.application import Budget, Opening
from order_events.websocket.connection import Connection
from voice_service.protocol.messages import (
    PRIORITY_TYPES,
    VOICE_MESSAGES,
    VOICE_TYPES,
    VoiceAnswer,
    VoiceAudio,
    VoiceCallStaff,
    VoiceEnd,
    VoiceFinalize,
    VoiceInterrupted,
    VoiceMessage,
    VoiceQuantity,
    VoiceSaid,
    VoiceStart,
)
from voice_service.sessions.machine import STOPPING, Phase
from voice_service.sessions.registry import SessionRegistry
from voice_service.sessions.runner import SessionRunner

_log = structlog.get_logger(__name__)


class State(IntEnum):
    """The state of a connection."""

    IDLE = 0
    """There is no session, or `voice:end` of the last one has been answered."""
    OPENING = 1
    """A session is being started or resumed; other messages wait."""
    STREAMING = 2
    ENDING = 3
    """`voice:end` has come and has not been answered yet."""


_Named = VoiceFinalize | VoiceAnswer | VoiceQuantity | VoiceCallStaff | VoiceEnd
_WAITING_LIMIT: Final = 200
"""Messages that may wait while a session opens: 20 s of audio in chunks of 100 ms. Messages other
than audio wait in addition, as many as the rate lets through."""


class VoiceApplication:
    """The application that the endpoint runs on `/voice-stream`."""

    messages: TypeAdapter[VoiceMessage] = VOICE_MESSAGES
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
        """Return the rate that applies: audio at its limit must not keep a session from ending."""
        if type_ in PRIORITY_TYPES:
            return "priority"
        return "voice" if type_ in VOICE_TYPES else "regular"

    def connect(self, connection: Connection, opening: Opening) -> VoiceHandler:
        """Return the handler of a new connection."""
        return VoiceHandler(connection, self._sessions, self._grace)


class VoiceHandler:
    """One connection. `_TABLE` has what each message does in each state."""

    def __init__(self, connection: Connection, sessions: SessionRegistry, grace: float) -> None:
        self._connection = connection
        self._sessions = sessions
        self._grace = grace
        self._runner: SessionRunner | None = None
        self._opening: asyncio.Task[None] | None = None
        self._waiting: deque[tuple[VoiceMessage, float]] = deque()

    @property
    def state(self) -> State:
        """Return the state, which is derived from the session's own."""
        if self._opening is not None:
            return State.OPENING
        if self._runner is None or self._runner.connection is not self._connection:
            return State.IDLE
        phase = self._runner.session.phase
        if phase is Phase.STREAMING:
            return State.STREAMING
        return State.ENDING if phase is Phase.ENDING else State.IDLE

    def receive(self, message: VoiceMessage, now: float) -> None:
        """Handle one message; raises ProtocolError."""
        if self._sessions.stopping and isinstance(message, VoiceAudio):
            # Whoever speaks on has been told by the end of its session, or is about to be.
            return
        try:
            self._TABLE[type(message)][self.state](self, message, now)
        except ProtocolError as error:
            error.id = message.id
            raise

    def advice(self, limit: int) -> str | None:
        """Return how much of the session's audio fits into a message; None without a session."""
        if self._runner is None:
            return None
        return f"one chunk has room for {self._runner.session.room(limit)}"

    def closed(self, now: float) -> None:
        """Note that the connection is lost; its session waits for another one."""
        if self._opening is not None:
            self._opening.cancel()
        if self._runner is not None and self._runner.connection is self._connection:
            self._runner.detach()

    def finished(self) -> Awaitable[None] | None:
        """End the session when the server stops; return what to await before closing, if any."""
        runner = self._runner
        if runner is None or self.state is State.IDLE:
            return None
        runner.end(STOPPING)
        return self._wait_for_end(runner)

    async def _wait_for_end(self, runner: SessionRunner) -> None:
        try:
            async with asyncio.timeout(self._grace):
                await runner.ended.wait()
        except TimeoutError:
            runner.give_up()

    # What messages do

    def _start(self, message: VoiceMessage, now: float) -> None:
        assert isinstance(message, VoiceStart)  # noqa: S101  by the table; for the type checker
        if self._runner is not None:
            self._runner.release(self._connection)
            self._runner = None
        self._opening = asyncio.get_running_loop().create_task(
            self._open(message), name="voice session opening"
        )
        self._opening.add_done_callback(self._opened)

    async def _open(self, message: VoiceStart) -> None:
        try:
            self._runner = await self._sessions.open(
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
        """Close with 1011 on a fault of ours, as the endpoint does for its own tasks."""
        if not opening.cancelled() and (fault := opening.exception()) is not None:
            _log.error("a voice session could not be opened", exc_info=fault)
            self._waiting.clear()
            self._connection.send_error(ProtocolError(ErrorCode.INTERNAL, "internal error"))
            self._connection.close(CloseCode.SERVER_ERROR, "internal error")

    def _wait(self, message: VoiceMessage, now: float) -> None:
        if isinstance(message, VoiceAudio) and len(self._waiting) >= _WAITING_LIMIT:
            raise ProtocolError(
                ErrorCode.RATE_LIMITED,
                "the session is still being opened; wait for voice:started",
                retry_after_ms=500,
                sequence=_sequence(message),
            )
        self._waiting.append((message, now))

    def _audio(self, message: VoiceMessage, now: float) -> None:
        assert isinstance(message, VoiceAudio)  # noqa: S101
        if self._runner is not None:
            self._runner.audio(message.data.sequence, message.data.audio, now)

    def _finalize(self, message: VoiceMessage, now: float) -> None:
        assert isinstance(message, VoiceFinalize)  # noqa: S101
        self._named_runner(message).finalize(message.id)

    def _said(self, message: VoiceMessage, now: float) -> None:
        """Note that a prompt is over; the one of a session that has ended is of no interest."""
        assert isinstance(message, VoiceSaid | VoiceInterrupted)  # noqa: S101
        if self._runner is not None and self.state is State.STREAMING:
            self._runner.said(message.data.say_id)

    def _tapped(self, message: VoiceMessage, now: float) -> None:
        assert isinstance(message, VoiceAnswer | VoiceQuantity | VoiceCallStaff)  # noqa: S101
        runner = self._named_runner(message)
        match message:
            case VoiceAnswer():
                runner.answer(message.data.text)
            case VoiceQuantity():
                runner.change_quantity(message.data.item_id, message.data.quantity)
            case VoiceCallStaff():
                runner.call_staff()

    def _end(self, message: VoiceMessage, now: float) -> None:
        assert isinstance(message, VoiceEnd)  # noqa: S101
        self._named_runner(message).end(message_id=message.id)

    def _named_runner(self, message: _Named) -> SessionRunner:
        runner = self._runner
        if runner is None or message.data.session_id != runner.session.session_id:
            raise _not_open(message)
        return runner

    def _no_session(self, message: VoiceMessage, now: float) -> None:
        raise _not_open(message)

    def _already_open(self, message: VoiceMessage, now: float) -> None:
        raise ProtocolError(
            ErrorCode.SESSION_EXISTS,
            "a session is open here; send voice:end and wait for its answer first",
        )

    def _too_late(self, message: VoiceMessage, now: float) -> None:
        raise ProtocolError(
            ErrorCode.SESSION_NOT_FOUND,
            "the session has ended; nothing more can be added to it",
            sequence=_sequence(message),
        )

    _TABLE: ClassVar[
        dict[type[VoiceMessage], tuple[Callable[[VoiceHandler, VoiceMessage, float], None], ...]]
    ] = {
        VoiceStart: (_start, _already_open, _already_open, _already_open),
        VoiceAudio: (_no_session, _wait, _audio, _too_late),
        VoiceFinalize: (_no_session, _wait, _finalize, _too_late),
        VoiceSaid: (_said, _said, _said, _said),
        VoiceInterrupted: (_said, _said, _said, _said),
        VoiceAnswer: (_no_session, _wait, _tapped, _too_late),
        VoiceQuantity: (_no_session, _wait, _tapped, _too_late),
        VoiceCallStaff: (_no_session, _wait, _tapped, _too_late),
        VoiceEnd: (_no_session, _wait, _end, _too_late),
    }
    """What each message does, by state: a column for each, in their order."""


def _not_open(message: VoiceMessage) -> ProtocolError:
    return ProtocolError(
        ErrorCode.SESSION_NOT_FOUND,
        "no such session is open here; send voice:start first",
        sequence=_sequence(message),
    )


def _sequence(message: VoiceMessage) -> int | None:
    return message.data.sequence if isinstance(message, VoiceAudio) else None
