"""Voice sessions where there are several nodes: over one database, with a real bus and model."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.nats import NatsServer
from support.recordings import pieces, recording, silence
from support.voice_server import Server, Start

from order_events.auth.tokens import Role
from order_events.storage import sqlite


@pytest.fixture
def nats(tmp_path: Path) -> Iterator[NatsServer]:
    with NatsServer(tmp_path / "nats") as server:
        yield server


@pytest.fixture
async def nodes(
    start: Start, nats: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> tuple[Server, Server]:
    """Two nodes of one service."""
    # Of one data directory there is one server; with a database of its own, there may be several.
    monkeypatch.setattr(sqlite, "_lock", lambda directory: os.open(directory, os.O_RDONLY))
    return await start(bus=nats.url), await start(bus=nats.url)


async def call(server: Server, path: str) -> tuple[int, Any]:
    token = server.token(Role.SERVER, "ann")
    async with server.http.post(
        server.url + path, json={}, headers={"Authorization": f"Bearer {token}"}
    ) as answer:
        return answer.status, await answer.json()


async def test_staff_at_another_node_take_over_and_hand_back(nodes: tuple[Server, Server]) -> None:
    """The guest's node learns of it from the event; the screens of both see everything."""
    first, second = nodes
    screen = await second.screen("voice:*", "order:*")
    guest = await first.voice()
    await guest.begin("s1", lane="1")
    spoken = [*pieces(recording("one_item"), 500), *pieces(silence(2), 500)]
    await guest.chunks(spoken)
    order = (await guest.until("voice:order"))["data"]["order"]
    created = await screen.until("order:created")
    assert created["data"]["order"]["id"] == order["id"]
    status, answer = await call(second, "/v1/sessions/s1/take-over")
    assert (status, answer["session"]["held_by"]) == (200, "ann")
    held = await guest.until("voice:order")
    assert [reason["code"] for reason in held["data"]["reasons"]] == ["staff_took_over"]
    status, answer = await call(second, "/v1/sessions/s1/resume")
    assert (status, answer["session"]["held_by"]) == (200, None)
    again = await guest.until("voice:order")
    assert again["data"]["status"] == "listening"
    assert (await guest.end())["order_id"] == order["id"]


async def test_a_session_is_started_again_at_another_node(nodes: tuple[Server, Server]) -> None:
    """It is not known there; started anew, it has the same order, and the first node lets go."""
    first, second = nodes
    guest = await first.voice()
    await guest.begin("s1", lane="1")
    spoken = [*pieces(recording("one_item"), 500), *pieces(silence(2), 500)]
    await guest.chunks(spoken)
    order = (await guest.until("voice:order"))["data"]["order"]
    elsewhere = await second.voice()
    start = {"session_id": "s1", "language": "en-US", "lane": "1"}
    await elsewhere.send("voice:start", {**start, "resume": True})
    await elsewhere.error("SESSION_NOT_FOUND")
    await elsewhere.begin("s1", lane="1")
    await elsewhere.chunks(spoken)
    same = (await elsewhere.until("voice:order"))["data"]["order"]
    assert (same["id"], same["items"][0]["menu_item_id"]) == (
        order["id"],
        order["items"][0]["menu_item_id"],
    )
    await guest.chunks(spoken, first=len(spoken) + 1)
    await guest.error("INTERNAL")
    assert (await elsewhere.end())["order_id"] == order["id"]
    [stored] = await second.orders()
    assert len(stored["items"]) == 1
