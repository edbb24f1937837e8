"""Turns a message's text into an action: checks size and rate, parses, and answers errors."""

from __future__ import annotations

import math
from typing import Generic, TypeVar

from pydantic import ValidationError

from order_events.metrics import HubMetrics
from order_events.protocol.inbound import invalid, named, size_of, type_of
from order_events.protocol.messages import (
    SHELL_MESSAGES,
    SHELL_TYPES,
    Auth,
    ClientMessage,
    CloseCode,
    ErrorCode,
    ProtocolError,
    Refused,
)
from order_events.protocol.ratelimit import TokenBucket, refuse_above_rate
from order_events.settings import HubSettings
from order_events.websocket.application import Application, Budget, Handler
from order_events.websocket.connection import Connection
from order_events.websocket.credentials import Credentials

M = TypeVar("M", bound=ClientMessage)


class Dispatcher(Generic[M]):
    """Handles one connection's messages. `handler` is set once it is authenticated.

    Sizes and rates count inflated bytes. Times (`now`) are monotonic seconds.
    """

    def __init__(
        self,
        application: Application[M],
        connection: Connection,
        credentials: Credentials,
        settings: HubSettings,
        metrics: HubMetrics,
        now: float,
    ) -> None:
        self.handler: Handler[M] | None = None
        self._application = application
        self._connection = connection
        self._credentials = credentials
        self._metrics = metrics
        self._max_bytes = settings.max_message_bytes
        self._rates: dict[Budget, TokenBucket] = {
            "regular": TokenBucket(settings.regular_per_minute, now),
            "voice": TokenBucket(settings.voice_per_minute, now),
            "priority": TokenBucket(settings.priority_per_minute, now),
        }
        # In real time, chunks of at least this length stay below the rate.
        self._least_chunk_ms = math.ceil(60_000 / settings.voice_per_minute)
        self._bytes = TokenBucket(settings.bytes_per_minute, now)
        self._controls = TokenBucket(settings.control_per_minute, now)

    def first_message(self, text: str, now: float) -> Auth:
        """Return the `auth` message that a connection must send first; raise Refused."""
        self._check_size(size_of(text))
        # Counted, but never refused: the bucket is still full.
        self._rates["regular"].take(1, now)
        try:
            message = SHELL_MESSAGES.validate_json(text)
        except ValidationError as error:
            if type_of(text) == "auth":
                raise self._credentials.refuse(invalid(error).message, named(text)[0]) from error
            raise self.not_auth() from None
        if not isinstance(message, Auth):
            raise self._credentials.refuse("the first message must be `auth`", message.id)
        return message

    def not_auth(self) -> Refused:
        """Return the refusal for a first message that is not `auth`."""
        return self._credentials.refuse("the first message must be `auth`")

    def text(self, text: str, now: float) -> bool:
        """Handle one message; return whether it was refused. Raises Refused."""
        size = size_of(text)
        self._check_size(size)
        try:
            self._dispatch(text, size, now)
        except ProtocolError as error:
            if error.id is None and error.sequence is None:
                error.id, error.sequence = named(text)
            self._connection.send_error(error)
            return True
        return False

    def binary(self, payload: bytes, now: float) -> None:
        """Refuse a binary message. Raises Refused.

        It counts towards the limits like any other.
        """
        self._check_size(len(payload))
        error = ProtocolError(ErrorCode.INVALID_MESSAGE, "messages are JSON in text frames")
        try:
            self._charge("regular", len(payload), now)
        except ProtocolError as too_many:
            error = too_many
        self._connection.send_error(error)

    def control(self, now: float) -> None:
        """Count a ping or pong; raise Refused above the limit."""
        try:
            refuse_above_rate(self._controls.take(1, now), "messages")
        except ProtocolError as error:
            raise Refused(CloseCode.POLICY, error) from error

    def _check_size(self, size: int) -> None:
        if size > self._max_bytes:
            text = f"a message may have {self._max_bytes} bytes"
            advice = None if self.handler is None else self.handler.advice(self._max_bytes)
            text = text if advice is None else f"{text}; {advice}"
            raise Refused(CloseCode.TOO_BIG, ProtocolError(ErrorCode.INVALID_MESSAGE, text))

    def _dispatch(self, text: str, size: int, now: float) -> None:
        try:
            message = self._application.messages.validate_json(text)
        except ValidationError as error:
            self._not_ours(text, size, error, now)
            return
        self._count(message.type)
        self._charge(self._application.budget(message.type), size, now)
        if self.handler is not None:
            self.handler.receive(message, now)

    def _not_ours(self, text: str, size: int, problem: ValidationError, now: float) -> None:
        """Handle `auth` and `ping`; raise ProtocolError for anything else."""
        type_ = type_of(text)
        known = type_ in SHELL_TYPES or type_ in self._application.types
        self._count(type_ if type_ is not None and known else "other")
        self._charge("priority" if type_ == "ping" else "regular", size, now)
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
            self._credentials.renew(message)
        else:
            self._connection.send("pong", None, id=message.id)

    def _count(self, type_: str) -> None:
        self._metrics.messages_in.labels(self._connection.socket, type_).inc()

    def _charge(self, budget: Budget, size: int, now: float) -> None:
        """Count a message; raise ProtocolError(RATE_LIMITED) above a limit.

        The bytes of what must always get through are bounded by its number alone.
        """
        if budget != "priority":
            refuse_above_rate(self._bytes.take(size, now), "bytes of messages")
        wait = self._rates[budget].take(1, now)
        if budget == "voice":
            advice = f"put {self._least_chunk_ms} ms of audio or more into one message"
            refuse_above_rate(wait, "voice messages", advice)
        refuse_above_rate(wait, "messages")
