"""The `/v1` API for voice sessions, audits and analytics: each handler with its route."""

from __future__ import annotations

from order_events.auth.roles import Action
from order_events.domain.audit_records import (
    AnalyticsAnswer,
    AnalyticsQuery,
    AuditAnswer,
    AuditQuery,
    ErasedAnswer,
    SessionsAnswer,
    SessionsQuery,
)
from order_events.http.routes import Call, Nothing, route
from order_events.ledger.ledger import Ledger
from order_events.protocol.messages import ErrorCode

_ABSENT = (ErrorCode.NOT_FOUND,)


class AuditApi:
    """The handlers. They raise OrderError."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    @route("GET", "/v1/sessions", Action.READ_SESSIONS, SessionsQuery, SessionsAnswer)
    async def list_sessions(self, call: Call[SessionsQuery]) -> SessionsAnswer:
        """List voice sessions, newest first."""
        found, before = await self._ledger.newest(
            call.principal.restaurant_id, call.body.before, call.body.limit
        )
        return SessionsAnswer(sessions=tuple(found), before=before)

    @route(
        "GET",
        "/v1/sessions/{id}/audit",
        Action.READ_AUDIT,
        AuditQuery,
        AuditAnswer,
        errors=_ABSENT,
    )
    async def audit_session(self, call: Call[AuditQuery]) -> AuditAnswer:
        """Read the audit of a session: what was said, understood and changed."""
        return await self._ledger.audit_of_session(
            call.principal.restaurant_id, call.path["id"], call.body
        )

    @route(
        "GET", "/v1/orders/{id}/audit", Action.READ_AUDIT, AuditQuery, AuditAnswer, errors=_ABSENT
    )
    async def audit_order(self, call: Call[AuditQuery]) -> AuditAnswer:
        """Read the audit of an order, including the session that it came from."""
        return await self._ledger.audit_of_order(
            call.principal.restaurant_id, call.path["id"], call.body
        )

    @route("DELETE", "/v1/sessions/{id}", Action.ERASE, Nothing, ErasedAnswer, errors=_ABSENT)
    async def erase_session(self, call: Call[Nothing]) -> ErasedAnswer:
        """Erase what was said in a session from all stored data."""
        principal = call.principal
        return await self._ledger.erase(principal.restaurant_id, call.path["id"], principal.user_id)

    @route(
        "GET",
        "/v1/analytics",
        Action.READ_ANALYTICS,
        AnalyticsQuery,
        AnalyticsAnswer,
        errors=(ErrorCode.INVALID_ORDER,),
    )
    async def analytics(self, call: Call[AnalyticsQuery]) -> bytes:
        """Read daily figures: completion, hand-over, edits, time, phrases not understood."""
        return await self._ledger.analytics(call.principal.restaurant_id, call.body)
