"""One session's order at the hub: created by its first item, changed as it grows, confirmed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import structlog

from order_events.drafts import ItemDraft, ModifierDraft
from order_events.errors import IllegalTransition, OrderError, StaleVersion
from order_events.models import Order, OrderDraft, OrderItem, OrderStatus, Source
from order_events.service import OrderEvents
from voice_service.ordering import CartUpdate, Reason

_log = structlog.get_logger(__name__)
_TIMEOUT = 10.0
"""Seconds the hub may take for one change before a person is asked to look at the order."""

_OPEN = (OrderStatus.PENDING, OrderStatus.CONFIRMED)

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
        self._left: tuple[ItemDraft, ...] = ()
        self._busy = asyncio.Lock()
        self.held = False

    async def hold(self) -> None:
        """Staff take over: once this returns, nothing is changed here."""
        self.held = True
        async with self._busy:
            pass

    def let_go(self) -> None:
        """Staff have not taken over after all."""
        self.held = False

    async def as_left(self, order_id: str | None) -> Order | None:
        """The order as staff have left it, None if there is none; raises IllegalTransition.

        `order_id` is the one to look for if nothing was ordered here: staff may have made it.
        """
        if self._taken is not None and self._taken.code == "session_id_reused":
            raise IllegalTransition(str(self._taken))
        sought = order_id if self._order is None else self._order.id
        if sought is None:
            return None
        order = await in_time(self._events.order(self._restaurant, sought))
        if order is None:
            return None
        if order.status not in _OPEN:
            raise IllegalTransition(
                f"the order is already {order.status.value}: it can no longer be handed back"
            )
        return order

    def go_on(self, order: Order | None, left: Sequence[OrderItem]) -> None:
        """Staff have handed the order back; what is `left` of it stays as it is."""
        self._order, self._taken, self.held = order, None, False
        self._left = tuple(map(_draft, left))

    async def place(self, update: CartUpdate) -> tuple[Order | None, CartUpdate]:
        """Store an update; the order as it is then, and the update with what went wrong, if so."""
        async with self._busy:
            return await self._place(update)

    async def _place(self, update: CartUpdate) -> tuple[Order | None, CartUpdate]:
        try:
            await self._bring_to(replace(update, items=(*update.items, *self._left)))
        except _TakenOver as taken:
            if not self.held:
                self._taken = taken
            return self._order, _for_staff(update, taken.code, str(taken))
        except OrderError as error:
            return self._order, _for_staff(update, error.code.value.lower(), error.message)
        except TimeoutError:
            _log.error("the hub did not store an order in time", session=self._source.session_id)
            return self._order, _for_staff(update, "unavailable", "the order could not be stored")
        return self._order, update

    async def _look(self) -> None:
        """See what staff have made of the order."""
        if self._order is not None:
            order = await in_time(self._events.order(self._restaurant, self._order.id))
            self._order = order or self._order

    async def _bring_to(self, update: CartUpdate) -> None:
        if self.held:
            await self._look()
            raise _TakenOver("staff_took_over", "staff have taken the order over")
        if self._order is None:
            if not update.items:
                return
            self._order = await in_time(self._create(update))
            if self._order.status is not OrderStatus.PENDING:
                # Most likely another guest's: the key of a creation is the session's id.
                self._taken = _TakenOver(
                    "session_id_reused", "this session_id has an order already; use a new one"
                )
        noted = update.notes is None or update.notes in (self._order.notes or "")
        if not noted or _essence(self._order.items) != _essence(update.items):
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
            self._restaurant,
            order.id,
            update.items,
            actor=self._actor,
            notes=_with_note(order.notes, update.notes),
            version=order.version,
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

    async def _create(self, update: CartUpdate) -> Order:
        """The session's order; the same one if a restarted server hears the session again."""
        draft = OrderDraft(
            type="dine-in" if self._table is not None else "drive-thru",
            table_id=self._table,
            source=self._source,
            notes=update.notes,
            items=update.items,
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


def _with_note(notes: str | None, note: str | None) -> str | None:
    """An order's notes with one more below what is there; None changes nothing."""
    if note is None or note in (notes or ""):
        return None
    return note if notes is None else f"{notes}\n{note}"[:500]


def _must_be_open(order: Order) -> None:
    if order.status is OrderStatus.CANCELLED:
        raise _TakenOver("order_cancelled", "the order was cancelled")
    if order.status not in _OPEN:
        raise _TakenOver("order_under_way", f"the order is already {order.status.value}")


def _for_staff(update: CartUpdate, code: str, why: str) -> CartUpdate:
    reason = Reason(code, why, 0, None)
    return replace(update, status="needs_staff", reasons=(*update.reasons, reason))


def _draft(item: OrderItem) -> ItemDraft:
    """The line once more, as it is."""
    return ItemDraft.model_validate(
        item.model_dump(include=set(ItemDraft.model_fields))
        | {
            "modifiers": [
                m.model_dump(include=set(ModifierDraft.model_fields)) for m in item.modifiers
            ]
        }
    )


def _essence(items: Sequence[ItemDraft] | Sequence[OrderItem]) -> list[tuple[object, ...]]:
    """What makes two lists of items the same order, whatever they cost."""
    return [
        (
            item.menu_item_id,
            item.quantity,
            item.size,
            item.special_instructions,
            item.slot,
            *((m.id, m.negated, m.qualifier, m.quantity) for m in item.modifiers),
        )
        for item in items
    ]
