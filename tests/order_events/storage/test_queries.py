"""Pages of lists: bounded in bytes, and read from an index."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import pytest
from support.transactions import NOON, at, order

from order_events.domain.models import OrderDraft, OrderStatus
from order_events.storage import queries
from order_events.storage.queries import Reader


def test_a_page_of_orders_is_bounded_in_bytes(
    db: sqlite3.Connection, draft: OrderDraft, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has fewer orders then, but at least one, and the next page continues after it."""
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
@pytest.mark.sqlite
def test_lists_are_read_from_an_index(
    db: sqlite3.Connection, index: str, read: Callable[[Reader], object]
) -> None:
    """A page neither scans nor sorts a restaurant's whole past."""
    row = ("r1", "p", "o", "{}", "2026-07-01T12:00:00.000Z")
    db.execute(
        "INSERT INTO payments (restaurant_id, id, order_id, body, at) VALUES (?,?,?,?,?)", row
    )
    asked: list[str] = []
    db.set_trace_callback(asked.append)
    read(Reader(db, "e"))
    db.set_trace_callback(None)
    # The page comes last; before it, the cursor is looked up.
    plan = [step[3] for step in db.execute(f"EXPLAIN QUERY PLAN {asked[-1]}")]
    assert index in plan[0], plan
    assert not any("TEMP B-TREE" in step for step in plan), plan


def orders_of(
    reads: Reader, status: OrderStatus | None = None, table_id: str | None = None
) -> object:
    """Return a page of orders."""
    return reads.orders("r1", status=status, table_id=table_id, before=None, limit=5)
