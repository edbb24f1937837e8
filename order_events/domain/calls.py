"""Calls for staff: a guest needs a person. Pure.

A call lives from the first reason for it until somebody has answered it or its order is done. There
is at most one unanswered call per session.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum, StrEnum
from typing import Annotated

from pydantic import Field

from order_events.domain.api_models import Answer
from order_events.domain.drafts import Draft
from order_events.domain.models import ALLERGY, Kept
from order_events.domain.orders import check_version
from order_events.protocol.errors import IllegalTransition

MOST_REASONS = 20
"""Most codes kept on one call; further ones change nothing for whoever answers it."""
_ASKED_FOR = frozenset({"staff_requested", "not_following", "complaint"})


class CallState(StrEnum):
    """How far a call is. `resolved` is final: a new reason makes a new call."""

    OPEN = "open"
    TAKEN = "taken"
    RESOLVED = "resolved"


class Urgency(IntEnum):
    """How soon somebody has to go; a higher one first."""

    CHECK = 0
    """The order has to be looked at."""
    WAITING = 1
    """The guest waits for a person."""
    DANGER = 2
    """Somebody could be harmed: an allergy."""


class Call(Kept):
    """A guest needs a person.

    `reasons` are the codes of `voice:order`, the first one first. `since` is when the call was
    made, `taken_by` who answers it. The larger `urgency` is, the sooner somebody has to go.
    """

    id: str
    session_id: str
    order_id: str | None
    lane: str | None
    table_id: str | None
    reasons: tuple[str, ...]
    urgency: Urgency
    since: str
    state: CallState
    taken_by: str | None
    version: int


class CallChange(Draft):
    """Answers a call. If `version` is given, it must be the call's current one."""

    version: Annotated[int, Field(ge=1)] | None = None


class CallAnswer(Answer):
    """One call."""

    call: Call


class CallsAnswer(Answer):
    """The calls that nobody has finished answering: the most urgent first, then the oldest."""

    calls: tuple[Call, ...]


def urgency(reasons: Iterable[str]) -> Urgency:
    """Return how soon somebody has to go for these codes."""
    codes = frozenset(reasons)
    if ALLERGY in codes:
        return Urgency.DANGER
    return Urgency.WAITING if codes & _ASKED_FOR else Urgency.CHECK


def by_urgency(calls: Iterable[Call]) -> tuple[Call, ...]:
    """Return calls in the order in which they should be answered."""
    return tuple(sorted(calls, key=lambda call: (-call.urgency, call.since, call.id)))


def with_reasons(call: Call, codes: Iterable[str]) -> Call:
    """Return the call with further reasons; the same object if there are none."""
    reasons = tuple(dict.fromkeys((*call.reasons, *codes)))[:MOST_REASONS]
    if reasons == call.reasons:
        return call
    return _next(call, reasons=reasons, urgency=urgency(reasons))


def with_order(call: Call, order_id: str) -> Call:
    """Return the call of a guest who now has an order."""
    return call if call.order_id == order_id else _next(call, order_id=order_id)


def take(call: Call, actor: str, version: int | None) -> Call:
    """Return the call as answered by `actor`; the same object if it is already.

    Raises StaleVersion, or IllegalTransition if somebody else has it.
    """
    _check(call, version)
    if call.taken_by == actor:
        return call
    if call.taken_by is not None:
        raise IllegalTransition(f"{call.taken_by} has this call; ask them to release it")
    return _next(call, state=CallState.TAKEN, taken_by=actor)


def hand_to(call: Call, actor: str) -> Call:
    """Return the call as answered by `actor`, whoever had it before."""
    return call if call.taken_by == actor else _next(call, state=CallState.TAKEN, taken_by=actor)


def release(call: Call, version: int | None) -> Call:
    """Return the call as one that nobody answers yet; raise as `take` does."""
    _check(call, version)
    return call if call.taken_by is None else _next(call, state=CallState.OPEN, taken_by=None)


def resolve(call: Call, version: int | None = None) -> Call:
    """Return the call as answered; the same object if it was. Raises StaleVersion."""
    if call.state is CallState.RESOLVED:
        return call
    check_version(call.version, version)
    return _next(call, state=CallState.RESOLVED)


def _check(call: Call, version: int | None) -> None:
    check_version(call.version, version)
    if call.state is CallState.RESOLVED:
        raise IllegalTransition("the call has been answered")


def _next(call: Call, **changed: object) -> Call:
    return call.model_copy(update={**changed, "version": call.version + 1})
