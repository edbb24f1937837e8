"""Pages of a restaurant's history, exactly as `subscribe` with `since` would send it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from order_events.fanout.root_session import History
from order_events.protocol.filters import Filters, UnknownEvent, expand
from order_events.protocol.messages import ErrorCode, Position, ProtocolError, encode
from order_events.service import OrderEvents
from order_events.storage.queries import Reader

SCANNED = 5_000
"""Most events examined for one page; so a page may be empty without being the last."""


def requested_types(patterns: Sequence[str], visible: frozenset[str]) -> frozenset[str]:
    """Return the events asked for that the role may see; raise ProtocolError."""
    try:
        allowed = expand(patterns) & visible
    except UnknownEvent as error:
        raise ProtocolError(ErrorCode.INVALID_MESSAGE, str(error)) from None
    if not allowed:
        raise ProtocolError(ErrorCode.FORBIDDEN, "your role may not see these events")
    return allowed


@dataclass(frozen=True, slots=True)
class HistoryRequest:
    """Which events a page may hold: at most `limit` of these types, after a seq of an epoch.

    Without an `epoch`, the current one is meant.
    """

    after: int
    epoch: str | None
    types: frozenset[str]
    filters: Filters
    limit: int


async def read(events: OrderEvents, restaurant_id: str, asked: HistoryRequest) -> bytes:
    """Return a page as JSON: `{"events", "recovered", "epoch", "seq", "more"}`.

    The next page is `after=seq`. If history does not reach back to `after`, `recovered` is false
    and there are no events.
    """
    await events.cluster.follower.reach(restaurant_id, asked.after)
    current, head = events.hub.head(restaurant_id)
    history = History(current, head, events.hub.oldest(restaurant_id))
    if not history.reaches(Position(epoch=asked.epoch or current, seq=asked.after)):
        return _page([], recovered=False, epoch=current, seq=head, more=False)
    limits = events.settings
    bodies: list[bytes] = []
    position, scanned, size = asked.after, 0, 0
    while (
        position < head
        and len(bodies) < asked.limit
        and scanned < SCANNED
        and size < limits.history_bytes
    ):
        # Few events of a chunk may match, so the page is bounded separately from the chunk.
        chunk = await events.store.read(
            partial(
                Reader.events,
                restaurant_id=restaurant_id,
                after=position,
                limit=limits.replay_chunk,
                max_bytes=limits.history_bytes,
            ),
            restaurant_id=restaurant_id,
        )
        if not chunk or chunk[0].seq != position + 1:
            return _page([], recovered=False, epoch=current, seq=head, more=False)
        for event in chunk:
            # An event is not shown before it has been fanned out.
            if event.seq > head or len(bodies) == asked.limit or size >= limits.history_bytes:
                break
            position, scanned = event.seq, scanned + 1
            if event.type in asked.types and asked.filters.match(event.tags):
                bodies.append(event.body)
                size += len(event.body)
    return _page(bodies, recovered=True, epoch=current, seq=position, more=position < head)


def _page(bodies: list[bytes], **rest: str | int | bool) -> bytes:
    return b'{"events":[' + b",".join(bodies) + b"]," + encode(rest)[1:]
