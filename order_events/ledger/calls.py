"""Calls for staff in the database. Each function is part of one transaction.

A reason calls once: one that has been answered does not call again, however often it is repeated,
and a session that staff hold calls nobody.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from order_events.domain import calls
from order_events.domain.audit_records import Session
from order_events.domain.calls import Call, CallState
from order_events.domain.event_payloads import StaffCallData
from order_events.domain.models import Order, OrderStatus
from order_events.protocol import filters
from order_events.protocol.errors import NotFound
from order_events.storage.queries import Reader
from order_events.storage.transaction import Tx

MOST_LISTED = 500
"""Most calls in one answer; no restaurant has as many lanes."""
_DONE = (OrderStatus.PICKED_UP, OrderStatus.COMPLETED, OrderStatus.CANCELLED)
_OPEN = "restaurant_id = ?1 AND open"


def unanswered(reader: Reader, restaurant_id: str) -> tuple[Call, ...]:
    """Return the calls that somebody still has to answer: the most urgent first."""
    rows = reader.db.execute(
        f"SELECT id, body FROM calls WHERE {_OPEN} ORDER BY CASE WHEN json_valid(body)"  # noqa: S608
        " THEN CAST(json_extract(body, '$.urgency') AS INTEGER) END DESC NULLS LAST,"
        " since, id LIMIT ?2",
        (restaurant_id, MOST_LISTED),
    )
    return calls.by_urgency(reader.parse_all(Call, rows, "calls", restaurant_id))


def follow_session(tx: Tx, restaurant_id: str, session: Session, data: Mapping[str, Any]) -> None:
    """Make a call, or add to one, for the reasons of a `voice:order` that call staff."""
    calling = [r for r in data.get("reasons", ()) if r.get("calls_staff")]
    seen = _seen(tx, restaurant_id, session.session_id)
    new = [r for r in calling if _key(r) not in seen]
    if not new:
        return
    codes = tuple(dict.fromkeys(str(reason["code"]) for reason in new))
    known = _of_session(tx, restaurant_id, session.session_id)
    if known is None and session.held_by is not None:
        return
    call = _new(tx, session, codes) if known is None else calls.with_reasons(known, codes)
    if call is not known:
        _put(tx, restaurant_id, call, session.actor)
    tx.db.execute(
        "UPDATE calls SET seen = ?3 WHERE restaurant_id = ?1 AND id = ?2",
        (restaurant_id, call.id, json.dumps(sorted({*seen, *map(_key, new)}))),
    )


def follow_order(tx: Tx, order: Order) -> None:
    """End the call of an order that is done; note the order of a guest who had none before."""
    session_id = order.source.session_id
    known = None if session_id is None else _of_session(tx, order.restaurant_id, session_id)
    if known is None or known.order_id not in (None, order.id):
        return
    call = calls.with_order(known, order.id)
    if order.status in _DONE:
        call = calls.resolve(call)
    if call is not known:
        _put(tx, order.restaurant_id, call, order.updated_by)


def taken_over(tx: Tx, restaurant_id: str, session_id: str, actor: str) -> None:
    """Give the session's call, if there is one, to who has taken the session over."""
    known = _of_session(tx, restaurant_id, session_id)
    if known is not None and known.taken_by != actor:
        _put(tx, restaurant_id, calls.hand_to(known, actor), actor)


def handed_back(tx: Tx, restaurant_id: str, session_id: str, actor: str) -> None:
    """End the session's call, if there is one: it has been answered."""
    known = _of_session(tx, restaurant_id, session_id)
    if known is not None:
        _put(tx, restaurant_id, calls.resolve(known), actor)


def take(tx: Tx, restaurant_id: str, call_id: str, actor: str, version: int | None) -> Call:
    """Let `actor` answer a call; raise NotFound, StaleVersion or IllegalTransition."""
    known = _require(tx, restaurant_id, call_id)
    return _changed(tx, restaurant_id, known, calls.take(known, actor, version), actor)


def release(tx: Tx, restaurant_id: str, call_id: str, actor: str, version: int | None) -> Call:
    """Let somebody else answer a call; raise as `take` does."""
    known = _require(tx, restaurant_id, call_id)
    return _changed(tx, restaurant_id, known, calls.release(known, version), actor)


def resolve(tx: Tx, restaurant_id: str, call_id: str, actor: str, version: int | None) -> Call:
    """End a call; raise NotFound or StaleVersion."""
    known = _require(tx, restaurant_id, call_id)
    return _changed(tx, restaurant_id, known, calls.resolve(known, version), actor)


def _key(reason: Mapping[str, Any]) -> str:
    """Return what makes a reason the same one when it comes again."""
    return f"{reason['code']}/{reason.get('utterance', 0)}"


def _seen(tx: Tx, restaurant_id: str, session_id: str) -> frozenset[str]:
    rows = tx.db.execute(
        "SELECT seen FROM calls WHERE restaurant_id = ? AND session_id = ?",
        (restaurant_id, session_id),
    ).fetchall()
    return frozenset(key for (seen,) in rows for key in json.loads(seen))


def _of_session(tx: Tx, restaurant_id: str, session_id: str) -> Call | None:
    row = tx.db.execute(
        f"SELECT id, body FROM calls WHERE {_OPEN} AND session_id = ?2",  # noqa: S608
        (restaurant_id, session_id),
    ).fetchone()
    return None if row is None else tx.parse(Call, row[1], "calls", restaurant_id, row[0])


def _require(tx: Tx, restaurant_id: str, call_id: str) -> Call:
    row = tx.db.execute(
        "SELECT body FROM calls WHERE restaurant_id = ? AND id = ?", (restaurant_id, call_id)
    ).fetchone()
    if row is None:
        raise NotFound("there is no such call")
    return tx.parse(Call, row[0], "calls", restaurant_id, call_id)


def _new(tx: Tx, session: Session, codes: tuple[str, ...]) -> Call:
    return Call(
        id=str(uuid.uuid4()),
        session_id=session.session_id,
        order_id=session.order_id,
        lane=session.lane,
        table_id=session.table_id,
        reasons=codes[: calls.MOST_REASONS],
        urgency=calls.urgency(codes),
        since=tx.timestamp,
        state=CallState.OPEN,
        taken_by=None,
        version=1,
    )


def _changed(tx: Tx, restaurant_id: str, before: Call, after: Call, actor: str) -> Call:
    if after is not before:
        _put(tx, restaurant_id, after, actor)
    return after


def _put(tx: Tx, restaurant_id: str, call: Call, actor: str) -> None:
    """Write a call and announce it."""
    tx.db.execute(
        "INSERT INTO calls (restaurant_id, id, session_id, open, since, seen, body)"
        " VALUES (?1, ?2, ?3, ?4, ?5, '[]', ?6) ON CONFLICT (restaurant_id, id) DO UPDATE SET"
        " open = ?4, body = ?6",
        (
            restaurant_id,
            call.id,
            call.session_id,
            call.state is not CallState.RESOLVED,
            call.since,
            call.model_dump_json(),
        ),
    )
    tx.append(
        restaurant_id,
        filters.STAFF_CALL,
        StaffCallData(call=call, actor=actor),
        filters.tags({name: getattr(call, name) for name in _TAGS}),
    )


_TAGS = ("session_id", "order_id", "lane", "table_id")
