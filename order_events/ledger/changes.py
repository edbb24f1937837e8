"""The changes a restaurant can make, each a function of one transaction.

Each writes its rows and appends its events; the store commits both together.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from order_events.domain import orders
from order_events.domain.api_models import MenuVersion
from order_events.domain.drafts import Draft
from order_events.domain.event_payloads import (
    ItemState,
    KitchenData,
    MenuData,
    OrderData,
    OrderStatusData,
    PaymentData,
    TableData,
    Ticket,
)
from order_events.domain.models import (
    Event,
    Order,
    OrderChange,
    OrderDraft,
    Payment,
    PaymentDraft,
    StatusChange,
    Table,
    TableChange,
)
from order_events.ledger import audit_log, calls, voice_sessions
from order_events.menu.menu import Menu
from order_events.protocol import filters
from order_events.protocol.errors import InvalidOrder, KeyReused, NotFound
from order_events.protocol.filters import Tags
from order_events.storage.transaction import Tx

MAX_TABLES = 2_000
"""Most tables of one restaurant."""
_MOVES_MONEY = {"completed": (orders.pay, "paid"), "refunded": (orders.refund, "refunded")}
"""By a payment's status: what it does to the order, and what the audit calls that."""
KDS_ORDERS = 100
"""Most orders in one `kds:update`."""
KDS_BYTES = 262_144
"""Most bytes of orders in one `kds:update`, so that it fits into a reader's outbox."""


def create_order(
    tx: Tx,
    restaurant_id: str,
    draft: OrderDraft,
    actor: str,
    key: str | None,
    *,
    most_total: int = orders.MOST_TOTAL,
    spoken: bool = False,
) -> Order:
    """Create an order, or return the one that an earlier creation with this key made.

    `spoken`: by a guest to a machine, so the key is the guest's, and a menu on trial counts it.
    """
    digest = None if spoken else _digest(draft, actor)
    earlier = _made_before(tx, restaurant_id, "order", key, digest)
    if earlier is not None:
        return tx.require_order(restaurant_id, earlier)
    menu = tx.menu(restaurant_id)
    if menu is None:
        raise InvalidOrder("the restaurant has no menu")
    # If the draft is refused below, the number is rolled back with it: the day has no gap.
    number = tx.next_order_number(restaurant_id, tx.at.astimezone(ZoneInfo(menu.time_zone)))
    order = orders.create(
        draft,
        menu,
        orders.OrderIdentity(restaurant_id, id=str(uuid.uuid4()), number=number),
        actor=actor,
        now=tx.timestamp,
        most_total=most_total,
        on_trial=spoken and tx.count_for_trial(restaurant_id),
    )
    event = tx.append(restaurant_id, filters.ORDER_CREATED, _order_data(order), order_tags(order))
    tx.put_order(order, event.seq)
    audit_log.order_changed(tx, "created", None, order)
    calls.follow_order(tx, order)
    tx.remember(restaurant_id, "order", key, digest, order.id)
    return order


def change_order(
    tx: Tx,
    restaurant_id: str,
    order_id: str,
    change: OrderChange,
    actor: str,
    *,
    most_total: int = orders.MOST_TOTAL,
) -> Order:
    """Apply a change and return the order; an empty change appends no event."""
    before = tx.require_order(restaurant_id, order_id)
    order = orders.revise(
        before,
        change,
        tx.menu(restaurant_id),
        actor=actor,
        now=tx.timestamp,
        most_total=most_total,
    )
    if order is before:
        return order
    audit_log.order_changed(tx, "changed", before, order)
    return updated(tx, order)


def set_status(
    tx: Tx, restaurant_id: str, order_id: str, change: StatusChange, actor: str
) -> Order:
    """Move the order one step on; append `order:status` and, with the order, `order:updated`."""
    before = tx.require_order(restaurant_id, order_id)
    order = orders.set_status(
        before,
        change.status,
        change.version,
        actor=actor,
        now=tx.timestamp,
        reason=change.reason,
    )
    tx.append(
        restaurant_id,
        filters.ORDER_STATUS,
        OrderStatusData(
            order_id=order.id,
            status=order.status,
            previous_status=before.status,
            version=order.version,
            actor=actor,
            reason=change.reason,
        ),
        order_tags(order),
    )
    audit_log.order_changed(tx, "status", before, order, change.reason)
    return updated(tx, order)


