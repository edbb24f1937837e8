"""What was acknowledged is on disk; what fails, fails whole; nobody else is harmed."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import sqlite3
import stat
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from order_events import changes, schema, tx
from order_events.auth import Role, authority
from order_events.errors import Overloaded, StaleVersion, StoreUnavailable, UnknownItem
from order_events.models import OrderStatus
from order_events.settings import HubSettings
from order_events.store import DATABASE_FILE, DataDirBusy
from order_events.tx import Tx


async def test_the_same_key_gives_the_same_order_also_at_once(server: Any, draft: Any) -> None:
    """One order, one event, one number."""
    made = await asyncio.gather(
        *(
            server.events.create_order("r1", draft, actor="a", idempotency_key="voice:s1")
            for _ in range(20)
        )
    )
    assert len({order.id for order in made}) == 1
    other = await server.events.create_order("r2", draft, actor="a", idempotency_key="voice:s1")
    assert other.id != made[0].id
    assert server.events.hub.head("r1")[1] <= 2
    orders, _ = await server.events.orders("r1")
    assert [order.order_number[-4:] for order in orders] == ["0001"]


async def test_of_two_writers_with_one_version_one_wins(server: Any, draft: Any) -> None:
    """The other is told, and nothing of its change is there."""
    order = await server.events.create_order("r1", draft, actor="a")
    results = await asyncio.gather(
        *(
            server.events.revise_order(
                "r1", order.id, draft.items, actor=f"w{n}", notes=f"w{n}", version=1
            )
            for n in range(10)
        ),
        return_exceptions=True,
    )
    winners = [r for r in results if not isinstance(r, BaseException)]
    assert len(winners) == 1
    assert all(isinstance(r, StaleVersion) for r in results if r is not winners[0])
    kept = await server.events.order("r1", order.id)
    assert (kept.version, kept.notes) == (2, winners[0].notes)


async def test_seq_has_no_gap_whatever_fails_in_between(server: Any, draft: Any) -> None:
    """A refused change takes no seq and no order number, though others commit beside it."""
    wrong = draft.model_copy(
        update={"items": (draft.items[0].model_copy(update={"menu_item_id": "pizza"}),)}
    )
    results = await asyncio.gather(
        *(
            server.events.create_order("r1", wrong if n % 3 == 0 else draft, actor="a")
            for n in range(60)
        ),
        return_exceptions=True,
    )
    refused = [r for r in results if isinstance(r, UnknownItem)]
    made = sorted(r.order_number for r in results if not isinstance(r, BaseException))
    assert (len(refused), len(made)) == (20, 40)
    assert [int(number[-4:]) for number in made] == list(range(1, 41))
    events = await server.events.store.read(lambda r: r.events("r1", 0, 1000))
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert sum(event.type == "order:created" for event in events) == 40


async def test_a_fault_inside_one_change_harms_no_other(server: Any, draft: Any) -> None:
    """The faulty change is undone, its caller gets the exception, the writer goes on."""

    def faulty(tx: Tx) -> None:
        tx.append("r1", "voice:order", {}, {})
        raise ZeroDivisionError

    results = await asyncio.gather(
        server.events.create_order("r1", draft, actor="a"),
        server.events.store.write(faulty),
        server.events.create_order("r1", draft, actor="a"),
        return_exceptions=True,
    )
    assert isinstance(results[1], ZeroDivisionError)
    assert server.events.ready
    events = await server.events.store.read(lambda r: r.events("r1", 0, 10))
    assert [e.type for e in events if e.type != "kds:update"] == ["order:created"] * 2


async def test_order_numbers_follow_the_restaurants_day(
    server: Any, draft: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """23:59 and 00:01 in New York are different days, whatever UTC says."""
    numbers = []
    for hour, minute in ((3, 59), (3, 59), (4, 1)):
        moment = datetime(2026, 7, 1, hour, minute, tzinfo=UTC)
        monkeypatch.setattr("order_events.store.utc_now", lambda moment=moment: moment)
        order = await server.events.create_order("r1", draft, actor="a")
        numbers.append(order.order_number)
    assert numbers == ["20260630-0001", "20260630-0002", "20260701-0001"]


async def test_a_locked_database_fails_writers_and_not_readers(start: Any, draft: Any) -> None:
    """Readiness turns red until a write succeeds again; nothing half-written is left."""
    server = await start(store_busy_s=0.1)
    order = await server.events.create_order("r1", draft, actor="a")
    path = server.events.settings.data_dir / DATABASE_FILE
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable):
        await server.events.set_status("r1", order.id, OrderStatus.CONFIRMED, actor="a")
    status, answer = await server.call(
        "POST", f"/v1/orders/{order.id}/status", {"status": "confirmed"}
    )
    assert (status, answer["error"]["code"]) == (503, "UNAVAILABLE")
    assert (await server.events.order("r1", order.id)).status is OrderStatus.PENDING
    async with server.session.get(server.url + "/readyz") as response:
        assert response.status == 503
    other.execute("ROLLBACK")
    other.close()
    changed = await server.events.set_status("r1", order.id, OrderStatus.CONFIRMED, actor="a")
    assert changed.version == 2
    async with server.session.get(server.url + "/readyz") as response:
        assert response.status == 200


async def test_a_full_database_refuses_changes_whole(server: Any, draft: Any) -> None:
    """SQLite's own page limit stands in for a full disk."""
    order = await server.events.create_order("r1", draft, actor="a")
    await asyncio.sleep(0.3)

    def limit(pages: int | None) -> int:
        def job(tx: Tx) -> int:
            current = tx.db.execute("PRAGMA page_count").fetchone()[0]
            return tx.db.execute(f"PRAGMA max_page_count = {pages or current}").fetchone()[0]

        return job  # type: ignore[return-value]

    await server.events.store.write(limit(None))
    big = draft.model_copy(update={"items": draft.items * 200})
    head = server.events.hub.head("r1")
    with pytest.raises(StoreUnavailable):
        await server.events.create_order("r1", big, actor="a")
    assert not server.events.ready
    assert b"order_events_store_failures_total 0.0" not in server.events.metrics.exposition()
    assert server.events.hub.head("r1") == head
    assert (await server.events.order("r1", order.id)).id == order.id
    await server.events.store.write(limit(1_000_000))
    made = await server.events.create_order("r1", big, actor="a")
    assert made.order_number.endswith("-0002")
    assert server.events.ready


