"""Reads the revocations that other nodes have written."""

from __future__ import annotations

import time
from collections.abc import Callable

from order_events.auth.revocations import Revocations, Revoked
from order_events.protocol.errors import OrderError
from order_events.storage.queries import Reader
from order_events.storage.store import Store

_OVERLAP_S = 120.0
"""How far back each look reaches: clocks differ, and a commit takes time."""


class RevocationWatch:
    """Keeps `revocations` up to date; `changed` is called when there are new ones."""

    def __init__(
        self, store: Store, revocations: Revocations, changed: Callable[[], object]
    ) -> None:
        self._store = store
        self._revocations = revocations
        self._changed = changed
        self._read_up_to = time.time()

    async def look(self) -> None:
        """Read what is new. While the database is away, what is known stays in force."""
        now, since = time.time(), self._read_up_to - _OVERLAP_S
        try:
            found = await self._store.read(lambda r: _written_since(r, since))
        except OrderError:
            return
        self._read_up_to = now
        new = [entry for entry in found if not self._revocations.has(entry)]
        for entry in new:
            self._revocations.add(entry)
        if new:
            self._changed()


def _written_since(reader: Reader, since: float) -> list[Revoked]:
    rows = reader.db.execute(
        "SELECT restaurant_id, token_id, user_id, at FROM revocations WHERE at >= ? ORDER BY at",
        (since,),
    ).fetchall()
    return [Revoked(*row) for row in rows]
