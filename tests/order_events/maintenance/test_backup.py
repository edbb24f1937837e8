"""Drills: a backup of a running hub, the way back, a standby, an upgrade that is tried first."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support.transactions import FINISH

from order_events.__main__ import main
from order_events.storage import schema
from order_events.storage.sqlite import DATABASE_FILE

pytestmark = pytest.mark.sqlite
"""They look into the file, or end the process that has it."""


def directory(server: Any) -> Path:
    return Path(server.events.settings.data_dir)


def contents(folder: Path, pattern: str) -> bytes:
    """Return what the one file of this pattern contains."""
    [path] = folder.glob(pattern)
    return path.read_bytes()


async def command(name: str, *arguments: object) -> int:
    """Run a command in a thread: a server of this process goes on meanwhile."""
    return await asyncio.to_thread(main, [name, *map(str, arguments)])


async def screen(server: Any, name: str) -> Any:
    """Pair a screen; return its id and credential."""
    made = (await server.call("POST", "/v1/pairings", {"role": "kitchen", "name": name}))[1]
    return (await server.call("POST", "/v1/pairings/claim", {"code": made["code"]}))[1]


async def signs_in(server: Any, screen: Any) -> int:
    """Return the status of a screen's request for a token."""
    asked = {"credential": screen["credential"]}
    return int((await server.call("POST", "/v1/devices/token", asked))[0])


