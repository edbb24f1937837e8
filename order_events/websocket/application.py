"""What a kind of socket must provide to be served by `endpoint.Endpoint`."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

from pydantic import TypeAdapter

from order_events.auth.tokens import Principal
from order_events.protocol.messages import Auth, ClientMessage
from order_events.websocket.connection import Connection

M_contra = TypeVar("M_contra", bound=ClientMessage, contravariant=True)
M = TypeVar("M", bound=ClientMessage)
Budget = Literal["regular", "voice", "priority"]
"""Rates that messages count towards. `priority` is for what a peer must always be able to say."""


@dataclass(frozen=True, slots=True)
class Opening:
    """How a connection was opened: the upgrade URL's query, and the `auth` message.

    `auth` is None if the token came in the header.
    """

    query: Mapping[str, str]
    auth: Auth | None = None


class Handler(Protocol[M_contra]):
    """Handles one connection's messages. Called on the event loop only; must not block."""

    def receive(self, message: M_contra, now: float) -> None:
        """Handle one message at `now` (monotonic seconds); may raise ProtocolError."""

    def advice(self, limit: int) -> str | None:
        """Return how to stay below `limit` bytes per message, if there is more to say than that."""

    def closed(self, now: float) -> None:
        """Release everything: the connection is gone. Called exactly once."""

    def finished(self) -> Awaitable[None] | None:
        """Return what to wait for before the socket is closed at shutdown, or None.

        The wait is bounded.
        """


class Application(Protocol[M]):
    """One kind of socket. `types` are the `type` values that `messages` knows."""

    @property
    def messages(self) -> TypeAdapter[M]:
        """The union of the messages, discriminated on `type`, without `auth` and `ping`."""

    @property
    def types(self) -> frozenset[str]:
        """The known `type` values, to tell UNKNOWN_TYPE from INVALID_MESSAGE."""

    def admit(self, principal: Principal) -> None:
        """Raise ProtocolError to refuse: FORBIDDEN closes with 1008, any other code with 1013."""

    def budget(self, type_: str) -> Budget:
        """Return which rate a message type counts towards."""

    def connect(self, connection: Connection, opening: Opening) -> Handler[M]:
        """Return a handler for an authenticated connection; `connected` has been sent.

        Raises ProtocolError for an opening that cannot be served: it is closed with 1008.
        """