def take_payment(
    tx: Tx, restaurant_id: str, draft: PaymentDraft, actor: str, key: str | None
) -> Payment:
    """Record a payment, or return the one that an earlier call with this key recorded."""
    digest = _digest(draft, actor)
    earlier = _made_before(tx, restaurant_id, "payment", key, digest)
    if earlier is not None:
        return tx.require_payment(restaurant_id, earlier)
    order = tx.require_order(restaurant_id, draft.order_id)
    payment = Payment(
        id=str(uuid.uuid4()), **draft.model_dump(), created_at=tx.timestamp, created_by=actor
    )
    tx.put_payment(restaurant_id, payment)
    tx.append(
        restaurant_id,
        filters.PAYMENT_PROCESSED,
        PaymentData(payment=payment, actor=actor),
        {**order_tags(order), "status": (payment.status,)},
    )
    if payment.status in _MOVES_MONEY:
        move, done = _MOVES_MONEY[payment.status]
        paid = move(order, payment.amount, actor=actor, now=tx.timestamp)
        audit_log.order_changed(tx, done, order, paid)
        updated(tx, paid)
    tx.remember(restaurant_id, "payment", key, digest, payment.id)
    return payment


def change_table(
    tx: Tx, restaurant_id: str, table_id: str, change: TableChange, actor: str
) -> Table:
    """Change a table, or create it; a new one needs a number and a status."""
    before = tx.table(restaurant_id, table_id)
    if before is None and tx.count_tables(restaurant_id) >= MAX_TABLES:
        raise InvalidOrder(f"a restaurant has at most {MAX_TABLES} tables")
    orders.check_version(0 if before is None else before.version, change.version)
    number = change.number or (before.number if before else None)
    status = change.status or (before.status if before else None)
    if number is None or status is None:
        raise InvalidOrder("a new table needs a number and a status")
    table = Table(
        id=table_id,
        number=number,
        status=status,
        version=1 if before is None else before.version + 1,
        updated_at=tx.timestamp,
        updated_by=actor,
    )
    tx.put_table(restaurant_id, table)
    tx.append(
        restaurant_id,
        filters.TABLE_UPDATED,
        TableData(table=table, actor=actor),
        filters.tags({"table_id": table.id, "status": table.status}),
    )
    return table


def sell_out(tx: Tx, restaurant_id: str, item_id: str, sold_out: bool, actor: str) -> int:
    """Mark a menu item as sold out or available; return the menu's version."""
    menu = tx.menu(restaurant_id)
    if menu is None or all(item.id != item_id for item in menu.items):
        raise NotFound("the menu has no such item")
    items = tuple(
        item.model_copy(update={"sold_out": sold_out}) if item.id == item_id else item
        for item in menu.items
    )
    changed = menu.model_copy(update={"items": items})
    marked = ItemState(id=item_id, sold_out=sold_out)
    return _write_menu(tx, restaurant_id, changed, actor, (marked,))


def put_menu(
    tx: Tx, restaurant_id: str, menu: Menu, actor: str, trial_orders: int | None = None
) -> int:
    """Replace the menu, on trial for `trial_orders` if given; return its version.

    Raises InvalidOrder for another currency while orders are open.
    """
    return _publish_menu(tx, restaurant_id, menu, actor, trial_orders)


def restore_menu(
    tx: Tx, restaurant_id: str, version: int, actor: str, expected: int | None = None
) -> int:
    """Publish a version again; return the new version. What is sold out now stays sold out.

    Raises NotFound for a version that is not kept, StaleVersion if another one than `expected` is
    in use, and InvalidOrder as `put_menu` does.
    """
    current = tx.menu_version(restaurant_id)
    orders.check_version(0 if current is None else current[0], expected)
    menu, now = tx.published_menu(restaurant_id, version), tx.menu(restaurant_id)
    if menu is None:
        raise NotFound("there is no such version; see GET /v1/menu/versions")
    known = {item.id: item.sold_out for item in now.items} if now else {}
    items = tuple(
        item.model_copy(update={"sold_out": known.get(item.id, item.sold_out)})
        for item in menu.items
    )
    menu = menu.model_copy(update={"items": items})
    return _publish_menu(tx, restaurant_id, menu, actor, None, version)


def _publish_menu(
    tx: Tx,
    restaurant_id: str,
    menu: Menu,
    actor: str,
    trial_orders: int | None,
    restored_from: int | None = None,
) -> int:
    _check_currency(tx, restaurant_id, menu)
    version = _write_menu(tx, restaurant_id, menu, actor)
    tx.put_trial(restaurant_id, trial_orders)
    published = MenuVersion(
        version=version,
        items=len(menu.items),
        published_at=tx.timestamp,
        published_by=actor,
        restored_from=restored_from,
        trial_orders=trial_orders,
    )
    tx.keep_menu(restaurant_id, menu, published)
    return version


