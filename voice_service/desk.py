"""One session's order at the hub: created by its first item, changed as it grows, confirmed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import structlog

from order_events.drafts import ItemDraft
from order_events.errors import OrderError, StaleVersion
from order_events.models import Order, OrderDraft, OrderItem, OrderStatus, Source
from order_events.service import OrderEvents
from voice_service.ordering import CartUpdate, Reason

_log = structlog.get_logger(__name__)
_TIMEOUT = 10.0
"""Seconds the hub may take for one change before a person is asked to look at the order."""

T = TypeVar("T")


class _TakenOver(Exception):
    """The order is no longer the session's to change. `code` is the reason to give."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code


class OrderDesk:
    """Keeps the hub's order equal to what a session has understood. Calls must not overlap."""

    def __init__(
        self,
        events: OrderEvents,
        restaurant_id: str,
        actor: str,
        source: Source,
        table_id: str | None,
    ) -> None:
        self._events = events
        self._restaurant = restaurant_id
        self._actor = actor
        self._source = source
        self._table = table_id
        self._order: Order | None = None
        self._taken: _TakenOver | None = None

    async def place(self, update: CartUpdate) -> tuple[Order | None, CartUpdate]:
        """Store an update; the order as it is then, and the update with what went wrong, if so."""
        try:
            await self._bring_to(update)
        except _TakenOver as taken:
            self._taken = taken
            return self._order, _for_staff(update, taken.code, str(taken))
        except OrderError as error:
            return self._order, _for_staff(update, error.code.value.lower(), error.message)
        except TimeoutError:
            _log.error("the hub did not store an order in time", session=self._source.session_id)
            return self._order, _for_staff(update, "unavailable", "the order could not be stored")
        return self._order, update

    async def _bring_to(self, update: CartUpdate) -> None:
        if self._order is None:
            if not update.items:
                return
            self._order = await in_time(self._create(update.items))
            if self._order.status is not OrderStatus.PENDING:
                # Most likely another guest's: the key of a creation is the session's id.
                self._taken = _TakenOver(
                    "session_id_reused", "this session_id has an order already; use a new one"
                )
        if _essence(self._order.items) != _essence(update.items):
            await self._write(update, self._revise)
        if update.status == "confirmed" and self._order.status is OrderStatus.PENDING:
            await self._write(update, self._confirm)

    async def _write(
        self, update: CartUpdate, change: Callable[[Order, CartUpdate], Awaitable[Order]]
    ) -> None:
        """Make a change to the order as we last saw it; staff's own changes are not undone."""
        order = self._require()
        if self._taken is not None:
            raise self._taken
        _must_be_open(order)
        try:
            self._order = await in_time(change(order, update))
        except StaleVersion as stale:
            fresh = await in_time(self._events.order(self._restaurant, order.id))
            self._order = fresh or order
            if _essence(self._order.items) != _essence(order.items):
                raise _TakenOver("changed_by_staff", "staff have changed the order") from stale
            _must_be_open(self._order)
            self._order = await in_time(change(self._order, update))

    async def _revise(self, order: Order, update: CartUpdate) -> Order:
        return await self._events.revise_order(
            self._restaurant, order.id, update.items, actor=self._actor, version=order.version
        )

    async def _confirm(self, order: Order, update: CartUpdate) -> Order:
        return await self._events.set_status(
            self._restaurant,
            order.id,
            OrderStatus.CONFIRMED,
            actor=self._actor,
            version=order.version,
        )

    def _require(self) -> Order:
        if self._order is None:
            raise RuntimeError("there is no order yet")
        return self._order

    async def _create(self, items: Sequence[ItemDraft]) -> Order:
        """The session's order; the same one if a restarted server hears the session again."""
        draft = OrderDraft(
            type="dine-in" if self._table is not None else "drive-thru",
            table_id=self._table,
            source=self._source,
            items=tuple(items),
        )
        return await self._events.create_order(
            self._restaurant,
            draft,
            actor=self._actor,
            idempotency_key=f"voice:{self._actor}:{self._source.session_id}",
            # The same session, heard once more, may be understood a little differently.
            draft_may_differ=True,
        )


async def in_time(change: Awaitable[T]) -> T:
    """What the hub answers; raises TimeoutError if it takes too long."""
    async with asyncio.timeout(_TIMEOUT):
        return await change


def _must_be_open(order: Order) -> None:
    if order.status not in (OrderStatus.PENDING, OrderStatus.CONFIRMED):
        raise _TakenOver("order_under_way", f"the order is already {order.status.value}")


def _for_staff(update: CartUpdate, code: str, why: str) -> CartUpdate:
    reason = Reason(code, why, 0, None)
    return replace(update, status="needs_staff", reasons=(*update.reasons, reason))


def _essence(items: Sequence[ItemDraft] | Sequence[OrderItem]) -> list[tuple[object, ...]]:
    """What makes two lists of items the same order, whatever they cost."""
    return [
        (
            item.menu_item_id,
            item.quantity,
            item.size,
            item.special_instructions,
            *((m.id, m.negated, m.qualifier, m.quantity) for m in item.modifiers),
        )
        for item in items
    ]
