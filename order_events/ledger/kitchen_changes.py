"""What a kitchen does to an order besides its next step, each a function of one transaction."""

from __future__ import annotations

from datetime import timedelta

from order_events.domain import orders
from order_events.domain.event_payloads import ItemStatusData, OrderStatusData
from order_events.domain.models import ItemStatusChange, Order, OrderStatus
from order_events.ledger import audit_log, changes
from order_events.protocol import filters
from order_events.protocol.errors import IllegalTransition
from order_events.storage.transaction import Tx


def recall(
    tx: Tx, restaurant_id: str, order_id: str, version: int | None, actor: str, within: timedelta
) -> Order:
    """Take back the order's last step; append `order:status` and `order:updated`.

    Raises NotFound, StaleVersion, or IllegalTransition if there is no such step, it is longer ago
    than `within`, or money has moved because of it.
    """
    before = tx.require_order(restaurant_id, order_id)
    order = orders.recall(before, version, actor=actor, now=tx.timestamp, within=within)
    if before.status is OrderStatus.CANCELLED and _refunded(tx, before):
        raise IllegalTransition("the order was refunded after it was cancelled: make a new one")
    data = OrderStatusData(
        order_id=order.id,
        status=order.status,
        previous_status=before.status,
        version=order.version,
        actor=actor,
        recalled=True,
    )
    tags = changes.order_tags(order)
    tx.append(restaurant_id, filters.ORDER_STATUS, data, tags)
    audit_log.order_changed(tx, "recalled", before, order)
    return changes.updated(tx, order)


def set_item_status(
    tx: Tx, restaurant_id: str, order_id: str, item_id: str, change: ItemStatusChange, actor: str
) -> Order:
    """Mark a line as done or as open again; append `order:item_status` and `order:updated`.

    A line that has the status already is no change. Raises NotFound, StaleVersion or
    IllegalTransition.
    """
    before = tx.require_order(restaurant_id, order_id)
    order = orders.set_item_status(
        before, item_id, change.status, change.version, actor=actor, now=tx.timestamp
    )
    if order is before:
        return order
    data = ItemStatusData(
        order_id=order.id,
        item_id=item_id,
        status=change.status,
        version=order.version,
        actor=actor,
    )
    tags = changes.order_tags(order)
    tx.append(restaurant_id, filters.ORDER_ITEM_STATUS, data, tags)
    return changes.updated(tx, order)


def acknowledge(
    tx: Tx, restaurant_id: str, order_id: str, version: int | None, actor: str
) -> Order:
    """Forget the order's changes, which the kitchen has seen; raise NotFound or StaleVersion."""
    before = tx.require_order(restaurant_id, order_id)
    order = orders.acknowledge(before, version, actor=actor, now=tx.timestamp)
    return order if order is before else changes.updated(tx, order)


def _refunded(tx: Tx, order: Order) -> bool:
    """Return whether money was given back since the order was cancelled."""
    since = order.status_times[OrderStatus.CANCELLED]
    payments, _ = tx.payments(order.restaurant_id, order_id=order.id, limit=orders.MOST_PAYMENTS)
    return any(p.status == "refunded" and p.created_at >= since for p in payments)
