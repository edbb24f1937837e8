"""Restaurants move from one machine's SQLite to PostgreSQL, with all that clients hold on to."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from order_events.__main__ import main
from order_events.domain.audit_records import SessionStart
from order_events.settings import HubSettings


@pytest.fixture
async def moved(
    start: Any, draft: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_postgresql: Any
) -> Any:
    """Return what a hub on SQLite held of its restaurants; it is stopped."""
    address = HubSettings().store.get_secret_value()
    monkeypatch.setenv("VOICE_STORE", "sqlite")
    old = await start()
    for restaurant in ("r1", "r2"):
        await old.events.ledger.begin(restaurant, SessionStart(session_id="s"), "lane")
        for _ in range(3):
            await old.events.create_order(restaurant, draft, actor="a")
    _, pairing = await old.call("POST", "/v1/pairings", {"role": "kitchen", "name": "Grill"})
    _, screen = await old.call("POST", "/v1/pairings/claim", {"code": pairing["code"]})
    held = {
        "epoch": old.events.store.epoch,
        "events": await old.events.store.read(lambda r: r.events("r1", 0, 100)),
        "orders": (await old.events.orders("r1"))[0],
        "credential": screen["credential"],
    }
    await old.stop()
    monkeypatch.setenv("VOICE_STORE", address)
    return held


async def test_everything_moves(moved: Any, start: Any, tmp_path: Path, draft: Any) -> None:
    """Orders, events, epoch and paired screens; numbers and `seq` go on."""
    assert await asyncio.to_thread(_copy, tmp_path) == 0
    hub = await start(menu=False)
    assert hub.events.store.epoch == moved["epoch"]
    events = await hub.events.store.read(lambda r: r.events("r1", 0, 100))
    assert events[: len(moved["events"])] == moved["events"]
    assert (await hub.events.orders("r1"))[0] == moved["orders"]
    status, _ = await hub.call("POST", "/v1/devices/token", {"credential": moved["credential"]})
    assert status == 200
    after = await hub.events.create_order("r1", draft, actor="a")
    assert after.order_number[-4:] == "0004"
    assert await asyncio.to_thread(_copy, tmp_path) == 1, "it is there already"


async def test_one_restaurant_moves_beside_others(moved: Any, start: Any, tmp_path: Path) -> None:
    """Into a history of another epoch, its own cannot go: its clients start afresh."""
    hub = await start(data_dir=tmp_path / "elsewhere")
    assert await asyncio.to_thread(_copy, tmp_path, "--restaurant", "r1") == 1, "it has a menu"
    await hub.events.store.write(lambda tx: tx.db.execute("DELETE FROM menus").rowcount)
    await hub.events.store.write(lambda tx: tx.db.execute("DELETE FROM menu_versions").rowcount)
    assert await asyncio.to_thread(_copy, tmp_path, "--restaurant", "r1") == 0
    assert (await hub.events.orders("r1"))[0] == moved["orders"]
    assert (await hub.events.orders("r2"))[0] == []


async def test_what_cannot_be_copied_is_said(moved: Any, tmp_path: Path, capsys: Any) -> None:
    """A restaurant that is not there, a directory without a database, a password in an option."""
    assert await asyncio.to_thread(_copy, tmp_path, "--restaurant", "r9") == 1
    assert "r9" in capsys.readouterr().err
    assert await asyncio.to_thread(_copy, tmp_path / "nowhere") == 1
    with pytest.raises(SystemExit):
        main(["copy", "--to", "postgresql://u:hush@host/db"])
    with pytest.raises(SystemExit):
        main(["copy", "--to", "postgresql://host/db?password=hush"])


def _copy(folder: Path, *more: str) -> int:
    return main(["copy", "--from", f"sqlite:{folder / 'data'}", "--to", "postgresql", *more])
