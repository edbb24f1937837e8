"""What a change may do inside its transaction."""

from __future__ import annotations

import json
import uuid
from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any

from pydantic import BaseModel

from order_events import tracing
from order_events.auth.revocations import Revoked
from order_events.domain.api_models import MenuVersion
from order_events.domain.models import Event, Order, Payment, Table
from order_events.menu.menu import Menu
from order_events.protocol.errors import NotFound
from order_events.protocol.filters import Tags
from order_events.protocol.messages import encode, event, timestamp
from order_events.storage.damaged_rows import Readable
from order_events.storage.database import Connection
from order_events.storage.queries import Reader

_MENUS = 64
MOST_VERSIONS = 50
"""Published menus of a restaurant that are kept, to be restored."""


class MenuCache:
    """The menus of the restaurants used last, parsed once per version. Not thread-safe."""

    def __init__(self) -> None:
        self._menus: OrderedDict[str, tuple[int, Menu]] = OrderedDict()

    def get(self, restaurant_id: str, version: int) -> Menu | None:
        """Return this version of the menu, or None."""
        cached = self._menus.get(restaurant_id)
        if cached is None or cached[0] != version:
            return None
        self._menus.move_to_end(restaurant_id)
        return cached[1]

    def put(self, restaurant_id: str, version: int, menu: Menu) -> None:
        """Keep a parsed menu."""
        self._menus[restaurant_id] = (version, menu)
        self._menus.move_to_end(restaurant_id)
        if len(self._menus) > _MENUS:
            self._menus.popitem(last=False)


