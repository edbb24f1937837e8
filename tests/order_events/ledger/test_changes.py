"""Changes as functions of one transaction, on a real database, with time as an argument."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.transactions import FINISH, at, database, finish, kept_orders, order

from order_events.domain.models import OrderDraft, OrderStatus, PaymentDraft
from order_events.ledger import changes
from order_events.menu.menu import Menu
from order_events.protocol import filters
from order_events.protocol.errors import IllegalTransition, KeyReused, UnknownItem
from order_events.storage import schema

ZONES = ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia", "UTC"]


@st.composite
def moments(draw: st.DrawFn) -> datetime:
    """Instants close to a midnight or a clock change somewhere."""
    days = [
        datetime(2026, 3, 8),
        datetime(2026, 3, 29),
        datetime(2026, 4, 5),
        datetime(2026, 11, 1),
    ]
    near = draw(st.sampled_from(days)).replace(tzinfo=UTC)
    return near + timedelta(minutes=draw(st.integers(-26 * 60, 26 * 60)))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.sampled_from(ZONES), st.lists(moments(), min_size=1, max_size=12))
def test_an_orders_number_counts_within_the_day_of_the_restaurant(
    zone: str, when: list[datetime]
) -> None:
    """Whatever the day in UTC, across midnights and clock changes."""
    counted: Counter[str] = Counter()
    with database() as db:
        changes.put_menu(at(db), "r1", menu_in(zone), "m")
        for moment in when:
            day = f"{moment.astimezone(ZoneInfo(zone)):%Y%m%d}"
            counted[day] += 1
            draft = OrderDraft.model_validate({"items": [{"menu_item_id": "burger"}]})
            assert order(at(db, moment), draft).order_number == f"{day}-{counted[day]:04d}"


def menu_in(zone: str) -> Menu:
    """Return the smallest menu, in a time zone."""
    return Menu.model_validate(
        {
            "name": "m",
            "time_zone": zone,
            "categories": [{"id": "c", "name": "c"}],
            "items": [{"id": "burger", "name": "b", "category": "c", "price": 1}],
        }
    )


def test_a_key_with_another_draft_is_refused(db: sqlite3.Connection, draft: OrderDraft) -> None:
    """Neither the first order nor a second one is returned, and the error says what to do."""
    first = order(at(db), draft, "k")
    assert order(at(db), draft, "k").id == first.id
    other = draft.model_copy(update={"notes": "no salt"})
    with pytest.raises(KeyReused, match="use a new one"):
        order(at(db), other, "k")
    with pytest.raises(KeyReused):
        order(at(db), draft, "k", actor="b")
    assert kept_orders(db) == [first.id]
    assert order(at(db), other, "k2").id != first.id


def test_a_key_of_a_guest_gives_the_guests_order_whatever_was_understood(
    db: sqlite3.Connection, draft: OrderDraft
) -> None:
    """A voice session replayed after a restart may be understood a little differently."""
    first = changes.create_order(at(db), "r1", draft, "lane", "s1", spoken=True)
    other = draft.model_copy(update={"notes": "x"})
    again = changes.create_order(at(db), "r1", other, "lane", "s1", spoken=True)
    assert again == first


def test_a_payment_is_taken_once_per_key(db: sqlite3.Connection, draft: OrderDraft) -> None:
    """Another amount under the same key is refused, and not recorded."""
    made = order(at(db), draft)
    payment = PaymentDraft(order_id=made.id, amount=500, method="card")
    first = changes.take_payment(at(db), "r1", payment, "a", "k")
    assert changes.take_payment(at(db), "r1", payment, "a", "k") == first
    with pytest.raises(KeyReused, match="another payment"):
        changes.take_payment(at(db), "r1", payment.model_copy(update={"amount": 400}), "a", "k")
    assert at(db).require_order("r1", made.id).paid == 500
    assert len(at(db).payments("r1", order_id=made.id, limit=9)[0]) == 1


def test_keys_from_before_they_had_a_digest_still_give_their_order(
    draft: OrderDraft, menu: Menu
) -> None:
    """A database of schema version 1 is migrated without losing anything."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        db.executescript(schema.MIGRATIONS[0])
        db.execute("CREATE TABLE schema_version (version INTEGER NOT NULL)")
        db.execute("INSERT INTO schema_version VALUES (1)")
        db.execute(
            "INSERT INTO idempotency (restaurant_id, kind, key, result_id, at)"
            " VALUES ('r1', 'order', 'k', ?, 0)",
            ("first",),
        )
        schema.migrate(db)
        changes.put_menu(at(db), "r1", menu, "m")
        first = order(at(db), draft)
        db.execute("UPDATE idempotency SET result_id = ?", (first.id,))
        assert order(at(db), draft, "k").id == first.id


