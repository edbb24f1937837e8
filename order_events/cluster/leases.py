"""Leases in the database: of several nodes, one does what needs doing once.

Times are Unix seconds of the nodes' clocks, which must agree to a few seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Protocol

import structlog

from order_events.protocol.errors import OrderError
from order_events.storage.store import Store
from order_events.storage.transaction import Tx

CARETAKER = "caretaker"
LASTS_S = 15.0
"""A node that has not renewed its leases for this long has lost them."""
RENEW_S = 5.0
SETTLED_S = 30.0
"""Seconds of holding the lease before other nodes count as gone: after the database was away, they
need time to come back."""
_NODE = "node:"

logger = structlog.get_logger(__name__)


class Care(Protocol):
    """Does what one node does for all."""

    async def __call__(self, *, settled: bool) -> None:
        """Do it. `settled`: nodes that have not been seen are gone."""


def take(tx: Tx, name: str, holder: str) -> bool:
    """Take or renew a lease; return False if somebody else holds it."""
    now = tx.at.timestamp()
    row = tx.db.execute(
        "INSERT INTO leases (name, holder, expires_at) VALUES (?, ?, ?)"
        " ON CONFLICT (name) DO UPDATE SET holder = excluded.holder,"
        " expires_at = excluded.expires_at"
        " WHERE leases.holder = excluded.holder OR leases.expires_at < ? RETURNING holder",
        (name, holder, now + LASTS_S, now),
    ).fetchone()
    return row is not None


def live_nodes(tx: Tx) -> list[str]:
    """Return the nodes that have renewed their leases."""
    rows = tx.db.execute(
        "SELECT holder FROM leases WHERE name LIKE ? AND expires_at >= ?",
        (f"{_NODE}%", tx.at.timestamp()),
    ).fetchall()
    return [holder for (holder,) in rows]


def release(tx: Tx, holder: str) -> None:
    """Give up all leases of a node, and forget those that expired long ago."""
    tx.db.execute(
        "DELETE FROM leases WHERE holder = ? OR expires_at < ?",
        (holder, tx.at.timestamp() - LASTS_S),
    )


class Caretaker:
    """Whether this node does what one node has to do. `care` is called regularly while it does."""

    def __init__(self, store: Store, node: str, *, shared: bool, care: Care) -> None:
        self._store = store
        self._node = node
        self._shared = shared
        self._care = care
        self._since: float | None = None
        self._until = 0.0
        self._task: asyncio.Task[None] | None = None

    @property
    def held(self) -> bool:
        """True if this node is the one, or the only one there is."""
        return not self._shared or self._now() < self._until

    @property
    def settled(self) -> bool:
        """True if it has been for a while."""
        return self.held and self._since is not None and self._now() - self._since >= SETTLED_S

    async def open(self) -> None:
        """Begin to apply for it."""
        if self._shared:
            self._task = asyncio.create_task(self._run(), name="caretaker")

    async def close(self) -> None:
        """Leave it to the others."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._until = 0.0
            # If the database is away, the lease expires by itself.
            with contextlib.suppress(OrderError):
                await self._store.write(lambda tx: release(tx, self._node))

    async def _run(self) -> None:
        while True:
            try:
                await self._renew()
                if self.held:
                    await self._care(settled=self.settled)
            except OrderError as error:
                logger.warning("the leases could not be renewed", why=str(error))
            except Exception:
                # The task's boundary: it goes on with the next renewal.
                logger.exception("taking care failed")
            await asyncio.sleep(RENEW_S)

    async def _renew(self) -> None:
        asked = self._now()

        def renew(tx: Tx) -> bool:
            take(tx, f"{_NODE}{self._node}", self._node)
            return take(tx, CARETAKER, self._node)

        if not await self._store.write(renew):
            self._since = None
            return
        if not self.held or self._since is None:
            self._since = asked
            logger.info("this node takes care of retention and webhooks")
        self._until = asked + LASTS_S - RENEW_S

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
