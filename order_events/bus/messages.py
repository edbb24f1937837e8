"""What nodes tell each other: that a restaurant's history has grown, live values, and usage. Pure.

Nothing of it needs to arrive: history is in the database, and live values are sent at most once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from order_events.domain.models import LiveEvent

MOST_BYTES = 1_048_576
"""Longest message that is read."""


class NotABusMessage(ValueError):
    """The bytes are no message of a node: another program uses the same bus."""


@dataclass(frozen=True, slots=True)
class Wakeup:
    """The restaurant's history reaches up to `head`. `revoked`: tokens were revoked, too."""

    restaurant_id: str
    epoch: str
    head: int
    revoked: bool = False

    def merged(self, later: Wakeup) -> Wakeup:
        """Return one wake-up in the place of two of the same restaurant."""
        head = max(self.head, later.head) if self.epoch == later.epoch else later.head
        return Wakeup(self.restaurant_id, later.epoch, head, self.revoked or later.revoked)


@dataclass(frozen=True, slots=True)
class Live:
    """A live event of a history. It is dropped where another epoch is served."""

    epoch: str
    event: LiveEvent

    @property
    def restaurant_id(self) -> str:
        """The restaurant that it is about."""
        return self.event.restaurant_id


@dataclass(frozen=True, slots=True)
class Usage:
    """How many connections each of a restaurant's users has at a node, and what they asked for.

    `requests` are those since the node's last usage.
    """

    restaurant_id: str
    epoch: str
    connections: Mapping[str, int] = field(default_factory=dict)
    requests: Mapping[str, int] = field(default_factory=dict)


BusMessage = Wakeup | Live | Usage


def encode(node: str, message: BusMessage) -> bytes:
    """Return a message of a node as one line of JSON and, for a live event, its body."""
    head: dict[str, object] = {
        "node": node,
        "restaurant_id": message.restaurant_id,
        "epoch": message.epoch,
    }
    if isinstance(message, Wakeup):
        head |= {"kind": "wakeup", "head": message.head, "revoked": message.revoked}
    elif isinstance(message, Usage):
        head |= {
            "kind": "usage",
            "connections": dict(message.connections),
            "requests": dict(message.requests),
        }
    else:
        event = message.event
        head |= {"kind": "live", "type": event.type, "key": event.key, "tags": dict(event.tags)}
    line = json.dumps(head, separators=(",", ":"), ensure_ascii=False).encode()
    return line + b"\n" + message.event.body if isinstance(message, Live) else line


def decode(data: bytes) -> tuple[str, BusMessage]:
    """Return the sending node and its message; raise NotABusMessage."""
    line, _, body = data.partition(b"\n")
    try:
        head = json.loads(line)
        node, restaurant_id, epoch = (
            str(head["node"]),
            str(head["restaurant_id"]),
            str(head["epoch"]),
        )
        match head["kind"]:
            case "wakeup":
                return node, Wakeup(restaurant_id, epoch, int(head["head"]), bool(head["revoked"]))
            case "usage":
                connections, requests = _counts(head["connections"]), _counts(head["requests"])
                return node, Usage(restaurant_id, epoch, connections, requests)
            case "live":
                tags = {str(name): tuple(map(str, values)) for name, values in head["tags"].items()}
                event = LiveEvent(restaurant_id, str(head["type"]), str(head["key"]), tags, body)
                return node, Live(epoch, event)
            case kind:
                raise NotABusMessage(f"unknown kind {kind!r}")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotABusMessage(str(error)) from error


def subject_of(restaurant_id: str) -> str:
    """Return a name for a restaurant's messages: its id may have any character."""
    return hashlib.sha256(restaurant_id.encode()).hexdigest()[:32]


def _counts(counts: Mapping[str, int]) -> dict[str, int]:
    return {str(user): int(count) for user, count in counts.items()}
