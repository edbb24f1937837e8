"""What both sockets share: the envelope, error and close codes, and the root socket's messages.

Every server event is `{"type", "data", "timestamp"}`, the timestamp in ISO 8601 UTC with `Z`. An
answer also carries the `id` of the client's message, if it had one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from pydantic_core import to_json

from order_events.protocol.filters import Filters

MessageId = (
    Annotated[str, Field(strict=True, max_length=200)]
    | Annotated[int, Field(strict=True, ge=-(2**63), lt=2**63)]
)


class ErrorCode(StrEnum):
    """The `code` of an `error` event or of an HTTP error body."""

    INVALID_MESSAGE = "INVALID_MESSAGE"
    UNKNOWN_TYPE = "UNKNOWN_TYPE"
    UNAUTHORIZED = "UNAUTHORIZED"
    FORBIDDEN = "FORBIDDEN"
    RATE_LIMITED = "RATE_LIMITED"
    SUBSCRIPTION_LIMIT = "SUBSCRIPTION_LIMIT"
    SESSION_NOT_FOUND = "SESSION_NOT_FOUND"
    SESSION_EXISTS = "SESSION_EXISTS"
    INVALID_AUDIO = "INVALID_AUDIO"
    AUDIO_GAP = "AUDIO_GAP"
    UNSUPPORTED_LANGUAGE = "UNSUPPORTED_LANGUAGE"
    OVERLOADED = "OVERLOADED"
    INTERNAL = "INTERNAL"
    NOT_FOUND = "NOT_FOUND"
    INVALID_ORDER = "INVALID_ORDER"
    UNKNOWN_ITEM = "UNKNOWN_ITEM"
    SOLD_OUT = "SOLD_OUT"
    NOT_SERVED = "NOT_SERVED"
    KEY_REUSED = "KEY_REUSED"
    STALE_VERSION = "STALE_VERSION"
    ILLEGAL_TRANSITION = "ILLEGAL_TRANSITION"
    UNAVAILABLE = "UNAVAILABLE"


class CloseCode(IntEnum):
    """Why a socket was closed. Reconnect after 1001, 1011, 1013 and 4008; after 4008, resume."""

    NORMAL = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    POLICY = 1008
    TOO_BIG = 1009
    SERVER_ERROR = 1011
    TRY_AGAIN_LATER = 1013
    TOO_SLOW = 4008


class ProtocolError(Exception):
    """An error to report to the peer as an `error` event. The connection stays open.

    `id` and `sequence` identify the message that caused it; `sequences` lists the audio chunks
    concerned if there are several. `retry_after_ms` is how many milliseconds to wait before sending
    the same message again.
    """

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        *,
        id: str | int | None = None,  # noqa: A002 (the field's name on the wire)
        sequence: int | None = None,
        retry_after_ms: int | None = None,
        sequences: Sequence[int] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.id = id
        self.sequence = sequence
        self.retry_after_ms = retry_after_ms
        self.sequences = sequences

    def data(self) -> dict[str, Any]:
        """Return the `data` of the `error` event."""
        return ErrorData(
            code=self.code,
            message=self.message,
            sequence=self.sequence,
            retry_after_ms=self.retry_after_ms,
            sequences=None if self.sequences is None else tuple(self.sequences),
        ).model_dump(mode="json", exclude_none=True)


class Refused(Exception):
    """The connection must end: `error` is sent, then the socket is closed with `code`."""

    def __init__(self, code: CloseCode, error: ProtocolError) -> None:
        super().__init__(error.message)
        self.code = code
        self.error = error


class WireModel(BaseModel):
    """A frozen model. Unknown fields are ignored, so that newer clients keep working."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class ClientMessage(WireModel):
    """Any message from a client. Answers repeat its `id`. Subclasses narrow `type` to a Literal."""

    type: str
    id: MessageId | None = None


class Position(WireModel):
    """A position in a restaurant's history: everything up to `seq` of `epoch` has been received."""

    epoch: Annotated[str, Field(strict=True, min_length=1, max_length=100)]
    seq: Annotated[int, Field(strict=True, ge=0, lt=2**63)]


class SubscriptionRequest(WireModel):
    """Which events to send, by name or pattern (`order:*`, `*`), and from where on.

    With `since`, the events after that position come first, then live events, without a gap.
    `batch_ms` is for how many milliseconds the server may hold events back to send them as one
    `batch`; 0 sends each at once.
    """

    events: Annotated[
        tuple[Annotated[str, Field(strict=True, max_length=50)], ...],
        Field(min_length=1, max_length=50),
    ]
    filters: Filters = Filters()
    since: Position | None = None
    batch_ms: Annotated[int, Field(strict=True, ge=0, le=60_000)] = 0


