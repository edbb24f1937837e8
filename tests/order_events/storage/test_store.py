"""What was acknowledged is on disk; failures are all or nothing and harm nobody else."""

from __future__ import annotations

import asyncio
import functools
import os
import re
import sqlite3
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from support.paths import BENCHMARKS

from order_events.domain.models import OrderStatus
from order_events.protocol.errors import Overloaded, StaleVersion, StoreUnavailable, UnknownItem
from order_events.storage.sqlite import DATABASE_FILE, DataDirBusy
from order_events.storage.transaction import Tx


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
    """The other gets an error, and none of its change is kept."""
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
    """A refused change uses up no seq and no order number, even if others commit beside it."""
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
    """The faulty change is undone, its caller gets the exception, and the writer goes on.

    The event it had appended is not published: another event has that seq now.
    """
    client = await server.connect()
    await client.send(type="subscribe", events=["order:created", "voice:order"])
    await client.expect("subscribed")

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
    assert (await client.expect("order:created"))["seq"] == 1
    await client.expect("order:created")
    await client.silent()


@pytest.mark.sqlite
async def test_a_locked_database_fails_writers_and_not_readers(start: Any, draft: Any) -> None:
    """The server is not ready until a write succeeds; nothing half-written is left."""
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


@pytest.mark.sqlite
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


class _Uncertain(sqlite3.Connection):
    """A disk that fails after writing the last page of a commit."""

    fails = False

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        cursor = super().execute(sql, *parameters)
        if sql == "COMMIT" and self.fails:
            type(self).fails = False
            raise sqlite3.OperationalError("disk I/O error")
        return cursor


@pytest.mark.sqlite
async def test_a_commit_that_is_there_although_it_failed_is_told(
    start: Any, draft: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise connected clients would miss its seq."""
    monkeypatch.setattr(sqlite3, "connect", functools.partial(sqlite3.connect, factory=_Uncertain))
    server = await start()
    client = await server.connect()
    await client.send(type="subscribe", events=["order:created"])
    await client.expect("subscribed")
    monkeypatch.setattr(_Uncertain, "fails", True)
    first = await server.events.create_order("r1", draft, actor="a")
    assert not _Uncertain.fails
    second = await server.events.create_order("r1", draft, actor="a")
    told = [(await client.expect("order:created"))["data"]["order"]["id"] for _ in range(2)]
    assert told == [first.id, second.id]
    assert server.events.ready


@pytest.mark.sqlite
async def test_a_menu_that_was_never_committed_prices_nothing(
    server: Any, draft: Any, menu: Any
) -> None:
    """Even if an order of the same failed group was priced by it."""

    def priced(price: int) -> Any:
        items = tuple(item.model_copy(update={"price": price}) for item in menu.items[:1])
        return menu.model_copy(update={"items": items})

    def fails(tx: Tx) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    slow = asyncio.create_task(server.events.store.write(_busy))
    await asyncio.sleep(0)
    failed = await asyncio.gather(
        server.events.put_menu("r1", priced(111), "m"),
        server.events.create_order("r1", draft, actor="a"),
        server.events.store.write(fails),
        slow,
        return_exceptions=True,
    )
    assert all(isinstance(result, StoreUnavailable) for result in failed[:3])
    await server.events.put_menu("r1", priced(222), "m")
    order = await server.events.create_order("r1", draft, actor="a")
    assert (order.subtotal, order.order_number[-4:]) == (222, "0001")


async def test_changes_that_wait_are_bounded(start: Any, draft: Any) -> None:
    """Beyond the bound a change is refused at once; those that wait are made."""
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
    """Keep the writer for half a second."""
    time.sleep(0.5)


async def test_a_caller_that_goes_away_does_not_undo_its_change(server: Any, draft: Any) -> None:
    """The change is made and published."""
    client = await server.connect()
    task = asyncio.create_task(server.events.create_order("r1", draft, actor="a"))
    await asyncio.sleep(0)
    task.cancel()
    await client.expect("order:created")


@pytest.mark.sqlite
async def test_only_their_owner_reads_orders(start: Any, draft: Any) -> None:
    """Whatever the umask: the directory, the database and SQLite's companion files."""
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
@pytest.mark.sqlite
async def test_closing_leaves_everything_in_the_database_itself(
    server: Any, draft: Any, watched: bool
) -> None:
    """No WAL stays behind, even while another process has the file open."""
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


@pytest.mark.sqlite
async def test_two_servers_do_not_share_a_data_directory(start: Any, server: Any) -> None:
    """Each would publish only half of the events."""
    with pytest.raises(DataDirBusy):
        await start(menu=False)


@pytest.mark.timeout(300)
def test_a_hub_that_is_killed_keeps_its_word(tmp_path: Path) -> None:
    """Runs the benchmark with two kills: nothing acknowledged is lost, no reader misses
    anything."""
    script = BENCHMARKS / "durability.py"
    done = subprocess.run(
        [sys.executable, script, "--kills", "2", "--rounds", "0", "--data-dir", tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    counts = dict(re.findall(r"^(.*?) +([\d,]+)$", done.stdout, re.MULTILINE))
    assert counts["kills"] == "2"
    assert counts["acknowledged changes lost"] == "0"
    assert int(counts["events received by readers"].replace(",", "")) > 10
