"""A database that is damaged, full, locked or behind: reported clearly, nothing half-written."""

from __future__ import annotations

import asyncio
import os
import re
import resource
import shutil
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from order_events.__main__ import main
from order_events.auth.tokens import Role, authority
from order_events.domain.api_models import PaymentsQuery
from order_events.domain.models import PaymentDraft, TableChange
from order_events.ledger import changes
from order_events.protocol.errors import StoreUnavailable
from order_events.settings import HubSettings
from order_events.storage import schema
from order_events.storage.database import DatabaseUnusable
from order_events.storage.sqlite import DATABASE_FILE
from order_events.storage.transaction import MenuCache, Tx
from order_events.storage.watermark import WATERMARK_FILE

pytestmark = pytest.mark.sqlite
"""They look into the file, or end the process that has it."""

OCCUPIED = TableChange(number="1", status="occupied")


def not_a_database(path: Path) -> None:
    path.write_bytes(b"this was never one " * 1_000)


def truncated(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2 // 4096 * 4096)


def overwritten(path: Path) -> None:
    """Overwrite every page but the first two with garbage."""
    with path.open("r+b") as file:
        file.seek(2 * 4096)
        file.write(b"\xa5" * (path.stat().st_size - 2 * 4096))


@pytest.mark.parametrize("damage", [not_a_database, truncated, overwritten])
@pytest.mark.parametrize("command", [["serve", "--port", "0"], ["new-epoch"]])
def test_a_damaged_database_is_one_line_at_the_start(
    damage: Callable[[Path], None],
    command: list[str],
    menu: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It names the file and says what to do; no new database replaces it."""
    monkeypatch.setenv("VOICE_JWT_SECRET", "s" * 32)
    path = tmp_path / DATABASE_FILE
    with closing(schema.connect(path, 1)) as db:
        writer = Tx(db, schema.migrate(db), MenuCache(), datetime.now(UTC))
        changes.put_menu(writer, "r1", menu, "m")
        changes.change_table(writer, "r1", "t", OCCUPIED, "a")
    damage(path)
    content = path.read_bytes()
    assert main([*command, "--data-dir", str(tmp_path)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("order_events: ")
    assert str(path) in line
    assert "put a backup in its place" in line
    assert path.read_bytes() == content


async def test_damage_found_while_running_stops_writing_and_not_reading(
    start: Any, draft: Any
) -> None:
    """Whether a reader or the writer finds it; the server is not ready until a restart."""
    server = await start()
    order = await server.events.create_order("r1", draft, actor="a")
    payment = PaymentDraft(order_id=order.id, amount=1, method="cash")
    await server.events.take_payment("r1", payment, actor="a")
    await server.stop()
    path = server.events.settings.data_dir / DATABASE_FILE
    with closing(sqlite3.connect(path)) as db:
        page = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'payments'").fetchone()
    with path.open("r+b") as file:
        file.seek((page[0] - 1) * 4096)
        file.write(b"\xa5" * 4096)
    server = await start(menu=False)
    assert server.events.ready
    with pytest.raises(StoreUnavailable):
        await server.events.payments("r1", PaymentsQuery(order_id=order.id))
    assert not server.events.ready
    with pytest.raises(StoreUnavailable, match="repaired"):
        await server.events.create_order("r1", draft, actor="a")
    assert (await server.events.order("r1", order.id)).id == order.id
    status, answer = await server.call("GET", "/v1/events")
    assert (status, answer["recovered"]) == (200, True)


async def test_a_database_that_was_put_back_from_a_backup_has_a_new_epoch(
    start: Any, tmp_path: Path
) -> None:
    """A client that resumes is told to read the state again."""
    server = await start()
    path = server.events.settings.data_dir / DATABASE_FILE
    await server.events.change_table("r1", "t", OCCUPIED, actor="a")
    with closing(sqlite3.connect(path)) as db, closing(sqlite3.connect(tmp_path / "b")) as backup:
        db.backup(backup)
    await server.events.change_table("r1", "t", OCCUPIED, actor="a")
    position = server.events.hub.head("r1")
    await server.stop()
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    shutil.copy(tmp_path / "b", path)
    server = await start(menu=False)
    client = await server.connect()
    await client.send(
        type="subscribe",
        events=["*"],
        since={"epoch": position[0], "seq": position[1]},
    )
    answer = (await client.expect("subscribed"))["data"]
    assert answer["recovered"] is False
    assert answer["epoch"] != position[0]
    await server.events.change_table("r1", "t", OCCUPIED, actor="a")
    event = await client.expect("table:updated")
    assert (event["epoch"], event["seq"]) == (answer["epoch"], answer["seq"] + 1)
    await server.stop()
    server = await start(menu=False)
    assert server.events.store.epoch == answer["epoch"]


def kept(wal: Path) -> None:
    """Leave the WAL as a killed process leaves it."""


def lost(wal: Path) -> None:
    wal.unlink()


def scribbled(wal: Path) -> None:
    """Damage the WAL: SQLite silently ignores frames from a wrong checksum on."""
    content = wal.read_bytes()
    wal.write_bytes(content[: len(content) // 2] + b"\xa5" * (len(content) // 2))


@pytest.mark.parametrize("happened", [kept, lost, scribbled])
async def test_a_wal_that_was_lost_is_noticed(
    happened: Callable[[Path], None], start: Any, tmp_path: Path
) -> None:
    """The epoch changes exactly if something sent to clients is gone."""
    server = await start()
    epoch, directory = server.events.store.epoch, server.events.settings.data_dir
    with closing(sqlite3.connect(directory / DATABASE_FILE)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for _ in range(4):
        await server.events.change_table("r1", "t", OCCUPIED, actor="a")
    for name in (DATABASE_FILE, f"{DATABASE_FILE}-wal", WATERMARK_FILE):
        shutil.copy(directory / name, tmp_path / name)
    await server.stop()
    happened(tmp_path / f"{DATABASE_FILE}-wal")
    server = await start(menu=False, data_dir=tmp_path)
    assert (server.events.store.epoch == epoch) is (happened is kept)
    assert (server.events.hub.head("r1")[1] == 4) is (happened is kept)


@pytest.mark.parametrize("note", [None, b"", b"\xff" * 64, b"epoch not-a-number", b"other 99"])
async def test_a_database_without_its_note_has_a_new_epoch(start: Any, note: bytes | None) -> None:
    """It may have come from a backup. One without events has told clients nothing."""
    server = await start()
    for appended in (False, True):
        epoch, directory = server.events.store.epoch, server.events.settings.data_dir
        if appended:
            await server.events.change_table("r1", "t", OCCUPIED, actor="a")
        await server.stop()
        if note is None:
            (directory / WATERMARK_FILE).unlink()
        else:
            (directory / WATERMARK_FILE).write_bytes(note)
        server = await start(menu=False)
        assert (server.events.store.epoch != epoch) is appended
    again = server.events.store.epoch
    await server.stop()
    assert (await start(menu=False)).events.store.epoch == again


@pytest.mark.parametrize("how", ["removed", "emptied"])
async def test_an_empty_database_does_not_silently_replace_a_full_one(start: Any, how: str) -> None:
    """A disk that was not mounted must not make every restaurant start from nothing."""
    server = await start()
    await server.events.change_table("r1", "t", OCCUPIED, actor="a")
    directory = server.events.settings.data_dir
    await server.stop()
    path = directory / DATABASE_FILE
    path.unlink()
    if how == "emptied":
        path.touch()
    with pytest.raises(DatabaseUnusable, match="restore a backup"):
        await start()
    (directory / WATERMARK_FILE).unlink()
    assert (await start()).events.ready


async def test_the_operator_can_begin_a_new_epoch(
    server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """For a restored data directory, but not while a server uses it."""
    before, where = server.events.store.epoch, ["--data-dir", str(server.events.settings.data_dir)]
    assert await asyncio.to_thread(main, ["new-epoch", *where]) == 1
    assert "in use" in capsys.readouterr().err
    await server.stop()
    assert main(["new-epoch", *where]) == 0
    after = capsys.readouterr().out.strip()
    with closing(schema.connect(server.events.settings.data_dir / DATABASE_FILE, 1)) as db:
        assert schema.migrate(db) == after != before


async def test_readiness_heals_without_a_change(start: Any, draft: Any) -> None:
    """A server that is not ready receives no changes, so the writer probes by itself."""
    server = await start(store_busy_s=0.05)
    path = server.events.settings.data_dir / DATABASE_FILE
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable):
            await server.events.create_order("r1", draft, actor="a")
        assert not server.events.ready
    await _until(lambda: server.events.ready)


def _size(path: Path) -> int:
    return path.stat().st_size


async def _until(is_so: Callable[[], bool]) -> None:
    for _ in range(500):
        if is_so():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it never was")


async def test_a_disk_that_is_full_refuses_changes_whole_and_heals(tmp_path: Path) -> None:
    """A limit on the file size stands in for a full disk, around a separate server process."""
    outside = {k: v for k, v in os.environ.items() if not re.match("VOICE_|LOG_LEVEL", k)}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "order_events", "--data-dir", str(tmp_path), "--port", "0"),
        env={**outside, "LOG_LEVEL": "error"},
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stderr is not None
        while not (found := re.search(rb"on (http://\S+)", await process.stderr.readline())):
            assert process.returncode is None
        drained = asyncio.create_task(process.stderr.read())
        token = authority(HubSettings(data_dir=tmp_path)).issue("r1", "u", Role.MANAGER, 60)
        async with aiohttp.ClientSession(
            found[1].decode(), headers={"Authorization": f"Bearer {token}"}
        ) as session:
            await _fill_and_free(session, process.pid, tmp_path / f"{DATABASE_FILE}-wal")
        process.terminate()
        assert b"Traceback" not in await drained
        assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _fill_and_free(session: aiohttp.ClientSession, pid: int, wal: Path) -> None:
    async def put(number: int) -> int:
        body = {"number": str(number), "status": "occupied" * 3}
        async with session.put(f"/v1/tables/t{number}", json=body) as response:
            await response.read()
            return response.status

    async def ready() -> int:
        async with session.get("/readyz") as response:
            return response.status

    async def history() -> list[int]:
        async with session.get("/v1/events?limit=1000") as response:
            return [event["seq"] for event in (await response.json())["events"]]

    assert [await put(0), await ready()] == [200, 200]
    limits = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (_size(wal) + 9_000, limits[1]))
    answers = [await put(n) for n in range(1, 12)]
    assert answers[-1] == 503
    assert await ready() == 503
    assert await history() == list(range(1, 2 + answers.count(200)))
    resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)
    for _ in range(500):
        if await ready() == 200:
            break
        await asyncio.sleep(0.02)
    assert await ready() == 200
    assert await put(99) == 200
    assert await history() == list(range(1, 3 + answers.count(200)))