async def test_a_restore_drill(
    start: Any, tmp_path: Path, draft: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Back up under load, lose everything, restore: what was in it is there, under a new epoch."""
    server = await start()
    made = [await server.events.create_order("r1", draft, actor="a") for _ in range(20)]
    copy = tmp_path / "copy.sqlite3"
    running = asyncio.gather(
        *(server.events.create_order("r1", draft, actor="a") for _ in range(50))
    )
    assert await command("backup", copy, "--data-dir", directory(server)) == 0
    await running
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    position = server.events.hub.head("r1")
    assert await command("restore", copy, "--data-dir", directory(server)) == 1
    assert "in use" in capsys.readouterr().err
    await server.stop()
    (directory(server) / DATABASE_FILE).write_bytes(b"lost " * 10_000)
    assert await command("restore", copy, "--data-dir", directory(server)) == 0
    assert stat.S_IMODE((directory(server) / DATABASE_FILE).stat().st_mode) == 0o600
    assert list(directory(server).glob(f"{DATABASE_FILE}.replaced-*"))
    server = await start(menu=False)
    for order in made:
        assert (await server.events.order("r1", order.id)).total == order.total
    client = await server.connect()
    since = {"epoch": position[0], "seq": position[1]}
    await client.send(type="subscribe", events=["*"], since=since)
    assert (await client.expect("subscribed"))["data"]["recovered"] is False
    again = await server.events.create_order("r1", draft, actor="a")
    assert again.order_number > made[-1].order_number


async def test_a_two_node_drill(start: Any, tmp_path: Path, draft: Any) -> None:
    """A standby made of a backup is promoted by a command, and clients are told by the epoch."""
    first = await start(data_dir=tmp_path / "first")
    order = await first.events.create_order("r1", draft, actor="a")
    screen = await first.connect()
    assert await command("backup", tmp_path / "b", "--data-dir", tmp_path / "first") == 0
    standby = tmp_path / "second"
    assert await command("restore", tmp_path / "b", "--data-dir", standby) == 0
    epoch = screen.connected["data"]["epoch"]
    seq = first.events.hub.head("r1")[1]
    await first.stop()
    assert await command("promote", "--data-dir", standby) == 0
    second = await start(data_dir=standby, menu=False)
    for status in FINISH:
        await second.events.set_status("r1", order.id, status, actor="k")
    again = await second.connect()
    assert again.connected["data"]["epoch"] != epoch
    await again.send(type="subscribe", events=["*"], since={"epoch": epoch, "seq": seq})
    answer = (await again.expect("subscribed"))["data"]
    assert (answer["recovered"], answer["epoch"]) == (False, again.connected["data"]["epoch"])


async def test_access_that_was_revoked_since_the_backup_stays_revoked(
    start: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Otherwise a lost tablet would be let in again; only a damaged database forgets it."""
    server = await start()
    lost, kept = await screen(server, "Lost"), await screen(server, "Kept")
    copy = tmp_path / "copy.sqlite3"
    assert await command("backup", copy, "--data-dir", directory(server)) == 0
    await server.call("DELETE", f"/v1/devices/{lost['device_id']}")
    await server.call("POST", "/v1/revocations", {"user_id": "mallory"})
    new = await screen(server, "New")
    await server.stop()
    assert await command("restore", copy, "--data-dir", directory(server)) == 0
    told = capsys.readouterr()
    assert ("delete it" in told.out, "look through" in told.err) == (True, False)
    server = await start(menu=False)
    assert [await signs_in(server, each) for each in (lost, kept, new)] == [401, 200, 200]
    stored = await server.events.store.read(lambda r: r.revocations())
    assert "mallory" in {entry.user_id for entry in stored}
    await server.stop()
    (directory(server) / DATABASE_FILE).write_bytes(b"lost " * 10_000)
    assert await command("restore", copy, "--data-dir", directory(server)) == 0
    assert "look through the screens" in capsys.readouterr().err
    assert len(list(directory(server).glob(f"{DATABASE_FILE}.replaced-*[Zn]"))) == 2


async def test_a_standby_takes_the_screens_of_its_backup(start: Any, tmp_path: Path) -> None:
    """It was used before the backup was made, so the backup knows more."""
    standby = await start(data_dir=tmp_path / "standby")
    await screen(standby, "Former")
    await standby.stop()
    first = await start(data_dir=tmp_path / "first")
    grill = await screen(first, "Grill")
    assert await command("backup", tmp_path / "b", "--data-dir", tmp_path / "first") == 0
    assert await command("restore", tmp_path / "b", "--data-dir", tmp_path / "standby") == 0
    standby = await start(data_dir=tmp_path / "standby", menu=False)
    assert await signs_in(standby, grill) == 200
    assert len((await standby.call("GET", "/v1/devices"))[1]["devices"]) == 1


async def test_a_backup_has_no_remains_of_what_was_deleted(start: Any, tmp_path: Path) -> None:
    """It is written from the rows, not copied page by page."""
    server = await start()
    server.events.store._writer._transactions.upkeep = lambda: None
    await server.events.publish(
        "r1", "voice:transcript", {"session_id": "s1", "text": "secretword"}, tags={}
    )

    def forget(tx: Any) -> None:
        tx.db.execute("PRAGMA secure_delete = OFF")
        tx.db.execute("DELETE FROM events")
        tx.db.execute("DELETE FROM audit")

    await server.events.store.write(forget)
    assert await command("backup", tmp_path, "--data-dir", directory(server)) == 0
    assert b"secretword" not in contents(tmp_path, "orders-*.sqlite3")


@pytest.mark.parametrize(
    ("name", "more"), [("backup", ["x"]), ("promote", []), ("upgrade", ["--dry-run"])]
)
def test_where_there_is_nothing_a_command_says_so(
    name: str, more: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And it does not make an empty database."""
    arguments = [str(tmp_path / m) if m == "x" else m for m in more]
    assert main([name, *arguments, "--data-dir", str(tmp_path)]) == 1
    assert "there is no" in capsys.readouterr().err
    assert not (tmp_path / DATABASE_FILE).exists()


def test_a_damaged_backup_is_not_restored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The database in place stays as it is."""
    with closing(schema.connect(tmp_path / DATABASE_FILE, 1)) as db:
        schema.migrate(db)
    before = (tmp_path / DATABASE_FILE).read_bytes()
    (tmp_path / "bad").write_bytes(b"nothing " * 1_000)
    assert main(["restore", str(tmp_path / "bad"), "--data-dir", str(tmp_path)]) == 1
    assert "damaged" in capsys.readouterr().err
    assert (tmp_path / DATABASE_FILE).read_bytes() == before
    assert main(["backup", str(tmp_path / "bad"), "--data-dir", str(tmp_path)]) == 1
    assert "exists" in capsys.readouterr().err


def old_database(path: Path) -> None:
    """Make a database of the first version."""
    with closing(schema.connect(path, 1)) as db:
        db.execute("CREATE TABLE schema_version (version INTEGER NOT NULL)")
        for statement in schema.statements(schema.MIGRATIONS[0]):
            db.execute(statement)
        db.execute("INSERT INTO schema_version VALUES (1)")
        db.execute("INSERT INTO meta VALUES ('epoch', 'e')")


def test_an_upgrade_is_tried_on_a_copy_and_has_a_way_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The dry run changes nothing; the upgrade keeps what was there before."""
    path, newest = tmp_path / DATABASE_FILE, len(schema.MIGRATIONS)
    old_database(path)

    def version(of: Path) -> int:
        with closing(sqlite3.connect(of)) as db:
            return schema.stored_version(db)

    assert main(["upgrade", "--dry-run", "--data-dir", str(tmp_path)]) == 0
    assert f"version 1 to {newest}" in capsys.readouterr().out
    assert (version(path), [p.name for p in tmp_path.iterdir() if p.is_dir()]) == (1, [])
    assert main(["upgrade", "--data-dir", str(tmp_path)]) == 0
    [kept] = tmp_path.glob(f"{DATABASE_FILE}.before-*")
    assert (version(path), version(kept)) == (newest, 1)
