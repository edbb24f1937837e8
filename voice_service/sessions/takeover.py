"""Staff take the sessions of this process over and hand them back, wherever they ask for it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable
from typing import TypeVar

import structlog

from order_events.domain.audit_records import Session, SessionState
from order_events.domain.models import Event, Order
from order_events.ledger.ledger import Ledger
from order_events.protocol.errors import OrderError
from voice_service.sessions.hub.order_sync import OrderSync
from voice_service.sessions.registry import SessionRegistry
from voice_service.sessions.runner import SessionRunner

T = TypeVar("T")
_log = structlog.get_logger(__name__)


class LocalSessions:
    """The sessions whose microphones are connected here. Methods raise OrderError."""

    def __init__(self, sessions: SessionRegistry, ledger: Ledger) -> None:
        self._sessions = sessions
        self._ledger = ledger
        self._tasks: set[asyncio.Task[None]] = set()

    async def take_over(
        self, restaurant_id: str, session_id: str, *, actor: str, version: int | None
    ) -> Session | None:
        """Take over a session; None if it takes no audio here."""
        runner = self._sessions.listening(restaurant_id, session_id)
        if runner is None:
            return None
        async with runner.staff_lock:
            holds = self._ledger.hold(restaurant_id, session_id, actor=actor, version=version)
            session = await _while_held(runner.order_sync, holds)
            runner.hold()
        return session

    async def hand_back(
        self, restaurant_id: str, session_id: str, *, actor: str, version: int | None
    ) -> Session | None:
        """Hand a session back, with the order as staff left it; None if it takes no audio here."""
        runner = self._sessions.listening(restaurant_id, session_id)
        if runner is None:
            return None

        async def hand_back() -> tuple[Session, Order | None]:
            known = await self._ledger.session(restaurant_id, session_id)
            order = await runner.order_sync.order_to_hand_back(known.order_id)
            session = await self._ledger.hand_back(
                restaurant_id, session_id, actor=actor, version=version
            )
            return session, order

        async with runner.staff_lock:
            session, order = await _while_held(runner.order_sync, hand_back())
            runner.hand_back(order)
        return session

    def changed(self, event: Event) -> None:
        """Notice that another node has changed the state of a session."""
        data = json.loads(event.body)["data"]
        runner = self._sessions.listening(event.restaurant_id, data["session_id"])
        if runner is None:
            return
        if data["state"] == SessionState.TAKEN_OVER:
            # At once: what is under way is refused by the database.
            runner.order_sync.held = True
            runner.hold()
        elif data["state"] == SessionState.HANDED_BACK:
            task = asyncio.create_task(self._take_back(runner, data["order_id"]), name="take back")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _take_back(self, runner: SessionRunner, order_id: str | None) -> None:
        async with runner.staff_lock:
            try:
                order = await runner.order_sync.order_to_hand_back(order_id)
            except (OrderError, TimeoutError) as error:
                # It stays as if held: the guest's next words go to a person.
                _log.warning("an order could not be taken back", why=str(error))
                return
            runner.hand_back(order)


async def _while_held(order_sync: OrderSync, change: Awaitable[T]) -> T:
    """Await `change` while the guest cannot change the order; return its result.

    If it fails, the hold is undone unless the order was held before.
    """
    free, done = not order_sync.held, False
    await order_sync.hold()
    try:
        answer = await change
        done = True
        return answer
    finally:
        if free and not done:
            order_sync.release()
