"""A long day in short: screens, microphones, orders, churn and hostile clients, then twice of all.

    python benchmarks/soak.py --minutes 60 --overload-minutes 10

One service with `--screens` screens in ten restaurants and `--lanes` lanes that speak all the
time. Orders are made and carried through their life. Every second some screens lose their
connection and come back, and strangers do what strangers do. Each screen must see every event of
its restaurant once and in order; each session must get the finals of its recording. Memory, file
descriptors and threads are compared between the first and the last fifth of the time.

In the last minutes as many connections and sessions again as the service takes try to get in: they
must be refused properly, and nobody inside may notice.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
from harness import Recording, Service, finals, read_recordings, service, stream
from kill_run import MENU

from order_events.auth.tokens import Role, TokenAuthority, authority
from order_events.client import Events, HistoryLost
from order_events.settings import HubSettings

RESTAURANTS = tuple(f"r{number}" for number in range(10))
LIFE = ("confirmed", "preparing", "ready", "completed")
ORDER_EVERY_S = 4.0
"""Seconds from one order of a restaurant to its next; each has five events."""
CHURN = 5
"""Screens that lose their connection every second."""
LOOK_S = 10.0
"""Seconds between looks at the process."""
TRY_S = 10.0
"""Seconds that a refusal may take."""

_LOST = "the connection is lost"


@dataclass
class Seen:
    """What happened, for the report."""

    events: int = 0
    wrong: Counter[str] = field(default_factory=Counter)
    sessions: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    looks: list[tuple[float, float, int, int]] = field(default_factory=list)
    """Seconds since the start, MB, descriptors, threads."""


class Soak:
    """One run against one service."""

    def __init__(
        self, running: Service, tokens: TokenAuthority, recordings: list[Recording]
    ) -> None:
        self.seen = Seen()
        self._running = running
        self._tokens = tokens
        self._recordings = recordings
        self._http = f"http://{urlsplit(running.url).netloc}"
        self._random = random.Random(1)
        self._screens: list[asyncio.Task[None]] = []

    def token(self, restaurant: str, user: str, role: Role = Role.MANAGER) -> str:
        """Return a token for a day."""
        return self._tokens.issue(restaurant, user, role, 86_400)

    async def run(self, screens: int, lanes: int, minutes: float, overload_minutes: float) -> None:
        """Let everything happen for so many minutes."""
        async with aiohttp.ClientSession() as http:
            await self._give_menus(http)
            self._screens = [asyncio.create_task(self._screen(n)) for n in range(screens)]
            others = [
                *(self._guest(lane) for lane in range(lanes)),
                *(self._kitchen(http, restaurant) for restaurant in RESTAURANTS),
                self._strangers(http),
                self._churn(),
                self._look(),
            ]
            tasks = [asyncio.create_task(each) for each in others]
            try:
                await asyncio.sleep(60 * minutes)
                if overload_minutes:
                    await self._overload(http, screens, lanes, 60 * overload_minutes)
            finally:
                for task in (*tasks, *self._screens):
                    task.cancel()
                ended = await asyncio.gather(*tasks, *self._screens, return_exceptions=True)
        for error in ended:
            if isinstance(error, Exception):
                self.seen.wrong[f"{type(error).__name__}: {error}"] += 1

    async def _give_menus(self, http: aiohttp.ClientSession) -> None:
        for restaurant in RESTAURANTS:
            headers = {"Authorization": f"Bearer {self.token(restaurant, 'owner')}"}
            async with http.put(f"{self._http}/v1/menu", json=MENU, headers=headers) as answer:
                answer.raise_for_status()

    async def _screen(self, number: int) -> None:
        """Count what a screen misses. It is cancelled to lose its connection."""
        restaurant = RESTAURANTS[number % len(RESTAURANTS)]
        position = None
        while True:
            try:
                token = self.token(restaurant, f"screen-{number}")
                async with Events(self._http, token, since=position) as events:
                    position = events.position
                    async for event in events:
                        if event.position is None:
                            continue
                        if event.position.seq != position.seq + 1:
                            self.seen.wrong["events missed or doubled"] += 1
                        position = event.position
                        self.seen.events += 1
            except HistoryLost:
                self.seen.wrong["history lost"] += 1
            except asyncio.CancelledError as cancelled:
                if cancelled.args != (_LOST,):
                    raise

    async def _churn(self) -> None:
        while True:
            for screen in self._random.sample(self._screens, min(CHURN, len(self._screens))):
                screen.cancel(_LOST)
            await asyncio.sleep(1)

    async def _guest(self, lane: int) -> None:
        """Speak one recording after the other, each in a session of its own."""
        for recording in itertools.islice(itertools.cycle(self._recordings), lane, None):
            restaurant = RESTAURANTS[lane % len(RESTAURANTS)]
            to = replace(self._running, token=self.token(restaurant, f"lane-{lane}", Role.DEVICE))
            heard = await stream(to, recording.samples, options={"order": "auto"})
            self.seen.sessions += 1
            if not finals(heard):
                self.seen.wrong["sessions without a final"] += 1
            refused = [event["data"]["code"] for _, event in heard if event["type"] == "error"]
            self.seen.wrong.update(f"session told {code}" for code in refused)

    async def _kitchen(self, http: aiohttp.ClientSession, restaurant: str) -> None:
        headers = {"Authorization": f"Bearer {self.token(restaurant, 'kitchen')}"}
        orders = f"{self._http}/v1/orders"
        draft = {"items": [{"menu_item_id": "burger"}]}
        while True:
            due = asyncio.get_running_loop().time() + ORDER_EVERY_S
            async with http.post(orders, json=draft, headers=headers) as answer:
                answer.raise_for_status()
                order_id = (await answer.json())["order"]["id"]
            for status in LIFE:
                place = f"{orders}/{order_id}/status"
                async with http.post(place, json={"status": status}, headers=headers) as answer:
                    answer.raise_for_status()
            await asyncio.sleep(due - asyncio.get_running_loop().time())

    async def _strangers(self, http: aiohttp.ClientSession) -> None:
        """Do every second what must not matter; whatever is answered."""
        tricks: tuple[Callable[[aiohttp.ClientSession], Awaitable[None]], ...] = (
            self._bad_token,
            self._garbage,
            self._never_reads,
            self._too_long,
        )
        for trick in itertools.cycle(tricks):
            with contextlib.suppress(aiohttp.ClientError, TimeoutError, ConnectionError):
                async with asyncio.timeout(TRY_S):
                    await trick(http)
            await asyncio.sleep(1)

    async def _bad_token(self, http: aiohttp.ClientSession) -> None:
        headers = {"Authorization": "Bearer nonsense"}
        async with http.get(f"{self._http}/v1/orders", headers=headers):
            pass

    async def _garbage(self, http: aiohttp.ClientSession) -> None:
        async with http.ws_connect(self._http) as socket:
            await socket.send_str('{"type": ')
            await socket.send_bytes(bytes(1_000))

    async def _never_reads(self, http: aiohttp.ClientSession) -> None:
        headers = {"Authorization": f"Bearer {self.token('r0', 'slow')}"}
        async with http.ws_connect(self._http, headers=headers, max_msg_size=0):
            await asyncio.sleep(TRY_S / 2)

    async def _too_long(self, http: aiohttp.ClientSession) -> None:
        async with http.post(f"{self._http}/v1/orders", data=bytes(20_000_000)):
            pass

    async def _look(self) -> None:
        started, process = time.monotonic(), self._running.process
        while True:
            memory = process.memory_info().rss / 1e6
            look = time.monotonic() - started, memory, process.num_fds(), process.num_threads()
            self.seen.looks.append(look)
            await asyncio.sleep(LOOK_S)

    async def _overload(
        self, http: aiohttp.ClientSession, screens: int, lanes: int, seconds: float
    ) -> None:
        """Try to get in with as many again, over and over; nothing stays open."""
        end = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < end:
            sockets = await asyncio.gather(*(self._try_screen(http, n) for n in range(screens)))
            sessions = await asyncio.gather(*(self._try_lane(http, n) for n in range(lanes)))
            self.seen.refused.update(f"screen {answer}" for answer in sockets)
            self.seen.refused.update(f"lane {answer}" for answer in sessions)
            await asyncio.sleep(1)

    async def _try_screen(self, http: aiohttp.ClientSession, number: int) -> str:
        token = self.token(RESTAURANTS[number % len(RESTAURANTS)], f"more-{number}")
        return await self._first_answer(http, "/", token, None)

    async def _try_lane(self, http: aiohttp.ClientSession, number: int) -> str:
        token = self.token(RESTAURANTS[0], f"more-lane-{number}", Role.DEVICE)
        start = {"type": "voice:start", "data": {"session_id": f"more-{number}"}}
        return await self._first_answer(http, "/voice-stream", token, start)

    async def _first_answer(
        self, http: aiohttp.ClientSession, path: str, token: str, message: object
    ) -> str:
        headers = {"Authorization": f"Bearer {token}"}
        try:
            async with (
                asyncio.timeout(60),
                http.ws_connect(self._http + path, headers=headers) as socket,
            ):
                if message is not None:
                    await socket.send_json(message)
                async for answer in socket:
                    data = answer.json()
                    if message is None or data["type"] != "connected":
                        return str(data.get("data", {}).get("code", data["type"]))
                return f"closed {socket.close_code}"
        except aiohttp.WSServerHandshakeError as refused:
            return f"HTTP {refused.status}"


def report(seen: Seen) -> str:
    """Return what a person wants to know."""
    fifth = max(1, len(seen.looks) // 5)
    lines = [
        f"{seen.events} events on screens, {seen.sessions} sessions; wrong: {dict(seen.wrong)}",
        f"{'':12}  first fifth  last fifth  most   (medians)",
    ]
    for at, name in ((1, "MB"), (2, "descriptors"), (3, "threads")):
        values = [look[at] for look in seen.looks]
        first, last = (statistics.median(part) for part in (values[:fifth], values[-fifth:]))
        lines.append(f"{name:12}  {first:11.0f}  {last:10.0f}  {max(values):.0f}")
    if seen.refused:
        lines.append(f"at twice the load: {dict(seen.refused.most_common())}")
    return "\n".join(lines)


def main() -> int:
    """Run it; return 1 if anything went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--screens", type=int, default=1_000)
    parser.add_argument("--lanes", type=int, default=8)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--overload-minutes", type=float, default=10)
    parser.add_argument("--manifest", type=Path, help="recordings to speak instead of the fixtures")
    options = parser.parse_args()
    limits = (
        *("--max-sessions", str(options.lanes)),
        *("--max-connections", str(options.screens + options.lanes + 50)),
        *("--max-connections-per-restaurant", str(options.screens)),
        *("--max-connections-per-address", str(3 * options.screens)),
        *("--http-per-minute", "100000"),
    )
    recordings = read_recordings(options.manifest)
    with service(limits) as running:
        soak = Soak(running, authority(HubSettings(data_dir=running.data_dir)), recordings)
        asyncio.run(
            soak.run(options.screens, options.lanes, options.minutes, options.overload_minutes)
        )
    print(report(soak.seen))
    return 1 if soak.seen.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
