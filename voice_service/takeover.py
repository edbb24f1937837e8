"""Staff at a guest's session over HTTP: they take the order over, and hand it back."""

from __future__ import annotations

from order_events.audit_models import HoldChange, SessionAnswer
from order_events.errors import OrderError
from order_events.ledger import Ledger
from order_events.protocol import ErrorCode
from order_events.roles import Action
from order_events.routes import Call, route, routes_of
from voice_service.sessions import Sessions

_ERRORS = (ErrorCode.NOT_FOUND, ErrorCode.STALE_VERSION, ErrorCode.ILLEGAL_TRANSITION)


class TakeOverApi:
    """The handlers. They raise OrderError."""

    def __init__(self, sessions: Sessions, ledger: Ledger) -> None:
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
        """Take a session over: what its guest says no longer changes the order."""
        who = call.who
        live = self._sessions.open_session(who.restaurant_id, call.path["id"])
        async with live.with_staff:
            free = not live.desk.held
            await live.desk.hold()
            try:
                session = await self._ledger.hold(
                    who.restaurant_id,
                    call.path["id"],
                    actor=who.user_id,
                    version=call.says.version,
                )
            except OrderError:
                if free:
                    live.desk.let_go()
                raise
            live.hold()
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
        """Hand a session back: its guest goes on with the order as staff have left it."""
        who = call.who
        live = self._sessions.open_session(who.restaurant_id, call.path["id"])
        async with live.with_staff:
            session = await self._ledger.session(who.restaurant_id, call.path["id"])
            order = await live.desk.as_left(session.order_id)
            session = await self._ledger.hand_back(
                who.restaurant_id, call.path["id"], actor=who.user_id, version=call.says.version
            )
            live.hand_back(order)
        return SessionAnswer(session=session)


ROUTES = routes_of(TakeOverApi)
"""What the voice service adds to `/v1`."""