async def test_changes_that_wait_are_bounded(start: Any, draft: Any) -> None:
    """Beyond the queue a change is refused at once, and those that wait are made."""
    server = await start(store_queue=3)
    # One that takes its time keeps the writer busy.
    slow = asyncio.create_task(server.events.store.write(_busy))
    await asyncio.sleep(0.05)
    waiting = [
        asyncio.create_task(server.events.create_order("r1", draft, actor="a")) for _ in range(3)
    ]
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await server.events.create_order("r1", draft, actor="a")
    await asyncio.gather(slow, *waiting)
    assert len((await server.events.orders("r1"))[0]) == 3


def _busy(tx: Tx) -> None:
    """Half a second of work inside SQLite."""
    tx.db.create_function("wait", 0, lambda: __import__("time").sleep(0.5))
    tx.db.execute("SELECT wait()")


async def test_a_caller_that_goes_away_does_not_undo_its_change(server: Any, draft: Any) -> None:
    """What was asked for is made, and told."""
    client = await server.connect()
    task = asyncio.create_task(server.events.create_order("r1", draft, actor="a"))
    await asyncio.sleep(0)
    task.cancel()
    await client.expect("order:created")


async def test_only_their_owner_reads_orders(start: Any, draft: Any) -> None:
    """Whatever the umask: the directory, the database and what SQLite keeps beside it."""
    before = os.umask(0)
    try:
        server = await start()
        await server.events.create_order("r1", draft, actor="a")
    finally:
        os.umask(before)
    directory = server.events.settings.data_dir
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()}
    assert modes.keys() >= {"lock", DATABASE_FILE, f"{DATABASE_FILE}-wal", f"{DATABASE_FILE}-shm"}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


@pytest.mark.parametrize("watched", [False, True])
async def test_closing_leaves_everything_in_the_database_itself(
    server: Any, draft: Any, watched: bool
) -> None:
    """No WAL of megabytes stays behind, not even while another process has the file open."""
    order = await server.events.create_order("r1", draft, actor="a")
    assert await server.events.order("r1", order.id) is not None
    path = server.events.settings.data_dir / DATABASE_FILE
    other = sqlite3.connect(path)
    other.execute("SELECT count(*) FROM orders").fetchall()
    if not watched:
        other.close()
    await server.stop()
    wal = path.with_name(f"{DATABASE_FILE}-wal")
    assert (wal.stat().st_size if wal.exists() else None) == (0 if watched else None)
    other.close()
    alone = sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True)
    assert alone.execute("SELECT id FROM orders").fetchall() == [(order.id,)]
    alone.close()


