"""Does the hub keep its word when it is killed at random moments, and what does that cost?

Kills: `python -m order_events` runs with writers (orders and their status, with idempotency keys,
versions and retries) and readers (with and without filters and batches, resuming) while it is
killed with SIGKILL and started again; then what every client was told is compared with what is on
disk. Every line must be 0.

Rates: acknowledged commits per second, against one transaction per change in plain sqlite3.

    python benchmarks/durability.py --kills 50 --seed 1

Exits with 1 if anything was lost, doubled, missed or out of order.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import commit_rates
from hub_process import HubProcess
from kill_checks import check_history, check_reader, check_state, missed_by
from kill_run import Json, Restaurant, counts, kill_again_and_again, print_counts

RESTAURANTS = 2
WRITERS = 4
SETTLE_S = 10.0
"""In the end, how long nothing may come before what has not come is missing."""
PAUSE_S = 0.7


async def kills(data_dir: Path, times: int, seed: int) -> Counter[str]:
    """Run, kill and check; print what was done and return what was found."""
    hub = HubProcess(data_dir, max_connections=10_000)
    await asyncio.to_thread(hub.start)
    restaurants = [
        Restaurant(f"r{n}", lambda: hub.url, hub.token(f"r{n}"), seed)
        for n in range(1, RESTAURANTS + 1)
    ]
    try:
        for restaurant in restaurants:
            await restaurant.start(WRITERS)
        await kill_again_and_again(hub, times, seed, _progress)
        for restaurant in restaurants:
            await restaurant.stop_writing()
        found: Counter[str] = Counter()
        for restaurant in restaurants:
            found.update(await judge(restaurant))
        _describe(restaurants, times)
        await asyncio.to_thread(hub.stop)
        return found
    finally:
        for restaurant in restaurants:
            await restaurant.close()
        hub.kill()


async def _progress(done: int) -> None:
    if done % 10 == 0:
        print(f"killed {done} times", file=sys.stderr, flush=True)


async def judge(restaurant: Restaurant) -> Counter[str]:
    """Judge once nothing comes any more; a reader that has not caught up has missed something."""
    history, found = await restaurant.history(), Counter[str]()
    arrived, quiet = -1, 0.0
    while quiet < SETTLE_S:
        await asyncio.sleep(PAUSE_S)
        quiet += PAUSE_S
        if (now := sum(len(reader.events) for reader in restaurant.readers)) != arrived:
            arrived, quiet = now, 0.0
            continue
        before, history = history, await restaurant.history()
        found = await _compare(restaurant, history)
        if len(history) == len(before) and not found.total():
            break
    for line in _faults(restaurant, history):
        print(line, file=sys.stderr)
    return found


def _faults(restaurant: Restaurant, history: list[Json]) -> list[str]:
    """Return the first fault of each kind, for whoever has to find out why."""
    lines = [f"contradicted: {line}" for line in restaurant.written.contradicted[:3]]
    for reader in restaurant.readers:
        if missed := missed_by(reader, history):
            lines.append(f"{reader.subscription} is at {reader.position} and missed {missed[:10]}")
    return lines


async def _compare(restaurant: Restaurant, history: list[Json]) -> Counter[str]:
    found = check_history(history, restaurant.written)
    state = await restaurant.state()
    for reader in restaurant.readers:
        found.update(check_reader(reader, history))
        if reader.subscription.events == ("*",) and not reader.subscription.filters:
            found.update(check_state(reader, state))
    return found


def _describe(restaurants: list[Restaurant], times: int) -> None:
    print_counts({"kills": times} | counts(restaurants))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=50, help="how often the hub is killed")
    parser.add_argument("--seed", type=int, default=1, help="of the moments and what is written")
    parser.add_argument("--data-dir", type=Path, help="on the disk to measure; it is kept")
    parser.add_argument("--rounds", type=int, default=5, help="of the rates; 0 leaves them out")
    parser.add_argument("--seconds", type=float, default=1.5, help="of each measurement of a rate")
    return parser


@contextlib.contextmanager
def _directory(given: Path | None) -> Iterator[Path]:
    if given is not None:
        given.mkdir(parents=True, exist_ok=True)
        yield Path(tempfile.mkdtemp(prefix="durability-", dir=given))
        return
    with tempfile.TemporaryDirectory(prefix="durability-") as made:
        yield Path(made)


def main() -> int:
    """Run the command line; return the exit status."""
    options = _parser().parse_args()
    found: Counter[str] = Counter()
    with _directory(options.data_dir) as directory:
        if options.kills:
            found = asyncio.run(kills(directory / "kills", options.kills, options.seed))
            print_counts(found)
        if options.rounds:
            print(commit_rates.measured(directory, options.rounds, options.seconds))
    return 1 if found.total() else 0


if __name__ == "__main__":
    sys.exit(main())
