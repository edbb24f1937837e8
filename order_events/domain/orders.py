"""The order aggregate: prices, totals, the status machine and versions. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from order_events.domain import line_changes
from order_events.domain.combos import part_price, part_size, with_parts
from order_events.domain.drafts import ItemDraft
from order_events.domain.models import (
    ALLERGY,
    MAX_ATTENTION,
    ItemStatus,
    Order,
    OrderChange,
    OrderDraft,
    OrderItem,
    OrderStatus,
    PaymentStatus,
    SetAside,
)
from order_events.domain.modifiers import extras, price_modifiers
from order_events.menu.entries import MenuItem
from order_events.menu.menu import Menu
from order_events.protocol.errors import (
    IllegalTransition,
    InvalidOrder,
    NotFound,
    NotServed,
    SoldOut,
    StaleVersion,
    UnknownItem,
)

S = OrderStatus
TRANSITIONS: dict[OrderStatus, frozenset[OrderStatus]] = {
    S.PENDING: frozenset({S.CONFIRMED, S.CANCELLED}),
    S.CONFIRMED: frozenset({S.PREPARING, S.CANCELLED}),
    S.PREPARING: frozenset({S.READY, S.CANCELLED}),
    S.READY: frozenset({S.PICKED_UP, S.COMPLETED, S.CANCELLED}),
    S.PICKED_UP: frozenset({S.COMPLETED}),
    S.COMPLETED: frozenset(),
    S.CANCELLED: frozenset(),
}
"""For each status, those that may follow it."""

CHANGEABLE = frozenset({S.PENDING, S.CONFIRMED, S.PREPARING})
"""Statuses in which an order may still be changed: until the kitchen has finished it."""

MOST_TOTAL = 10_000_000
"""Highest total of an order in cents, unless a setting says otherwise."""
MAX_BYTES = 262_144
"""Most bytes of an order as JSON: each of its events must fit into a reader's outbox."""

MOST_PAYMENTS = 1_000
"""Most payments of an order that are looked at."""
_IN_KITCHEN = frozenset({S.CONFIRMED, S.PREPARING, S.READY})
_ORDER = tuple(S)

LATE = timedelta(minutes=15)
"""How long after its hours an item may still be ordered, by a guest who began in time."""


def tax_on(subtotal: int, rate: Decimal) -> int:
    """Return the tax in cents, computed exactly and rounded half up."""
    return int((subtotal * rate).quantize(Decimal(1), rounding=ROUND_HALF_UP))


@dataclass(frozen=True, slots=True)
class OrderIdentity:
    """What identifies a new order: its restaurant, id and number ("20260701-0042")."""

    restaurant_id: str
    id: str
    number: str


def create(
    draft: OrderDraft,
    menu: Menu,
    identity: OrderIdentity,
    *,
    actor: str,
    now: str,
    on_trial: bool = False,
    most_total: int = MOST_TOTAL,
) -> Order:
    """Return a new order, version 1; raise UnknownItem, SoldOut, NotServed or InvalidOrder."""
    items = price_items(draft.items, menu, already={}, now=now)
    order = Order(
        id=identity.id,
        restaurant_id=identity.restaurant_id,
        order_number=identity.number,
        type=draft.type,
        status=S.PENDING,
        items=items,
        **_totals(items, menu),
        currency=menu.currency,
        table_id=draft.table_id,
        table_number=draft.table_number,
        customer_name=draft.customer_name,
        notes=draft.notes,
        source=draft.source,
        attention=draft.attention,
        prep_time=_prep_time(items, menu),
        on_trial=on_trial,
        version=1,
        created_at=now,
        updated_at=now,
        updated_by=actor,
        status_times={S.PENDING: now},
    )
    _check(order, most_total)
    return order if order.total else with_paid(order, 0)


def revise(
    order: Order,
    change: OrderChange,
    menu: Menu | None,
    *,
    actor: str,
    now: str,
    most_total: int = MOST_TOTAL,
) -> Order:
    """Return the changed order, or the same object if nothing is to change.

    `menu` is needed to change items. Raises OrderError.
    """
    check_version(order.version, change.version)
    if change.items is None and not change.named:
        return order
    if order.status not in CHANGEABLE:
        raise IllegalTransition(f"an order that is {order.status} can no longer be changed")
    changed: dict[str, object] = {**change.named}
    if change.items is not None:
        if menu is None:
            raise InvalidOrder("the restaurant has no menu")
        already: Counter[str] = Counter()
        for item in order.items:
            already[item.menu_item_id] += item.quantity
        priced = price_items(change.items, menu, already=already, now=now)
        items = tuple(line_changes.keeping_status(order.items, priced))
        changed |= {"items": items, **_totals(items, menu), "prep_time": _prep_time(items, menu)}
        if order.status in _IN_KITCHEN:
            changed["changes"] = line_changes.added_to(
                order.changes, order.items, items, by=actor, at=now
            )
    revised = with_paid(_next(order, changed, actor, now), order.paid)
    _check(revised, most_total)
    return revised