async def test_two_servers_do_not_share_a_data_directory(start: Any, server: Any) -> None:
    """Each would tell its clients only half of the events."""
    with pytest.raises(DataDirBusy):
        await start(menu=False)


async def test_a_newer_schema_is_not_touched(tmp_path: Path) -> None:
    """An older program says so instead of damaging it."""
    path = tmp_path / "db"
    db = schema.connect(path, 1)
    epoch = schema.migrate(db)
    assert schema.migrate(db) == epoch
    db.execute("INSERT INTO schema_version (version) VALUES (99)")
    with pytest.raises(schema.UnknownSchema):
        schema.migrate(db)
    db.close()


def test_the_database_survives_a_loss_of_power_by_its_settings(tmp_path: Path) -> None:
    """WAL with FULL, not NORMAL."""
    db = schema.connect(tmp_path / "db", 1)
    assert db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert db.execute("PRAGMA synchronous").fetchone()[0] == 2
    db.close()


async def test_a_kitchen_that_was_not_told_before_a_crash_is_told_after(
    start: Any, draft: Any
) -> None:
    """What it has been told is kept beside the orders."""
    server = await start()
    first = await server.events.create_order("r1", draft, actor="a")
    await _until_told(server, first.id)
    # As if the process had died between the commit and the `kds:update`.
    await server.stop()
    db = sqlite3.connect(server.events.settings.data_dir / DATABASE_FILE, isolation_level=None)
    writer = Tx(db, server.events.store.epoch, tx.MenuCache(), datetime.now(UTC))
    order = changes.create_order(writer, "r1", draft, "a", None)
    db.close()
    server = await start(menu=False)
    event = await _until_told(server, order.id)
    assert [ticket["id"] for ticket in event["data"]["orders"]] == [order.id]


async def _until_told(server: Any, order_id: str) -> dict[str, Any]:
    for _ in range(100):
        events = await server.events.store.read(lambda r: r.events("r1", 0, 1000))
        for event in events:
            if event.type == "kds:update" and order_id.encode() in event.body:
                return dict(json.loads(event.body))
        await asyncio.sleep(0.02)
    raise AssertionError("the kitchen was never told")


async def test_sigkill_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """Killed while orders pour in; every acknowledged one is there, and history has no gap."""
    process, url, headers = await _spawn(tmp_path)
    acknowledged: list[str] = []
    enough = asyncio.Event()

    async def order(session: aiohttp.ClientSession) -> None:
        body = {"items": [{"menu_item_id": "burger"}]}
        while True:
            try:
                async with session.post(url + "/v1/orders", json=body) as answer:
                    acknowledged.append((await answer.json())["order"]["id"])
            except aiohttp.ClientError:
                return
            if len(acknowledged) >= 40:
                enough.set()

    async with aiohttp.ClientSession(headers=headers) as session:
        menu = {"name": "m", "categories": [{"id": "c", "name": "c"}]}
        menu |= {"items": [{"id": "burger", "name": "b", "category": "c", "price": 1}]}
        async with session.put(url + "/v1/menu", json=menu) as response:
            assert response.status == 200
        ordering = [asyncio.create_task(order(session)) for _ in range(4)]
        await enough.wait()
        process.send_signal(signal.SIGKILL)
        await asyncio.gather(process.wait(), *ordering)
    process, url, headers = await _spawn(tmp_path)
    async with aiohttp.ClientSession(headers=headers) as session:
        for order_id in acknowledged:
            async with session.get(f"{url}/v1/orders/{order_id}") as response:
                assert response.status == 200
        async with session.get(f"{url}/v1/events?limit=1000") as response:
            page = await response.json()
    events = page["events"]
    assert page["recovered"]
    assert not page["more"]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    created = {e["data"]["order"]["id"] for e in events if e["type"] == "order:created"}
    assert set(acknowledged) <= created
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0


async def _spawn(data_dir: Path) -> tuple[asyncio.subprocess.Process, str, dict[str, str]]:
    """The hub alone, as its own process, on a free port; with headers that it accepts."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **{k: v for k, v in os.environ.items() if not re.match("VOICE_|LOG_LEVEL", k)},
        "VOICE_DATA_DIR": str(data_dir),
        "VOICE_PORT": str(port),
        "LOG_LEVEL": "error",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "order_events", env=environment
    )
    for _ in range(200):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
            continue
        writer.close()
        tokens = authority(HubSettings(data_dir=data_dir))
        token = tokens.issue("r1", "u", Role.MANAGER, 60)
        return process, f"http://127.0.0.1:{port}", {"Authorization": f"Bearer {token}"}
    raise AssertionError("the server did not start")
