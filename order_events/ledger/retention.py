"""What is forgotten, and when: events by age and count, finished orders, what guests said, keys,
revocations.

Each function deletes a bounded number of rows in one transaction, so that nobody waits long behind
it, and says whether more are to go. Times are Unix seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from order_events.domain.audit_records import EntryKind, SessionState
from order_events.domain.models import Event
from order_events.ledger import audit_log, voice_sessions
from order_events.ledger.redaction import redacted_body
from order_events.protocol.messages import timestamp
from order_events.settings import HubSettings, Retention
from order_events.storage.transaction import Tx

AT_ONCE = 2_000
"""Rows deleted in one transaction at most."""
SESSIONS_AT_ONCE = 50
"""Sessions forgotten in one transaction at most: each may have hundreds of events."""
DAY_S = 86_400
_SAID = (EntryKind.UTTERANCE, EntryKind.UNDERSTOOD, EntryKind.REASON)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one restaurant's history is kept to."""

    events: int
    event_days: float
    order_days: float
    audit_days: float


def limits(settings: HubSettings, restaurant_id: str) -> Limits:
    """The restaurant's own where it has any, else those of all."""
    own = settings.retention_of.get(restaurant_id, Retention())
    return Limits(
        own.events or settings.retention_events,
        own.days or settings.retention_days,
        own.order_days or settings.retention_order_days,
        own.audit_days or settings.retention_audit_days,
    )


def forget_events(tx: Tx, restaurant_id: str, limits: Limits, now: float) -> tuple[int, bool]:
    """Deletes the oldest events; the oldest seq that is left, and whether more are to go.

    What remains has no gap.
    """
    # Only those that could go now are looked at: history may be long.
    kept = tx.db.execute(
        "SELECT seq FROM (SELECT seq, at FROM events WHERE restaurant_id = ?1 ORDER BY seq"
        " LIMIT ?4) WHERE at >= ?3 AND seq > (SELECT seq FROM restaurants WHERE id = ?1) - ?2"
        " ORDER BY seq LIMIT 1",
        (restaurant_id, limits.events, now - limits.event_days * DAY_S, AT_ONCE),
    ).fetchone()
    deleted = tx.db.execute(
        "DELETE FROM events WHERE restaurant_id = ?1 AND seq IN (SELECT seq FROM events"
        " WHERE restaurant_id = ?1 ORDER BY seq LIMIT ?2) AND (?3 IS NULL OR seq < ?3)",
        (restaurant_id, AT_ONCE, None if kept is None else kept[0]),
    )
    return tx.oldest(restaurant_id), deleted.rowcount == AT_ONCE


def forget_orders(tx: Tx, restaurant_id: str, limits: Limits, now: float) -> bool:
    """Deletes orders that were finished long ago, with their payments; never an unfinished one.

    The numbers of those days are forgotten as well. True when more are to go.
    """
    before = datetime.fromtimestamp(max(0.0, now - limits.order_days * DAY_S), UTC)
    # An order's number begins with the day it was made on, and that is indexed; whatever the time
    # zone, that day is no later than the day after the one on which it was finished.
    day = (before + timedelta(days=1)).strftime("%Y%m%d")
    rows = tx.db.execute(
        "DELETE FROM orders WHERE restaurant_id = ?1 AND id IN (SELECT id FROM orders"
        " WHERE restaurant_id = ?1 AND number < ?2 AND status IN ('completed', 'cancelled')"
        " AND json_extract(body, '$.updated_at') < ?3 LIMIT ?4) RETURNING id",
        (restaurant_id, tx.first_number(day) + 1_000_000, timestamp(before), AT_ONCE),
    ).fetchall()
    tx.db.executemany(
        "DELETE FROM payments WHERE restaurant_id = ? AND order_id = ?",
        [(restaurant_id, order_id) for (order_id,) in rows],
    )
    tx.db.execute(
        "DELETE FROM order_numbers WHERE restaurant_id = ? AND day < ?",
        (restaurant_id, before.strftime("%Y%m%d")),
    )
    return len(rows) == AT_ONCE


