"""Relays between a real server and an outlet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from order_events.auth.tokens import Role
from order_events.client.backoff import Backoff
from order_events.integrations.hub_api import HubApi
from order_events.integrations.journal import Journal
from order_events.integrations.relay import EVENTS, Relay

Carry = Callable[[Any], Awaitable[None]]


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again without the waits that others are owed."""
    monkeypatch.setattr(Backoff, "next", lambda self, now: 0.01)


@pytest.fixture
async def hub(server: Any) -> AsyncIterator[HubApi]:
    """The API of the server, for a service of r1."""
    async with aiohttp.ClientSession() as http:
        yield HubApi(http, server.url, lambda: server.token(role=Role.SERVICE))


@pytest.fixture
async def carry(server: Any, hub: HubApi, tmp_path: Path) -> AsyncIterator[Carry]:
    """Return a function that carries all orders so far to an outlet, from where it was."""

    async def carry(outlet: Any) -> None:
        with closing(Journal(tmp_path / "journal.sqlite3")) as journal:
            token = server.token(role=Role.SERVICE)
            relay = Relay(server.url, token, hub, journal, outlet)
            running = asyncio.create_task(relay.run())
            last = await server.events.store.read(_last_of_orders, "r1")
            async with asyncio.timeout(30):
                while not running.done() and (  # noqa: ASYNC110 (the relay tells nobody)
                    journal.position is None or journal.position.seq < last
                ):
                    await asyncio.sleep(0.01)
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running

    yield carry


def _last_of_orders(reader: Any) -> int:
    """Return the seq of the last event that a relay sees."""
    question = "SELECT coalesce(max(seq), 0) FROM events WHERE type IN (?, ?, ?)"
    return int(reader.db.execute(question, EVENTS).fetchone()[0])
