"""A real server on a free port with a real database, and real WebSocket clients."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, closing
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import structlog
from aiohttp import web
from support.postgresql import PostgresqlServer
from support.transactions import at, database

from order_events.acceptor import Site
from order_events.app import AUTHORITY, EVENTS, REGISTRY, build_app
from order_events.auth.tokens import Role, TokenAuthority
from order_events.domain.models import OrderDraft
from order_events.ledger import changes
from order_events.menu.menu import Menu
from order_events.metrics import HubMetrics
from order_events.server import Runner
from order_events.service import OrderEvents
from order_events.settings import HubSettings
from order_events.storage.postgresql.connection import WRITER, connect
from order_events.storage.postgresql.database import migrate

MENU = Menu.model_validate(
    {
        "name": "Test Kitchen",
        "tax_rate": "0.0825",
        "time_zone": "America/New_York",
        "sizes": [{"id": "s", "name": "Small"}, {"id": "l", "name": "Large"}],
        "categories": [{"id": "food", "name": "Food"}],
        "modifier_groups": [
            {
                "id": "toppings",
                "name": "Toppings",
                "max": 2,
                "modifiers": [
                    {"id": "cheese", "name": "Cheese", "price": 75},
                    {"id": "onion", "name": "Onion"},
                    {"id": "bacon", "name": "Bacon", "price": 150},
                ],
            }
        ],
        "items": [
            {
                "id": "burger",
                "name": "Burger",
                "category": "food",
                "price": 999,
                "modifier_groups": ["toppings"],
                "defaults": ["onion", "cheese"],
                "prep_minutes": 12,
            },
            {
                "id": "cola",
                "name": "Cola",
                "category": "food",
                "prices": {"s": 199, "l": 299},
                "default_size": "s",
                "prep_minutes": 1,
            },
            {"id": "soup", "name": "Soup", "category": "food", "price": 450, "sold_out": True},
        ],
    }
)
BURGER = {"type": "dine-in", "items": [{"menu_item_id": "burger"}]}


class Client:
    """One WebSocket, with the waiting that tests need."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws
        self.connected: dict[str, Any] = {}

    async def send(self, **message: Any) -> None:
        await self.ws.send_str(json.dumps(message))

    async def receive(self, timeout: float = 5) -> dict[str, Any]:  # noqa: ASYNC109
        received = await self.ws.receive(timeout)
        assert received.type is aiohttp.WSMsgType.TEXT, (received, self.ws.close_code)
        message: dict[str, Any] = json.loads(received.data)
        return message

    async def expect(self, type_: str) -> dict[str, Any]:
        message = await self.receive()
        assert message["type"] == type_, message
        return message

    async def until(self, type_: str) -> dict[str, Any]:
        while True:
            message = await self.receive()
            if message["type"] == type_:
                return message

    async def close_code(self) -> int | None:
        """Read until the server has closed; return its code."""
        while True:
            received = await self.ws.receive(5)
            if received.type is not aiohttp.WSMsgType.TEXT:
                return self.ws.close_code

    async def silent(self) -> None:
        """Assert that nothing was sent: the next message answers a ping."""
        await self.send(type="ping", id="silent?")
        message = await self.receive()
        assert message["type"] == "pong", message