def _check_currency(tx: Tx, restaurant_id: str, menu: Menu) -> None:
    """Raise InvalidOrder if unfinished orders have amounts in another currency."""
    opened = tx.db.execute(
        "SELECT json_extract(body, '$.order_number') FROM orders WHERE restaurant_id = ? AND status"
        " IN ('pending', 'confirmed', 'preparing', 'ready', 'picked-up') AND json_valid(body)"
        " AND json_extract(body, '$.currency') != ? LIMIT 1",
        (restaurant_id, menu.currency),
    ).fetchone()
    if opened is not None:
        raise InvalidOrder(
            f"currency: order {opened[0]} is open in another one; finish or cancel such orders "
            "first"
        )


def _write_menu(
    tx: Tx, restaurant_id: str, menu: Menu, actor: str, marked: tuple[ItemState, ...] = ()
) -> int:
    """Write the menu and announce it; return its version.

    The first menu is not announced: without one there could be no orders.
    """
    version = tx.put_menu(restaurant_id, menu, actor)
    if version > 1:
        data = MenuData(version=version, items=marked, actor=actor)
        tx.append(restaurant_id, filters.MENU_UPDATED, data, {})
    return version


def publish(tx: Tx, restaurant_id: str, type_: str, data: Mapping[str, Any], tags: Tags) -> Event:
    """Append an event; what a session says is also recorded in its audit, and may call staff."""
    kept = audit_log.record_spoken(tx, restaurant_id, type_, data)
    event = tx.append(restaurant_id, type_, kept, tags)
    if type_ == filters.VOICE_ORDER and isinstance(session_id := data.get("session_id"), str):
        session = voice_sessions.require(tx, restaurant_id, session_id)
        # An erased session still calls staff: a call keeps codes, and no words.
        calls.follow_session(tx, restaurant_id, session, data)
    return event


def update_kitchen(tx: Tx, restaurant_id: str, pause_s: float = 0.0) -> bool:
    """Append a `kds:update` with the changed orders; return whether more are left.

    Nothing is appended within `pause_s` of the last one, which another node may have appended.

    The database keeps which orders have been sent, so a crash between an order's change and its
    `kds:update` loses nothing.
    """
    if pause_s and not tx.kitchen_is_behind(restaurant_id):
        return False
    if pause_s and not tx.may_update_kitchen(restaurant_id, pause_s):
        return True
    changed, more = tx.changed_for_kitchen(restaurant_id, KDS_ORDERS, KDS_BYTES)
    if not changed:
        return False
    all_tags = [order_tags(order) for order in changed]
    names = {name for tags in all_tags for name in tags}
    tx.append(
        restaurant_id,
        filters.KDS_UPDATE,
        KitchenData(orders=tuple(map(_ticket, changed))),
        filters.tags({n: [v for tags in all_tags for v in tags.get(n, ())] for n in names}),
    )
    return more


def updated(tx: Tx, order: Order) -> Order:
    """Write a changed order, append `order:updated`, and return the order."""
    event = tx.append(
        order.restaurant_id, filters.ORDER_UPDATED, _order_data(order), order_tags(order)
    )
    tx.put_order(order, event.seq)
    calls.follow_order(tx, order)
    return order


def order_tags(order: Order) -> dict[str, tuple[str, ...]]:
    """Return the tags by which an order's events can be filtered."""
    return filters.tags(
        {
            "order_id": order.id,
            "table_id": order.table_id,
            "session_id": order.source.session_id,
            "lane": order.source.lane,
            "status": order.status.value,
        }
    )


def _made_before(
    tx: Tx, restaurant_id: str, kind: str, key: str | None, digest: str | None
) -> str | None:
    """Return the id of what an earlier creation with this key made; raise KeyReused."""
    earlier = None if key is None else tx.made_before(restaurant_id, kind, key)
    if earlier is None:
        return None
    made, first = earlier
    # Keys from schema version 1, and keys that identify a guest, have no digest.
    if digest is not None and first is not None and digest != first:
        raise KeyReused(f"this idempotency key has been used for another {kind}; use a new one")
    return made


def _digest(draft: Draft, actor: str) -> str:
    """Return what a repeated creation must have in common with the first."""
    # Without defaults: a later version may add fields, which must not change the digest.
    asked = f"{actor}\n{draft.model_dump_json(exclude_defaults=True)}"
    return hashlib.sha256(asked.encode()).hexdigest()


def _order_data(order: Order) -> OrderData:
    return OrderData(order=order, actor=order.updated_by)


def _ticket(order: Order) -> Ticket:
    return Ticket.model_validate({name: getattr(order, name) for name in Ticket.model_fields})
