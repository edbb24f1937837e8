"""The audit: what was said, what it was matched to, each change, and who made it.

Entries are written in the transaction of the event they explain. Everything about a session is one
audit; an order without a session has its own. None of it is in the logs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from order_events.domain.audit_records import Entry, EntryKind, SessionStart, SessionState
from order_events.domain.models import Order, OrderItem, OrderStatus
from order_events.ledger.redaction import redacted
from order_events.protocol import filters
from order_events.protocol.messages import utc_from_unix
from order_events.storage.damaged_rows import Place, Readable
from order_events.storage.queries import Reader
from order_events.storage.transaction import Tx

MOST_ENTRIES = 5_000
"""Most entries of one audit; later ones are dropped. A guest makes about ten a minute."""
_LONGEST = 2_000
"""Most characters kept of one text."""
_UNKNOWN = ""
"""The actor of a session that no microphone has announced."""


def of_session(session_id: str) -> str:
    """Return the subject under which a session's audit is kept."""
    return f"s:{session_id}"


def of_order(order: Order) -> str:
    """Return the subject under which an order's audit is kept: its session's, if it has one."""
    session_id = order.source.session_id
    return f"o:{order.id}" if session_id is None else of_session(session_id)


def entries(
    reader: Reader, restaurant_id: str, subject: str, after: int, limit: int
) -> Readable[Entry]:
    """Return the entries after a number, in order."""
    rows = reader.db.execute(
        "SELECT number, kind, at, actor, body FROM audit WHERE restaurant_id = ?"
        " AND subject = ? AND number > ? ORDER BY number LIMIT ?",
        (restaurant_id, subject, after, limit),
    )
    readable: Readable[Entry] = Readable()
    for number, kind, at, actor, body in rows:
        try:
            data = json.loads(body)
        except ValueError:
            reader.damaged.append(Place("audit", (restaurant_id, subject, number)))
            readable.damaged += 1
        else:
            readable.append(
                Entry(number=number, kind=kind, at=utc_from_unix(at), actor=actor, data=data)
            )
    return readable


def open_session(tx: Tx, restaurant_id: str, start: SessionStart, actor: str) -> None:
    """Create a session, or reopen it; a reopened session keeps its holder."""
    now = tx.at.timestamp()
    tx.db.execute(
        "INSERT INTO sessions (restaurant_id, session_id, actor, lane, table_id, ordering,"
        " started_at, last_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)"
        " ON CONFLICT (restaurant_id, session_id) DO UPDATE SET ended_at = NULL, actor = ?3,"
        " last_at = ?7",
        (restaurant_id, start.session_id, actor, start.lane, start.table_id, start.ordering, now),
    )


def note_session(
    tx: Tx, restaurant_id: str, session_id: str, state: SessionState, actor: str
) -> None:
    """Record a change of a session's state."""
    subject = of_session(session_id)
    _append(tx, restaurant_id, subject, _NewEntry(EntryKind.SESSION, actor, {"state": state}))


