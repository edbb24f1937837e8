"""What do several nodes cost? Commits, the way to a socket at another node, and processor time.

Commits: orders acknowledged per second by one hub on SQLite and on PostgreSQL, in turn, by 1, 10
and 100 writers over HTTP. Way: from a change sent to one node to its event at sockets of all the
others, at a steady rate. Processor time: of all nodes, per change, in the same runs.

    PYTHONPATH=tests python benchmarks/cluster.py
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import psutil
from cluster_nodes import Cluster, Node, cluster
from hub_process import HubProcess
from kill_run import MENU

WRITERS = (1, 10, 100)
NODES = (1, 2, 4)
BUSES = ("nats", "postgresql", "local")
RATE = 20
"""Changes per second, whose way is measured."""


async def commits(url: str, token: str, writers: int, seconds: float) -> float:
    """Return the orders acknowledged per second."""
    headers = {"Authorization": f"Bearer {token}"}
    order = {"items": [{"menu_item_id": "burger"}]}
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(url, headers=headers, connector=connector) as http:
        async with http.put("/v1/menu", json=MENU) as answer:
            answer.raise_for_status()
        done, until = 0, time.monotonic() + seconds

        async def write() -> None:
            nonlocal done
            while time.monotonic() < until:
                async with http.post("/v1/orders", json=order) as answer:
                    await answer.read()
                    done += answer.status == 201

        await asyncio.gather(*(write() for _ in range(writers)))
        return done / seconds


async def compare_commits(rounds: int, seconds: float) -> None:
    """Print commits per second on both databases, in turn."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="commits-")))
        sqlite = HubProcess(folder / "sqlite")
        await asyncio.to_thread(sqlite.start)
        stack.callback(sqlite.kill)
        running = await stack.enter_async_context(cluster(1, "local", wires=False))
        places = {
            "SQLite": (sqlite.url, sqlite.token("r1")),
            "PostgreSQL": (running.nodes[0].url, running.token("r1")),
        }
        print(f"{'orders per second, median':<28}" + "".join(f"{n:>8}" for n in WRITERS))
        rates: dict[tuple[str, int], list[float]] = {}
        for _ in range(rounds):
            for writers in WRITERS:
                for name, (url, token) in places.items():
                    rate = await commits(url, token, writers, seconds)
                    rates.setdefault((name, writers), []).append(rate)
        for name in places:
            medians = (statistics.median(rates[name, writers]) for writers in WRITERS)
            print(f"{name:<28}" + "".join(f"{rate:>8.0f}" for rate in medians))


@asynccontextmanager
async def listening(
    running: Cluster, node: Node, arrivals: dict[str, list[float]]
) -> AsyncIterator[None]:
    """Note when each table's change arrives at a socket of a node."""
    headers = {"Authorization": f"Bearer {running.token('r1')}"}
    async with (
        aiohttp.ClientSession(headers=headers) as http,
        http.ws_connect(f"{node.url}/?subscribe=explicit") as socket,
    ):
        await socket.send_json({"type": "subscribe", "events": ["table:updated"]})

        async def listen() -> None:
            async for received in socket:
                event = json.loads(received.data)
                if event["type"] == "table:updated":
                    number = event["data"]["table"]["number"]
                    arrivals.setdefault(number, []).append(time.monotonic())

        task = asyncio.create_task(listen())
        await asyncio.sleep(1.5)
        yield
        task.cancel()


async def way(nodes: int, bus: str, seconds: float) -> None:
    """Print how long events take to the other nodes, and what a change costs."""
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(cluster(nodes, bus, wires=False))
        arrivals: dict[str, list[float]] = {}
        # With one node, its own socket shows what there is to compare with.
        for node in running.nodes[1:] or running.nodes:
            await stack.enter_async_context(listening(running, node, arrivals))
        headers = {"Authorization": f"Bearer {running.token('r1')}"}
        http = await stack.enter_async_context(aiohttp.ClientSession(headers=headers))
        processes = [psutil.Process(node.pid) for node in running.nodes]
        before = sum(_cpu(process) for process in processes)
        sent: dict[str, float] = {}
        for number in range(int(RATE * seconds)):
            sent[str(number)] = time.monotonic()
            change = {"number": str(number), "status": "occupied"}
            url = f"{running.nodes[0].url}/v1/tables/t{number % 50}"
            async with http.put(url, json=change) as answer:
                answer.raise_for_status()
            await asyncio.sleep(max(0.0, sent[str(number)] + 1 / RATE - time.monotonic()))
        await asyncio.sleep(3)
        cost = (sum(_cpu(process) for process in processes) - before) / len(sent)
        ways = [at - sent[name] for name, times in arrivals.items() for at in times]
        expected = len(sent) * max(1, nodes - 1)
        p50, *_, p99 = statistics.quantiles(ways, n=100)[49:]
        print(
            f"{bus:<12}{nodes:>6}{1000 * p50:>10.1f}{1000 * p99:>10.1f}"
            f"{1000 * cost:>12.2f}{expected - len(ways):>8}"
        )


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


async def run(rounds: int, seconds: float) -> None:
    """Print everything."""
    await compare_commits(rounds, seconds)
    print(f"\n{'bus':<12}{'nodes':>6}{'p50 ms':>10}{'p99 ms':>10}{'cpu ms':>12}{'missing':>8}")
    for nodes in NODES:
        for bus in BUSES if nodes > 1 else ("local",):
            await way(nodes, bus, 4 * seconds)


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="of the commits")
    parser.add_argument("--seconds", type=float, default=2.0, help="of each measurement")
    options = parser.parse_args()
    asyncio.run(run(options.rounds, options.seconds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
