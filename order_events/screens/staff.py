"""Staff and their PINs in the database. Each function is part of one transaction.

Every attempt counts as failed before its PIN is looked at, and a right one clears the count. So
attempts at the same time cannot be more than those that are allowed one after the other.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from order_events.auth.roles import Role
from order_events.protocol.errors import InvalidOrder, NotFound
from order_events.protocol.messages import ErrorCode, ProtocolError, utc_from_unix
from order_events.screens.models import Staff
from order_events.screens.names import plain, taken
from order_events.storage.queries import Reader
from order_events.storage.transaction import Tx

MOST_STAFF = 500
"""Most members of staff of one restaurant."""
FREE_FAILURES = 5
"""Wrong PINs in a row after which a member of staff is locked."""
LOCKED_S = 300.0
"""How long the first time; each further wrong PIN doubles it, up to `LONGEST_S`."""
LONGEST_S = 3_600.0
_FIELDS = "id, name, role, locked_until"


def add(tx: Tx, restaurant_id: str, name: str, role: Role, pin_hash: str) -> Staff:
    """Add a member of staff; raise InvalidOrder if somebody, or a screen, has that name."""
    name = " ".join(name.split())
    if plain(name) in taken(tx, restaurant_id):
        raise InvalidOrder(f"name: {name} is taken; add an initial")
    count = "SELECT count(*) FROM staff WHERE restaurant_id = ?"
    if tx.db.execute(count, (restaurant_id,)).fetchone()[0] >= MOST_STAFF:
        raise InvalidOrder(f"a restaurant has at most {MOST_STAFF} members of staff")
    id_ = uuid.uuid4().hex
    tx.db.execute(
        "INSERT INTO staff (restaurant_id, id, name, role, pin) VALUES (?, ?, ?, ?, ?)",
        (restaurant_id, id_, name, role, pin_hash),
    )
    return Staff(id=id_, name=name, role=role)


def all_of(reader: Reader, restaurant_id: str) -> tuple[Staff, ...]:
    """Return the staff of a restaurant, by name."""
    rows = reader.db.execute(
        f"SELECT {_FIELDS} FROM staff WHERE restaurant_id = ? ORDER BY name",  # noqa: S608
        (restaurant_id,),
    )
    return tuple(_staff(row) for row in rows)


def attempt(tx: Tx, restaurant_id: str, staff_id: str) -> tuple[Staff, str]:
    """Count an attempt to sign in; return the member of staff and the stored PIN.

    Raises NotFound, or ProtocolError(RATE_LIMITED) while locked.
    """
    row = tx.db.execute(
        f"SELECT pin, failures, {_FIELDS} FROM staff WHERE restaurant_id = ? AND id = ?",  # noqa: S608
        (restaurant_id, staff_id),
    ).fetchone()
    if row is None:
        raise NotFound("there is no such member of staff")
    pin, failures, *rest = row
    now = tx.at.timestamp()
    left = (rest[-1] or 0.0) - now
    if left > 0:
        raise ProtocolError(
            ErrorCode.RATE_LIMITED,
            "too many wrong PINs; wait, or let a manager add this person anew",
            retry_after_ms=round(left * 1000),
        )
    over = failures + 1 - FREE_FAILURES
    locked = now + min(LONGEST_S, LOCKED_S * 2**over) if over >= 0 else None
    tx.db.execute(
        "UPDATE staff SET failures = failures + 1, locked_until = ?"
        " WHERE restaurant_id = ? AND id = ?",
        (locked, restaurant_id, staff_id),
    )
    return _staff(rest), pin


def signed_in(tx: Tx, restaurant_id: str, staff_id: str) -> None:
    """Clear the count: the PIN was right."""
    tx.db.execute(
        "UPDATE staff SET failures = 0, locked_until = NULL WHERE restaurant_id = ? AND id = ?",
        (restaurant_id, staff_id),
    )


def remove(tx: Tx, restaurant_id: str, staff_id: str) -> None:
    """Remove a member of staff; raise NotFound."""
    removed = tx.db.execute(
        "DELETE FROM staff WHERE restaurant_id = ? AND id = ?", (restaurant_id, staff_id)
    )
    if removed.rowcount == 0:
        raise NotFound("there is no such member of staff")


def _staff(row: Sequence[Any]) -> Staff:
    id_, name, role, locked_until = row
    locked = None if locked_until is None else utc_from_unix(locked_until)
    return Staff(id=id_, name=name, role=Role(role), locked_until=locked)