def record_spoken(
    tx: Tx, restaurant_id: str, type_: str, data: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Record a session's event, and return the data of it that may be kept.

    If the session has been erased, the words are taken out and nothing is recorded.
    """
    session_id = data.get("session_id")
    if type_ not in filters.SPOKEN or not isinstance(session_id, str):
        return data
    actor = _listener(tx, restaurant_id, session_id)
    if actor is None:
        return redacted(type_, data)
    if type_ == filters.VOICE_TRANSCRIPT:
        _heard(tx, restaurant_id, session_id, actor, data)
    else:
        _understood(tx, restaurant_id, session_id, actor, data)
    return data


def _listener(tx: Tx, restaurant_id: str, session_id: str) -> str | None:
    """Return the user whose microphone listens in a session; None if it has been erased.

    A session that is not known yet is created.
    """
    find = "SELECT actor, erased_at FROM sessions WHERE restaurant_id = ? AND session_id = ?"
    row = tx.db.execute(find, (restaurant_id, session_id)).fetchone()
    if row is None:
        open_session(tx, restaurant_id, SessionStart(session_id=session_id), _UNKNOWN)
        return _UNKNOWN
    actor, erased_at = row
    return actor if erased_at is None else None


def _heard(
    tx: Tx, restaurant_id: str, session_id: str, actor: str, data: Mapping[str, Any]
) -> None:
    names = ("utterance", "text", "confidence", "start_ms", "end_ms", "overheard", "narrow_band")
    said = {name: data.get(name) for name in names}
    entry = _NewEntry(EntryKind.UTTERANCE, actor, said)
    _append(tx, restaurant_id, of_session(session_id), entry)
    tx.db.execute(
        "UPDATE sessions SET utterances = utterances + 1, last_at = ?3"
        " WHERE restaurant_id = ?1 AND session_id = ?2",
        (restaurant_id, session_id, tx.at.timestamp()),
    )


def _understood(
    tx: Tx, restaurant_id: str, session_id: str, actor: str, data: Mapping[str, Any]
) -> None:
    subject, status = of_session(session_id), str(data.get("status"))
    names = ("after_utterance", "status", "matched", "readings")
    taken_for = {name: data.get(name) for name in names}
    _append(tx, restaurant_id, subject, _NewEntry(EntryKind.UNDERSTOOD, actor, taken_for))
    for reason in data.get("reasons", ()):
        # Reasons that are still open come with every utterance; record each once.
        entry = _NewEntry(EntryKind.REASON, actor, reason)
        _append(tx, restaurant_id, subject, entry, once=True)
    tx.db.execute(
        "UPDATE sessions SET status = ?3, handed_over = handed_over OR ?3 = 'needs_staff',"
        " trial_status = coalesce(?4, trial_status), last_at = ?5"
        " WHERE restaurant_id = ?1 AND session_id = ?2",
        (restaurant_id, session_id, status, data.get("status_without_trial"), tx.at.timestamp()),
    )


def order_changed(
    tx: Tx, change: str, before: Order | None, after: Order, reason: str | None = None
) -> None:
    """Record a change of an order; `after` says who made it."""
    lines = differences(() if before is None else before.items, after.items)
    said = {"reason": reason} if reason is not None else {}
    done = {"change": change, "order_id": after.id, "version": after.version, **said}
    body = {**done, "status": after.status, "lines": lines}
    actor = after.updated_by
    _append(tx, after.restaurant_id, of_order(after), _NewEntry(EntryKind.ORDER, actor, body))
    if after.source.session_id is not None:
        _count(tx, after, actor, edited=bool(lines))


def _count(tx: Tx, order: Order, actor: str, *, edited: bool) -> None:
    """Update the session's figures from its order, if it is the first one made for it."""
    tx.db.execute(
        "UPDATE sessions SET order_id = ?3, edits = edits + CASE WHEN ?4 AND actor != ?5"
        " THEN 1 ELSE 0 END,"
        " confirmed_at = coalesce(confirmed_at, CASE WHEN ?6 THEN ?8 END),"
        " cancelled = ?7, last_at = ?8"
        " WHERE restaurant_id = ?1 AND session_id = ?2 AND coalesce(order_id, ?3) = ?3",
        (
            order.restaurant_id,
            order.source.session_id,
            order.id,
            edited,
            actor,
            order.status is OrderStatus.CONFIRMED,
            order.status is OrderStatus.CANCELLED,
            tx.at.timestamp(),
        ),
    )


def differences(
    before: tuple[OrderItem, ...], after: tuple[OrderItem, ...]
) -> list[dict[str, Any]]:
    """Return the lines that differ, each before and after (None if absent)."""
    old = {item.id: _line(item) for item in before}
    new = {item.id: _line(item) for item in after}
    return [
        {"id": id_, "before": old.get(id_), "after": new.get(id_)}
        for id_ in dict.fromkeys((*old, *new))
        if old.get(id_) != new.get(id_)
    ]


def _line(item: OrderItem) -> dict[str, Any]:
    asked = {"menu_item_id", "name", "quantity", "size", "special_instructions"}
    modifiers = [
        modifier.model_dump(include={"id", "group", "qualifier", "negated", "quantity"})
        for modifier in item.modifiers
    ]
    return {**item.model_dump(include=asked), "modifiers": modifiers}


@dataclass(frozen=True, slots=True)
class _NewEntry:
    """An entry that has no number yet."""

    kind: EntryKind
    actor: str
    data: Mapping[str, Any]


def _append(
    tx: Tx, restaurant_id: str, subject: str, entry: _NewEntry, *, once: bool = False
) -> None:
    """Append an entry to an audit that is not full; with `once`, only if it has no equal."""
    texts = {name: _short(value) for name, value in entry.data.items()}
    body = json.dumps(texts, ensure_ascii=False)
    tx.db.execute(
        "INSERT INTO audit (restaurant_id, subject, number, kind, actor, at, body)"
        " SELECT ?1, ?2, coalesce(max(number), 0) + 1, ?3, ?4, ?5, ?6 FROM audit"
        " WHERE restaurant_id = ?1 AND subject = ?2 HAVING coalesce(max(number), 0) < ?7"
        " AND NOT (?8 AND EXISTS (SELECT 1 FROM audit WHERE restaurant_id = ?1"
        " AND subject = ?2 AND kind = ?3 AND body = ?6))",
        (
            restaurant_id,
            subject,
            entry.kind,
            entry.actor,
            tx.at.timestamp(),
            body,
            MOST_ENTRIES,
            once,
        ),
    )


def _short(value: Any) -> Any:
    return value[:_LONGEST] if isinstance(value, str) else value
