"""What kitchens do to orders besides their next step, for the HTTP API.

Methods return once the change is on disk. All raise OrderError.
"""

from __future__ import annotations

from datetime import timedelta

from order_events.domain.models import ItemStatusChange, Order
from order_events.ledger import kitchen_changes
from order_events.storage.store import Store


class Kitchen:
    """The kitchens of all restaurants of a process; steps can be recalled `within` a time."""

    def __init__(self, store: Store, within: timedelta) -> None:
        self._store = store
        self._within = within

    async def recall(
        self, restaurant_id: str, order_id: str, *, actor: str, version: int | None
    ) -> Order:
        """Take back the order's last status step."""
        return await self._store.write(
            lambda tx: kitchen_changes.recall(
                tx, restaurant_id, order_id, version, actor, self._within
            ),
            restaurant_id,
        )

    async def set_item_status(
        self,
        restaurant_id: str,
        order_id: str,
        item_id: str,
        change: ItemStatusChange,
        *,
        actor: str,
    ) -> Order:
        """Mark a line of an order as done or as open again."""
        return await self._store.write(
            lambda tx: kitchen_changes.set_item_status(
                tx, restaurant_id, order_id, item_id, change, actor
            ),
            restaurant_id,
        )

    async def acknowledge(
        self, restaurant_id: str, order_id: str, *, actor: str, version: int | None
    ) -> Order:
        """Record that the kitchen has seen what changed."""
        return await self._store.write(
            lambda tx: kitchen_changes.acknowledge(tx, restaurant_id, order_id, version, actor),
            restaurant_id,
        )
