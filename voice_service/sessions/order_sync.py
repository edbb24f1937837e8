"""One session's order at the hub: created by its first item, changed as it grows, confirmed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import structlog

from order_events.domain.drafts import ItemDraft, ModifierDraft
from order_events.domain.models import (
    Order,
    OrderChange,
    OrderDraft,
    OrderItem,
    OrderStatus,
    Source,
)
from order_events.protocol.errors import IllegalTransition, OrderError, StaleVersion
from order_events.service import OrderEvents
from voice_service.ordering import CartUpdate, Reason

_log = structlog.get_logger(__name__)
_TIMEOUT = 10.0
"""Seconds the hub may take for one change before a person is asked to look at the order."""

_NOTES = 500
"""Letters of an order's notes, at most."""
_TRIES = 3
"""To add an allergy to an order that others are changing too."""

_OPEN = (OrderStatus.PENDING, OrderStatus.CONFIRMED)

T = TypeVar("T")


class _Refused(Exception):
    """The order stays as it is. `code` is the reason to give; None if the update has reasons."""

    def __init__(self, code: str | None, why: str) -> None:
        super().__init__(why)
        self.code = code


class _TakenOver(_Refused):
    """The order is no longer the session's to change."""


class _Held(_Refused):
    """Staff have the order now, or had it when the guest said this."""


class OrderSync:
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
        self._named: str | None = None
        self._turn = 0
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
        self._turn += 1
        self._left = tuple(map(_draft, left))

    async def place(
        self, update: CartUpdate, turn: int | None = None
    ) -> tuple[Order | None, CartUpdate]:
        """Store an update; the order as it is then, and the update with what went wrong, if so.

        `turn`: how often the order had been handed back when the update arose; None is now.
        """
        async with self._busy:
            return await self._place(update, past=turn not in (None, self._turn))

    async def _place(self, update: CartUpdate, *, past: bool) -> tuple[Order | None, CartUpdate]:
        try:
            await self._must_be_ours(past=past)
            await self._bring_to(replace(update, items=(*update.items, *self._left)))
        except _Refused as refused:
            if isinstance(refused, _TakenOver):
                self._taken = refused
            await self._note(update)
            return self._order, _for_staff(update, refused.code, str(refused))
        except OrderError as error:
            await self._note(update)
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

    async def _must_be_ours(self, *, past: bool) -> None:
        if self.held or past:
            await self._look()
            raise _Held("staff_took_over", "staff have taken the order over")

    async def _bring_to(self, update: CartUpdate) -> None:
        if self._order is None:
            if not update.items:
                return
            self._order = await in_time(self._create(update))
            if self._order.status is not OrderStatus.PENDING:
                # Most likely another guest's: the key of a creation is the session's id.
                self._taken = _TakenOver(
                    "session_id_reused", "this session_id has an order already; use a new one"
                )
        changed = _essence(self._order.items) != _essence(update.items)
        if changed or self._new_name(self._order, update) is not None:
            await self._write(update, self._revise)
        await self._note(update)
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
        changed = _essence(order.items) != _essence(update.items)
        if changed and order.status is OrderStatus.CONFIRMED:
            _must_be_whole(update)
        name = self._new_name(order, update)
        fields = {
            "items": update.items if changed else None,
            "notes": _with_note(order.notes, update.notes),
            "customer_name": name,
        }
        change = OrderChange(
            version=order.version, **{k: v for k, v in fields.items() if v is not None}
        )
        revised = await self._events.change_order(
            self._restaurant, order.id, change, actor=self._actor
        )
        self._named = name or self._named
        return revised

    def _new_name(self, order: Order, update: CartUpdate) -> str | None:
        """For whom the order is, if that is news; what staff have written there stays."""
        name = update.customer_name
        ours = order.customer_name in (None, self._named) and order.status in _OPEN
        return name if ours and name != order.customer_name else None

    async def _confirm(self, order: Order, update: CartUpdate) -> Order:
        return await self._events.set_status(
            self._restaurant,
            order.id,
            OrderStatus.CONFIRMED,
            actor=self._actor,
            version=order.version,
        )

    async def _note(self, update: CartUpdate) -> None:
        """Bring an allergy onto the order, also where its items are no longer ours to change."""
        if update.notes is None or (self._taken and self._taken.code == "session_id_reused"):
            return
        if self._order is not None and _with_note(self._order.notes, update.notes) is None:
            return
        try:
            order_id = self._order.id if self._order is not None else await self._made_by_staff()
            for _ in range(_TRIES if order_id is not None else 0):
                if await self._noted(order_id or "", update.notes):
                    return
        except (OrderError, TimeoutError) as error:
            # The session's reasons have it all the same, and staff are called.
            _log.warning(
                "an allergy is not on the order",
                session=self._source.session_id,
                why=str(error),
            )

    async def _noted(self, order_id: str, note: str) -> bool:
        """Whether the order has the note now; False if somebody else changed it meanwhile."""
        order = await in_time(self._events.order(self._restaurant, order_id))
        notes = None if order is None else _with_note(order.notes, note)
        if order is None or notes is None:
            return True
        change = OrderChange(notes=notes, version=order.version)
        try:
            noted = await in_time(
                self._events.change_order(self._restaurant, order.id, change, actor=self._actor)
            )
        except StaleVersion:
            return False
        seen = self._order
        if seen is not None and _essence(seen.items) == _essence(noted.items):
            self._order = noted
        return True

    async def _made_by_staff(self) -> str | None:
        """The order that staff have made for the session they hold."""
        session_id = self._source.session_id
        if not self.held or session_id is None:
            return None
        session = await in_time(self._events.ledger.session(self._restaurant, session_id))
        return session.order_id

    def _require(self) -> Order:
        if self._order is None:
            raise RuntimeError("there is no order yet")
        return self._order

    async def _create(self, update: CartUpdate) -> Order:
        """The session's order; the same one if a restarted server hears the session again."""
        self._named = update.customer_name
        draft = OrderDraft(
            type="dine-in" if self._table is not None else "drive-thru",
            table_id=self._table,
            customer_name=update.customer_name,
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
    """An order's notes with the lines of `note` first, where no cut loses them.

    None changes nothing: it has them all.
    """
    lines = [] if note is None else note.splitlines()
    there = [] if notes is None else notes.splitlines()
    if set(lines) <= set(there):
        return None
    return "\n".join([*lines, *(line for line in there if line not in lines)])[:_NOTES]


def _must_be_whole(update: CartUpdate) -> None:
    """What the guest has confirmed is not changed by half: it stays until the change is whole."""
    if not update.items:
        raise _Refused("order_emptied", "nothing is left of an order that is confirmed: cancel it?")
    if not update.settled:
        raise _Refused(None, "the change is not complete")


def _must_be_open(order: Order) -> None:
    if order.status is OrderStatus.CANCELLED:
        raise _TakenOver("order_cancelled", "the order was cancelled")
    if order.status not in _OPEN:
        raise _TakenOver("order_under_way", f"the order is already {order.status.value}")


def _for_staff(update: CartUpdate, code: str | None, why: str) -> CartUpdate:
    if code is None:
        return update
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
