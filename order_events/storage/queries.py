"""Queries on one restaurant's rows, inside or outside a transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import datetime
from math import inf
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from order_events.auth.revocations import Revoked
from order_events.domain.api_models import MenuVersion, Trial
from order_events.domain.models import Event, Order, OrderStatus, Payment, Table
from order_events.menu.menu import Menu
from order_events.protocol.errors import NotFound
from order_events.protocol.messages import timestamp
from order_events.storage.damaged_rows import DamagedRow, Place, Readable
from order_events.storage.database import Connection

PAGE_BYTES = 1_048_576
"""Approximate size of one page of a list; a page has at least one entry."""
K = TypeVar("K", str, int)
M = TypeVar("M", bound=BaseModel)


class Reader:
    """Reads rows; each method those of one restaurant, unless it says otherwise.

    A row that cannot be read raises DamagedRow, or is left out of a list; `damaged` has its place.
    """

    def __init__(self, db: Connection, epoch: str) -> None:
        self.db = db
        self.epoch = epoch
        self.damaged: list[Place] = []

    def parse(self, model: type[M], body: str | bytes, table: str, *key: str | int) -> M:
        """Return what a row contains; raise DamagedRow."""
        try:
            return model.model_validate_json(body)
        except ValidationError:
            place = Place(table, key)
            self.damaged.append(place)
            # Not as the cause: its message quotes the content.
            raise DamagedRow(place) from None

    def parse_all(
        self, model: type[M], rows: Iterable[tuple[K, str]], table: str, restaurant_id: str
    ) -> Readable[M]:
        """Return what the rows (key, body) contain, as far as it can be read."""
        readable: Readable[M] = Readable()
        for key, body in rows:
            try:
                readable.append(self.parse(model, body, table, restaurant_id, key))
            except DamagedRow:
                readable.damaged += 1
        return readable

    def order(self, restaurant_id: str, order_id: str) -> Order | None:
        """Return an order, or None."""
        row = self.db.execute(
            "SELECT body FROM orders WHERE restaurant_id = ? AND id = ?", (restaurant_id, order_id)
        ).fetchone()
        if row is None:
            return None
        return self.parse(Order, row[0], "orders", restaurant_id, order_id)

    def orders(
        self,
        restaurant_id: str,
        *,
        status: OrderStatus | None,
        table_id: str | None,
        before: int | None,
        limit: int,
    ) -> tuple[Readable[Order], int | None]:
        """Return orders, the newest first, and `before` for the next page (None at the end).

        A page has fewer than `limit` orders if they would exceed PAGE_BYTES.
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
        return self.parse_all(Order, page, "orders", restaurant_id), more

    def events(
        self, restaurant_id: str, after: int, limit: int, max_bytes: float = inf
    ) -> list[Event]:
        """Return committed events after a seq, in order, stopping once they have `max_bytes`."""
        rows = self.db.execute(
            "SELECT seq, event_id, type, tags, body FROM events"
            " WHERE restaurant_id = ? AND seq > ? ORDER BY seq LIMIT ?",
            (restaurant_id, after, limit),
        )
        events: list[Event] = []
        size = 0
        # Closed also where a row is damaged: an open cursor keeps the WAL from being emptied.
        with closing(rows):
            for row in rows:
                events.append(self._event(restaurant_id, row))
                size += len(events[-1].body)
                if size >= max_bytes:
                    break
        return events

    def spoken_events(self, restaurant_id: str, session_id: str) -> list[Event]:
        """Return all events that contain what was said in a session.

        An index finds them without reading the whole history.
        """
        rows = self.db.execute(
            "SELECT seq, event_id, type, tags, body FROM events INDEXED BY events_by_session"
            " WHERE restaurant_id = ? AND json_extract(tags, '$.session_id[0]') = ?"
            " AND type IN ('voice:transcript', 'voice:order') ORDER BY seq",
            (restaurant_id, session_id),
        ).fetchall()
        return [self._event(restaurant_id, row) for row in rows]

    def events_about(self, restaurant_id: str, tag: str, value: str) -> list[Event]:
        """Return all events with this value of a tag. Reads the whole history."""
        rows = self.db.execute(
            "SELECT seq, event_id, type, tags, body FROM events WHERE restaurant_id = ?"
            " AND instr(tags, ?) > 0 ORDER BY seq",
            (restaurant_id, json.dumps(value)),
        ).fetchall()
        events = [self._event(restaurant_id, row) for row in rows]
        return [event for event in events if value in event.tags.get(tag, ())]

    def _event(self, restaurant_id: str, row: tuple[int, str, str, str, bytes]) -> Event:
        seq, event_id, type_, tags, body = row
        try:
            known = {name: tuple(values) for name, values in json.loads(tags).items()}
        except (ValueError, AttributeError, TypeError):
            self.damaged.append(Place("events", (restaurant_id, seq)))
            raise DamagedRow(self.damaged[-1]) from None
        return Event(restaurant_id, self.epoch, seq, event_id, type_, known, body)

    def menu_row(self, restaurant_id: str) -> tuple[int, str] | None:
        """Return the menu's version and JSON, or None."""
        row = self.db.execute(
            "SELECT version, body FROM menus WHERE restaurant_id = ?", (restaurant_id,)
        ).fetchone()
        return None if row is None else (row[0], row[1])

    def menu_versions(self, restaurant_id: str) -> tuple[MenuVersion, ...]:
        """Return the published menus that are kept, the newest first."""
        rows = self.db.execute(
            "SELECT version, items, published_at, published_by, restored_from, trial_orders"
            " FROM menu_versions WHERE restaurant_id = ? ORDER BY version DESC",
            (restaurant_id,),
        )
        names = ("version", "items", "published_at", "published_by", "restored_from")
        return tuple(
            MenuVersion(**dict(zip((*names, "trial_orders"), row, strict=True))) for row in rows
        )

    def published_menu(self, restaurant_id: str, version: int) -> Menu | None:
        """Return a published menu, or None if there is none of that version, or it is not kept."""
        row = self.db.execute(
            "SELECT body FROM menu_versions WHERE restaurant_id = ? AND version = ?",
            (restaurant_id, version),
        ).fetchone()
        if row is None:
            return None
        return self.parse(Menu, row[0], "menu_versions", restaurant_id, version)

    def menu_version(self, restaurant_id: str) -> tuple[int, str] | None:
        """Return the menu's version and when it was made, or None: together they never recur."""
        row = self.db.execute(
            "SELECT version, updated_at FROM menus WHERE restaurant_id = ?", (restaurant_id,)
        ).fetchone()
        return None if row is None else (row[0], row[1])

    def trial(self, restaurant_id: str) -> Trial | None:
        """Return the trial of the restaurant's menu, over or not; None if it has none."""
        row = self.db.execute(
            "SELECT trial_orders, trial_left FROM menus"
            " WHERE restaurant_id = ? AND trial_orders IS NOT NULL",
            (restaurant_id,),
        ).fetchone()
        return None if row is None else Trial(orders=row[0], left=row[1])

    def table(self, restaurant_id: str, table_id: str) -> Table | None:
        """Return a table, or None."""
        row = self.db.execute(
            "SELECT body FROM tables WHERE restaurant_id = ? AND id = ?", (restaurant_id, table_id)
        ).fetchone()
        if row is None:
            return None
        return self.parse(Table, row[0], "tables", restaurant_id, table_id)

    def tables(
        self, restaurant_id: str, after: str, limit: int
    ) -> tuple[Readable[Table], str | None]:
        """Return tables sorted by id, and `after` for the next page (None at the end)."""
        rows = self.db.execute(
            "SELECT id, body FROM tables WHERE restaurant_id = ? AND id > ? ORDER BY id LIMIT ?",
            (restaurant_id, after, limit),
        )
        page, last = _page(rows, limit)
        return self.parse_all(Table, page, "tables", restaurant_id), last

    def count_tables(self, restaurant_id: str) -> int:
        """Return the number of tables."""
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
    ) -> tuple[Readable[Payment], str | None]:
        """Return payments, the oldest first, and `after` for the next page (None at the end).

        Raises NotFound if `after` has been deleted since.
        """
        if after is not None and not self._has_payment(restaurant_id, after):
            raise NotFound("after: this payment is no longer there; begin with the first page")
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
        return self.parse_all(Payment, page, "payments", restaurant_id), last

    def _has_payment(self, restaurant_id: str, payment_id: str) -> bool:
        find = "SELECT 1 FROM payments WHERE restaurant_id = ? AND id = ?"
        return self.db.execute(find, (restaurant_id, payment_id)).fetchone() is not None

    def positions(self) -> dict[str, tuple[int, int]]:
        """Return each restaurant's last seq and the oldest that is kept (last + 1 if none is)."""
        rows = self.db.execute(
            "SELECT id, seq, coalesce((SELECT min(seq) FROM events WHERE restaurant_id = r.id),"
            " r.seq + 1) FROM restaurants AS r"
        ).fetchall()
        return {id_: (seq, oldest) for id_, seq, oldest in rows}

    def revocations(self) -> list[Revoked]:
        """Return all revocations of tokens that could still be valid."""
        rows = self.db.execute(
            "SELECT restaurant_id, token_id, user_id, at FROM revocations ORDER BY at"
        ).fetchall()
        return [Revoked(*row) for row in rows]

    def oldest_unfinished(self) -> float | None:
        """Return when the oldest order that is not finished was made (Unix seconds), or None."""
        row = self.db.execute(
            "SELECT min(json_extract(body, '$.created_at')) FROM orders WHERE status IN"
            " ('pending', 'confirmed', 'preparing', 'ready') AND json_valid(body)"
        ).fetchone()
        return None if row[0] is None else datetime.fromisoformat(row[0]).timestamp()

    def kitchens_behind(self) -> list[str]:
        """Return the restaurants with changed orders that no `kds:update` contains yet."""
        rows = self.db.execute(
            "SELECT r.id FROM restaurants AS r WHERE EXISTS (SELECT 1 FROM orders AS o"
            " WHERE o.restaurant_id = r.id AND o.seq > r.kds_seq)"
        ).fetchall()
        return [row[0] for row in rows]


def _where(tests: Mapping[str, str | int | None]) -> tuple[str, list[str | int]]:
    """Return the conditions that have a value, joined, and those values.

    Absent conditions are left out, because only then can an index serve the rest.
    """
    given = {test: value for test, value in tests.items() if value is not None}
    return " AND ".join(given), list(given.values())


def _page(rows: Iterable[tuple[K, str]], limit: int) -> tuple[list[tuple[K, str]], K | None]:
    """Return rows (key, body) of up to PAGE_BYTES, at least one, and the last key.

    The key is None if no page can follow.
    """
    page: list[tuple[K, str]] = []
    size = 0
    for row in rows:
        size += len(row[1])
        if page and size > PAGE_BYTES:
            return page, page[-1][0]
        page.append(row)
    return page, page[-1][0] if len(page) == limit else None
