"""Does a service of several nodes keep its word, whatever part of it is killed, stopped or cut?

Three hubs over PostgreSQL with a bus between them. Writers (orders and their status, with
idempotency keys, versions and retries) and readers (with and without filters and batches, resuming)
use whichever node comes next. Meanwhile nodes, the database and the bus are killed, stopped or cut
off in turn; then what every client was told is compared with what the database has. Every line of
the last table must be 0.

    PYTHONPATH=tests python benchmarks/cluster_faults.py --faults 54 --bus nats

Exits with 1 if anything was lost, doubled, missed or out of order.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
import statistics
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from math import inf

from cluster_nodes import Cluster, Node, cluster
from durability import judge
from kill_run import Reader, Restaurant, counts, print_counts

RESTAURANTS = 2
WRITERS = 2
NODES = 3
PATIENCE_S = 4.0
"""A client that has heard nothing for this long goes to another node."""
LASTS_S = (0.5, 5.0)
"""How long something is stopped or cut."""
BETWEEN_S = (1.0, 3.0)


@dataclass
class Fault:
    """What was done, and when it began and was repaired (Unix times)."""

    kind: str
    at: float
    repaired: float = inf


class Faults:
    """Breaks parts of a cluster and repairs them."""

    def __init__(self, running: Cluster, seed: int) -> None:
        self.done: list[Fault] = []
        self._cluster = running
        self._random = random.Random(f"{seed} faults")
        self._kinds: list[tuple[str, Callable[[Node], Awaitable[None]]]] = [
            ("hub killed", self._kill_node),
            ("hub stopped (SIGSTOP)", self._stop_node),
            ("hub cut off the database", self._cut_store),
            ("database killed", self._kill_database),
            ("database stopped (SIGSTOP)", self._stop_database),
        ]
        if running.bus is not None:
            self._kinds += [
                ("hub cut off the bus", self._cut_bus),
                ("bus killed", self._kill_bus),
                ("bus stopped (SIGSTOP)", self._stop_bus),
                ("all but one cut off the bus", self._cut_most),
            ]

    async def one(self) -> None:
        """Do the next kind to the next node, and repair it."""
        number = len(self.done)
        kind, break_ = self._kinds[number % len(self._kinds)]
        node = self._cluster.nodes[self._random.randrange(len(self._cluster.nodes))]
        self.done.append(Fault(kind, time.time()))
        await break_(node)
        self.done[-1].repaired = time.time()

    async def _lasts(self) -> None:
        await asyncio.sleep(self._random.uniform(*LASTS_S))

    async def _kill_node(self, node: Node) -> None:
        node.kill()
        await asyncio.to_thread(node.start)

    async def _stop_node(self, node: Node) -> None:
        node.send(signal.SIGSTOP)
        await self._lasts()
        node.send(signal.SIGCONT)

    async def _cut_store(self, node: Node) -> None:
        assert node.store is not None
        node.store.cut()
        await self._lasts()
        node.store.mend()

    async def _cut_bus(self, node: Node) -> None:
        assert node.bus is not None
        node.bus.cut()
        await self._lasts()
        node.bus.mend()

    async def _cut_most(self, node: Node) -> None:
        wires = [other.bus for other in self._cluster.nodes if other is not node and other.bus]
        for wire in wires:
            wire.cut()
        await self._lasts()
        for wire in wires:
            wire.mend()

    async def _kill_database(self, node: Node) -> None:
        await asyncio.to_thread(self._cluster.database.stop, signal.SIGQUIT)
        await self._lasts()
        await asyncio.to_thread(self._cluster.database.start)

    async def _stop_database(self, node: Node) -> None:
        self._cluster.database.send(signal.SIGSTOP)
        await self._lasts()
        self._cluster.database.send(signal.SIGCONT)

    async def _kill_bus(self, node: Node) -> None:
        assert self._cluster.bus is not None
        self._cluster.bus.stop()
        await self._lasts()
        await asyncio.to_thread(self._cluster.bus.start)

    async def _stop_bus(self, node: Node) -> None:
        assert self._cluster.bus is not None
        self._cluster.bus.send(signal.SIGSTOP)
        await self._lasts()
        self._cluster.bus.send(signal.SIGCONT)


async def run(faults: int, bus: str, seed: int) -> Counter[str]:
    """Run, break and check; print what was done and return what was found."""
    async with cluster(NODES, bus) as running:
        restaurants = [
            Restaurant(name, running.pick, running.token(name), seed, PATIENCE_S)
            for name in (f"r{number}" for number in range(1, RESTAURANTS + 1))
        ]
        moments, breaking = random.Random(f"{seed} moments"), Faults(running, seed)
        try:
            for restaurant in restaurants:
                await restaurant.start(WRITERS)
            for number in range(1, faults + 1):
                await asyncio.sleep(moments.uniform(*BETWEEN_S))
                await breaking.one()
                if number % 5 == 0:
                    print(f"{number} faults", file=sys.stderr, flush=True)
            await asyncio.sleep(BETWEEN_S[1])
            for restaurant in restaurants:
                await restaurant.stop_writing()
            found: Counter[str] = Counter()
            for restaurant in restaurants:
                found.update(await judge(restaurant))
            _describe(restaurants, breaking.done)
            return found
        finally:
            for restaurant in restaurants:
                await restaurant.close()


def live_again(reader: Reader, since: float) -> float | None:
    """Return the seconds from a moment until a reader has something that was committed after it."""
    for event, arrival in zip(reader.events, reader.arrivals, strict=True):
        if datetime.fromisoformat(event["timestamp"]).timestamp() >= since:
            return arrival - since
    return None


def _describe(restaurants: list[Restaurant], faults: list[Fault]) -> None:
    readers = [reader for restaurant in restaurants for reader in restaurant.readers]
    print_counts({"faults": len(faults)} | counts(restaurants))
    print("seconds until readers have something that was committed after …")
    print(f"{'':<34} {'the fault':>16} {'its repair':>17}")
    print(f"{'':<34} {'p50':>8} {'max':>8} {'p50':>8} {'max':>8}")
    everything = [
        r for r in readers if r.subscription.events == ("*",) and not r.subscription.filters
    ]
    kinds = dict.fromkeys(fault.kind for fault in faults)
    for kind in (*kinds, "all"):
        chosen = [fault for fault in faults if kind in (fault.kind, "all")]
        figures_of = [
            _times(everything, [fault.at for fault in chosen]),
            _times(everything, [fault.repaired for fault in chosen]),
        ]
        shown = (f"{statistics.median(t):>8.2f} {max(t):>8.2f}" for t in figures_of)
        print(f"{kind:<34} {' '.join(shown)}")
    print()


def _times(readers: list[Reader], moments: list[float]) -> list[float]:
    """Return how long each reader took after each moment; 0 if none ever came."""
    times = (live_again(reader, moment) for reader in readers for moment in moments)
    return [time for time in times if time is not None] or [0.0]


def main() -> int:
    """Run the command; return 1 if anything was found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--faults", type=int, default=54, help="how often something is broken")
    parser.add_argument("--bus", choices=("nats", "postgresql", "local"), default="nats")
    parser.add_argument("--seed", type=int, default=1, help="of the moments and what is written")
    options = parser.parse_args()
    found = asyncio.run(run(options.faults, options.bus, options.seed))
    for what, count in found.items():
        print(f"{what:<42} {count:>8,}")
    return int(found.total() > 0)


if __name__ == "__main__":
    sys.exit(main())
