"""Deletes what has outlived its retention: events, finished orders, sessions, keys, revocations.

Each function deletes a bounded number of rows in one transaction, so that others do not wait long,
and returns whether more are left. Times are Unix seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from order_events.domain.audit_records import EntryKind
from order_events.ledger import erasure
from order_events.ledger.erasure import Erased
from order_events.protocol.messages import timestamp
from order_events.settings import HubSettings, Retention
from order_events.storage.queries import Reader
from order_events.storage.transaction import Tx

AT_ONCE = 2_000
"""Most rows deleted in one transaction."""
SESSIONS_AT_ONCE = 50
"""Most sessions deleted in one transaction: each may have hundreds of events."""
DAY_S = 86_400
_LAST_RUN = "retained_at"
_NEVER = 2**63 - 1
"""A `seq` that is never reached."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of one restaurant's history is kept."""

    events: int
    event_days: float
    order_days: float
    audit_days: float


def limits(settings: HubSettings, restaurant_id: str) -> Limits:
    """Return the restaurant's own limits, with the common ones for any it does not set."""
    own = settings.retention_of.get(restaurant_id, Retention())
    return Limits(
        own.events or settings.retention_events,
        own.days or settings.retention_days,
        own.order_days or settings.retention_order_days,
        own.audit_days or settings.retention_audit_days,
    )


def forget_events(tx: Tx, restaurant_id: str, limits: Limits, now: float) -> tuple[int, bool]:
    """Delete the oldest events; return the oldest seq left, and whether more are to go.

    The rest has no gap.
    """
    # Looks at no more than AT_ONCE events, because history may be long.
    kept = tx.db.execute(
        "SELECT seq FROM (SELECT seq, at FROM events WHERE restaurant_id = ?1 ORDER BY seq"
        " LIMIT ?4) AS oldest WHERE at >= ?3"
        " AND seq > (SELECT seq FROM restaurants WHERE id = ?1) - ?2 ORDER BY seq LIMIT 1",
        (restaurant_id, limits.events, now - limits.event_days * DAY_S, AT_ONCE),
    ).fetchone()
    deleted = tx.db.execute(
        "DELETE FROM events WHERE restaurant_id = ?1 AND seq IN (SELECT seq FROM events"
        " WHERE restaurant_id = ?1 ORDER BY seq LIMIT ?2) AND seq < ?3",
        (restaurant_id, AT_ONCE, _NEVER if kept is None else kept[0]),
    )
    return tx.oldest(restaurant_id), deleted.rowcount == AT_ONCE


def forget_orders(tx: Tx, restaurant_id: str, limits: Limits, now: float) -> bool:
    """Delete orders that were finished long ago, with their payments; return whether more are left.

    Unfinished orders stay. The order-number counts of those days are deleted too.
    """
    before = datetime.fromtimestamp(max(0.0, now - limits.order_days * DAY_S), UTC)
    # An order's number begins with the day it was made, and is indexed. In any time zone, that day
    # is at most one day after the UTC day on which the order was finished.
    day = (before + timedelta(days=1)).strftime("%Y%m%d")
    rows = tx.db.execute(
        "DELETE FROM orders WHERE restaurant_id = ?1 AND id IN (SELECT id FROM orders"
        " WHERE restaurant_id = ?1 AND number < ?2 AND status IN ('completed', 'cancelled')"
        " AND CASE WHEN json_valid(body) THEN json_extract(body, '$.updated_at') < ?3 END"
        " LIMIT ?4) RETURNING id",
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
    """Delete idempotency keys from before `since`; return whether more are left."""
    deleted = tx.db.execute(
        "DELETE FROM idempotency WHERE (restaurant_id, kind, key) IN (SELECT restaurant_id, kind,"
        " key FROM idempotency WHERE at < ? LIMIT ?)",
        (since, AT_ONCE),
    )
    return deleted.rowcount == AT_ONCE


def forget_set_aside(tx: Tx, since: float) -> None:
    """Delete damaged rows that were set aside before `since`: guests' words may be in them."""
    if tx.db.execute("DELETE FROM set_aside WHERE at < ?", (since,)).rowcount:
        tx.scrub_later(DAY_S)


def forget_revocations(tx: Tx, since: float, now: float) -> None:
    """Delete revocations from before `since`: those tokens have expired. Ends a run at `now`."""
    tx.db.execute("DELETE FROM revocations WHERE at < ?", (since,))
    tx.db.execute(
        "INSERT INTO meta (key, value) VALUES (?, ?)"
        " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (_LAST_RUN, str(now)),
    )


def last_known_time(reader: Reader) -> float | None:
    """Return when a run last ended, or the newest event was made; None if neither is known."""
    latest = "SELECT max(at) FROM (SELECT (SELECT at FROM events WHERE restaurant_id = r.id"
    row = reader.db.execute(
        f"{latest} ORDER BY seq DESC LIMIT 1) AS at FROM restaurants AS r UNION ALL"  # noqa: S608
        " SELECT CAST(value AS DOUBLE PRECISION) FROM meta WHERE key = ?) AS times",
        (_LAST_RUN,),
    ).fetchone()
    return None if row[0] is None else float(row[0])


def forget_sessions(tx: Tx, restaurant_id: str, limits: Limits, now: float) -> tuple[Erased, bool]:
    """Delete old sessions, calls and audits, and redact the sessions' events that are still kept.

    Returns what was erased, and whether more are left.
    """
    before = now - limits.audit_days * DAY_S
    old = tx.db.execute(
        "DELETE FROM sessions WHERE restaurant_id = ?1 AND session_id IN (SELECT session_id"
        " FROM sessions WHERE restaurant_id = ?1 AND last_at < ?2 LIMIT ?3)"
        " RETURNING session_id",
        (restaurant_id, before, SESSIONS_AT_ONCE),
    ).fetchall()
    tx.db.executemany(
        "DELETE FROM calls WHERE restaurant_id = ? AND session_id = ?",
        [(restaurant_id, session_id) for (session_id,) in old],
    )
    entries = tx.db.execute(
        "DELETE FROM audit WHERE (restaurant_id, subject, number) IN (SELECT restaurant_id,"
        " subject, number FROM audit WHERE restaurant_id = ? AND kind IN (?, ?, ?, ?, ?)"
        " AND at < ? LIMIT ?)",
        (restaurant_id, *EntryKind, before, AT_ONCE),
    ).rowcount
    events = [e for (id_,) in old for e in erasure.redact_spoken(tx, restaurant_id, id_)]
    if old or entries:
        # Something outlives its retention in every run, and commits wait while all pages are
        # written anew.
        tx.scrub_later(DAY_S)
    more = len(old) == SESSIONS_AT_ONCE or entries == AT_ONCE
    return Erased(entries, events), more
