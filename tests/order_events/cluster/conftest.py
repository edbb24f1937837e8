"""Several hubs over one database, with a real NATS server between them."""

from __future__ import annotations

import os
import random
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from support.nats import NatsServer

from order_events.bus.messages import BusMessage, Wakeup
from order_events.bus.nats_bus import NatsBus
from order_events.storage import sqlite

StartNode = Callable[..., Awaitable[Any]]


@pytest.fixture(scope="module")
def nats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """A server that the tests of a module share."""
    with NatsServer(tmp_path_factory.mktemp("nats")) as server:
        yield server


@pytest.fixture
def start_node(start: Any, nats: NatsServer, monkeypatch: pytest.MonkeyPatch) -> StartNode:
    """Return a function that starts one more node of the same service."""
    # Of one data directory there is one server; with a database of its own, there may be several.
    monkeypatch.setattr(sqlite, "_lock", lambda directory: os.open(directory, os.O_RDONLY))

    async def start_one(**settings: Any) -> Any:
        return await start(**{"bus": nats.url, **settings})

    return start_one


@pytest.fixture
def drop_wakeups(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Return a function that makes a share of the wake-ups be lost."""

    def drop(share: float) -> None:
        send, chance = NatsBus.send, random.Random(1)

        def lossy(self: NatsBus, message: BusMessage) -> None:
            if not (isinstance(message, Wakeup) and chance.random() < share):
                send(self, message)

        monkeypatch.setattr(NatsBus, "send", lossy)

    return drop
