"""What a change may do inside its transaction, and what may be read outside of one."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import accumulate
from math import inf
from typing import Any

from order_events.errors import NotFound
from order_events.filters import Tags
from order_events.menu import Menu
from order_events.models import Event, Order, OrderStatus, Payment, Table
from order_events.protocol import encode, event, timestamp
from order_events.revocations import Revoked

_MENUS = 64


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
        """The newest orders first, and what `before` must be for the next page (None: the end)."""
        rows = self.db.execute(
            "SELECT number, body FROM orders WHERE restaurant_id = ?1 AND (?2 IS NULL OR number <"
            " ?2) AND (?3 IS NULL OR status = ?3) AND (?4 IS NULL OR table_id = ?4)"
            " ORDER BY number DESC LIMIT ?5",
            (restaurant_id, before, status, table_id, limit),
        ).fetchall()
        more = rows[-1][0] if len(rows) == limit else None
        return [Order.model_validate_json(body) for _, body in rows], more

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

    def payments(self, restaurant_id: str, order_id: str) -> list[Payment]:
        """An order's payments."""
        rows = self.db.execute(
            "SELECT body FROM payments WHERE restaurant_id = ? AND order_id = ?",
            (restaurant_id, order_id),
        ).fetchall()
        return sorted(
            (Payment.model_validate_json(row[0]) for row in rows), key=lambda p: p.created_at
        )

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


class MenuCache:
    """Menus of the restaurants used last, parsed once per version. For one thread."""

    def __init__(self) -> None:
        self._menus: OrderedDict[str, tuple[int, Menu]] = OrderedDict()

    def get(self, restaurant_id: str, version: int) -> Menu | None:
        """This version of the menu, if it is there."""
        cached = self._menus.get(restaurant_id)
        if cached is None or cached[0] != version:
            return None
        self._menus.move_to_end(restaurant_id)
        return cached[1]

    def parse(self, restaurant_id: str, version: int, body: str) -> Menu:
        """The menu in `body`, from the cache if this version is there."""
        menu = self.get(restaurant_id, version)
        if menu is None:
            menu = Menu.model_validate_json(body)
            self._menus[restaurant_id] = (version, menu)
            self._menus.move_to_end(restaurant_id)
            if len(self._menus) > _MENUS:
                self._menus.popitem(last=False)
        return menu


