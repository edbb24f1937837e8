"""How the orders of a menu on trial turned out, from the sessions and their audits."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from order_events.domain.audit_records import EntryKind, LineChange, TrialChange, TrialFigures
from order_events.ledger import audit_log
from order_events.storage.queries import Reader

MOST_CHANGES = 50
"""Most kinds of changes that are listed."""
_ACCEPTED = "confirmed"
_COMPARED = ("menu_item_id", "quantity", "size", "modifiers", "special_instructions")
_Line = Mapping[str, Any]


def figures(reader: Reader, restaurant_id: str, start: float, end: float) -> TrialFigures | None:
    """Return the figures of the sessions begun from `start` to `end` (Unix seconds).

    None means that no order was on trial.
    """
    sessions = reader.db.execute(
        "SELECT session_id, actor, trial_status, edits, cancelled FROM sessions"
        " WHERE restaurant_id = ? AND started_at >= ? AND started_at < ?"
        " AND trial_status IS NOT NULL",
        (restaurant_id, start, end),
    ).fetchall()
    if not sessions:
        return None
    accepted = [row for row in sessions if row[2] == _ACCEPTED]
    changes: Counter[LineChange] = Counter()
    for session_id, microphone, _, edits, _ in accepted:
        if edits:
            changes.update(_changed_by_people(reader, restaurant_id, session_id, microphone))
    return TrialFigures(
        orders=len(sessions),
        accepted=len(accepted),
        accepted_changed=sum(edits > 0 for *_, edits, _ in accepted),
        accepted_cancelled=sum(cancelled for *_, cancelled in accepted),
        changes=tuple(
            TrialChange(**change.model_dump(), count=count)
            for change, count in changes.most_common(MOST_CHANGES)
        ),
    )


def line_change(before: _Line | None, after: _Line | None) -> LineChange:
    """Return in what respects a line of an order was changed; one of the two may be absent."""
    line = before or after or {}
    about = {"menu_item_id": line["menu_item_id"], "name": line["name"]}
    if before is None or after is None:
        return LineChange(**about, change="added" if before is None else "removed", fields=())
    differing = (name for name in _COMPARED if before.get(name) != after.get(name))
    return LineChange(**about, change="changed", fields=tuple(differing))


def _changed_by_people(
    reader: Reader, restaurant_id: str, session_id: str, microphone: str
) -> Iterator[LineChange]:
    """Yield the changes in a session's audit that its microphone did not make."""
    rows = reader.db.execute(
        "SELECT body FROM audit WHERE restaurant_id = ? AND subject = ? AND kind = ?"
        " AND actor != ? AND json_valid(body)",
        (restaurant_id, audit_log.of_session(session_id), EntryKind.ORDER, microphone),
    )
    for (body,) in rows:
        for line in json.loads(body)["lines"]:
            yield line_change(line["before"], line["after"])
