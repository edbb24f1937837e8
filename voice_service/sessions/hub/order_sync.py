"""Keep one session's order at the hub: create it, change it as it grows, and confirm it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import structlog

from order_events.domain.drafts import ItemDraft
from order_events.domain.models import (
    ALLERGY,
    MAX_ATTENTION,
    Order,
    OrderChange,
    OrderDraft,
    OrderItem,
    OrderStatus,
    Source,
)
from order_events.ledger.voice_sessions import Fence
from order_events.protocol.errors import (
    IllegalTransition,
    OrderError,
    SessionHeld,
    SessionLost,
    StaleVersion,
    StoreUnavailable,
)
from order_events.service import OrderEvents
from voice_service.ordering import CartUpdate, Reason
from voice_service.sessions.attention import attention
from voice_service.sessions.hub.order_contents import draft_of, essence, with_note
from voice_service.sessions.hub.patience import in_time, patiently

_log = structlog.get_logger(__name__)
_TRIES = 3
"""Attempts to write what a person must know onto an order that others are changing, too."""
_OPEN = (OrderStatus.PENDING, OrderStatus.CONFIRMED)
"""States in which an order may still be changed."""


class _Refused(Exception):
    """The order stays as it is. `code` is the reason to give; None if the update has its own."""

    def __init__(self, code: str | None, why: str) -> None:
        super().__init__(why)
        self.code = code


class _TakenOver(_Refused):
    """The order is no longer the session's to change."""


class _Held(_Refused):
    """Staff hold the order now, or held it when the guest said this."""


