"""Erases what was said in a session from everything that is kept, each part in one transaction."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from order_events.domain.audit_records import EntryKind, SessionState
from order_events.domain.models import Event
from order_events.ledger import audit_log, voice_sessions
from order_events.ledger.redaction import redacted_body, without_words, without_words_of
from order_events.storage.transaction import Tx

_SAID = (EntryKind.UTTERANCE, EntryKind.UNDERSTOOD, EntryKind.REASON)
_AT_ONCE = 20
"""Most orders whose words are erased in one transaction."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased: a number of audit entries, and the events as they are now, redacted."""

    entries: int
    events: list[Event]


def erase_session(
    tx: Tx, restaurant_id: str, session_id: str, actor: str, *, of_orders: bool
) -> Erased:
    """Erase what was said in a session, and whatever it says later; raise NotFound.

    Its audit keeps who changed the order, how and when; the order stays too. With `of_orders`, its
    notes, name and special instructions go as well: at once if it is finished, because until then
    the kitchen needs them, and otherwise by `erase_finished`.
    """
    voice_sessions.require(tx, restaurant_id, session_id)
    tx.scrub_later()
    deleted = tx.db.execute(
        "DELETE FROM audit WHERE restaurant_id = ? AND subject = ? AND kind IN (?, ?, ?)",
        (restaurant_id, audit_log.of_session(session_id), *_SAID),
    )
    tx.db.execute(
        "UPDATE sessions SET erased_at = ?, words_left = ? AND order_id IS NOT NULL"
        " WHERE restaurant_id = ? AND session_id = ?",
        (tx.at.timestamp(), of_orders, restaurant_id, session_id),
    )
    events = redact_spoken(tx, restaurant_id, session_id)
    events += _erase_orders(tx, restaurant_id, session_id)
    voice_sessions.announce(tx, restaurant_id, session_id, SessionState.ERASED, actor)
    return Erased(deleted.rowcount, events)


def erase_finished(tx: Tx, restaurant_id: str) -> tuple[list[Event], bool]:
    """Erase the words of orders that were finished after their session had been erased.

    Returns the events as they are now, and whether more are left.
    """
    due = tx.db.execute(
        "SELECT s.session_id FROM sessions AS s JOIN orders AS o ON o.restaurant_id ="
        " s.restaurant_id AND o.id = s.order_id WHERE s.restaurant_id = ? AND s.words_left"
        " AND o.status IN ('picked-up', 'completed', 'cancelled') LIMIT ?",
        (restaurant_id, _AT_ONCE),
    ).fetchall()
    events = [e for (id_,) in due for e in _erase_orders(tx, restaurant_id, id_)]
    return events, len(due) == _AT_ONCE


def redact_spoken(tx: Tx, restaurant_id: str, session_id: str) -> list[Event]:
    """Redact a session's events in place and return them; history keeps no gap."""
    spoken = tx.spoken_events(restaurant_id, session_id)
    return _rewrite(tx, spoken, lambda event: redacted_body(event.type, event.body))


def _erase_orders(tx: Tx, restaurant_id: str, session_id: str) -> list[Event]:
    """Erase the words of a session's order, if it is finished and they are still there."""
    found = tx.db.execute(
        "SELECT o.id, o.body FROM sessions AS s JOIN orders AS o ON o.restaurant_id ="
        " s.restaurant_id AND o.id = s.order_id WHERE s.restaurant_id = ? AND s.session_id = ?"
        " AND s.words_left AND o.status IN ('picked-up', 'completed', 'cancelled')"
        " AND json_valid(o.body)",
        (restaurant_id, session_id),
    ).fetchone()
    if found is None:
        return []
    order_id, body = found
    tx.scrub_later()
    tx.db.execute(
        "UPDATE orders SET body = ? WHERE restaurant_id = ? AND id = ?",
        (json.dumps(_redacted_order(json.loads(body))), restaurant_id, order_id),
    )
    _erase_lines(tx, restaurant_id, audit_log.of_session(session_id))
    tx.db.execute(
        "UPDATE sessions SET words_left = FALSE WHERE restaurant_id = ? AND session_id = ?",
        (restaurant_id, session_id),
    )
    about = tx.events_about(restaurant_id, "order_id", order_id)
    return _rewrite(tx, about, lambda event: without_words_of(order_id, event.body))


def _redacted_order(body: dict[str, Any]) -> dict[str, Any]:
    """Return an order without the guest's words, and with a note of it if there were any."""
    kept: dict[str, Any] = without_words(body)
    return {**kept, "redacted": kept != body or kept.get("redacted", False)}


def _erase_lines(tx: Tx, restaurant_id: str, subject: str) -> None:
    """Erase the words of an order's lines from its audit."""
    rows = tx.db.execute(
        "SELECT number, body FROM audit WHERE restaurant_id = ? AND subject = ? AND kind = ?"
        " AND json_valid(body)",
        (restaurant_id, subject, EntryKind.ORDER),
    ).fetchall()
    tx.db.executemany(
        "UPDATE audit SET body = ? WHERE restaurant_id = ? AND subject = ? AND number = ?",
        [
            (json.dumps(without_words(json.loads(body))), restaurant_id, subject, number)
            for number, body in rows
        ],
    )


def _rewrite(tx: Tx, events: list[Event], body: Callable[[Event], bytes]) -> list[Event]:
    changed = [replace(event, body=body(event)) for event in events]
    tx.db.executemany(
        "UPDATE events SET body = ? WHERE restaurant_id = ? AND seq = ?",
        [(event.body, event.restaurant_id, event.seq) for event in changed],
    )
    return changed