def set_status(
    order: Order,
    status: OrderStatus,
    version: int | None,
    *,
    actor: str,
    now: str,
    reason: str | None = None,
) -> Order:
    """Return the order one step on; raise IllegalTransition or StaleVersion.

    The lines of an order that the kitchen had, and that is cancelled, are all voided.
    """
    check_version(order.version, version)
    if status not in TRANSITIONS[order.status]:
        raise IllegalTransition(f"an order that is {order.status} cannot become {status}")
    times = {**order.status_times, status: now}
    changed: dict[str, object] = {"status": status, "status_times": times, "status_reason": reason}
    if status is S.CANCELLED and order.status in _IN_KITCHEN:
        changed["changes"] = line_changes.added_to((), order.items, (), by=actor, at=now)
        changed["set_aside"] = order.set_aside.model_copy(update={"changes": order.changes})
    if status is S.CONFIRMED:
        # Whoever confirms has dealt with the rest.
        changed["attention"] = tuple(a for a in order.attention if a.code == ALLERGY)
        changed["set_aside"] = SetAside(attention=order.attention)
    return _next(order, changed, actor, now)


def recall(order: Order, version: int | None, *, actor: str, now: str, within: timedelta) -> Order:
    """Return the order without its last step, which must not be longer ago than `within`.

    What the step took off the order is on it again. Raises StaleVersion or IllegalTransition.
    """
    check_version(order.version, version)
    if order.status is S.PENDING:
        raise IllegalTransition("a pending order has no step that could be taken back")
    taken = datetime.fromisoformat(order.status_times[order.status])
    if datetime.fromisoformat(now) - taken > within:
        minutes = within.total_seconds() / 60
        raise IllegalTransition(f"the last step is more than {minutes:g} minutes ago")
    if order.status is S.CONFIRMED and order.paid > 0:
        raise IllegalTransition("the order is paid: it can no longer be made pending")
    if order.redacted:
        raise IllegalTransition("what the guest said was erased from the order: make a new one")
    times = {status: at for status, at in order.status_times.items() if status is not order.status}
    changed: dict[str, object] = {
        "status": max(times, key=_ORDER.index),
        "status_times": times,
        "status_reason": None,
    }
    aside = order.set_aside
    if order.status is S.CANCELLED:
        changed |= {"changes": aside.changes, "set_aside": SetAside(attention=aside.attention)}
    elif order.status is S.CONFIRMED:
        attention = tuple(dict.fromkeys((*order.attention, *aside.attention)))
        changed |= {"attention": attention[:MAX_ATTENTION], "set_aside": SetAside()}
    return _next(order, changed, actor, now)


def set_item_status(
    order: Order,
    item_id: str,
    status: ItemStatus,
    version: int | None,
    *,
    actor: str,
    now: str,
) -> Order:
    """Return the order with a line done or open again; the same object if it is already.

    Raises StaleVersion, NotFound or IllegalTransition.
    """
    check_version(order.version, version)
    line = next((item for item in order.items if item.id == item_id), None)
    if line is None:
        raise NotFound("the order has no such line")
    if order.status not in _IN_KITCHEN:
        raise IllegalTransition(f"the lines of an order that is {order.status} are not being made")
    if line.status is status:
        return order
    items = tuple(
        item.model_copy(update={"status": status}) if item is line else item for item in order.items
    )
    return _next(order, {"items": items}, actor, now)


def acknowledge(order: Order, version: int | None, *, actor: str, now: str) -> Order:
    """Return the order without changes to acknowledge; the same object if it has none.

    Raises StaleVersion.
    """
    check_version(order.version, version)
    return _next(order, {"changes": ()}, actor, now) if order.changes else order


def pay(order: Order, amount: int, *, actor: str, now: str) -> Order:
    """Return the order with `amount` cents more paid; raise IllegalTransition if cancelled."""
    if order.status is S.CANCELLED:
        raise IllegalTransition("a cancelled order cannot be paid")
    return with_paid(_next(order, {}, actor, now), order.paid + amount)


def refund(order: Order, amount: int, *, actor: str, now: str) -> Order:
    """Return the order with `amount` cents less paid; raise InvalidOrder if less was paid."""
    if amount > order.paid:
        raise InvalidOrder(f"amount: at most {order.paid}, which is what was paid")
    return with_paid(_next(order, {}, actor, now), order.paid - amount)


def with_paid(order: Order, paid: int) -> Order:
    """Return the order with `paid` cents paid, and the payment status that follows."""
    if paid >= order.total:
        # A free order has nothing left to be paid.
        status = PaymentStatus.PAID
    else:
        status = PaymentStatus.PARTIAL if paid > 0 else PaymentStatus.UNPAID
    return order.model_copy(update={"paid": paid, "payment_status": status})


def check_version(actual: int, expected: int | None) -> None:
    """Raise StaleVersion if a version is expected and the actual one differs."""
    if expected is not None and expected != actual:
        raise StaleVersion(f"the version is {actual} now, not {expected}")


