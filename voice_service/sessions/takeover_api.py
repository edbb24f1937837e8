"""The HTTP API with which staff take a guest's session over and hand it back."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

from order_events.auth.roles import Action
from order_events.domain.audit_records import HoldChange, Session, SessionAnswer
from order_events.domain.models import Order
from order_events.http.routes import Call, route, routes_of
from order_events.ledger.ledger import Ledger
from order_events.protocol.messages import ErrorCode
from voice_service.sessions.order_sync import OrderSync
from voice_service.sessions.registry import SessionRegistry

T = TypeVar("T")
_ERRORS = (ErrorCode.NOT_FOUND, ErrorCode.STALE_VERSION, ErrorCode.ILLEGAL_TRANSITION)


class TakeOverApi:
    """The request handlers. They raise OrderError."""

    def __init__(self, sessions: SessionRegistry, ledger: Ledger) -> None:
        self._sessions = sessions
        self._ledger = ledger

    @route(
        "POST",
        "/v1/sessions/{id}/take-over",
        Action.TAKE_OVER,
        HoldChange,
        SessionAnswer,
        errors=_ERRORS,
    )
    async def take_over(self, call: Call[HoldChange]) -> SessionAnswer:
        """Take over a session. What the guest says then no longer changes the order."""
        who = call.principal
        runner = self._sessions.open_session(who.restaurant_id, call.path["id"])
        async with runner.staff_lock:
            holds = self._ledger.hold(
                who.restaurant_id, call.path["id"], actor=who.user_id, version=call.body.version
            )
            session = await _while_held(runner.order_sync, holds)
            runner.hold()
        return SessionAnswer(session=session)

    @route(
        "POST",
        "/v1/sessions/{id}/resume",
        Action.TAKE_OVER,
        HoldChange,
        SessionAnswer,
        errors=_ERRORS,
    )
    async def resume(self, call: Call[HoldChange]) -> SessionAnswer:
        """Hand a session back. The guest continues with the order as staff left it."""
        who = call.principal
        runner = self._sessions.open_session(who.restaurant_id, call.path["id"])
        async with runner.staff_lock:
            order_sync = runner.order_sync
            session, order = await _while_held(order_sync, self._hand_back(call, order_sync))
            runner.hand_back(order)
        return SessionAnswer(session=session)

    async def _hand_back(
        self, call: Call[HoldChange], order_sync: OrderSync
    ) -> tuple[Session, Order | None]:
        """Return the session, no longer held, and its order as staff have left it."""
        who = call.principal
        session = await self._ledger.session(who.restaurant_id, call.path["id"])
        order = await order_sync.order_to_hand_back(session.order_id)
        session = await self._ledger.hand_back(
            who.restaurant_id, call.path["id"], actor=who.user_id, version=call.body.version
        )
        return session, order


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


ROUTES = routes_of(TakeOverApi)
"""The routes that the voice service adds to `/v1`."""
