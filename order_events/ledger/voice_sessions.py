"""Voice sessions in the database: who listens where, and which member of staff holds the order.

Each function is part of one transaction. While staff hold a session, its microphone must not change
the order. Times are Unix seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Any

from order_events.cluster import leases
from order_events.domain.audit_records import Session, SessionStart, SessionState
from order_events.domain.event_payloads import SessionData
from order_events.domain.models import OrderStatus
from order_events.domain.orders import check_version
from order_events.ledger import audit_log, calls
from order_events.protocol import filters
from order_events.protocol.errors import IllegalTransition, NotFound, SessionHeld, SessionLost
from order_events.protocol.messages import utc_from_unix
from order_events.storage.queries import Reader
from order_events.storage.transaction import Tx

_FIELDS = (
    "session_id",
    "actor",
    "lane",
    "table_id",
    "ordering",
    "status",
    "order_id",
    "held_by",
    "version",
    "utterances",
    "edits",
    "handed_over",
    "started_at",
    "ended_at",
    "erased_at",
)
_COLUMNS = ", ".join(_FIELDS)
_TIMES = ("started_at", "ended_at", "erased_at")


def find(reader: Reader, restaurant_id: str, session_id: str) -> Session | None:
    """Return a session, or None."""
    rows = _rows(reader, "session_id = ?2", (restaurant_id, session_id))
    return _session(rows[0]) if rows else None


def require(reader: Reader, restaurant_id: str, session_id: str) -> Session:
    """Return a session; raise NotFound."""
    session = find(reader, restaurant_id, session_id)
    if session is None:
        raise NotFound("there is no such session")
    return session


def newest(
    reader: Reader, restaurant_id: str, before: float | None, limit: int
) -> tuple[list[Session], float | None]:
    """Return sessions begun before a time, the newest first, and `before` for the next page."""
    rows = _rows(
        reader,
        "started_at < ?2 ORDER BY started_at DESC LIMIT ?3",
        (restaurant_id, inf if before is None else before, limit),
    )
    more = rows[-1][_FIELDS.index("started_at")] if len(rows) == limit else None
    return [_session(row) for row in rows], more


@dataclass(frozen=True, slots=True)
class Fence:
    """Which session makes a change, and in which of its owners' terms.

    The change raises SessionLost if another node has the session now, and SessionHeld if staff have
    it, unless it may be made `though_held`. So a node that was cut off and comes back changes
    nothing, and nobody need reach a session's owner to take it over.
    """

    session_id: str
    term: int
    though_held: bool = False


def check(tx: Tx, restaurant_id: str, fence: Fence) -> None:
    """Raise SessionLost or SessionHeld if the fenced change may not be made."""
    row = tx.db.execute(
        "SELECT owner_term, held_by FROM sessions WHERE restaurant_id = ? AND session_id = ?",
        (restaurant_id, fence.session_id),
    ).fetchone()
    if row is None or row[0] != fence.term:
        raise SessionLost("the session goes on elsewhere")
    if row[1] is not None and not fence.though_held:
        raise SessionHeld("staff have taken the session over")


def begin(
    tx: Tx, restaurant_id: str, start: SessionStart, actor: str, node: str = ""
) -> tuple[Session, Fence]:
    """Begin a session at a node, in a new term. One that goes on elsewhere keeps its holder."""
    audit_log.open_session(tx, restaurant_id, start, actor)
    term = tx.db.execute(
        "UPDATE sessions SET node = ?3, owner_term = owner_term + 1"
        " WHERE restaurant_id = ?1 AND session_id = ?2 RETURNING owner_term",
        (restaurant_id, start.session_id, node),
    ).fetchone()[0]
    session = announce(tx, restaurant_id, start.session_id, SessionState.STARTED, actor)
    return session, Fence(start.session_id, term)


def end(
    tx: Tx, restaurant_id: str, session_id: str, actor: str, fence: Fence | None = None
) -> Session:
    """End a session: its microphone no longer listens. Raises SessionLost."""
    if fence is not None:
        check(tx, restaurant_id, replace(fence, though_held=True))
    tx.db.execute(
        "UPDATE sessions SET ended_at = ?3 WHERE restaurant_id = ?1 AND session_id = ?2",
        (restaurant_id, session_id, tx.at.timestamp()),
    )
    return announce(tx, restaurant_id, session_id, SessionState.ENDED, actor)


def end_interrupted(tx: Tx) -> int:
    """End all sessions that a process left open when it was killed; return how many.

    One that resumes is open again.
    """
    ended = tx.db.execute("UPDATE sessions SET ended_at = last_at WHERE ended_at IS NULL")
    return ended.rowcount


def end_abandoned(tx: Tx) -> int:
    """End the open sessions of nodes that are gone; return how many.

    A session that is resumed on another node belongs to that one.
    """
    nodes = leases.live_nodes(tx)
    places = ", ".join("?" * len(nodes)) or "NULL"
    ended = tx.db.execute(
        "UPDATE sessions SET ended_at = last_at WHERE ended_at IS NULL"  # noqa: S608
        f" AND (node IS NULL OR node NOT IN ({places}))",
        tuple(nodes),
    )
    return ended.rowcount


def hold(tx: Tx, restaurant_id: str, session_id: str, actor: str, version: int | None) -> Session:
    """Give the session to `actor`, who alone may change its order from now on.

    Raises NotFound, StaleVersion or IllegalTransition.
    """
    _require_open(tx, restaurant_id, session_id, version)
    _set_holder(tx, restaurant_id, session_id, actor)
    calls.taken_over(tx, restaurant_id, session_id, actor)
    return announce(tx, restaurant_id, session_id, SessionState.TAKEN_OVER, actor)


def hand_back(
    tx: Tx, restaurant_id: str, session_id: str, actor: str, version: int | None
) -> Session:
    """Let the microphone change the order again; raise as `hold` does."""
    _require_open(tx, restaurant_id, session_id, version)
    _set_holder(tx, restaurant_id, session_id, None)
    calls.handed_back(tx, restaurant_id, session_id, actor)
    return announce(tx, restaurant_id, session_id, SessionState.HANDED_BACK, actor)


def require_open_order(tx: Tx, restaurant_id: str, session_id: str) -> None:
    """Raise IllegalTransition if the session's order can no longer be handed back."""
    order_id = require(tx, restaurant_id, session_id).order_id
    order = None if order_id is None else tx.order(restaurant_id, order_id)
    if order is not None and order.status not in (OrderStatus.PENDING, OrderStatus.CONFIRMED):
        raise IllegalTransition(
            f"the order is already {order.status.value}: it can no longer be handed back"
        )


