"""Changes as functions of one transaction, on a real database, with time as an argument."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from order_events.domain.models import Order, OrderDraft, OrderStatus, PaymentDraft, StatusChange
from order_events.ledger import changes, retention
from order_events.menu.menu import Menu
from order_events.protocol import filters
from order_events.protocol.errors import IllegalTransition, KeyReused, NotFound, UnknownItem
from order_events.settings import HubSettings
from order_events.storage import queries, schema
from order_events.storage.queries import Reader
from order_events.storage.transaction import MenuCache, Tx

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
ZONES = ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia", "UTC"]
FINISH = (OrderStatus.CONFIRMED, OrderStatus.PREPARING, OrderStatus.READY, OrderStatus.COMPLETED)


@contextmanager
def database() -> Iterator[sqlite3.Connection]:
    """An empty one with the current schema."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        schema.migrate(db)
        yield db


def at(db: sqlite3.Connection, moment: datetime = NOON) -> Tx:
    """A transaction at a moment."""
    return Tx(db, "e", MenuCache(), moment)


def order(change: Tx, draft: OrderDraft, key: str | None = None, actor: str = "a") -> Order:
    """A new order of the restaurant r1."""
    return changes.create_order(change, "r1", draft, actor, key)


def finish(change: Tx, made: Order, steps: tuple[OrderStatus, ...] = FINISH) -> None:
    """Takes an order through its life."""
    for status in steps:
        changes.set_status(change, "r1", made.id, StatusChange(status=status), "a")


def kept_orders(db: sqlite3.Connection) -> list[str]:
    """The ids of the orders that are left."""
    return [row[0] for row in db.execute("SELECT id FROM orders ORDER BY number")]


@st.composite
def moments(draw: st.DrawFn) -> datetime:
    """Instants close to a midnight or a change of the clocks somewhere."""
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
    """Whatever UTC says, through midnights and changes of the clocks."""
    counted: Counter[str] = Counter()
    with database() as db:
        changes.put_menu(at(db), "r1", menu_in(zone), "m")
        for moment in when:
            day = f"{moment.astimezone(ZoneInfo(zone)):%Y%m%d}"
            counted[day] += 1
            draft = OrderDraft.model_validate({"items": [{"menu_item_id": "burger"}]})
            assert order(at(db, moment), draft).order_number == f"{day}-{counted[day]:04d}"


def menu_in(zone: str) -> Menu:
    """The smallest menu, in a time zone."""
    return Menu.model_validate(
        {
            "name": "m",
            "time_zone": zone,
            "categories": [{"id": "c", "name": "c"}],
            "items": [{"id": "burger", "name": "b", "category": "c", "price": 1}],
        }
    )


@pytest.fixture
def db(menu: Menu) -> Iterator[sqlite3.Connection]:
    """A database with the menu of r1."""
    with database() as opened:
        changes.put_menu(at(opened), "r1", menu, "m")
        yield opened


def test_a_key_with_another_draft_is_refused(db: sqlite3.Connection, draft: OrderDraft) -> None:
    """Neither the first order nor a second one, and whoever asks is told what to do."""
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
    """A voice session heard again after a restart may read a little differently."""
    first = changes.create_order(at(db), "r1", draft, "lane", "s1", draft_may_differ=True)
    other = draft.model_copy(update={"notes": "x"})
    again = changes.create_order(at(db), "r1", other, "lane", "s1", draft_may_differ=True)
    assert again == first


def test_a_payment_is_taken_once_per_key(db: sqlite3.Connection, draft: OrderDraft) -> None:
    """Another amount under the same key is refused, and not taken."""
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
    """A database of version 1 is brought up to date, and loses nothing."""
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


def limits(**own: Any) -> retention.Limits:
    """What r1 is kept to when it alone has settings."""
    configured = HubSettings(retention_of={"r1": own}, _env_file=None)  # type: ignore[call-arg]
    return retention.limits(configured, "r1")


def test_finished_orders_go_with_their_payments_and_unfinished_ones_stay(
    db: sqlite3.Connection, draft: OrderDraft
) -> None:
    """Counted from when they were finished, however long ago they were made."""
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
    """Each says whether more are to go."""
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
    """The count of an old day is forgotten, while an order of it is still open."""
    assert order(at(db), draft).order_number.endswith("-0001")
    assert order(at(db), draft).order_number.endswith("-0002")
    retention.forget_orders(at(db), "r1", limits(), NOON.timestamp() + 500 * retention.DAY_S)
    assert order(at(db), draft).order_number.endswith("-0003")


