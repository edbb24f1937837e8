"""What one restaurant's analytics cost another: the latency of its reads and its commits.

A hub in its own process serves a restaurant with a menu of 3,500 items and 3,000 different phrases
that were not understood. Another restaurant reads its orders and makes new ones, at a fixed pace:
first alone, then while five clients ask for the first one's analytics in a loop, each as fast as
the limit of requests per user allows. The two take turns within one run, so that they meet the same
machine.

    python benchmarks/analytics_load.py
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from hub_process import HubProcess
from kill_run import MENU

from order_events.auth.tokens import Role
from order_events.domain.audit_records import SessionStart
from order_events.menu.menu import Menu
from order_events.metrics import HubMetrics
from order_events.protocol import filters
from order_events.service import OrderEvents
from order_events.settings import HubSettings

ITEMS, PHRASES = 3_500, 3_000
ASKERS = 5
SESSIONS = 30
DAYS = 7
PACE_S = 0.05
"""Seconds between two requests of the kind that is measured."""
MOST_MORE_S = 0.1
"""How much higher the p99 may be while analytics are asked for."""
SYLLABLES = ("ba", "ri", "to", "ka", "lo", "men", "sal", "cho", "pe", "du", "nor", "fi", "gu")


@dataclass
class Latencies:
    """Seconds that each request took, and how many analytics were answered meanwhile."""

    reads: list[float] = field(default_factory=list)
    commits: list[float] = field(default_factory=list)
    answered: int = 0


def words(number: int) -> str:
    """Return a made-up name; each number has its own."""
    first, second, third = number % 13, number // 13 % 13, number // 169
    return f"{SYLLABLES[first]}{SYLLABLES[second]} {SYLLABLES[third % 13]}{third}"


def large_menu() -> Menu:
    """Return a menu of 3,500 items."""
    items = [
        {"id": f"i{n}", "name": words(n), "category": "food", "price": 500} for n in range(ITEMS)
    ]
    return Menu.model_validate({**MENU, "items": items})


async def prepare(data_dir: Path) -> None:
    """Give one restaurant a large menu and many phrases, the other a small menu."""
    events = OrderEvents(HubSettings(data_dir=data_dir), HubMetrics())
    await events.open()
    try:
        await events.put_menu("large", large_menu(), "benchmark")
        await events.put_menu("small", Menu.model_validate(MENU), "benchmark")
        for session in range(SESSIONS):
            await _speak(events, f"s{session}", session)
        await events.store.write(
            lambda tx: tx.db.execute("UPDATE audit SET at = at - 86400 * (number % ?)", (DAYS,))
        )
    finally:
        await events.close()


async def _speak(events: OrderEvents, session_id: str, number: int) -> None:
    await events.ledger.begin("large", SessionStart(session_id=session_id), "benchmark")
    each = PHRASES // SESSIONS
    reasons = [
        {"code": "unknown_item", "text": f"{words(n)}ish", "utterance": 1, "question": None}
        for n in range(number * each, (number + 1) * each)
    ]
    data = {"session_id": session_id, "status": "clarify", "reasons": reasons, "matched": []}
    await events.publish("large", filters.VOICE_ORDER, data, tags={"session_id": session_id})


class Load:
    """One restaurant's requests, measured, and another's analytics."""

    def __init__(self, hub: HubProcess, session: aiohttp.ClientSession) -> None:
        self._url = hub.url
        self._session = session
        self._small = _bearer(hub.token("small", role=Role.SERVICE))
        self._large = [_bearer(hub.token("large", user=f"m{n}")) for n in range(ASKERS)]

    async def alone(self, seconds: float, into: Latencies) -> None:
        """Read and commit at the fixed pace."""
        end = time.perf_counter() + seconds
        await asyncio.gather(
            self._paced(self._read, end, into.reads), self._paced(self._commit, end, into.commits)
        )

    async def beside_analytics(self, seconds: float, into: Latencies) -> None:
        """Do the same while five clients ask for analytics in a loop."""
        askers = [asyncio.create_task(self._ask(who, into)) for who in self._large]
        try:
            await self.alone(seconds, into)
        finally:
            for asker in askers:
                asker.cancel()
            await asyncio.gather(*askers, return_exceptions=True)

    async def _paced(
        self, request: Callable[[], Awaitable[None]], end: float, into: list[float]
    ) -> None:
        due = time.perf_counter()
        while due < end:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            # From when it was due: a request that had to wait for the one before is late, too.
            await request()
            into.append(time.perf_counter() - due)
            due += PACE_S

    async def _read(self) -> None:
        async with self._session.get(f"{self._url}/v1/orders", headers=self._small) as answer:
            answer.raise_for_status()
            await answer.read()

    async def _commit(self) -> None:
        body = {"items": [{"menu_item_id": "burger"}]}
        async with self._session.post(
            f"{self._url}/v1/orders", headers=self._small, json=body
        ) as answer:
            answer.raise_for_status()
            await answer.read()

    async def _ask(self, who: dict[str, str], into: Latencies) -> None:
        while True:
            async with self._session.get(f"{self._url}/v1/analytics", headers=who) as answer:
                await answer.read()
            if answer.status == 429:
                await asyncio.sleep(int(answer.headers["Retry-After"]))
                continue
            answer.raise_for_status()
            into.answered += 1


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def measure(hub: HubProcess, rounds: int, seconds: float) -> tuple[Latencies, Latencies]:
    """Return the latencies alone and beside analytics."""
    alone, beside = Latencies(), Latencies()
    async with aiohttp.ClientSession() as session:
        load = Load(hub, session)
        for _ in range(rounds):
            await load.alone(seconds, alone)
            await load.beside_analytics(seconds, beside)
    return alone, beside


def percentile(values: list[float], share: float) -> float:
    """Return the value below which a share of all lies."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def report(alone: Latencies, beside: Latencies) -> bool:
    """Print the table; return whether no p99 rose by more than allowed."""
    print(f"{'milliseconds':>16}  {'alone p50':>10} {'p99':>8}  {'beside p50':>10} {'p99':>8}")
    within = True
    for name in ("reads", "commits"):
        before, after = getattr(alone, name), getattr(beside, name)
        cells = [1000 * percentile(v, p) for v in (before, after) for p in (0.5, 0.99)]
        print(f"{name:>16}  {cells[0]:>10.1f} {cells[1]:>8.1f}  {cells[2]:>10.1f} {cells[3]:>8.1f}")
        within = within and cells[3] <= cells[1] + 1000 * MOST_MORE_S
    print(f"{beside.answered} analytics of {ITEMS} items and {PHRASES} phrases answered")
    return within and beside.answered > 0


def main() -> int:
    """Run it; return 0 if the bound was kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each half of a round")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as data:
        asyncio.run(prepare(Path(data)))
        hub = HubProcess(Path(data), http_per_minute=600)
        hub.start()
        try:
            alone, beside = asyncio.run(measure(hub, options.rounds, options.seconds))
        finally:
            hub.stop()
    return 0 if report(alone, beside) else 1


if __name__ == "__main__":
    sys.exit(main())