def _require_open(tx: Tx, restaurant_id: str, session_id: str, version: int | None) -> None:
    session = require(tx, restaurant_id, session_id)
    check_version(session.version, version)
    if session.ended_at is not None:
        raise IllegalTransition("the session has ended; change its order, if there is one")


def _set_holder(tx: Tx, restaurant_id: str, session_id: str, holder: str | None) -> None:
    tx.db.execute(
        "UPDATE sessions SET held_by = ?3, version = version + 1,"
        " handed_over = handed_over OR CAST(?3 AS TEXT) IS NOT NULL"
        " WHERE restaurant_id = ?1 AND session_id = ?2",
        (restaurant_id, session_id, holder),
    )


def announce(
    tx: Tx, restaurant_id: str, session_id: str, state: SessionState, actor: str
) -> Session:
    """Record and publish the state of a session; return the session."""
    session = require(tx, restaurant_id, session_id)
    data = SessionData(state=state, actor=actor, **session.model_dump(include=_SHARED))
    about = {"session_id": session.session_id, "lane": session.lane, "table_id": session.table_id}
    tags = filters.tags({**about, "order_id": session.order_id})
    tx.append(restaurant_id, filters.VOICE_SESSION, data, tags)
    audit_log.note_session(tx, restaurant_id, session_id, state, actor)
    return session


_SHARED = set(SessionData.model_fields) - {"state", "actor"}


def _rows(reader: Reader, condition: str, values: tuple[object, ...]) -> list[Sequence[Any]]:
    select = f"SELECT {_COLUMNS} FROM sessions WHERE restaurant_id = ?1 AND {condition}"  # noqa: S608
    return reader.db.execute(select, values).fetchall()


def _session(row: Sequence[Any]) -> Session:
    fields = dict(zip(_FIELDS, row, strict=True))
    times = {name: utc_from_unix(fields[name]) for name in _TIMES if fields[name] is not None}
    return Session.model_validate({**fields, **times})
