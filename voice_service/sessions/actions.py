"""What a session asks its caller to do: plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from order_events.protocol.messages import MessageId, ProtocolError
from voice_service.ordering import CartUpdate


class Audience(Enum):
    """Who is told besides the client."""

    CLIENT = auto()
    STAFF_LIVE = auto()
    """Staff who watch now; a newer one replaces it."""
    STAFF = auto()
    """Staff, including those who come back later: it goes into the history."""


@dataclass(frozen=True, slots=True)
class Send:
    """Send an event to the client and, by `audience`, to the restaurant's staff."""

    type: str
    data: Mapping[str, Any]
    audience: Audience = Audience.CLIENT
    id: MessageId | None = None
    """Of the client's message that this answers."""


@dataclass(frozen=True, slots=True)
class SendError:
    """Send an `error` event that answers no single message."""

    error: ProtocolError


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """Create or change the order at the hub, then call `order_placed`.

    `turn` counts how often staff have handed the order back: what was said before is past.
    """

    update: CartUpdate
    turn: int = 0


Action = Send | SendError | PlaceOrder