def forget_keys(tx: Tx, since: float) -> bool:
    """Deletes idempotency keys from before `since`. True when more are to go."""
    deleted = tx.db.execute(
        "DELETE FROM idempotency WHERE (restaurant_id, kind, key) IN (SELECT restaurant_id, kind,"
        " key FROM idempotency WHERE at < ? LIMIT ?)",
        (since, AT_ONCE),
    )
    return deleted.rowcount == AT_ONCE


def forget_revocations(tx: Tx, since: float) -> None:
    """Deletes revocations from before `since`: those tokens have expired."""
    tx.db.execute("DELETE FROM revocations WHERE at < ?", (since,))


@dataclass(frozen=True, slots=True)
class Erased:
    """What was taken out: `entries` of audits, and the events as they are now, without words."""

    entries: int
    events: list[Event]


def erase_session(tx: Tx, restaurant_id: str, session_id: str, actor: str) -> Erased:
    """Takes out what was said in a session, now and from now on; raises NotFound.

    Who changed the order how and when stays in its audit, as the order does.
    """
    voice_sessions.require(tx, restaurant_id, session_id)
    with overwriting(tx):
        deleted = tx.db.execute(
            "DELETE FROM audit WHERE restaurant_id = ? AND subject = ? AND kind IN (?, ?, ?)",
            (restaurant_id, audit_log.of_session(session_id), *_SAID),
        )
        tx.db.execute(
            "UPDATE sessions SET erased_at = ? WHERE restaurant_id = ? AND session_id = ?",
            (tx.at.timestamp(), restaurant_id, session_id),
        )
        events = _redact_events(tx, restaurant_id, session_id)
    voice_sessions.tell(tx, restaurant_id, session_id, SessionState.ERASED, actor)
    return Erased(deleted.rowcount, events)


def forget_sessions(tx: Tx, restaurant_id: str, limits: Limits, now: float) -> tuple[Erased, bool]:
    """Deletes sessions and audits that are old, and what was said in them from events that are
    left; whether more are to go."""
    before = now - limits.audit_days * DAY_S
    with overwriting(tx):
        old = tx.db.execute(
            "DELETE FROM sessions WHERE restaurant_id = ?1 AND session_id IN (SELECT session_id"
            " FROM sessions WHERE restaurant_id = ?1 AND last_at < ?2 LIMIT ?3)"
            " RETURNING session_id",
            (restaurant_id, before, SESSIONS_AT_ONCE),
        ).fetchall()
        entries = tx.db.execute(
            "DELETE FROM audit WHERE (restaurant_id, subject, number) IN (SELECT restaurant_id,"
            " subject, number FROM audit WHERE restaurant_id = ? AND kind IN (?, ?, ?, ?, ?)"
            " AND at < ? LIMIT ?)",
            (restaurant_id, *EntryKind, before, AT_ONCE),
        ).rowcount
        events = [e for (id_,) in old for e in _redact_events(tx, restaurant_id, id_)]
    more = len(old) == SESSIONS_AT_ONCE or entries == AT_ONCE
    return Erased(entries, events), more


def _redact_events(tx: Tx, restaurant_id: str, session_id: str) -> list[Event]:
    """A session's events without words, each in its place: the history has no gap."""
    changed = [
        replace(event, body=redacted_body(event.type, event.body))
        for event in tx.spoken_events(restaurant_id, session_id)
    ]
    tx.db.executemany(
        "UPDATE events SET body = ? WHERE restaurant_id = ? AND seq = ?",
        [(event.body, restaurant_id, event.seq) for event in changed],
    )
    return changed


@contextmanager
def overwriting(tx: Tx) -> Iterator[None]:
    """Deleted content is overwritten with zeros, instead of being left in the file's free pages."""
    tx.db.execute("PRAGMA secure_delete = ON")
    try:
        yield
    finally:
        tx.db.execute("PRAGMA secure_delete = OFF")
