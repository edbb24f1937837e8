"""The actions that a session asks its caller to perform, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from order_events.protocol.messages import MessageId, ProtocolError
from voice_service.ordering import CartUpdate


class Audience(Enum):
    """Who receives an event."""

    CLIENT = auto()
    """The client alone."""
    STAFF_LIVE = auto()
    """Also staff who watch now; a newer event replaces it."""
    STAFF = auto()
    """Also staff, including those who connect later: the event goes into the history."""


@dataclass(frozen=True, slots=True)
class Send:
    """Send an event to the client and, depending on `audience`, to the restaurant's staff."""

    type: str
    data: Mapping[str, Any]
    audience: Audience = Audience.CLIENT
    id: MessageId | None = None
    """Id of the client's message that this answers."""


@dataclass(frozen=True, slots=True)
class SendError:
    """Send an `error` event that answers no particular message."""

    error: ProtocolError


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """Create or change the order at the hub, then call `order_placed`.

    `turn` is how often staff had handed the order back when the update arose. An update from an
    earlier turn is outdated.
    """

    update: CartUpdate
    turn: int = 0


@dataclass(frozen=True, slots=True)
class Speak:
    """Say a prompt as sound."""

    say_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Hush:
    """Say no more of a prompt, if it is still being said."""

    say_id: str


Action = Send | SendError | PlaceOrder | Speak | Hush
