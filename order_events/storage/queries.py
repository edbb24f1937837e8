"""What may be read of one restaurant's rows, outside of a transaction or inside."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from datetime import datetime
from math import inf
from typing import TypeVar

from order_events.auth.revocations import Revoked
from order_events.domain.models import Event, Order, OrderStatus, Payment, Table
from order_events.protocol.messages import timestamp

PAGE_BYTES = 1_048_576
"""Of one page of a list, about; it has one entry at least."""
K = TypeVar("K")


class Reader:
    """Reads one restaurant's rows, each method for one."""

    def __init__(self, db: sqlite3.Connection, epoch: str) -> None:
        self.db = db
        self.epoch = epoch

    def order(self, restaurant_id: str, order_id: str) -> Order | None:
        """An order, if there is one."""
        row = self.db.execute(
            "SELECT body FROM orders WHERE restaurant_id = ? AND id = ?", (restaurant_id, order_id)
        ).fetchone()
        return None if row is None else Order.model_validate_json(row[0])

    def orders(
        self,
        restaurant_id: str,
        *,
        status: OrderStatus | None,
        table_id: str | None,
        before: int | None,
        limit: int,
    ) -> tuple[list[Order], int | None]:
        """The newest orders first, and what `before` must be for the next page (None: the end).

        A page has fewer than `limit` where they would have more than PAGE_BYTES.
        """
        where, values = _where(
            {
                "restaurant_id = ?": restaurant_id,
                "number < ?": before,
                "status = ?": status,
                "table_id = ?": table_id,
            }
        )
        rows = self.db.execute(
            f"SELECT number, body FROM orders WHERE {where} ORDER BY number DESC LIMIT ?",  # noqa: S608
            (*values, limit),
        )
        page, more = _page(rows, limit)
        return [Order.model_validate_json(body) for _, body in page], more

    def events(
        self, restaurant_id: str, after: int, limit: int, max_bytes: float = inf
    ) -> list[Event]:
        """Committed events after a seq, in order; no further one once there are `max_bytes`."""
        rows = self.db.execute(
            "SELECT seq, event_id, type, tags, body FROM events"
            " WHERE restaurant_id = ? AND seq > ? ORDER BY seq LIMIT ?",
            (restaurant_id, after, limit),
        )
        events: list[Event] = []
        size = 0
        for row in rows:
            events.append(self._event(restaurant_id, row))
            size += len(events[-1].body)
            if size >= max_bytes:
                break
        rows.close()
        return events

    def spoken_events(self, restaurant_id: str, session_id: str) -> list[Event]:
        """All that hold what was said in a session, found without reading the whole history."""
        rows = self.db.execute(
            "SELECT seq, event_id, type, tags, body FROM events INDEXED BY events_by_session"
            " WHERE restaurant_id = ? AND json_extract(tags, '$.session_id[0]') = ?"
            " AND type IN ('voice:transcript', 'voice:order') ORDER BY seq",
            (restaurant_id, session_id),
        ).fetchall()
        return [self._event(restaurant_id, row) for row in rows]

    def _event(self, restaurant_id: str, row: tuple[int, str, str, str, bytes]) -> Event:
        seq, event_id, type_, tags, body = row
        known = {name: tuple(values) for name, values in json.loads(tags).items()}
        return Event(restaurant_id, self.epoch, seq, event_id, type_, known, body)

    def menu_row(self, restaurant_id: str) -> tuple[int, str] | None:
        """A menu's version and JSON."""
        row = self.db.execute(
            "SELECT version, body FROM menus WHERE restaurant_id = ?", (restaurant_id,)
        ).fetchone()
        return None if row is None else (row[0], row[1])

    def table(self, restaurant_id: str, table_id: str) -> Table | None:
        """A table, if there is one."""
        row = self.db.execute(
            "SELECT body FROM tables WHERE restaurant_id = ? AND id = ?", (restaurant_id, table_id)
        ).fetchone()
        return None if row is None else Table.model_validate_json(row[0])

    def tables(self, restaurant_id: str, after: str, limit: int) -> tuple[list[Table], str | None]:
        """Tables by their ids, and the id after which the next page begins (None: the end)."""
        rows = self.db.execute(
            "SELECT id, body FROM tables WHERE restaurant_id = ? AND id > ? ORDER BY id LIMIT ?",
            (restaurant_id, after, limit),
        )
        page, last = _page(rows, limit)
        return [Table.model_validate_json(body) for _, body in page], last

    def count_tables(self, restaurant_id: str) -> int:
        """How many tables there are."""
        count = "SELECT count(*) FROM tables WHERE restaurant_id = ?"
        return int(self.db.execute(count, (restaurant_id,)).fetchone()[0])

    def payments(
        self,
        restaurant_id: str,
        *,
        order_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        after: str | None = None,
        limit: int,
    ) -> tuple[list[Payment], str | None]:
        """Payments as they came, and the id after which the next page begins (None: the end)."""
        where, values = _where(
            {
                "restaurant_id = ?": restaurant_id,
                "order_id = ?": order_id,
                "at >= ?": None if since is None else timestamp(since),
                "at < ?": None if until is None else timestamp(until),
                "(at, id) > (SELECT at, id FROM payments AS p WHERE"
                " p.restaurant_id = payments.restaurant_id AND p.id = ?)": after,
            }
        )
        rows = self.db.execute(
            f"SELECT id, body FROM payments WHERE {where} ORDER BY at, id LIMIT ?",  # noqa: S608
            (*values, limit),
        )
        page, last = _page(rows, limit)
        return [Payment.model_validate_json(body) for _, body in page], last

    def positions(self) -> dict[str, tuple[int, int]]:
        """Of every restaurant the last seq and the oldest that is kept (last + 1 if none)."""
        rows = self.db.execute(
            "SELECT id, seq, coalesce((SELECT min(seq) FROM events WHERE restaurant_id = r.id),"
            " r.seq + 1) FROM restaurants AS r"
        ).fetchall()
        return {id_: (seq, oldest) for id_, seq, oldest in rows}

    def revocations(self) -> list[Revoked]:
        """Everything that has been revoked and could still be good."""
        rows = self.db.execute(
            "SELECT restaurant_id, token_id, user_id, at FROM revocations ORDER BY at"
        ).fetchall()
        return [Revoked(*row) for row in rows]

    def kitchens_behind(self) -> list[str]:
        """Restaurants with changed orders that no `kds:update` has told yet."""
        rows = self.db.execute(
            "SELECT r.id FROM restaurants AS r WHERE EXISTS (SELECT 1 FROM orders AS o"
            " WHERE o.restaurant_id = r.id AND o.seq > r.kds_seq)"
        ).fetchall()
        return [row[0] for row in rows]


def _where(tests: Mapping[str, str | int | None]) -> tuple[str, list[str | int]]:
    """The tests that have a value, joined, and the values: an index serves only what is asked."""
    given = {test: value for test, value in tests.items() if value is not None}
    return " AND ".join(given), list(given.values())


def _page(rows: Iterable[tuple[K, str]], limit: int) -> tuple[list[tuple[K, str]], K | None]:
    """Rows of a key and a body up to PAGE_BYTES, at least one; the last key if more may follow."""
    page: list[tuple[K, str]] = []
    size = 0
    for row in rows:
        size += len(row[1])
        if page and size > PAGE_BYTES:
            return page, page[-1][0]
        page.append(row)
    return page, page[-1][0] if len(page) == limit else None