def price_items(
    drafts: Sequence[ItemDraft], menu: Menu, *, already: Mapping[str, int], now: str | None = None
) -> tuple[OrderItem, ...]:
    """Return lines with names and prices from the menu; a combo's parts follow its line.

    As many of an item as `already` says may stay even if it has sold out, or its hours have ended,
    since. Lines keep their ids; lines without one get the next free number. Without `now`, the
    hours of items are not checked.
    """
    asked: Counter[str] = Counter()
    lines = _with_ids(with_parts(_with_ids(drafts), menu))
    by_id = {line.id: line for line in lines}
    priced = []
    for draft in lines:
        item = menu.index.items.get(draft.menu_item_id)
        if item is None:
            raise UnknownItem(f"the menu has no item {draft.menu_item_id!r}")
        asked[item.id] += draft.quantity
        if asked[item.id] > already.get(item.id, 0):
            _available(item, menu, now)
        combo = None if draft.part_of is None else by_id[draft.part_of]
        priced.append(_price_item(draft, item, menu, combo))
    return tuple(priced)


def _check(order: Order, most_total: int) -> None:
    if order.total > most_total:
        raise InvalidOrder(
            f"the total is {order.total} cents, and {most_total} are the most (max_order_total)"
        )
    if len(order.model_dump_json().encode()) > MAX_BYTES:
        raise InvalidOrder(f"the order has more than {MAX_BYTES} bytes; make it two")


def _with_ids(drafts: Sequence[ItemDraft]) -> list[ItemDraft]:
    """Return the drafts, each with an id; raise InvalidOrder if two have the same."""
    ids = {draft.id for draft in drafts if draft.id is not None}
    if len(ids) < sum(draft.id is not None for draft in drafts):
        raise InvalidOrder("two lines have the same id")
    free = (str(n) for n in range(1, 2 * len(drafts) + 1) if str(n) not in ids)
    return [d if d.id is not None else d.model_copy(update={"id": next(free)}) for d in drafts]


def _available(item: MenuItem, menu: Menu, now: str | None) -> None:
    if item.sold_out:
        raise SoldOut(f"{item.name} is sold out")
    if now is None or not menu.day_parts:
        return
    if not menu.served(item, datetime.fromisoformat(now), late=LATE):
        raise NotServed(f"{item.name} is not served at this time")


def _price_item(draft: ItemDraft, item: MenuItem, menu: Menu, combo: ItemDraft | None) -> OrderItem:
    if combo is None:
        size, price = _size_and_price(draft, item)
    else:
        size, price = _part_size_and_price(draft, item, menu, combo)
    modifiers = price_modifiers(draft.modifiers, item, menu)
    return OrderItem(
        id=draft.id or "",
        menu_item_id=item.id,
        name=item.name,
        quantity=draft.quantity,
        size=size,
        price=price,
        modifiers=modifiers,
        special_instructions=draft.special_instructions,
        subtotal=draft.quantity * (price + extras(modifiers, item)),
        confidence=draft.confidence,
        part_of=draft.part_of,
        slot=draft.slot,
    )


def _part_size_and_price(
    draft: ItemDraft, item: MenuItem, menu: Menu, combo: ItemDraft
) -> tuple[str | None, int]:
    whole = menu.index.items[combo.menu_item_id]
    choice = next(
        choice
        for slot in whole.slots
        if slot.id == draft.slot and (choice := menu.filling(slot, item)) is not None
    )
    combo_size, _ = _size_and_price(combo, whole)
    asked = draft.model_copy(update={"size": part_size(draft.size, choice, combo_size, item)})
    size, _ = _size_and_price(asked, item)
    return size, part_price(size, choice, combo_size, item)


def _size_and_price(draft: ItemDraft, item: MenuItem) -> tuple[str | None, int]:
    if item.price is not None:
        if draft.size is not None:
            raise InvalidOrder(f"{item.name} does not come in sizes")
        return None, item.price
    size = draft.size or item.default_size
    if size is None:
        raise InvalidOrder(f"{item.name} needs a size")
    if size not in item.prices:
        raise UnknownItem(f"{item.name} does not come in size {size!r}")
    return size, item.prices[size]


def _totals(items: Iterable[OrderItem], menu: Menu) -> dict[str, int]:
    subtotal = sum(item.subtotal for item in items)
    tax = tax_on(subtotal, menu.tax_rate)
    return {"subtotal": subtotal, "tax": tax, "total": subtotal + tax}


def _prep_time(items: Iterable[OrderItem], menu: Menu) -> int:
    """Return the minutes of the slowest item, because a kitchen prepares items in parallel."""
    known = menu.index.items
    return max((known[item.menu_item_id].prep_minutes for item in items), default=0)


def _next(order: Order, changed: dict[str, object], actor: str, now: str) -> Order:
    return order.model_copy(
        update={**changed, "version": order.version + 1, "updated_at": now, "updated_by": actor}
    )
