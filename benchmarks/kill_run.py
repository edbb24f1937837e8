"""Writers and readers of a hub that is killed again and again, and what each of them received."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from hub_process import HubProcess

Json = dict[str, Any]
MENU: Json = {
    "name": "Benchmark",
    "tax_rate": "0.0825",
    "categories": [{"id": "food", "name": "Food"}],
    "items": [
        {"id": "burger", "name": "Burger", "category": "food", "price": 899, "prep_minutes": 8}
    ],
}
LANES = ("1", "2", "3")
LIFE = ("confirmed", "preparing", "ready", "completed")
FOR_EVER = 10**9
PAUSE_S = 0.02
"""How long a client waits before it tries again."""


@dataclass(frozen=True)
class Subscription:
    """What a reader subscribes to."""

    events: tuple[str, ...] = ("*",)
    filters: dict[str, list[str]] = field(default_factory=dict)
    batch_ms: int = 0


SUBSCRIPTIONS = (
    Subscription(),
    Subscription(batch_ms=40),
    Subscription(filters={"lane": ["2"]}),
    Subscription(("order:*",), {"lane": ["1", "3"], "status": ["confirmed", "completed"]}),
    Subscription(("order:status", "kds:update"), batch_ms=10),
)


@dataclass
class Written:
    """What was acknowledged to one restaurant's writers."""

    orders: dict[str, str] = field(default_factory=dict)
    """Order id by the mark that its draft carried."""
    versions: dict[str, list[int]] = field(default_factory=dict)
    """Of each order the versions that were acknowledged."""
    retried: int = 0
    contradicted: list[str] = field(default_factory=list)
    """Answers that no single application of the request explains."""


@dataclass
class Reader:
    """One subscriber, and every event it received, over all its connections."""

    subscription: Subscription
    events: list[Json] = field(default_factory=list)
    arrivals: list[float] = field(default_factory=list)
    """Of each event the Unix time at which it came."""
    position: Json | None = None
    subscribed: bool = False
    connections: int = 0
    not_recovered: int = 0


class Restaurant:
    """The clients of one restaurant. `address` returns the URL of the server to ask next.

    A server that has not answered for `patience_s` seconds counts as gone.
    """

    def __init__(
        self,
        name: str,
        address: Callable[[], str],
        token: str,
        seed: int,
        patience_s: float | None = None,
    ) -> None:
        self.name = name
        self.written = Written()
        self.readers = [Reader(subscription) for subscription in SUBSCRIPTIONS]
        self._address = address
        self._random = random.Random(f"{seed} {name}")
        self._headers = {"Authorization": f"Bearer {token}"}
        self._patience_s = patience_s
        self._marks = 0
        self._stopping = asyncio.Event()

    async def start(self, writers: int) -> None:
        """Set the menu, then start the clients."""
        self._http = aiohttp.ClientSession(
            headers=self._headers, timeout=aiohttp.ClientTimeout(self._patience_s)
        )
        await self.call("PUT", "/v1/menu", MENU)
        self._writing = [asyncio.create_task(self._write()) for _ in range(writers)]
        self._reading = [asyncio.create_task(self._read(reader)) for reader in self.readers]

    async def stop_writing(self) -> None:
        """Return once every writer has the answer to its last request."""
        self._stopping.set()
        await asyncio.gather(*self._writing)

    async def close(self) -> None:
        """Stop the readers."""
        for task in self._reading:
            task.cancel()
        await asyncio.gather(*self._reading, return_exceptions=True)
        await self._http.close()

    async def call(
        self, method: str, path: str, body: Json | None = None, key: str | None = None
    ) -> tuple[int, Json]:
        """Return the server's answer; ask until there is one."""
        headers = {} if key is None else {"Idempotency-Key": key}
        while True:
            try:
                url = self._address() + path
                async with self._http.request(method, url, json=body, headers=headers) as answer:
                    content: Json = await answer.json()
                    if answer.status < 500:
                        return answer.status, content
            except (aiohttp.ClientError, ConnectionError, TimeoutError, json.JSONDecodeError):
                pass
            self.written.retried += 1
            await asyncio.sleep(PAUSE_S)

    async def _write(self) -> None:
        while not self._stopping.is_set():
            self._marks += 1
            order = await self._create(f"{self.name}-{self._marks}")
            steps = LIFE[: self._random.randint(0, len(LIFE))]
            for status in steps:
                if order is not None:
                    order = await self._step(order, status)

    async def _create(self, mark: str) -> Json | None:
        """Return the order; None if the answers contradict each other."""
        draft = {
            "notes": mark,
            "source": {"lane": self._random.choice(LANES)},
            "items": [{"menu_item_id": "burger", "quantity": self._random.randint(1, 3)}],
        }
        for _ in range(2 if self._random.random() < 0.3 else 1):
            status, answer = await self.call("POST", "/v1/orders", draft, key=mark)
            order: Json = answer.get("order", {})
            if status != 201 or self.written.orders.setdefault(mark, order["id"]) != order["id"]:
                self.written.contradicted.append(f"{mark}: {answer}")
                return None
        return self._acknowledged(order)

    async def _step(self, order: Json, wanted: str) -> Json | None:
        """Return the changed order; None if it is not what it must be."""
        version = order["version"] + 1
        path = f"/v1/orders/{order['id']}"
        change = {"status": wanted, "version": order["version"]}
        status, answer = await self.call("POST", f"{path}/status", change)
        if status == 409:
            # Either an earlier try of ours was applied and its answer lost, or something is wrong.
            _, answer = await self.call("GET", path)
        now: Json = answer.get("order", {})
        if (now.get("version"), now.get("status")) != (version, wanted):
            self.written.contradicted.append(f"{order['id']}: {answer} for {wanted}")
            return None
        return self._acknowledged(now)

    def _acknowledged(self, order: Json) -> Json:
        self.written.versions.setdefault(order["id"], []).append(order["version"])
        return order

    async def _read(self, reader: Reader) -> None:
        while True:
            try:
                await self._listen(reader)
            except (aiohttp.ClientError, ConnectionError, TimeoutError):
                await asyncio.sleep(PAUSE_S)

    async def _listen(self, reader: Reader) -> None:
        # Some connections are given up by the client, after a random number of messages.
        patience = self._random.choice((5, 50, 500, FOR_EVER))
        async with self._http.ws_connect(
            f"{self._address()}/", max_msg_size=0, heartbeat=self._patience_s
        ) as socket:
            reader.connections += 1
            reader.subscribed = False
            async for received in socket:
                if received.type is not aiohttp.WSMsgType.TEXT:
                    return
                message = json.loads(received.data)
                if message["type"] == "connected":
                    await socket.send_json(_subscribe(reader, message["data"]["epoch"]))
                    continue
                _take(reader, message)
                patience -= 1
                if patience <= 0 and not self._stopping.is_set():
                    return

    async def history(self) -> list[Json]:
        """Return everything that the server says has happened."""
        events: list[Json] = []
        page: Json = {"seq": 0, "more": True}
        while page["more"]:
            _, page = await self.call("GET", f"/v1/events?limit=1000&after={page['seq']}")
            events += page["events"]
        return events

    async def state(self) -> dict[str, tuple[int, str]]:
        """Return the current version and status of every order."""
        state: dict[str, tuple[int, str]] = {}
        before: int | None = 0
        while before is not None:
            more = f"&before={before}" if before else ""
            _, page = await self.call("GET", f"/v1/orders?limit=200{more}")
            state |= {order["id"]: (order["version"], order["status"]) for order in page["orders"]}
            before = page["before"]
        return state


