"""The `/v1` API for calls for staff: each handler with its route."""

from __future__ import annotations

from order_events.auth.roles import Action
from order_events.domain.calls import CallAnswer, CallChange, CallsAnswer
from order_events.http.routes import Call, Nothing, route
from order_events.ledger.ledger import CallStep, Ledger
from order_events.protocol.messages import ErrorCode

_ERRORS = (ErrorCode.NOT_FOUND, ErrorCode.STALE_VERSION, ErrorCode.ILLEGAL_TRANSITION)


class CallsApi:
    """The handlers. They raise OrderError."""

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
