"""A real server against a model: whatever is interleaved, every client sees the same events.

Hypothesis interleaves publishing, connecting, losing connections, resuming and restarting. The
model is a list of the events that must have been sent, in order. A client is correct if, over all
its connections, it received exactly the entries it subscribed to, each once.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import pytest
from aiohttp import web
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from order_events.app import AUTHORITY, EVENTS, build_app
from order_events.auth.tokens import Role
from order_events.domain.models import TableChange
from order_events.menu.menu import Menu
from order_events.metrics import HubMetrics
from order_events.service import OrderEvents
from order_events.settings import HubSettings

T = TypeVar("T")
Json = dict[str, Any]
LANES = ["1", "2"]
LIFE = ["pending", "confirmed", "preparing", "ready", "completed"]
MENU = Menu.model_validate(
    {
        "name": "m",
        "categories": [{"id": "c", "name": "c"}],
        "items": [{"id": "burger", "name": "b", "category": "c", "price": 1}],
    }
)


@dataclass(frozen=True)
class Told:
    """An event as the model knows it: everything except its seq."""

    type: str
    subject: str
    version: int
    status: str
    lane: str | None = None


@dataclass(frozen=True)
class Wish:
    """A client's subscription."""

    events: tuple[str, ...]
    filters: tuple[tuple[str, str], ...] = ()
    batch_ms: int = 0

    def wants(self, told: Told) -> bool:
        """Return whether an event must arrive."""
        named = any(told.type.startswith(name.removesuffix("*")) for name in self.events)
        return named and all(getattr(told, name) == value for name, value in self.filters)


WISHES = st.builds(
    Wish,
    st.sampled_from([("*",), ("order:*",), ("order:status", "table:updated")]),
    st.sampled_from(
        [(), (("lane", "1"),), (("status", "ready"),), (("lane", "2"), ("status", "pending"))]
    ),
    st.sampled_from([0, 0, 5]),
)


@dataclass
class Client:
    """A subscriber across all its connections."""

    wish: Wish
    start: int
    """How many of the model's entries lie before its subscription."""
    since: int
    """The seq that it resumes from."""
    events: list[Json] = field(default_factory=list)
    socket: aiohttp.ClientWebSocketResponse | None = None

    def told(self) -> list[Told]:
        """What it received, except `kds:update`."""
        return [as_told(event) for event in self.events if event["type"] != "kds:update"]


@dataclass
class Order:
    """An order as the model knows it."""

    key: str
    draft: Json
    id: str
    version: int = 1
    status: str = "pending"


def as_told(event: Json) -> Told:
    """Return an event as the model knows it."""
    data = event["data"]
    if event["type"] == "table:updated":
        table = data["table"]
        return Told(event["type"], table["id"], table["version"], table["status"])
    if event["type"] == "order:status":
        return Told(event["type"], data["order_id"], data["version"], data["status"])
    order = data["order"]
    lane = order["source"]["lane"]
    return Told(event["type"], order["id"], order["version"], order["status"], lane)


def without_lane(told: Told) -> Told:
    """Drop the lane, which `order:status` can be filtered by but does not contain."""
    return Told(told.type, told.subject, told.version, told.status)


