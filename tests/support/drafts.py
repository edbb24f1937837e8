"""Orders made from drafts, without a server."""

from __future__ import annotations

from typing import Any

from order_events.domain import orders
from order_events.domain.drafts import ItemDraft, ModifierDraft
from order_events.domain.models import Order, OrderDraft
from order_events.menu.menu import Menu

NOW = "2026-01-01T00:00:00.000Z"


def order_of(menu: Menu, *items: ItemDraft) -> Order:
    """Return a new order of these items."""
    return orders.create(
        OrderDraft(items=items or (ItemDraft(menu_item_id="burger"),)),
        menu,
        orders.OrderIdentity("r", id="o", number="20260101-0001"),
        actor="a",
        now=NOW,
    )


def burger(*modifiers: ModifierDraft, **fields: Any) -> ItemDraft:
    """Return a burger with modifiers."""
    return ItemDraft(menu_item_id="burger", modifiers=modifiers, **fields)
