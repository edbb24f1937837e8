"""The `/v1` API with which staff step in: each handler with its route."""

from __future__ import annotations

from typing import Protocol

from order_events.auth.roles import Action
from order_events.domain.audit_records import HoldChange, Session, SessionAnswer
from order_events.domain.calls import CallAnswer, CallChange, CallsAnswer
from order_events.http.routes import Call, Nothing, route
from order_events.ledger.ledger import CallStep, Ledger
from order_events.protocol.errors import NotFound
from order_events.protocol.messages import ErrorCode

_ERRORS = (ErrorCode.NOT_FOUND, ErrorCode.STALE_VERSION, ErrorCode.ILLEGAL_TRANSITION)


class CallsApi:
    """Calls for staff. The handlers raise OrderError."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    @route("GET", "/v1/calls", Action.READ_CALLS, Nothing, CallsAnswer)
    async def list_calls(self, call: Call[Nothing]) -> CallsAnswer:
        """List the calls for staff that have not been answered, the most urgent first."""
        return CallsAnswer(calls=await self._ledger.calls(call.principal.restaurant_id))

    @route(
        "POST", "/v1/calls/{id}/take", Action.ANSWER_CALLS, CallChange, CallAnswer, errors=_ERRORS
    )
    async def take_call(self, call: Call[CallChange]) -> CallAnswer:
        """Answer a call for staff: every screen shows who does."""
        return await self._answer("take", call)

    @route(
        "POST",
        "/v1/calls/{id}/release",
        Action.ANSWER_CALLS,
        CallChange,
        CallAnswer,
        errors=_ERRORS,
    )
    async def release_call(self, call: Call[CallChange]) -> CallAnswer:
        """Let somebody else answer a call for staff."""
        return await self._answer("release", call)

    @route(
        "POST",
        "/v1/calls/{id}/resolve",
        Action.ANSWER_CALLS,
        CallChange,
        CallAnswer,
        errors=_ERRORS[:2],
    )
    async def resolve_call(self, call: Call[CallChange]) -> CallAnswer:
        """End a call for staff: the guest has been helped."""
        return await self._answer("resolve", call)

    async def _answer(self, step: CallStep, call: Call[CallChange]) -> CallAnswer:
        who = call.principal
        answered = await self._ledger.answer_call(
            who.restaurant_id, call.path["id"], step, actor=who.user_id, version=call.body.version
        )
        return CallAnswer(call=answered)


class LocalSessions(Protocol):
    """The sessions that this process listens to. Methods raise OrderError."""

    async def take_over(
        self, restaurant_id: str, session_id: str, *, actor: str, version: int | None
    ) -> Session | None:
        """Take over a session; None if it takes no audio here."""

    async def hand_back(
        self, restaurant_id: str, session_id: str, *, actor: str, version: int | None
    ) -> Session | None:
        """Hand a session back; None if it takes no audio here."""


class TakeOverApi:
    """Guests' sessions, wherever they are. `shared`: there may be other nodes.

    What a session may change is checked with every change, in the database. So one of another node
    is taken over without asking that node, which learns of it from the event.
    """

    def __init__(self, ledger: Ledger, *, shared: bool) -> None:
        self.local: LocalSessions | None = None
        self._ledger = ledger
        self._shared = shared

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
        session_id, who, version = call.path["id"], call.principal, call.body.version
        session = None
        if self.local is not None:
            session = await self.local.take_over(
                who.restaurant_id, session_id, actor=who.user_id, version=version
            )
        if session is None:
            self._require_others()
            session = await self._ledger.hold(
                who.restaurant_id, session_id, actor=who.user_id, version=version
            )
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
        session_id, who, version = call.path["id"], call.principal, call.body.version
        session = None
        if self.local is not None:
            session = await self.local.hand_back(
                who.restaurant_id, session_id, actor=who.user_id, version=version
            )
        if session is None:
            self._require_others()
            session = await self._ledger.hand_back(
                who.restaurant_id, session_id, actor=who.user_id, version=version, with_order=True
            )
        return SessionAnswer(session=session)

    def _require_others(self) -> None:
        if not self._shared:
            raise NotFound("no such session is open; change its order, if there is one")