class HubMachine(RuleBasedStateMachine):
    """One restaurant, its hub and its clients."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.directory = tempfile.TemporaryDirectory()
        self.told: list[Told] = []
        self.orders: list[Order] = []
        self.tables: dict[str, int] = {}
        self.clients: list[Client] = []
        self.run(self._start(first=True))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run with a bound: nothing here takes more than a moment."""
        return self.loop.run_until_complete(asyncio.wait_for(work, 60))

    # What happens

    @rule(lane=st.sampled_from(LANES), key=st.integers(0, 10**6))
    def order(self, lane: str, key: int) -> None:
        draft = {"items": [{"menu_item_id": "burger"}], "source": {"lane": lane}}
        self.run(self._order(f"{key}-{len(self.orders)}", draft))

    @precondition(lambda self: self.orders)
    @rule(which=st.integers(0))
    def repeat_an_order(self, which: int) -> None:
        """Nothing happens, and the answer is the same."""
        order = self.orders[which % len(self.orders)]
        _, made = self.run(self._call("POST", "/v1/orders", order.draft, order.key))
        assert made["order"]["id"] == order.id

    @precondition(lambda self: self.orders)
    @rule(which=st.integers(0))
    def next_status(self, which: int) -> None:
        self.run(self._step(self.orders[which % len(self.orders)]))

    @precondition(lambda self: self.orders)
    @rule(which=st.integers(0))
    def change_a_version_that_is_stale(self, which: int) -> None:
        """Nothing happens, and the caller gets an error."""
        order = self.orders[which % len(self.orders)]
        change = {"notes": "late", "version": order.version + 1}
        status, _ = self.run(self._call("PATCH", f"/v1/orders/{order.id}", change))
        assert status == 409

    @rule(table=st.sampled_from("ab"), count=st.integers(1, 12), wish=WISHES)
    def a_burst_while_a_client_reads_all_history(self, table: str, count: int, wish: Wish) -> None:
        self.run(self._burst(table, count, Client(wish, 0, 0)))

    @rule(wish=WISHES, back=st.integers(0, 20))
    def connect(self, wish: Wish, back: int) -> None:
        """Connect with a `since` that many events back."""
        self.run(self._connect_new(wish, back))

    @precondition(lambda self: self.clients)
    @rule(which=st.integers(0))
    def lose_a_connection(self, which: int) -> None:
        self.run(self._hang_up(self.clients[which % len(self.clients)]))

    @precondition(lambda self: self.clients)
    @rule(which=st.integers(0))
    def resume(self, which: int) -> None:
        self.run(self._resume(self.clients[which % len(self.clients)]))

    @rule()
    def restart_the_server(self) -> None:
        self.run(self._restart())

    @rule()
    def everybody_reads(self) -> None:
        self.run(self._everybody_reads())

    def teardown(self) -> None:
        """In the end all clients reconnect, and all know the same."""
        try:
            self.run(self._in_the_end())
        finally:
            self.run(self._stop())
            self.loop.close()
            self.directory.cleanup()

    # How it is done

    async def _start(self, *, first: bool = False) -> None:
        configured = HubSettings(
            data_dir=Path(self.directory.name),
            kds_per_second=20,
            recent_events=4,
            replay_chunk=3,
            close_timeout_s=1,
            regular_per_minute=10_000,
        )
        app = build_app(configured, OrderEvents(configured, HubMetrics()))
        self.runner = web.AppRunner(app, shutdown_timeout=1)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0).start()
        self.hub = app[EVENTS]
        if first:
            await self.hub.put_menu("r1", MENU, "test")
        host, port = self.runner.addresses[0][:2]
        token = app[AUTHORITY].issue("r1", "u", Role.MANAGER, 600)
        self.http = aiohttp.ClientSession(
            f"http://{host}:{port}", headers={"Authorization": f"Bearer {token}"}
        )

    async def _stop(self) -> None:
        await self.http.close()
        await self.runner.cleanup()

    async def _restart(self) -> None:
        for client in self.clients:
            client.socket = None
        await self._stop()
        await self._start()

    async def _call(
        self, method: str, path: str, body: Json | None = None, key: str | None = None
    ) -> tuple[int, Json]:
        headers = {} if key is None else {"Idempotency-Key": key}
        async with self.http.request(method, path, json=body, headers=headers) as answer:
            content: Json = await answer.json()
            return answer.status, content

    async def _order(self, key: str, draft: Json) -> None:
        status, answer = await self._call("POST", "/v1/orders", draft, key)
        assert status == 201, answer
        self.orders.append(Order(key, draft, answer["order"]["id"]))
        self._note("order:created", self.orders[-1])

    async def _step(self, order: Order) -> None:
        wanted = (LIFE + LIFE[:1])[LIFE.index(order.status) + 1]
        change = {"status": wanted, "version": order.version}
        status, _ = await self._call("POST", f"/v1/orders/{order.id}/status", change)
        assert status == (409 if order.status == LIFE[-1] else 200)
        if status == 200:
            order.version, order.status = order.version + 1, wanted
            self._note("order:status", order)
            self._note("order:updated", order)

    def _note(self, type_: str, order: Order) -> None:
        lane = order.draft["source"]["lane"]
        self.told.append(Told(type_, order.id, order.version, order.status, lane))

    async def _burst(self, table: str, count: int, client: Client) -> None:
        self.clients.append(client)
        epoch = await self._connect(client)
        change = TableChange(number="1", status="occupied")
        await asyncio.gather(self._pour(table, count, change), self._subscribe(client, epoch))

    async def _pour(self, table: str, count: int, change: TableChange) -> None:
        for _ in range(count):
            self.tables[table] = self.tables.get(table, 0) + 1
            self.told.append(Told("table:updated", table, self.tables[table], "occupied"))
            await self.hub.change_table("r1", table, change, actor="u")

    async def _connect_new(self, wish: Wish, back: int) -> None:
        history = [e for e in await self._history() if e["type"] != "kds:update"]
        start = max(0, len(self.told) - back)
        since = history[start - 1]["seq"] if start else 0
        self.clients.append(Client(wish, start, since))
        await self._resume(self.clients[-1])

    async def _hang_up(self, client: Client) -> None:
        if client.socket is not None:
            await client.socket.close()
            client.socket = None

    async def _resume(self, client: Client) -> None:
        await self._subscribe(client, await self._connect(client))

    async def _connect(self, client: Client) -> str:
        """Connect; return the epoch that the server reports."""
        await self._hang_up(client)
        client.socket = await self.http.ws_connect("/")
        connected = await client.socket.receive_json(timeout=10)
        return str(connected["data"]["epoch"])

    async def _subscribe(self, client: Client, epoch: str) -> None:
        assert client.socket is not None
        await client.socket.send_json(
            {
                "type": "subscribe",
                "events": list(client.wish.events),
                "filters": dict(client.wish.filters),
                "batch_ms": client.wish.batch_ms,
                "since": {"epoch": epoch, "seq": client.since},
            }
        )
        # Until the answer comes, the connection is one that has never subscribed.
        while (answer := await client.socket.receive_json(timeout=10))["type"] != "subscribed":
            pass
        assert answer["data"]["recovered"], answer
        assert answer["data"]["seq"] == client.since

    async def _read(self, client: Client) -> None:
        """Return the events of one message."""
        assert client.socket is not None
        message = json.loads(await client.socket.receive_str(timeout=10))
        for event in message["events"] if message["type"] == "batch" else [message]:
            client.events.append(event)
            client.since = event["seq"]

    async def _everybody_reads(self) -> None:
        for client in self.clients:
            expected = self._expected(client)
            while client.socket is not None and len(client.told()) < len(expected):
                await self._read(client)
            told = client.told()
            assert [without_lane(t) for t in told] == expected[: len(told)], client.wish
            assert client.socket is None or len(told) == len(expected)

    def _expected(self, client: Client) -> list[Told]:
        return [without_lane(t) for t in self.told[client.start :] if client.wish.wants(t)]

    async def _history(self) -> list[Json]:
        events: list[Json] = []
        page: Json = {"seq": 0, "more": True}
        while page["more"]:
            _, page = await self._call("GET", f"/v1/events?limit=1000&after={page['seq']}")
            assert page["recovered"]
            events += page["events"]
        return events

    async def _in_the_end(self) -> None:
        await self._kitchen_knows()
        for client in self.clients:
            await self._resume(client)
        await self._everybody_reads()
        history = await self._history()
        assert [event["seq"] for event in history] == list(range(1, len(history) + 1))
        told = [as_told(event) for event in history if event["type"] != "kds:update"]
        assert [without_lane(t) for t in told] == [without_lane(t) for t in self.told]
        for client in self.clients:
            await self._nothing_is_left(client, history)

    async def _nothing_is_left(self, client: Client, history: list[Json]) -> None:
        """A client subscribed to everything has the whole history, byte for byte."""
        whole = client.wish.events == ("*",) and not client.wish.filters
        while whole and client.since < len(history):
            await self._read(client)
        numbers = [event["seq"] for event in client.events]
        assert numbers == sorted(set(numbers)), "an event was doubled or out of order"
        assert client.events == [history[number - 1] for number in numbers]
        if whole:
            assert numbers == list(range(len(history) - len(numbers) + 1, len(history) + 1))

    async def _kitchen_knows(self) -> None:
        """The kitchen soon has the last version of every order, despite restarts."""
        wanted = {order.id: order.version for order in self.orders}
        knows: dict[str, int] = {}
        while knows != wanted:
            await asyncio.sleep(0.01)
            for event in await self._history():
                if event["type"] == "kds:update":
                    knows |= {t["id"]: t["version"] for t in event["data"]["orders"]}


# Not shrunk: a failure is mostly a wait that ran out, and its 25 steps read well enough.
HubMachine.TestCase.settings = settings(
    max_examples=15,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.generate,),
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
TestHubMachine = HubMachine.TestCase
TestHubMachine.pytestmark = [pytest.mark.timeout(300)]