def _subscribe(reader: Reader, epoch: str) -> Json:
    if reader.position is None:
        reader.position = {"epoch": epoch, "seq": 0}
    subscription = reader.subscription
    return {
        "type": "subscribe",
        "events": list(subscription.events),
        "filters": subscription.filters,
        "batch_ms": subscription.batch_ms,
        "since": reader.position,
    }


def _take(reader: Reader, message: Json) -> None:
    """Take an event, a batch of them, or the answer to the subscription."""
    if message["type"] == "subscribed":
        reader.not_recovered += not message["data"]["recovered"]
        reader.subscribed = True
        return
    if not reader.subscribed:
        # What comes before the answer is for clients that never subscribe; it will be repeated.
        return
    events = message["events"] if message["type"] == "batch" else [message]
    for event in events:
        if "seq" in event:
            reader.events.append(event)
            reader.arrivals.append(time.time())
            reader.position = {"epoch": event["epoch"], "seq": event["seq"]}


async def kill_again_and_again(
    hub: HubProcess, times: int, seed: int, said: Callable[[int], Awaitable[None]]
) -> None:
    """Let the hub live for a random time, kill it, and start it again."""
    moments = random.Random(f"{seed} kills")
    for number in range(1, times + 1):
        await asyncio.sleep(moments.uniform(0.02, 0.7))
        hub.kill()
        await asyncio.to_thread(hub.start)
        await said(number)


def counts(restaurants: list[Restaurant]) -> dict[str, int]:
    """Return how much the clients of all restaurants did."""
    written = [restaurant.written for restaurant in restaurants]
    readers = [reader for restaurant in restaurants for reader in restaurant.readers]
    return {
        "orders acknowledged": sum(len(w.orders) for w in written),
        "changes acknowledged": sum(len(v) for w in written for v in w.versions.values()),
        "requests repeated": sum(w.retried for w in written),
        "readers": len(readers),
        "connections of readers": sum(r.connections for r in readers),
        "events received by readers": sum(len(r.events) for r in readers),
    }


def print_counts(figures: Mapping[str, int]) -> None:
    """Print figures below each other, and an empty line."""
    for what, count in figures.items():
        print(f"{what:<42} {count:>8,}")
    print()
