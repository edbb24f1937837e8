"""A root connection as a sans-IO state machine: its subscriptions, and the events they match.

A connection is either live (the hub delivers every event in its `interest`) or catching up (it
reads history from `position` on). Either way an event is sent at most once, in the order of seq.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from order_events.protocol.filters import DOCUMENTED_EVENTS, Filters, Tags, UnknownEvent, expand
from order_events.protocol.messages import (
    ErrorCode,
    Position,
    ProtocolError,
    Subscribe,
    SubscribedData,
    Unsubscribe,
    UnsubscribedData,
    WireModel,
)

NO_FILTERS = Filters()


@dataclass(frozen=True, slots=True)
class Subscription:
    """Covers matching events with a seq above `after`."""

    events: frozenset[str]
    filters: Filters = NO_FILTERS
    batch_ms: int = 0
    after: int = 0

    def matches(self, type_: str, tags: Tags) -> bool:
        """Return whether an event of this type and with these tags matches."""
        return type_ in self.events and self.filters.match(tags)


@dataclass(frozen=True, slots=True)
class Interest:
    """What a live connection is to receive; equal for connections with equal subscriptions."""

    subscriptions: frozenset[Subscription]

    @property
    def events(self) -> frozenset[str]:
        """The events that at least one subscription covers."""
        return frozenset().union(*(s.events for s in self.subscriptions))

    @property
    def batched(self) -> bool:
        """True if at least one subscription allows events to be held back."""
        return any(s.batch_ms for s in self.subscriptions)

    def wait_ms(self, type_: str, tags: Tags) -> int | None:
        """Return how many milliseconds an event may be held back, or None if it is not wanted."""
        return _shortest(s for s in self.subscriptions if s.matches(type_, tags))


def _shortest(subscriptions: Iterable[Subscription]) -> int | None:
    return min((s.batch_ms for s in subscriptions), default=None)


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a message."""

    type: str
    data: WireModel
    id: str | int | None


@dataclass(frozen=True, slots=True)
class History:
    """Where a restaurant's history stands: its last seq fanned out, and the oldest kept."""

    epoch: str
    head: int
    oldest: int

    def reaches(self, since: Position) -> bool:
        """Return whether every event after `since` is still available."""
        return since.epoch == self.epoch and self.oldest - 1 <= since.seq <= self.head


class RootSession:
    """One connection's subscriptions. `visible` are the events that its role may see.

    Until it subscribes, it receives what is `implied`.

    `position` is the seq up to which history has been considered while catching up, and None while
    live.
    """

    def __init__(
        self,
        visible: frozenset[str],
        *,
        max_subscriptions: int,
        max_batch_ms: int,
        head: int,
        implied: frozenset[str] = DOCUMENTED_EVENTS,
    ) -> None:
        self._visible = visible
        self._max_subscriptions = max_subscriptions
        self._max_batch_ms = max_batch_ms
        self._implicit = True
        self._subscriptions = [Subscription(implied & visible, after=head)]
        self.position: int | None = None

    @property
    def interest(self) -> Interest:
        """What the hub delivers while live, when the start of a subscription no longer matters."""
        return Interest(frozenset(replace(s, after=0) for s in self._subscriptions))

    def receive(self, message: Subscribe | Unsubscribe, history: History) -> Reply:
        """Change the subscriptions; return the answer, which is sent before any event.

        If `position` is set afterwards, history must be read from there. Raises ProtocolError.
        """
        try:
            events = expand(message.events)
        except UnknownEvent as error:
            raise ProtocolError(ErrorCode.INVALID_MESSAGE, str(error), id=message.id) from None
        if isinstance(message, Unsubscribe):
            return self._unsubscribe(message, events)
        return self._subscribe(message, events, history)

    def _subscribe(self, message: Subscribe, events: frozenset[str], history: History) -> Reply:
        allowed = events & self._visible
        if events and not allowed:
            raise ProtocolError(
                ErrorCode.FORBIDDEN, "your role may not see these events", id=message.id
            )
        named = [name for name in message.events if name in events and name not in allowed]
        if named:
            raise ProtocolError(
                ErrorCode.FORBIDDEN, f"your role may not see {named[0]}", id=message.id
            )
        if message.batch_ms > self._max_batch_ms:
            raise ProtocolError(
                ErrorCode.INVALID_MESSAGE,
                f"batch_ms: at most {self._max_batch_ms}",
                id=message.id,
            )
        if not self._implicit and len(self._subscriptions) >= self._max_subscriptions:
            raise ProtocolError(
                ErrorCode.SUBSCRIPTION_LIMIT,
                f"at most {self._max_subscriptions} subscriptions",
                id=message.id,
            )
        if self._implicit:
            self._implicit = False
            self._subscriptions = []
        now_at = history.head if self.position is None else self.position
        since = message.since
        recovered = since is not None and history.reaches(since)
        start = since.seq if since is not None and recovered else history.head
        added = Subscription(allowed, message.filters, message.batch_ms, start)
        if start < now_at:
            # The others have been served up to `now_at`; only the new one repeats events.
            self._subscriptions = [
                replace(s, after=max(s.after, now_at)) for s in self._subscriptions
            ]
            self.position = start
        self._subscriptions.append(added)
        data = SubscribedData(
            events=message.events,
            filters=message.filters.given(),
            recovered=recovered,
            epoch=history.epoch,
            seq=start,
        )
        return Reply("subscribed", data, message.id)

    def _unsubscribe(self, message: Unsubscribe, events: frozenset[str]) -> Reply:
        left = [replace(s, events=s.events - events) for s in self._subscriptions]
        self._subscriptions = [s for s in left if s.events]
        return Reply("unsubscribed", UnsubscribedData(events=message.events), message.id)

    def consider(self, seq: int, type_: str, tags: Tags) -> int | None:
        """Advance to the next event of history.

        Returns how many milliseconds it may be held back, or None if it is not wanted.
        """
        self.position = seq
        return _shortest(s for s in self._subscriptions if s.after < seq and s.matches(type_, tags))

    def fall_behind(self, position: int) -> None:
        """Read on from history after `position`, even if later events were delivered already."""
        self.position = position

    def caught_up(self) -> None:
        """Go live: history has been read to its end, and the hub delivers from here."""
        self.position = None
