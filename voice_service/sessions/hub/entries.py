"""What a session enters at the hub besides its order: its begin, what was said, its end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import structlog

from order_events.domain.audit_records import Session, SessionStart, SessionState
from order_events.protocol.errors import OrderError, SessionLost
from order_events.service import OrderEvents
from voice_service.sessions.hub.order_sync import OrderSync
from voice_service.sessions.hub.patience import made_once, patiently

T = TypeVar("T")
_log = structlog.get_logger(__name__)


class HubEntries:
    """The entries of one session, by its owner `user`. Calls must not overlap.

    While the database is away, an entry waits for `patience_s` seconds. All raise SessionLost if
    the session goes on at another node.
    """

    def __init__(
        self,
        events: OrderEvents,
        restaurant_id: str,
        user: str,
        start: SessionStart,
        order_sync: OrderSync,
        patience_s: float,
    ) -> None:
        self.place: Mapping[str, str] = start.model_dump(exclude={"ordering"}, exclude_none=True)
        self._events = events
        self._restaurant = restaurant_id
        self._user = user
        self._start = start
        self._order_sync = order_sync
        self._patience_s = patience_s
        self._hub_answers = True

    def with_place(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return an event's data with the session's lane and table, which its client knows."""
        return {**data, **self.place}

    async def begin(self) -> Session | None:
        """Begin the session in a term of its own; None if it could not be entered."""
        begun = await self._try(
            SessionState.STARTED,
            lambda: self._events.ledger.begin(self._restaurant, self._start, self._user),
        )
        if begun is None:
            return None
        session, self._order_sync.fence = begun
        return session

    async def publish(self, type_: str, data: Mapping[str, Any]) -> None:
        """Enter what was said or understood, whoever has the order."""
        fence = self._order_sync.fence
        await self._try(
            type_,
            lambda: self._events.publish(
                self._restaurant,
                type_,
                self.with_place(data),
                tags=self.place,
                fence=fence and replace(fence, though_held=True),
            ),
        )

    async def end(self) -> None:
        """End the session, if it could be entered: otherwise it may go on elsewhere."""
        fence = self._order_sync.fence
        if fence is None:
            return
        await self._try(
            SessionState.ENDED,
            lambda: self._events.ledger.end(
                self._restaurant, self._start.session_id, self._user, fence
            ),
        )

    async def _try(self, what: str, change: Callable[[], Awaitable[T]]) -> T | None:
        """Return the hub's answer to `change`; None if it keeps refusing.

        Once an event has been lost, the hub is unlikely to take the next ones, and they must not
        wait for each other.
        """
        patience_s = self._patience_s if self._hub_answers else 0.0
        try:
            answer = await patiently(made_once(change), patience_s, lambda: False)
        except SessionLost:
            raise
        except (OrderError, TimeoutError) as error:
            self._hub_answers = False
            session = self._start.session_id
            _log.error("an event is lost", type=what, session=session, why=str(error))
            return None
        self._hub_answers = True
        return answer
