"""Several subscriptions on one connection, with filters, batches, rewinds and unsubscribes.

Each event arrives in order, once between two rewinds, at each client it is due to.
"""

from __future__ import annotations

import asyncio
import json
import random
from contextlib import suppress
from typing import Any

import aiohttp
import pytest

from order_events.domain.models import TableChange

Json = dict[str, Any]
CLIENTS, PUBLISHERS, EVENTS_EACH, COMMANDS = 8, 6, 120, 12
FILTERS: list[Json] = [
    {},
    {"table_id": ["A"]},
    {"status": ["free"]},
    {"table_id": ["B"], "status": ["busy"]},
]


class Watcher:
    """A client, its subscriptions by the id of their message, and all it received."""

    def __init__(self, client: Any, seed: int) -> None:
        self.client = client
        self.random = random.Random(seed)
        self.asked: dict[int, Json] = {}
        self.told: list[Json] = []
        self.reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        with suppress(asyncio.CancelledError):
            async for received in self.client.ws:
                assert received.type is aiohttp.WSMsgType.TEXT
                message = json.loads(received.data)
                self.told += message["events"] if message["type"] == "batch" else [message]

    async def command(self) -> None:
        """Subscribe, from now on or from a place in history, or unsubscribe from everything."""
        number = len(self.asked) + 1
        self.asked[number] = {}
        if self.random.random() < 0.15:
            await self.client.send(type="unsubscribe", id=number, events=["table:*"])
            return
        names = self.random.choice([["*"], ["table:updated"], ["table:*"]])
        self.asked[number] = self.random.choice(FILTERS)
        asks: Json = {"type": "subscribe", "id": number, "events": names}
        asks |= {"filters": self.asked[number], "batch_ms": self.random.choice([0, 0, 5, 50])}
        if self.random.random() < 0.7:
            last = max((event.get("seq", 0) for event in self.told), default=0)
            back = self.random.choice([0, 1, 20, 1000])
            epoch = self.client.connected["data"]["epoch"]
            asks["since"] = {"epoch": epoch, "seq": max(0, last - back)}
        await self.client.send(**asks)

    def missing(self, history: list[Json]) -> set[int]:
        """Return the seqs that are due and have not arrived.

        Fails if something arrived out of order, twice, or without being asked for.
        """
        due: dict[int, set[int]] = {}
        subscribed, last = False, 0
        for message in self.told:
            if message["type"] == "subscribed":
                subscribed, start = True, message["data"]["seq"]
                wish = self.asked[message["id"]]
                due[message["id"]] = {e["seq"] for e in history[start:] if wanted(e, wish)}
                last = min(last, start)
            elif message["type"] == "unsubscribed":
                due.clear()
            else:
                seq = message["seq"]
                assert seq > last, "out of order, or twice"
                last = seq
                assert not subscribed or any(seq in seqs for seqs in due.values()), "unwanted"
                for seqs in due.values():
                    seqs.discard(seq)
        return set().union(*due.values())


def wanted(event: Json, filters: Json) -> bool:
    """Return whether the event matches."""
    table = event["data"]["table"]
    tags = {"table_id": table["id"], "status": table["status"]}
    return all(tags[name] in values for name, values in filters.items())


async def pour(server: Any, seed: int) -> None:
    """Publish events, some together with others', some alone."""
    rng = random.Random(seed)
    for _ in range(EVENTS_EACH):
        change = TableChange(number="1", status=rng.choice(["free", "busy"]))
        await server.events.change_table("r1", rng.choice("AB"), change, actor="a")
        if rng.random() < 0.2:
            await asyncio.sleep(rng.random() * 0.02)


async def ask(watcher: Watcher) -> None:
    """Send commands at any moment."""
    for _ in range(COMMANDS):
        await asyncio.sleep(watcher.random.random() * 0.06)
        await watcher.command()


@pytest.mark.parametrize(("recent", "chunk"), [(1, 1), (4, 3), (256, 50)])
async def test_whatever_is_subscribed_while_events_pour_in_each_comes_as_it_should(
    start: Any, recent: int, chunk: int
) -> None:
    """From memory, from the database, and across every switch between them and live."""
    server = await start(
        recent_events=recent,
        replay_chunk=chunk,
        max_subscriptions=COMMANDS,
        regular_per_minute=1000,
    )
    watchers = [Watcher(await server.connect(user=f"u{n}"), n) for n in range(CLIENTS)]
    publishing = [pour(server, n) for n in range(PUBLISHERS)]
    await asyncio.gather(*publishing, *map(ask, watchers))
    stored = await server.events.store.read(lambda r: r.events("r1", 0, 100_000))
    history = [json.loads(event.body) for event in stored]
    assert [event["seq"] for event in history] == list(range(1, len(history) + 1))
    for _ in range(200):
        if not any(watcher.missing(history) for watcher in watchers):
            break
        await asyncio.sleep(0.05)
    assert [watcher.missing(history) for watcher in watchers] == [set()] * CLIENTS
    for watcher in watchers:
        watcher.reading.cancel()
        await watcher.reading