def test_a_refused_draft_leaves_no_trace(db: sqlite3.Connection, draft: OrderDraft) -> None:
    """The writer's savepoint also undoes the order number taken for it."""
    wrong = draft.model_copy(
        update={"items": (draft.items[0].model_copy(update={"menu_item_id": "pizza"}),)}
    )
    db.execute("BEGIN")
    db.execute("SAVEPOINT job")
    with pytest.raises(UnknownItem):
        order(at(db), wrong, "k")
    db.execute("ROLLBACK TO job")
    assert order(at(db), draft, "k").order_number == "20260701-0001"


def test_a_cancelled_order_takes_no_payment(db: sqlite3.Connection, draft: OrderDraft) -> None:
    """The refusal names its status."""
    made = order(at(db), draft)
    finish(at(db), made, (OrderStatus.CANCELLED,))
    payment = PaymentDraft(order_id=made.id, amount=1, method="cash")
    with pytest.raises(IllegalTransition, match="cancelled"):
        changes.take_payment(at(db), "r1", payment, "a", None)


def test_the_kitchen_is_told_of_every_change_in_events_of_bounded_size(
    db: sqlite3.Connection, draft: OrderDraft, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each order once, oldest change first, with the menu's preparation time."""
    monkeypatch.setattr(changes, "KDS_BYTES", 5_000)
    monkeypatch.setattr(changes, "KDS_ORDERS", 4)
    big = draft.model_copy(update={"items": draft.items * 40})
    made = [order(at(db), big if n == 2 else draft) for n in range(9)]
    told, tx = [], at(db)
    while changes.update_kitchen(tx, "r1"):
        pass
    for event in tx.appended:
        tickets = json.loads(event.body)["data"]["orders"]
        assert len(tickets) == 1 or len(event.body) < 5_000
        assert len(tickets) <= 4
        assert {ticket["prep_time"] for ticket in tickets} == {12}
        assert event.tags["order_id"] == tuple(ticket["id"] for ticket in tickets)
        told += [ticket["id"] for ticket in tickets]
    assert told == [o.id for o in made]
    again = at(db)
    assert not changes.update_kitchen(again, "r1")
    assert again.appended == []


def test_a_kitchen_update_comes_whole_to_whoever_wants_one_of_its_orders(
    db: sqlite3.Connection, draft: OrderDraft
) -> None:
    """It has the tags of all its orders, so filters may match on different orders at once."""
    first = order(at(db), draft.model_copy(update={"table_id": "t1"}))
    second = order(at(db), draft.model_copy(update={"table_id": "t2"}))
    finish(at(db), second, FINISH[:1])
    tx = at(db)
    changes.update_kitchen(tx, "r1")
    (event,) = tx.appended
    for wanted in (
        {"table_id": "t1"},
        {"order_id": (second.id,)},
        {"table_id": "t1", "status": "confirmed"},
    ):
        assert filters.Filters.model_validate(wanted).match(event.tags)
    assert not filters.Filters.model_validate({"table_id": "t3"}).match(event.tags)
    assert first.id in event.tags["order_id"]