class OrderSync:
    """Keeps the hub's order equal to what a session has understood. Calls must not overlap.

    While the database is away, a change waits for `patience_s` seconds. `fence` is the session's,
    once it has begun.
    """

    def __init__(
        self,
        events: OrderEvents,
        restaurant_id: str,
        actor: str,
        source: Source,
        table_id: str | None,
        patience_s: float = 0.0,
    ) -> None:
        self._events = events
        self._restaurant = restaurant_id
        self._actor = actor
        self._source = source
        self._table = table_id
        self._order: Order | None = None
        self._taken: _TakenOver | None = None
        self._left: tuple[ItemDraft, ...] = ()
        self._said: dict[str, str] = {}
        self._turn = 0
        self._busy = asyncio.Lock()
        self._patience_s = patience_s
        self.held = False
        self.fence: Fence | None = None

    async def hold(self) -> None:
        """Let staff take over: once this returns, nothing here changes the order."""
        self.held = True
        async with self._busy:
            pass

    def release(self) -> None:
        """Undo `hold`: staff have not taken over after all."""
        self.held = False

    async def order_to_hand_back(self, order_id: str | None) -> Order | None:
        """Return the order as staff have left it; None if there is none.

        If nothing was ordered here, staff may have made the order: `order_id` is then its id.
        Raises IllegalTransition if the order can no longer be handed back.
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

    def resume(self, order: Order | None, left: Sequence[OrderItem]) -> None:
        """Take an order back from staff; its items in `left` stay as they are."""
        self._order, self._taken, self.held = order, None, False
        self._turn += 1
        self._left = tuple(map(draft_of, left))

    async def place(
        self, update: CartUpdate, turn: int | None = None
    ) -> tuple[Order | None, CartUpdate]:
        """Store an update; return the order as it is then, and the update with any problems.

        `turn` is how often the order had been handed back when the update arose; None is now.
        """
        async with self._busy:
            return await self._place(update, past=turn not in (None, self._turn))

    async def _place(self, update: CartUpdate, *, past: bool) -> tuple[Order | None, CartUpdate]:
        whole = replace(update, items=(*update.items, *self._left))
        try:
            await patiently(
                lambda: self._attempt(whole, past=past), self._patience_s, lambda: self.held
            )
        except SessionLost:
            raise
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
        return self._order, self._as_trial(update)

    def _as_trial(self, update: CartUpdate) -> CartUpdate:
        """Return the update with a person in the place of whatever would accept a trial's order."""
        if self._order is None or not self._order.on_trial:
            return update
        ends = update.status in ("confirmed", "needs_staff")
        whole = _for_staff(update, "menu_on_trial", "the menu is on trial") if ends else update
        return replace(whole, status_without_trial=update.status)

    async def _refresh(self) -> None:
        """Read the order again: staff may have changed it."""
        if self._order is not None:
            order = await in_time(self._events.order(self._restaurant, self._order.id))
            self._order = order or self._order

    async def _attempt(self, update: CartUpdate, *, past: bool) -> None:
        await self._require_control(past=past)
        if self.fence is None and self._events.store.shared:
            # It could not be entered, so another node may have it by now.
            raise StoreUnavailable("the session could not be entered; staff have to look at it")
        try:
            await self._bring_to(update)
        except SessionHeld as held:
            # At another node, which has not told yet.
            await self._refresh()
            raise _Held("staff_took_over", held.message) from held

    async def _require_control(self, *, past: bool) -> None:
        if self.held or past:
            await self._refresh()
            raise _Held("staff_took_over", "staff have taken the order over")

    async def _bring_to(self, update: CartUpdate) -> None:
        if self._order is None:
            if not update.items:
                return
            self._order = await in_time(self._create(update))
            if self._order.status is not OrderStatus.PENDING:
                # Most likely another guest's order: creations are keyed by session id.
                self._taken = _TakenOver(
                    "session_id_reused", "this session_id has an order already; use a new one"
                )
        update = self._as_trial(update)
        changed = essence(self._order.items) != essence(update.items)
        if changed or self._news(self._order, update):
            await self._write(update, self._revise)
        await self._note(update)
        if update.status == "confirmed" and self._order.status is OrderStatus.PENDING:
            await self._write(update, self._confirm)

    async def _write(
        self, update: CartUpdate, change: Callable[[Order, CartUpdate], Awaitable[Order]]
    ) -> None:
        """Change the order as it was last seen here, without undoing changes made by staff."""
        order = self._require()
        if self._taken is not None:
            raise self._taken
        _must_be_open(order)
        try:
            self._order = await in_time(change(order, update))
        except StaleVersion as stale:
            fresh = await in_time(self._events.order(self._restaurant, order.id))
            self._order = fresh or order
            ours = self._order.updated_by == self._actor
            if ours and essence(self._order.items) == essence(update.items):
                # An earlier attempt, whose answer was lost: what is missing of it follows.
                return await self._bring_to(update)
            if essence(self._order.items) != essence(order.items):
                raise _TakenOver("changed_by_staff", "staff have changed the order") from stale
            _must_be_open(self._order)
            self._order = await in_time(change(self._order, update))

    async def _revise(self, order: Order, update: CartUpdate) -> Order:
        changed = essence(order.items) != essence(update.items)
        if changed and order.status is OrderStatus.CONFIRMED:
            _must_be_whole(update)
        news = self._news(order, update)
        fields = {
            "items": update.items if changed else None,
            **news,
            **self._to_know(order, update),
        }
        change = OrderChange(
            version=order.version, **{k: v for k, v in fields.items() if v is not None}
        )
        revised = await self._events.change_order(
            self._restaurant, order.id, change, actor=self._actor, fence=self.fence
        )
        self._said |= news
        return revised

    def _news(self, order: Order, update: CartUpdate) -> dict[str, str]:
        """Return for whom and for where the order is, if that is news; what staff wrote stays."""
        written = {field: getattr(order, field) for field in ("customer_name", "table_number")}
        return {
            field: told
            for field, told in self._told(update).items()
            if order.status in _OPEN
            and written[field] in (None, self._said.get(field))
            and written[field] != told
        }

    def _told(self, update: CartUpdate) -> dict[str, str]:
        """Return what the guest has said of the order itself; the microphone's own table counts."""
        table_number = update.table_number if self._table is None else None
        told = {"customer_name": update.customer_name, "table_number": table_number}
        return {field: value for field, value in told.items() if value is not None}

    def _to_know(self, order: Order, update: CartUpdate) -> dict[str, Any]:
        """Return what the order does not say yet of what a person must know.

        Of an order that is no longer the session's to change, only an allergy is news.
        """
        known, now = order.attention, attention(update)
        if self.held or self._taken is not None or order.status not in _OPEN:
            allergies = (a for a in now if a.code == ALLERGY and a not in known)
            now = (*known, *allergies)[:MAX_ATTENTION]
        notes = with_note(order.notes, update.notes)
        said = {} if notes is None else {"notes": notes}
        return said if now == known else {**said, "attention": now}

    async def _confirm(self, order: Order, update: CartUpdate) -> Order:
        return await self._events.set_status(
            self._restaurant,
            order.id,
            OrderStatus.CONFIRMED,
            actor=self._actor,
            version=order.version,
            fence=self.fence,
        )

    async def _note(self, update: CartUpdate) -> None:
        """Write what a person must know, even if the order's items are no longer ours to change."""
        if self._taken and self._taken.code == "session_id_reused":
            return
        if self._order is None and update.notes is None:
            return
        if self._order is not None and not self._to_know(self._order, update):
            return
        try:
            order_id = self._order.id if self._order is not None else await self._made_by_staff()
            for _ in range(_TRIES if order_id is not None else 0):
                if await self._noted(order_id or "", update):
                    return
        except (OrderError, TimeoutError) as error:
            # The reasons of the session name the allergy as well, and staff are called.
            _log.warning(
                "what a person must know is not on the order",
                session=self._source.session_id,
                why=str(error),
            )

    async def _noted(self, order_id: str, update: CartUpdate) -> bool:
        """Write it; return False if somebody else changed the order meanwhile."""
        order = await in_time(self._events.order(self._restaurant, order_id))
        fields = {} if order is None else self._to_know(order, update)
        if order is None or not fields:
            return True
        change = OrderChange(version=order.version, **fields)
        try:
            noted = await in_time(
                self._events.change_order(
                    self._restaurant,
                    order.id,
                    change,
                    actor=self._actor,
                    # What a person must know is told whoever has the order.
                    fence=self.fence and replace(self.fence, though_held=True),
                )
            )
        except StaleVersion:
            return False
        seen = self._order
        if seen is not None and essence(seen.items) == essence(noted.items):
            self._order = noted
        return True

    async def _made_by_staff(self) -> str | None:
        """Return the id of the order that staff have made for the session they hold, if any."""
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
        """Create the session's order. A session heard again after a restart gets the same one."""
        self._said = self._told(update)
        at_table = self._table is not None or "table_number" in self._said
        draft = OrderDraft(
            type="dine-in" if at_table else "drive-thru",
            table_id=self._table,
            customer_name=self._said.get("customer_name"),
            table_number=self._said.get("table_number"),
            source=self._source,
            notes=update.notes,
            attention=attention(update),
            items=update.items,
        )
        return await self._events.create_order(
            self._restaurant,
            draft,
            actor=self._actor,
            idempotency_key=f"voice:{self._actor}:{self._source.session_id}",
            # A session that is heard again may be understood a little differently.
            spoken=True,
            fence=self.fence,
        )


def _must_be_whole(update: CartUpdate) -> None:
    """Raise unless the update is complete: a confirmed order must not be half changed."""
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
