"""Where histories stand, as the database says: other nodes write it, too."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from order_events.storage.queries import Reader
from order_events.storage.transaction import Tx

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Positions:
    """The epoch; per restaurant, its last seq and the oldest that is kept (last + 1 if none)."""

    epoch: str
    of: dict[str, tuple[int, int]]

    def at(self, restaurant_id: str) -> tuple[int, int]:
        """Return a restaurant's position; one without a history is at its begin."""
        return self.of.get(restaurant_id, (0, 1))


def read(reader: Reader, restaurant_ids: Sequence[str]) -> Positions:
    """Return the positions of these restaurants."""
    epoch = reader.db.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()[0]
    of: dict[str, tuple[int, int]] = {}
    for start in range(0, len(restaurant_ids), _AT_ONCE):
        part = restaurant_ids[start : start + _AT_ONCE]
        places = ", ".join("?" * len(part))
        rows = reader.db.execute(
            "SELECT id, seq, coalesce((SELECT min(seq) FROM events WHERE restaurant_id = r.id),"  # noqa: S608
            f" r.seq + 1) FROM restaurants AS r WHERE id IN ({places})",
            tuple(part),
        ).fetchall()
        of |= {id_: (seq, oldest) for id_, seq, oldest in rows}
    return Positions(epoch, of)


def all_restaurants(reader: Reader) -> list[str]:
    """Return the restaurants that have a history."""
    return [
        id_ for (id_,) in reader.db.execute("SELECT id FROM restaurants ORDER BY id").fetchall()
    ]


def begin_anew(tx: Tx, served: str) -> None:
    """Start a new history in the place of the one that was `served`, unless another node has.

    The events are deleted, because each contains its epoch.
    """
    # Writers that have read the epoch must have committed before, and others not begun.
    tx.db.execute("UPDATE restaurants SET seq = seq")
    changed = tx.db.execute(
        "UPDATE meta SET value = ? WHERE key = 'epoch' AND value = ?",
        (secrets.token_hex(6), served),
    )
    if changed.rowcount:
        tx.db.execute("DELETE FROM events")
