"""What is forgotten, and when: events by age and count, finished orders, keys, revocations.

Each function deletes a bounded number of rows in one transaction, so that nobody waits long behind
it, and says whether more are to go. Times are Unix seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from order_events.protocol import timestamp
from order_events.settings import HubSettings, Retention
from order_events.tx import Tx

AT_ONCE = 2_000
"""Rows deleted in one transaction at most."""
DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Limits:
    """What one restaurant's history is kept to."""

    events: int
    event_days: float
    order_days: float


def limits(settings: HubSettings, restaurant_id: str) -> Limits:
    """The restaurant's own where it has any, else those of all."""
    own = settings.retention_of.get(restaurant_id, Retention())
    return Limits(
        own.events or settings.retention_events,
        own.days or settings.retention_days,
        own.order_days or settings.retention_order_days,
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