class Server:
    """A running hub."""

    def __init__(
        self, runner: web.AppRunner, app: web.Application, session: aiohttp.ClientSession
    ) -> None:
        host, port = runner.addresses[0][:2]
        self.runner = runner
        self.app = app
        self.port = port
        self.url = f"http://{host}:{port}"
        self.session = session
        # A socket that nobody refers to would be closed by the garbage collector.
        self.clients: list[Client] = []

    @property
    def events(self) -> OrderEvents:
        return self.app[EVENTS]

    @property
    def authority(self) -> TokenAuthority:
        return self.app[AUTHORITY]

    async def stop(self) -> None:
        """Stop as on SIGTERM."""
        await self.runner.cleanup()

    def sockets(self) -> int:
        return len(self.app[REGISTRY])

    def token(
        self, restaurant: str = "r1", role: Role = Role.MANAGER, user: str = "u1", ttl: float = 600
    ) -> str:
        return self.authority.issue(restaurant, user, role, ttl)

    async def open(self, path: str = "/", **options: Any) -> Client:
        """Return a socket that has not authenticated."""
        client = Client(await self.session.ws_connect(self.url + path, **options))
        self.clients.append(client)
        return client

    async def connect(
        self, restaurant: str = "r1", role: Role = Role.MANAGER, **who: Any
    ) -> Client:
        """Return a socket that has received `connected`."""
        token = self.token(restaurant, role, **who)
        client = await self.open(headers={"Authorization": f"Bearer {token}"})
        client.connected = await client.expect("connected")
        return client

    async def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        role: Role = Role.MANAGER,
        restaurant: str = "r1",
        user: str = "u1",
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, dict[str, Any]]:
        """Send an HTTP request; return its status and JSON."""
        token = self.token(restaurant, role, user=user)
        async with self.session.request(
            method,
            self.url + path,
            json=body,
            headers={"Authorization": f"Bearer {token}", **(headers or {})},
        ) as response:
            return response.status, await response.json()


Start = Callable[..., Awaitable[Server]]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With VOICE_TEST_STORE, leave out what has no store, and what is about SQLite's."""
    if "VOICE_TEST_STORE" not in os.environ:
        return
    left_out = [item for item in items if not _runs_on_any_store(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if _runs_on_any_store(item)]


def _runs_on_any_store(item: pytest.Item) -> bool:
    fixtures: list[str] = getattr(item, "fixturenames", [])
    return "store" in fixtures and item.get_closest_marker("sqlite") is None


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresqlServer]:
    """A server that a process's tests share. Its database `template` has the present schema."""
    with PostgresqlServer(durable=False) as server:
        address = server.create("template")
        with closing(connect(address, WRITER)) as raw:
            migrate(raw)
        yield server


@pytest.fixture
def on_postgresql(
    postgresql: PostgresqlServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[PostgresqlServer]:
    """Have the settings of a test name an empty database in PostgreSQL."""
    name = uuid.uuid4().hex
    monkeypatch.setenv("VOICE_STORE", postgresql.create(name, "template"))
    monkeypatch.setenv("VOICE_JWT_SECRET", "s" * 32)
    yield postgresql
    postgresql.drop(name)


@pytest.fixture
def store(request: pytest.FixtureRequest) -> None:
    """Keep orders in SQLite, or where VOICE_TEST_STORE says."""
    if os.environ.get("VOICE_TEST_STORE") == "postgresql":
        request.getfixturevalue("on_postgresql")


@pytest.fixture
async def start(tmp_path: Path, store: None) -> AsyncIterator[Start]:
    """Return a function that starts servers; all of them are stopped at the end."""
    async with AsyncExitStack() as stack:

        async def start_one(
            *,
            menu: bool = True,
            prepare: Callable[[web.Application], None] = lambda app: None,
            **settings: Any,
        ) -> Server:
            settings = {"data_dir": tmp_path / "data", "close_timeout_s": 1, **settings}
            configured = HubSettings(**settings)
            app = build_app(configured, OrderEvents(configured, HubMetrics()))
            prepare(app)
            runner = Runner(app, configured)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await Site(runner, "127.0.0.1", 0).start()
            session = await stack.enter_async_context(aiohttp.ClientSession())
            server = Server(runner, app, session)
            if menu:
                for restaurant in ("r1", "r2"):
                    await server.events.put_menu(restaurant, MENU, "test")
            return server

        yield start_one


@pytest.fixture
async def server(start: Start) -> Server:
    """A server with the default limits."""
    return await start()


@pytest.fixture
def menu() -> Menu:
    """The menu of both restaurants, r1 and r2."""
    return MENU


@pytest.fixture
def burger() -> dict[str, Any]:
    """The smallest order."""
    return dict(BURGER)


@pytest.fixture
def draft() -> OrderDraft:
    """The smallest order, as a model."""
    return OrderDraft.model_validate(BURGER)


@pytest.fixture
def db(menu: Menu, store: None) -> Iterator[Any]:
    """A database with the menu of r1."""
    with database() as opened:
        changes.put_menu(at(opened), "r1", menu, "m")
        yield opened


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    """Reset the logging configuration after each test."""
    yield
    structlog.reset_defaults()