class Auth(ClientMessage):
    """Authenticates a connection as its first message, or renews its token later.

    The restaurant comes from the token. `restaurant_id` is optional; if it is given, it must be the
    token's, or the message is refused. With `subscribe`, the first message of a root socket also
    subscribes: nothing but answers comes before that subscription. It has no effect on a renewal.
    """

    type: Literal["auth"]
    token: Annotated[str, Field(strict=True, repr=False)]
    restaurant_id: str | None = None
    subscribe: SubscriptionRequest | None = None


class Ping(ClientMessage):
    """Asks for a `pong`."""

    type: Literal["ping"]


class Subscribe(SubscriptionRequest, ClientMessage):
    """Subscribes to events by name or pattern (`order:*`, `*`).

    With `since`, the events after that position come first, then live events, without a gap: an
    event that arrives before the answer `subscribed` will come again after it, so it must not move
    your position. `batch_ms` is for how many milliseconds the server may hold events back to send
    them as one `batch`; 0 sends each at once.
    """

    type: Literal["subscribe"]


class Unsubscribe(ClientMessage):
    """Removes events, by name or pattern, from every subscription of the connection."""

    type: Literal["unsubscribe"]
    events: Annotated[
        tuple[Annotated[str, Field(strict=True, max_length=50)], ...],
        Field(min_length=1, max_length=50),
    ]


RootMessage = Annotated[Subscribe | Unsubscribe, Field(discriminator="type")]
ROOT_MESSAGES: TypeAdapter[Subscribe | Unsubscribe] = TypeAdapter(RootMessage)
ROOT_TYPES = frozenset({"subscribe", "unsubscribe"})

ShellMessage = Annotated[Auth | Ping, Field(discriminator="type")]
SHELL_MESSAGES: TypeAdapter[Auth | Ping] = TypeAdapter(ShellMessage)
SHELL_TYPES = frozenset({"auth", "ping"})


class ErrorData(WireModel):
    """An error. `code` is for programs, `message` for people.

    `sequence` is the audio chunk that caused it; `sequences` are the chunks concerned if there are
    several. `retry_after_ms` is how many milliseconds to wait before sending the same message
    again.
    """

    code: ErrorCode
    message: str
    sequence: int | None = None
    retry_after_ms: int | None = None
    sequences: tuple[int, ...] | None = None


class ConnectedData(WireModel):
    """The connection is authenticated. Events after `seq` of `epoch` will arrive live."""

    connection_id: str
    epoch: str
    seq: int


class AuthSuccessData(WireModel):
    """The token was accepted. It expires at `expires_at` (ISO 8601)."""

    user_id: str
    restaurant_id: str
    role: str
    expires_at: str


class AuthExpiringData(WireModel):
    """The token expires soon. Without a new `auth`, the socket is closed at `expires_at`."""

    expires_at: str


class GoingAwayData(WireModel):
    """The server is stopping. Wait `retry_after_ms` milliseconds before you reconnect."""

    retry_after_ms: int


class SubscribedData(WireModel):
    """The answer to `subscribe`. Every matching event after `seq` of `epoch` follows, in order.

    `recovered` is true only if `since` was given and history reaches back to it.
    """

    events: tuple[str, ...]
    filters: dict[str, tuple[str, ...]]
    recovered: bool
    epoch: str
    seq: int


class UnsubscribedData(WireModel):
    """The answer to `unsubscribe`: the names and patterns that were removed, as given."""

    events: tuple[str, ...]


def timestamp(now: datetime) -> str:
    """Return a time as ISO 8601 in UTC with milliseconds and `Z`."""
    return now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def utc_from_unix(seconds: float) -> str:
    """Return a Unix time in seconds as an ISO 8601 timestamp."""
    return timestamp(datetime.fromtimestamp(seconds, UTC))


def event(
    type_: str,
    data: Mapping[str, Any] | BaseModel | None,
    now_utc: datetime,
    *,
    id: str | int | None = None,  # noqa: A002 (the field's name on the wire)
    **fields: str | int,
) -> dict[str, Any]:
    """Return a server event as a dict, for `encode`.

    `data` is left out if None; `fields` are added at the top level.
    """
    message: dict[str, Any] = {"type": type_}
    if data is not None:
        message["data"] = data
    message["timestamp"] = timestamp(now_utc)
    message.update(fields)
    if id is not None:
        message["id"] = id
    return message


def encode(message: Mapping[str, Any]) -> bytes:
    """Return a message as JSON in UTF-8; numbers that JSON lacks (NaN, infinity) become null."""
    return to_json(message, inf_nan_mode="null")


def batch(events: list[bytes]) -> bytes:
    """Return encoded events as one `batch` message, without encoding them again."""
    return b'{"type":"batch","events":[' + b",".join(events) + b"]}"
