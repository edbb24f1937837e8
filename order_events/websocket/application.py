"""What a socket must bring to be served by `endpoint.Endpoint`."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Literal, Protocol, TypeVar

from pydantic import TypeAdapter

from order_events.auth.tokens import Principal
from order_events.protocol.messages import ClientMessage
from order_events.websocket.connection import Connection

M_contra = TypeVar("M_contra", bound=ClientMessage, contravariant=True)
M = TypeVar("M", bound=ClientMessage)
Budget = Literal["regular", "voice"]


class Handler(Protocol[M_contra]):
    """What one connection's messages do. Called on the event loop only; never blocks."""

    def receive(self, message: M_contra, now: float) -> None:
        """Handles one message at `now` (seconds, monotonic); may raise ProtocolError."""

    def closed(self, now: float) -> None:
        """The connection is gone, for whatever reason. Called exactly once."""

    def finished(self) -> Awaitable[None] | None:
        """The server stops: what to wait for (bounded) before the socket is closed, if anything."""


class Application(Protocol[M]):
    """One kind of socket. `types` are the `type` values that `messages` knows."""

    @property
    def messages(self) -> TypeAdapter[M]:
        """The union of the messages, discriminated on `type`, without `auth` and `ping`."""

    @property
    def types(self) -> frozenset[str]:
        """For telling UNKNOWN_TYPE from INVALID_MESSAGE."""

    def admit(self, principal: Principal) -> None:
        """Raises ProtocolError: FORBIDDEN closes with 1008, anything else with 1013."""

    def budget(self, type_: str) -> Budget:
        """Which of the two rates a message type counts in."""

    def connect(self, connection: Connection) -> Handler[M]:
        """A handler for an authenticated connection; `connected` has been sent."""