class Tx(Reader):
    """One change: its rows and its events are committed together or not at all."""

    def __init__(self, db: Connection, epoch: str, menus: MenuCache, now: datetime) -> None:
        super().__init__(db, epoch)
        self.at = now
        self.timestamp = timestamp(now)
        self.appended: list[Event] = []
        self.erase_by: float | None = None
        self._menus = menus

    def scrub_later(self, after_s: float = 0.0) -> None:
        """Have the remains of what was deleted removed from the disk, soon or after some seconds.

        `erase_by` is the earliest such time (Unix seconds), for whoever commits.
        """
        at = self.at.timestamp() + after_s
        self.erase_by = at if self.erase_by is None else min(self.erase_by, at)

    def append(
        self, restaurant_id: str, type_: str, data: Mapping[str, Any] | BaseModel, tags: Tags
    ) -> Event:
        """Append an event to the restaurant's history and return it."""
        seq = self.db.execute(
            "INSERT INTO restaurants (id, seq) VALUES (?, 1)"
            " ON CONFLICT (id) DO UPDATE SET seq = restaurants.seq + 1 RETURNING seq",
            (restaurant_id,),
        ).fetchone()[0]
        event_id = uuid.uuid4().hex
        message = event(
            type_,
            data,
            self.at,
            event_id=event_id,
            restaurant_id=restaurant_id,
            epoch=self.epoch,
            seq=seq,
        )
        appended = Event(
            restaurant_id,
            self.epoch,
            seq,
            event_id,
            type_,
            tags,
            encode(message),
            trace=tracing.current(),
        )
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
                self.at.timestamp(),
            ),
        )
        self.appended.append(appended)
        return appended

    def require_order(self, restaurant_id: str, order_id: str) -> Order:
        """Return the order; raise NotFound."""
        order = self.order(restaurant_id, order_id)
        if order is None:
            raise NotFound("there is no such order")
        return order

    def put_order(self, order: Order, seq: int) -> None:
        """Write an order whose last event is `seq`."""
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
        """Return the base of a day's order numbers in the table; `day` is YYYYMMDD."""
        return int(day) * 1_000_000

    def next_order_number(self, restaurant_id: str, local: datetime) -> str:
        """Return the day's next order number; `local` is a time in the restaurant's time zone."""
        day = local.strftime("%Y%m%d")
        first = self.first_number(day)
        # The orders are consulted too: a day's count may be deleted while orders of it are kept,
        # and the clock may go back to that day.
        last = self.db.execute(
            "INSERT INTO order_numbers (restaurant_id, day, last) VALUES (?1, ?2, 1 + coalesce("
            "(SELECT max(number) FROM orders WHERE restaurant_id = ?1 AND number >= ?3"
            " AND number < ?3 + 1000000) - ?3, 0))"
            " ON CONFLICT (restaurant_id, day) DO UPDATE SET last = order_numbers.last + 1"
            " RETURNING last",
            (restaurant_id, day, first),
        ).fetchone()[0]
        return f"{day}-{last:04d}"

    def menu(self, restaurant_id: str) -> Menu | None:
        """Return the restaurant's menu as of this transaction, or None."""
        row = self.db.execute(
            "SELECT version FROM menus WHERE restaurant_id = ?", (restaurant_id,)
        ).fetchone()
        if row is None:
            return None
        known = self._menus.get(restaurant_id, row[0])
        if known is not None:
            return known
        whole = self.menu_row(restaurant_id)
        if whole is None:
            return None
        version, body = whole
        menu = self.parse(Menu, body, "menus", restaurant_id)
        self._menus.put(restaurant_id, version, menu)
        return menu

    def put_menu(self, restaurant_id: str, menu: Menu, actor: str) -> int:
        """Replace the menu; return its version, which no menu that is kept has."""
        version: int = self.db.execute(
            "INSERT INTO menus (restaurant_id, version, body, updated_at, updated_by)"
            " VALUES (?1, (SELECT coalesce(max(version), 0) + 1 FROM menu_versions WHERE"
            " restaurant_id = ?1), ?2, ?3, ?4) ON CONFLICT (restaurant_id) DO UPDATE SET"
            " version = menus.version + 1, body = excluded.body, updated_at = excluded.updated_at,"
            " updated_by = excluded.updated_by RETURNING version",
            (restaurant_id, menu.model_dump_json(), self.timestamp, actor),
        ).fetchone()[0]
        return version

    def keep_menu(self, restaurant_id: str, menu: Menu, published: MenuVersion) -> None:
        """Keep a published menu, to be restored; of more than MOST_VERSIONS the oldest go."""
        self.db.execute(
            "INSERT INTO menu_versions (restaurant_id, version, body, items, published_at,"
            " published_by, restored_from, trial_orders) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                restaurant_id,
                published.version,
                menu.model_dump_json(),
                published.items,
                published.published_at,
                published.published_by,
                published.restored_from,
                published.trial_orders,
            ),
        )
        self.db.execute(
            "DELETE FROM menu_versions WHERE restaurant_id = ?1 AND version NOT IN (SELECT version"
            " FROM menu_versions WHERE restaurant_id = ?1 ORDER BY version DESC LIMIT ?2)",
            (restaurant_id, MOST_VERSIONS),
        )

    def put_trial(self, restaurant_id: str, orders: int | None) -> None:
        """Put the menu on trial for its next `orders`; None ends a trial."""
        self.db.execute(
            "UPDATE menus SET trial_orders = ?2, trial_left = ?2 WHERE restaurant_id = ?1",
            (restaurant_id, orders),
        )

    def count_for_trial(self, restaurant_id: str) -> bool:
        """Count an order for the menu's trial; return whether there is one that is not over."""
        counted = self.db.execute(
            "UPDATE menus SET trial_left = trial_left - 1"
            " WHERE restaurant_id = ? AND trial_left > 0",
            (restaurant_id,),
        )
        return counted.rowcount > 0

    def put_table(self, restaurant_id: str, table: Table) -> None:
        """Write a table."""
        self.db.execute(
            "INSERT INTO tables (restaurant_id, id, body) VALUES (?, ?, ?)"
            " ON CONFLICT (restaurant_id, id) DO UPDATE SET body = excluded.body",
            (restaurant_id, table.id, table.model_dump_json()),
        )

    def put_payment(self, restaurant_id: str, payment: Payment) -> None:
        """Write a payment."""
        self.db.execute(
            "INSERT INTO payments (restaurant_id, id, order_id, body, at) VALUES (?, ?, ?, ?, ?)",
            (
                restaurant_id,
                payment.id,
                payment.order_id,
                payment.model_dump_json(),
                payment.created_at,
            ),
        )

    def require_payment(self, restaurant_id: str, payment_id: str) -> Payment:
        """Return the payment; raise NotFound."""
        row = self.db.execute(
            "SELECT body FROM payments WHERE restaurant_id = ? AND id = ?",
            (restaurant_id, payment_id),
        ).fetchone()
        if row is None:
            raise NotFound("there is no such payment")
        return self.parse(Payment, row[0], "payments", restaurant_id, payment_id)

    def made_before(self, restaurant_id: str, kind: str, key: str) -> tuple[str, str | None] | None:
        """Return what an earlier creation with this key made: its id, and the draft's digest."""
        row = self.db.execute(
            "SELECT result_id, digest FROM idempotency"
            " WHERE restaurant_id = ? AND kind = ? AND key = ?",
            (restaurant_id, kind, key),
        ).fetchone()
        return None if row is None else (row[0], row[1])

    def remember(
        self, restaurant_id: str, kind: str, key: str | None, digest: str | None, result_id: str
    ) -> None:
        """Record what a creation with this key made."""
        if key is not None:
            self.db.execute(
                "INSERT INTO idempotency (restaurant_id, kind, key, result_id, at, digest)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (restaurant_id, kind, key, result_id, self.at.timestamp(), digest),
            )

    def changed_for_kitchen(
        self, restaurant_id: str, limit: int, max_bytes: int
    ) -> tuple[Readable[Order], bool]:
        """Return orders changed since the last `kds:update`, and whether there are more.

        They count as sent from now on, damaged ones included. At most `limit` orders are returned
        and, beyond the first, at most `max_bytes`.
        """
        rows = self.db.execute(
            "SELECT seq, id, body FROM orders WHERE restaurant_id = ?1 AND seq >"
            " (SELECT kds_seq FROM restaurants WHERE id = ?1) ORDER BY seq LIMIT ?2",
            (restaurant_id, limit + 1),
        ).fetchall()
        sizes = accumulate(len(body) for _, _, body in rows)
        fitting = sum(size <= max_bytes for size in sizes)
        sent = rows[: min(max(1, fitting), limit)]
        if sent:
            self.db.execute(
                "UPDATE restaurants SET kds_seq = ? WHERE id = ?", (sent[-1][0], restaurant_id)
            )
        bodies = ((id_, body) for _, id_, body in sent)
        orders = self.parse_all(Order, bodies, "orders", restaurant_id)
        return orders, len(sent) < len(rows)

    def kitchen_is_behind(self, restaurant_id: str) -> bool:
        """Return whether orders have changed that no `kds:update` contains yet."""
        behind = self.db.execute(
            "SELECT 1 FROM restaurants AS r WHERE r.id = ? AND EXISTS (SELECT 1 FROM orders AS o"
            " WHERE o.restaurant_id = r.id AND o.seq > r.kds_seq)",
            (restaurant_id,),
        )
        return behind.fetchone() is not None

    def may_update_kitchen(self, restaurant_id: str, pause_s: float) -> bool:
        """Return whether the last `kds:update` is `pause_s` ago; if so, note one for now.

        A time in the future comes from a node whose clock is wrong, and is not waited for.
        """
        now = self.at.timestamp()
        noted = self.db.execute(
            "UPDATE restaurants SET kds_at = ?2 WHERE id = ?1 AND NOT (kds_at > ?2 - ?3"
            " AND kds_at <= ?2 + ?3)",
            (restaurant_id, now, pause_s),
        )
        return noted.rowcount > 0

    def oldest(self, restaurant_id: str) -> int:
        """Return the oldest seq that is kept, or the next one if none is."""
        row = self.db.execute(
            "SELECT coalesce((SELECT min(seq) FROM events WHERE restaurant_id = ?1),"
            " (SELECT seq FROM restaurants WHERE id = ?1) + 1)",
            (restaurant_id,),
        ).fetchone()
        return int(row[0])

    def revoke(self, revoked: Revoked, actor: str) -> None:
        """Write a revocation."""
        self.db.execute(
            "INSERT INTO revocations (restaurant_id, token_id, user_id, at, by)"
            " VALUES (?, ?, ?, ?, ?)",
            (revoked.restaurant_id, revoked.token_id, revoked.user_id, revoked.at, actor),
        )


def utc_now() -> datetime:
    """Return the time that changes are stamped with."""
    return datetime.now(UTC)