def test_forgetting_looks_only_at_what_may_go(
    db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps of SQLite's machine, counted: a transaction costs as much however long history is."""
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
    """Whichever is less; what is left has no gap."""
    for second in range(10):
        at(db, NOON + timedelta(seconds=second)).append("r1", "voice:order", {}, {})
    kept = limits(events=most, days=age_s / retention.DAY_S)
    oldest, more = retention.forget_events(at(db), "r1", kept, NOON.timestamp() + 9.5)
    assert (oldest, more) == (left[0], False)
    assert [e.seq for e in Reader(db, "e").events("r1", 0, 99)] == left


def test_a_page_of_orders_is_bounded_in_bytes(
    db: sqlite3.Connection, draft: OrderDraft, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has fewer orders then, one at least, and the next page goes on behind it."""
    made = [order(at(db), draft).id for _ in range(7)]
    size = len(at(db).require_order("r1", made[0]).model_dump_json())
    for bound, sizes in ((2 * size + 50, [2, 2, 2, 1]), (1, [1] * 7)):
        monkeypatch.setattr(queries, "PAGE_BYTES", bound)
        pages: list[list[str]] = []
        before: int | None = None
        while before is not None or not pages:
            page, before = Reader(db, "e").orders(
                "r1", status=None, table_id=None, before=before, limit=50
            )
            pages.append([o.id for o in page])
        assert [len(page) for page in pages] == sizes
        assert [id_ for page in pages for id_ in page] == made[::-1]


@pytest.mark.parametrize(
    ("index", "read"),
    [
        ("orders_by_table", lambda r: orders_of(r, table_id="t")),
        ("orders_by_status", lambda r: orders_of(r, status=OrderStatus.READY)),
        ("orders_by_number", lambda r: orders_of(r, table_id=None)),
        ("payments_by_order", lambda r: r.payments("r1", order_id="o", limit=5)),
        ("payments_by_time", lambda r: r.payments("r1", since=NOON, limit=5)),
        ("payments_by_time", lambda r: r.payments("r1", after="p", limit=5)),
    ],
)
def test_lists_are_read_from_an_index(
    db: sqlite3.Connection, index: str, read: Callable[[Reader], object]
) -> None:
    """A restaurant's whole past is neither gone through nor sorted for a page."""
    asked: list[str] = []
    db.set_trace_callback(asked.append)
    read(Reader(db, "e"))
    db.set_trace_callback(None)
    plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {asked[0]}")]
    assert index in plan[0], plan
    assert not any("TEMP B-TREE" in step for step in plan), plan


def orders_of(
    reads: Reader, status: OrderStatus | None = None, table_id: str | None = None
) -> object:
    """A page of orders."""
    return reads.orders("r1", status=status, table_id=table_id, before=None, limit=5)


def test_a_restaurant_can_have_a_retention_of_its_own() -> None:
    """What it does not say is as for the others."""
    common = HubSettings(_env_file=None)  # type: ignore[call-arg]
    assert limits() == retention.limits(common, "r1")
    own = limits(days=90, order_days=3650)
    assert (own.event_days, own.order_days, own.events) == (90, 3650, common.retention_events)


def test_retention_is_set_by_one_variable_and_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON; a misspelt field is refused, and so are orders that would go before their keys."""
    monkeypatch.setenv("VOICE_RETENTION_OF", '{"r9": {"events": 10}}')
    assert retention.limits(HubSettings(), "r9").events == 10
    for wrong in ('{"r9": {"event": 10}}', "{", '{"r9": {"order_days": 6.9}}'):
        monkeypatch.setenv("VOICE_RETENTION_OF", wrong)
        with pytest.raises(ValidationError):
            HubSettings()


def test_a_refused_draft_leaves_no_trace(db: sqlite3.Connection, draft: OrderDraft) -> None:
    """The writer's savepoint undoes the number that was taken for it."""
    wrong = draft.model_copy(
        update={"items": (draft.items[0].model_copy(update={"menu_item_id": "pizza"}),)}
    )
    db.execute("SAVEPOINT job")
    with pytest.raises(UnknownItem):
        order(at(db), wrong, "k")
    db.execute("ROLLBACK TO job")
    assert order(at(db), draft, "k").order_number == "20260701-0001"


def test_a_cancelled_order_takes_no_payment(db: sqlite3.Connection, draft: OrderDraft) -> None:
    """Refused with its status, in words."""
    made = order(at(db), draft)
    finish(at(db), made, (OrderStatus.CANCELLED,))
    payment = PaymentDraft(order_id=made.id, amount=1, method="cash")
    with pytest.raises(IllegalTransition, match="cancelled"):
        changes.take_payment(at(db), "r1", payment, "a", None)


def test_the_kitchen_is_told_of_every_change_in_events_of_bounded_size(
    db: sqlite3.Connection, draft: OrderDraft, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each order once, oldest change first, with the preparation time of the menu."""
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
    """It has the tags of all its orders; filters on different orders may so match together."""
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


def test_a_new_epoch_keeps_everything_but_the_events(
    tmp_path: Path, draft: OrderDraft, menu: Menu
) -> None:
    """seq counts on, so that no number is ever given twice in any epoch."""
    with closing(schema.connect(tmp_path / "db", 1)) as db:
        before = schema.migrate(db)
        changes.put_menu(at(db), "r1", menu, "m")
        made = order(at(db), draft)
        after = schema.new_epoch(db)
        assert (after != before, schema.migrate(db)) == (True, after)
        assert at(db).positions() == {"r1": (1, 2)}
        assert at(db).require_order("r1", made.id) == made
        assert order(at(db), draft).order_number.endswith("-0002")
        assert at(db).positions() == {"r1": (2, 2)}
