"""Acknowledged commits per second: raw sqlite3, the hub in this process, and the hub over HTTP.

A commit is a new order: its row, its event, its number, its idempotency key. Raw sqlite3 writes two
rows of the same size in a transaction of their own, by one connection that its threads share:
SQLite takes one writer at a time anyway, and waiting for a mutex is cheaper than for its lock.
"""

from __future__ import annotations

import asyncio
import sqlite3
import statistics
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import aiohttp
from hub_process import HubProcess
from kill_run import MENU

from order_events.domain.models import OrderDraft
from order_events.menu.menu import Menu
from order_events.metrics import HubMetrics
from order_events.service import OrderEvents
from order_events.settings import HubSettings
from order_events.storage import schema

WRITERS = (1, 10, 100)
DRAFT = {"items": [{"menu_item_id": "burger"}], "notes": "as the guest asked for"}
ORDER_BYTES, EVENT_BYTES = 830, 1_010
"""What such an order's row and event hold (their means in a database of the benchmark's)."""

Rates = dict[tuple[str, int], list[float]]
Create = Callable[[str], Awaitable[None]]


def measured(directory: Path, rounds: int, seconds: float) -> str:
    """Return the table. The three take turns, so that they meet the same disk."""
    rates: Rates = {}
    for number in range(rounds):
        for writers in WRITERS:
            place = directory / f"rates-{number}-{writers}"
            place.mkdir()
            raw = _raw(place / "raw.sqlite3", writers, seconds)
            inside = asyncio.run(_inside(place / "inside", writers, seconds))
            over = asyncio.run(_over_http(place / "http", writers, seconds))
            for name, rate in (("raw", raw), ("hub", inside), ("http", over)):
                rates.setdefault((name, writers), []).append(rate)
    return _table(rates)


def _table(rates: Rates) -> str:
    lines = [
        "acknowledged commits per second: median (lowest to highest), and times raw sqlite3",
        f"{'writers':>7}  {'raw sqlite3':>24}  {'hub in process':>32}  {'hub over HTTP':>32}",
    ]
    for writers in WRITERS:
        raw = statistics.median(rates["raw", writers])
        cells = [_cell(rates["raw", writers])]
        for name in ("hub", "http"):
            own = rates[name, writers]
            cells.append(f"{_cell(own)} {statistics.median(own) / raw:6.2f}x")
        lines.append(f"{writers:>7}  {cells[0]:>24}  {cells[1]:>32}  {cells[2]:>32}")
    return "\n".join(lines)


def _cell(values: list[float]) -> str:
    return f"{statistics.median(values):,.0f} ({min(values):,.0f} to {max(values):,.0f})"


def _raw(path: Path, writers: int, seconds: float) -> float:
    with closing(schema.connect(path, 5)) as db:
        schema.migrate(db)
        mutex = threading.Lock()
        done = [0] * writers
        end = time.perf_counter() + seconds

        def write(number: int) -> None:
            while time.perf_counter() < end:
                with mutex:
                    _transaction(db, number, done[number])
                done[number] += 1

        threads = [threading.Thread(target=write, args=(n,)) for n in range(writers)]
        started = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sum(done) / (time.perf_counter() - started)


def _transaction(db: sqlite3.Connection, writer: int, number: int) -> None:
    place = writer * 1_000_000 + number
    db.execute("BEGIN IMMEDIATE")
    db.execute(
        "INSERT INTO events (restaurant_id, seq, event_id, type, tags, body, at)"
        " VALUES ('r1', ?, 'e', 'order:created', '{}', ?, 0)",
        (place, b"x" * EVENT_BYTES),
    )
    db.execute(
        "INSERT INTO orders (restaurant_id, id, number, status, seq, body)"
        " VALUES ('r1', ?, ?, 'pending', ?, ?)",
        (f"order-{place}", place, place, "x" * ORDER_BYTES),
    )
    db.execute("COMMIT")


async def _inside(data_dir: Path, writers: int, seconds: float) -> float:
    events = OrderEvents(HubSettings(data_dir=data_dir), HubMetrics())
    await events.open()
    draft = OrderDraft.model_validate(DRAFT)

    async def create(key: str) -> None:
        await events.create_order("r1", draft, actor="a", idempotency_key=key)

    try:
        await events.put_menu("r1", Menu.model_validate(MENU), "benchmark")
        return await _rate(create, writers, seconds)
    finally:
        await events.close()


async def _over_http(data_dir: Path, writers: int, seconds: float) -> float:
    hub = HubProcess(data_dir)
    await asyncio.to_thread(hub.start)
    headers = {"Authorization": f"Bearer {hub.token('r1')}"}
    connector = aiohttp.TCPConnector(limit=writers)

    async def create(key: str) -> None:
        headers = {"Idempotency-Key": key}
        async with session.post("/v1/orders", json=DRAFT, headers=headers) as answer:
            await answer.read()
            answer.raise_for_status()

    try:
        async with aiohttp.ClientSession(hub.url, headers=headers, connector=connector) as session:
            async with session.put("/v1/menu", json=MENU) as answer:
                answer.raise_for_status()
            return await _rate(create, writers, seconds)
    finally:
        await asyncio.to_thread(hub.stop)


async def _rate(create: Create, writers: int, seconds: float) -> float:
    loop = asyncio.get_running_loop()
    done, end = 0, loop.time() + seconds

    async def write(writer: int) -> None:
        nonlocal done
        while loop.time() < end:
            await create(f"{writer}-{done}")
            done += 1

    started = loop.time()
    await asyncio.gather(*(write(n) for n in range(writers)))
    return done / (loop.time() - started)
