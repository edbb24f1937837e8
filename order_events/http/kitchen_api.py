"""The `/v1` API for what kitchens do besides the next step: each handler with its route."""

from __future__ import annotations

from order_events.auth.roles import Action
from order_events.domain.models import ItemStatusChange, VersionCheck
from order_events.http.routes import Call, route
from order_events.http.schemas import OrderAnswer
from order_events.ledger.kitchen import Kitchen
from order_events.protocol.messages import ErrorCode

_CHANGING = (ErrorCode.NOT_FOUND, ErrorCode.STALE_VERSION)
_STEPPING = (*_CHANGING, ErrorCode.ILLEGAL_TRANSITION)


class KitchenApi:
    """The handlers. They raise OrderError."""

    def __init__(self, kitchen: Kitchen) -> None:
        self._kitchen = kitchen

    @route(
        "POST",
        "/v1/orders/{id}/recall",
        Action.SET_STATUS,
        VersionCheck,
        OrderAnswer,
        errors=_STEPPING,
    )
    async def recall_order(self, call: Call[VersionCheck]) -> OrderAnswer:
        """Take back an order's last status step, within a time."""
        order = await self._kitchen.recall(
            call.principal.restaurant_id,
            call.path["id"],
            actor=call.principal.user_id,
            version=call.body.version,
        )
        return OrderAnswer(order=order)

    @route(
        "POST",
        "/v1/orders/{id}/items/{item_id}/status",
        Action.SET_STATUS,
        ItemStatusChange,
        OrderAnswer,
        errors=_STEPPING,
    )
    async def set_item_status(self, call: Call[ItemStatusChange]) -> OrderAnswer:
        """Mark a line of an order as done, or as open again."""
        order = await self._kitchen.set_item_status(
            call.principal.restaurant_id,
            call.path["id"],
            call.path["item_id"],
            call.body,
            actor=call.principal.user_id,
        )
        return OrderAnswer(order=order)

    @route(
        "POST",
        "/v1/orders/{id}/acknowledge",
        Action.SET_STATUS,
        VersionCheck,
        OrderAnswer,
        errors=_CHANGING,
    )
    async def acknowledge_changes(self, call: Call[VersionCheck]) -> OrderAnswer:
        """Record that the kitchen has seen an order's changed and voided lines."""
        order = await self._kitchen.acknowledge(
            call.principal.restaurant_id,
            call.path["id"],
            actor=call.principal.user_id,
            version=call.body.version,
        )
        return OrderAnswer(order=order)
