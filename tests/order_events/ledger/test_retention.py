"""What is deleted, and when: events, finished orders, idempotency keys."""

from __future__ import annotations

import sqlite3
import time
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from support.transactions import NOON, at, finish, kept_orders, order

from order_events.domain.models import (
    OrderDraft,
    OrderStatus,
    PaymentDraft,
    TableChange,
)
from order_events.ledger import changes, retention
from order_events.protocol.errors import (
    NotFound,
)
from order_events.settings import HubSettings
from order_events.storage.queries import Reader


def limits(**own: Any) -> retention.Limits:
    """Return the limits of r1 when it alone has settings of its own."""
    configured = HubSettings(retention_of={"r1": own}, _env_file=None)  # type: ignore[call-arg]
    return retention.limits(configured, "r1")


def test_finished_orders_go_with_their_payments_and_unfinished_ones_stay(
    db: sqlite3.Connection, draft: OrderDraft
) -> None:
    """The age counts from when they were finished, not from when they were made."""
    old, cancelled, late, never = (order(at(db), draft) for _ in range(4))
    payment = PaymentDraft(order_id=old.id, amount=500, method="card")
    paid = changes.take_payment(at(db), "r1", payment, "a", None)
    finish(at(db), old)
    finish(at(db), cancelled, (OrderStatus.CANCELLED,))
    finish(at(db, NOON + timedelta(days=30)), late)
    kept, now = limits(order_days=10), (NOON + timedelta(days=10)).timestamp()
    assert not retention.forget_orders(at(db), "r1", kept, now - 60)
    assert set(kept_orders(db)) == {old.id, cancelled.id, late.id, never.id}
    assert not retention.forget_orders(at(db), "r1", kept, now + 60)
    assert set(kept_orders(db)) == {late.id, never.id}
    with pytest.raises(NotFound):
        at(db).require_payment("r1", paid.id)
    retention.forget_orders(at(db), "r1", kept, now + 31 * retention.DAY_S)
    assert kept_orders(db) == [never.id]
    assert order(at(db, NOON + timedelta(days=50)), draft).order_number == "20260820-0001"


def test_a_lot_is_forgotten_in_several_transactions(
    db: sqlite3.Connection, draft: OrderDraft, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each call returns whether more are left."""
    monkeypatch.setattr(retention, "AT_ONCE", 3)
    for n in range(4):
        finish(at(db), order(at(db), draft, f"k{n}"), (OrderStatus.CANCELLED,))
    later = NOON.timestamp() + 500 * retention.DAY_S
    assert retention.forget_orders(at(db), "r1", limits(), later)
    assert not retention.forget_orders(at(db), "r1", limits(), later)
    assert kept_orders(db) == []
    assert retention.forget_keys(at(db), later)
    assert not retention.forget_keys(at(db), later)
    assert db.execute("SELECT count(*) FROM idempotency").fetchone()[0] == 0


def test_a_number_is_not_given_twice_though_the_clock_goes_back(
    db: sqlite3.Connection, draft: OrderDraft
) -> None:
    """The count of an old day is deleted while an order of it is still open."""
    assert order(at(db), draft).order_number.endswith("-0001")
    assert order(at(db), draft).order_number.endswith("-0002")
    retention.forget_orders(at(db), "r1", limits(), NOON.timestamp() + 500 * retention.DAY_S)
    assert order(at(db), draft).order_number.endswith("-0003")


@pytest.mark.sqlite
def test_forgetting_looks_only_at_what_may_go(
    db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counts steps of SQLite's virtual machine: the cost does not grow with history."""
    monkeypatch.setattr(retention, "AT_ONCE", 10)

    def steps(events: int) -> int:
        for _ in range(events):
            at(db).append("r1", "voice:order", {}, {})
        count = 0

        def step() -> None:
            nonlocal count
            count += 1

        later = NOON.timestamp() + 500 * retention.DAY_S
        db.set_progress_handler(step, 10)
        assert retention.forget_events(at(db), "r1", limits(), later)[1]
        db.set_progress_handler(None, 0)
        return count

    assert steps(3_000) < 2 * steps(30)


@pytest.mark.parametrize(("most", "age_s", "left"), [(4, 1e9, [7, 8, 9, 10]), (99, 3, [8, 9, 10])])
def test_events_are_kept_to_a_number_and_an_age(
    db: sqlite3.Connection, most: int, age_s: float, left: list[int]
) -> None:
    """Whichever is stricter; the rest has no gap."""
    for second in range(10):
        at(db, NOON + timedelta(seconds=second)).append("r1", "voice:order", {}, {})
    kept = limits(events=most, days=age_s / retention.DAY_S)
    oldest, more = retention.forget_events(at(db), "r1", kept, NOON.timestamp() + 9.5)
    assert (oldest, more) == (left[0], False)
    assert [e.seq for e in Reader(db, "e").events("r1", 0, 99)] == left


def test_a_restaurant_can_have_a_retention_of_its_own() -> None:
    """The common setting applies to what it does not set."""
    common = HubSettings(_env_file=None)  # type: ignore[call-arg]
    assert limits() == retention.limits(common, "r1")
    own = limits(days=90, order_days=3650)
    assert (own.event_days, own.order_days, own.events) == (90, 3650, common.retention_events)


def test_retention_is_set_by_one_variable_and_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON; misspelt fields are refused, as are orders kept for less time than their keys."""
    monkeypatch.setenv("VOICE_RETENTION_OF", '{"r9": {"events": 10}}')
    assert retention.limits(HubSettings(), "r9").events == 10
    for wrong in ('{"r9": {"event": 10}}', "{", '{"r9": {"order_days": 6.9}}'):
        monkeypatch.setenv("VOICE_RETENTION_OF", wrong)
        with pytest.raises(ValidationError):
            HubSettings()


def test_rows_set_aside_are_not_kept_for_ever(db: sqlite3.Connection) -> None:
    """What is damaged may have a guest's words in it, which no erasure finds there."""
    db.executemany(
        "INSERT INTO set_aside VALUES ('orders', 'orders r1 x', 'words', ?)", [(1.0,), (3.0,)]
    )
    retention.forget_set_aside(at(db), 2.0)
    assert db.execute("SELECT at FROM set_aside").fetchall() == [(3.0,)]


async def test_one_restaurants_retention_is_not_anothers(start: Any) -> None:
    """One setting names the restaurants that differ."""
    server = await start(retention_of={"r1": {"events": 3}})
    change = TableChange(number="1", status="free")
    for restaurant in ("r1", "r2"):
        for _ in range(5):
            await server.events.change_table(restaurant, "t", change, actor="a")
    await server.events.forget(time.time())
    assert [server.events.hub.oldest(name) for name in ("r1", "r2")] == [3, 1]
    for name, left in (("r1", [3, 4, 5]), ("r2", [1, 2, 3, 4, 5])):
        events = await server.events.store.read(lambda r, of=name: r.events(of, 0, 100))
        assert [event.seq for event in events] == left
