"""Point-in-time recovery as docs/operations.md describes it, with the real Litestream."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from support.paths import ROOT
from support.transactions import FINISH

from order_events.__main__ import main
from order_events.domain.audit_records import SessionStart
from order_events.domain.models import OrderDraft
from order_events.storage import scrubber
from order_events.storage.sqlite import DATABASE_FILE

pytestmark = pytest.mark.sqlite
"""They look into the file, or end the process that has it."""

LITESTREAM = Path(sys.executable).with_name("litestream")
SAID = "secretword"


def recipe(database: Path, replica: Path) -> str:
    """Return the documented configuration for these paths, impatient as a test is."""
    text = (ROOT / "docs" / "litestream.yml").read_text(encoding="utf-8")
    return (
        text.replace("/var/lib/voice/orders.sqlite3", str(database))
        .replace("/mnt/backup/voice", str(replica))
        .replace("sync-interval: 1s", "sync-interval: 100ms")
    )


@asynccontextmanager
async def replicating(config: Path) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        LITESTREAM,
        "replicate",
        "-config",
        config,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


def _has_any(replica: Path) -> bool:
    return any(replica.rglob("*.ltx"))


async def replicated(replica: Path) -> None:
    """Wait until something has arrived."""
    for _ in range(1_000):
        if _has_any(replica):
            return
        await asyncio.sleep(0.02)
    raise AssertionError("nothing was replicated")


def log_and_database(database: Path) -> bytes:
    wal = database.with_name(f"{database.name}-wal")
    return database.read_bytes() + (wal.read_bytes() if wal.exists() else b"")


async def test_a_hub_is_restored_from_its_replica(
    start: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And erased words leave the live write-ahead log while Litestream is holding on to it."""
    monkeypatch.setattr(scrubber, "RETRY_S", 0.2)
    server = await start()
    database, replica = tmp_path / "data" / DATABASE_FILE, tmp_path / "replica"
    config = tmp_path / "litestream.yml"
    config.write_text(recipe(database, replica), encoding="utf-8")
    async with replicating(config):
        await replicated(replica)
        await server.events.ledger.begin("r1", SessionStart(session_id="s1"), "lane-1")
        draft = {
            "items": [{"menu_item_id": "burger"}],
            "notes": SAID,
            "source": {"session_id": "s1"},
        }
        order = await server.events.create_order(
            "r1", OrderDraft.model_validate(draft), actor="lane-1"
        )
        for status in FINISH:
            await server.events.set_status("r1", order.id, status, actor="a")
        assert SAID.encode() in log_and_database(database)
        await server.events.ledger.erase("r1", "s1", "ann")
        for _ in range(1_500):
            if SAID.encode() not in log_and_database(database):
                break
            await asyncio.sleep(0.02)
        assert SAID.encode() not in log_and_database(database)
        last = await server.events.create_order(
            "r1", OrderDraft.model_validate({"items": draft["items"]}), actor="a"
        )
        await server.stop()
    copy = tmp_path / "restored.sqlite3"
    restore = [LITESTREAM, "restore", "-config", config, "-o", copy, database]
    await asyncio.to_thread(subprocess.run, restore, check=True, capture_output=True)
    standby = tmp_path / "standby"
    assert await asyncio.to_thread(main, ["restore", str(copy), "--data-dir", str(standby)]) == 0
    again = await start(data_dir=standby, menu=False)
    assert (await again.events.order("r1", last.id)).total == last.total
    assert (await again.events.order("r1", order.id)).notes is None
