"""One session's order at the hub: created by its first item, changed as it grows, confirmed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from typing import TypeVar

import structlog

from order_events.drafts import ItemDraft
from order_events.errors import OrderError
from order_events.models import Order, OrderDraft, OrderStatus, Source
from order_events.service import OrderEvents
from voice_service.ordering import CartUpdate, Reason

_log = structlog.get_logger(__name__)
_TIMEOUT = 10.0
"""Seconds the hub may take for one change before a person is asked to look at the order."""

T = TypeVar("T")


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
        self._stored: tuple[ItemDraft, ...] = ()

    async def place(self, update: CartUpdate) -> tuple[Order | None, CartUpdate]:
        """Store an update; the order as it is then, and the update with what went wrong, if so."""
        try:
            await self._bring_to(update)
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
            self._order = await _in_time(self._create(update.items))
            self._stored = update.items
        elif update.items != self._stored:
            self._order = await _in_time(
                self._events.revise_order(
                    self._restaurant, self._order.id, update.items, actor=self._actor
                )
            )
            self._stored = update.items
        if update.status == "confirmed" and self._order.status is OrderStatus.PENDING:
            self._order = await _in_time(
                self._events.set_status(
                    self._restaurant, self._order.id, OrderStatus.CONFIRMED, actor=self._actor
                )
            )

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
        )


async def _in_time(change: Awaitable[T]) -> T:
    async with asyncio.timeout(_TIMEOUT):
        return await change


def _for_staff(update: CartUpdate, code: str, why: str) -> CartUpdate:
    reason = Reason(code, why, 0, None)
    return replace(update, status="needs_staff", reasons=(*update.reasons, reason))
