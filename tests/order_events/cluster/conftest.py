"""Several hubs over one PostgreSQL database, with a real bus between them."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from support.nats import NatsServer

from order_events.bus.mailbox import Mailbox
from order_events.bus.messages import BusMessage, Wakeup

StartNode = Callable[..., Awaitable[Any]]


@pytest.fixture(scope="module")
def nats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """A server that the tests of a module share."""
    with NatsServer(tmp_path_factory.mktemp("nats")) as server:
        yield server


@pytest.fixture(params=["nats", "postgresql"])
def bus(request: pytest.FixtureRequest, nats: NatsServer) -> str:
    """The setting for each kind of bus."""
    return nats.url if request.param == "nats" else "postgresql"


@pytest.fixture
def start_node(start: Any, on_postgresql: object, nats: NatsServer) -> StartNode:
    """Return a function that starts one more node of the same service."""

    async def start_one(**settings: Any) -> Any:
        return await start(**{"bus": nats.url, **settings})

    return start_one


@pytest.fixture
def drop_wakeups(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Return a function that makes a share of the wake-ups be lost."""

    def drop(share: float) -> None:
        put, chance = Mailbox.put, random.Random(1)

        def lossy(self: Mailbox, message: BusMessage) -> None:
            if not (isinstance(message, Wakeup) and chance.random() < share):
                put(self, message)

        monkeypatch.setattr(Mailbox, "put", lossy)

    return drop
