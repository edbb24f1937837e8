"""A clock that jumps must not make retention delete everything."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from structlog.testing import capture_logs
from support.transactions import NOON, at, database, order

from order_events.domain.models import OrderDraft
from order_events.ledger import changes, housekeeping, retention
from order_events.ledger.clock_watch import AWAY_S, ClockWatch
from order_events.menu.menu import Menu
from order_events.storage.queries import Reader

DAY = 86_400.0


def test_a_clock_that_has_jumped_is_doubted_for_a_day() -> None:
    """After that it is probably right, and the machine had been asleep."""
    watch = ClockWatch(DAY, None, 1_000.0, 0.0)
    assert not watch.doubts(1_600.0, 600.0)
    ahead = 500 * DAY
    assert watch.doubts(ahead + 2_200.0, 1_200.0)
    assert watch.doubts(ahead + DAY, DAY)
    assert not watch.doubts(ahead + 2_200.0 + DAY, 1_200.0 + DAY)


def test_a_clock_that_is_set_right_is_trusted_at_once() -> None:
    """A person has looked at it."""
    watch = ClockWatch(DAY, None, 0.0, 0.0)
    assert watch.doubts(500 * DAY, 600.0)
    assert not watch.doubts(1_200.0, 1_200.0)


def test_a_clock_that_jumped_while_the_server_was_away_is_doubted() -> None:
    """A week without it is a holiday."""
    holiday = ClockWatch(DAY, 0.0, AWAY_S, 0.0)
    assert not holiday.doubts(AWAY_S + 600, 600.0)
    longer = ClockWatch(DAY, 0.0, 500 * DAY, 0.0)
    assert longer.doubts(500 * DAY + 600, 600.0)
    assert ClockWatch(DAY, None, 500 * DAY, 0.0).doubts(500 * DAY + 600, 600.0) is False


def test_the_last_known_time_is_of_the_newest_event_or_the_last_run(
    menu: Menu, draft: OrderDraft
) -> None:
    """Of an empty database, it is not known."""
    with database() as db:
        reader = Reader(db, "e")
        assert retention.last_known_time(reader) is None
        changes.put_menu(at(db), "r1", menu, "m")
        order(at(db, NOON), draft)
        assert retention.last_known_time(reader) == NOON.timestamp()
        later = (NOON + timedelta(hours=1)).timestamp()
        retention.forget_revocations(at(db), 0.0, later)
        assert retention.last_known_time(reader) == later


async def test_nothing_is_deleted_by_a_doubted_clock(
    start: Any, draft: Any, monkeypatch: Any
) -> None:
    """500 days ahead, the events of this minute stay; the metric and the log say so."""
    server = await start()
    await server.events.create_order("r1", draft, actor="a")
    await server.stop()
    real = time.time
    monkeypatch.setattr(housekeeping.time, "time", lambda: real() + 500 * DAY)
    with capture_logs() as lines:
        server = await start(menu=False, retention_interval_s=0.01)
        while not any("jumped ahead" in line["event"] for line in lines):
            await server.call("GET", "/v1/orders")
    assert "order_events_clock_doubted 1.0" in server.events.metrics.exposition().decode()
    assert len((await server.call("GET", "/v1/events"))[1]["events"]) >= 1


async def test_one_run_deletes_a_bounded_part(start: Any, draft: Any, monkeypatch: Any) -> None:
    """So that a wrong decision is noticed before everything is gone."""
    monkeypatch.setattr(housekeeping, "MOST_AT_ONCE", 2)
    monkeypatch.setattr(retention, "AT_ONCE", 3)
    server = await start()
    for _ in range(10):
        await server.events.create_order("r1", draft, actor="a")

    async def kept() -> int:
        def count(reader: Reader) -> int:
            sql = "SELECT count(*) FROM events WHERE restaurant_id = 'r1' AND type != 'kds:update'"
            return int(reader.db.execute(sql).fetchone()[0])

        return int(await server.events.store.read(count))

    assert await kept() == 10
    await server.events.forget(time.time() + 500 * DAY)
    assert 4 <= await kept() <= 7