class Tx(Reader):
    """One change: it writes rows and appends events, all of it or nothing."""

    def __init__(self, db: sqlite3.Connection, epoch: str, menus: MenuCache, now: datetime) -> None:
        super().__init__(db, epoch)
        self.moment = now
        self.now = timestamp(now)
        self.appended: list[Event] = []
        self._menus = menus

    def append(self, restaurant_id: str, type_: str, data: Mapping[str, Any], tags: Tags) -> Event:
        """Gives an event its place in the restaurant's history."""
        seq = self.db.execute(
            "INSERT INTO restaurants (id, seq) VALUES (?, 1)"
            " ON CONFLICT (id) DO UPDATE SET seq = seq + 1 RETURNING seq",
            (restaurant_id,),
        ).fetchone()[0]
        event_id = uuid.uuid4().hex
        message = event(
            type_,
            data,
            self.moment,
            event_id=event_id,
            restaurant_id=restaurant_id,
            epoch=self.epoch,
            seq=seq,
        )
        appended = Event(restaurant_id, self.epoch, seq, event_id, type_, tags, encode(message))
        self.db.execute(
            "INSERT INTO events (restaurant_id, seq, event_id, type, tags, body, at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                restaurant_id,
                seq,
                event_id,
                type_,
                json.dumps(tags),
                appended.body,
                self.moment.timestamp(),
            ),
        )
        self.appended.append(appended)
        return appended

    def require_order(self, restaurant_id: str, order_id: str) -> Order:
        """The order; raises NotFound."""
        order = self.order(restaurant_id, order_id)
        if order is None:
            raise NotFound("there is no such order")
        return order

    def put_order(self, order: Order, seq: int) -> None:
        """Writes an order whose last event is `seq`."""
        day, _, number = order.order_number.partition("-")
        self.db.execute(
            "INSERT INTO orders (restaurant_id, id, number, status, table_id, seq, body)"
            " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (restaurant_id, id) DO UPDATE SET"
            " status = excluded.status, table_id = excluded.table_id, seq = excluded.seq,"
            " body = excluded.body",
            (
                order.restaurant_id,
                order.id,
                self.first_number(day) + int(number),
                order.status,
                order.table_id,
                seq,
                order.model_dump_json(),
            ),
        )

    @staticmethod
    def first_number(day: str) -> int:
        """What a day's order numbers count from in the table, `day` being YYYYMMDD."""
        return int(day) * 1_000_000

    def next_order_number(self, restaurant_id: str, moment: datetime) -> str:
        """The day's next number; `moment` is in the restaurant's time zone."""
        day = moment.strftime("%Y%m%d")
        last = self.db.execute(
            "INSERT INTO order_numbers (restaurant_id, day, last) VALUES (?, ?, 1)"
            " ON CONFLICT (restaurant_id, day) DO UPDATE SET last = last + 1 RETURNING last",
            (restaurant_id, day),
        ).fetchone()[0]
        return f"{day}-{last:04d}"

    def menu(self, restaurant_id: str) -> Menu | None:
        """The restaurant's menu as of this transaction."""
        row = self.db.execute(
            "SELECT version FROM menus WHERE restaurant_id = ?", (restaurant_id,)
        ).fetchone()
        if row is None:
            return None
        known = self._menus.get(restaurant_id, row[0])
        if known is not None:
            return known
        whole = self.menu_row(restaurant_id)
        return None if whole is None else self._menus.parse(restaurant_id, *whole)

    def put_menu(self, restaurant_id: str, menu: Menu, actor: str) -> int:
        """Replaces the menu; returns its version."""
        version: int = self.db.execute(
            "INSERT INTO menus (restaurant_id, version, body, updated_at, updated_by)"
            " VALUES (?, 1, ?, ?, ?) ON CONFLICT (restaurant_id) DO UPDATE SET"
            " version = version + 1, body = excluded.body, updated_at = excluded.updated_at,"
            " updated_by = excluded.updated_by RETURNING version",
            (restaurant_id, menu.model_dump_json(), self.now, actor),
        ).fetchone()[0]
        return version

    def put_table(self, restaurant_id: str, table: Table) -> None:
        """Writes a table."""
        self.db.execute(
            "INSERT OR REPLACE INTO tables (restaurant_id, id, body) VALUES (?, ?, ?)",
            (restaurant_id, table.id, table.model_dump_json()),
        )

    def put_payment(self, restaurant_id: str, payment: Payment) -> None:
        """Writes a payment."""
        self.db.execute(
            "INSERT INTO payments (restaurant_id, id, order_id, body) VALUES (?, ?, ?, ?)",
            (restaurant_id, payment.id, payment.order_id, payment.model_dump_json()),
        )

    def require_payment(self, restaurant_id: str, payment_id: str) -> Payment:
        """The payment; raises NotFound."""
        row = self.db.execute(
            "SELECT body FROM payments WHERE restaurant_id = ? AND id = ?",
            (restaurant_id, payment_id),
        ).fetchone()
        if row is None:
            raise NotFound("there is no such payment")
        return Payment.model_validate_json(row[0])

    def made_before(self, restaurant_id: str, kind: str, key: str) -> tuple[str, str | None] | None:
        """The id of what an earlier creation with this key made, and the digest of its draft."""
        row = self.db.execute(
            "SELECT result_id, digest FROM idempotency"
            " WHERE restaurant_id = ? AND kind = ? AND key = ?",
            (restaurant_id, kind, key),
        ).fetchone()
        return None if row is None else (row[0], row[1])

    def remember(
        self, restaurant_id: str, kind: str, key: str | None, digest: str | None, result_id: str
    ) -> None:
        """Notes what a creation with this key made."""
        if key is not None:
            self.db.execute(
                "INSERT INTO idempotency (restaurant_id, kind, key, result_id, at, digest)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (restaurant_id, kind, key, result_id, self.moment.timestamp(), digest),
            )

    def changed_for_kitchen(
        self, restaurant_id: str, limit: int, max_bytes: int
    ) -> tuple[list[Order], bool]:
        """Orders changed since the last `kds:update`, which from now on count as told.

        At most `limit` of them and, beyond the first, `max_bytes`; and whether there are more.
        """
        rows = self.db.execute(
            "SELECT seq, body FROM orders WHERE restaurant_id = ?1 AND seq >"
            " (SELECT kds_seq FROM restaurants WHERE id = ?1) ORDER BY seq LIMIT ?2",
            (restaurant_id, limit + 1),
        ).fetchall()
        sizes = accumulate(len(body) for _, body in rows)
        fitting = sum(size <= max_bytes for size in sizes)
        told = rows[: min(max(1, fitting), limit)]
        if told:
            self.db.execute(
                "UPDATE restaurants SET kds_seq = ? WHERE id = ?", (told[-1][0], restaurant_id)
            )
        return [Order.model_validate_json(body) for _, body in told], len(told) < len(rows)

    def oldest(self, restaurant_id: str) -> int:
        """The oldest seq that is kept, the next one if none is."""
        row = self.db.execute(
            "SELECT coalesce((SELECT min(seq) FROM events WHERE restaurant_id = ?1),"
            " (SELECT seq FROM restaurants WHERE id = ?1) + 1)",
            (restaurant_id,),
        ).fetchone()
        return int(row[0])

    def revoke(self, revoked: Revoked, actor: str) -> None:
        """Writes a revocation."""
        self.db.execute(
            "INSERT INTO revocations (restaurant_id, token_id, user_id, at, by)"
            " VALUES (?, ?, ?, ?, ?)",
            (revoked.restaurant_id, revoked.token_id, revoked.user_id, revoked.at, actor),
        )


def utc_now() -> datetime:
    """The time that changes are stamped with."""
    return datetime.now(UTC)
