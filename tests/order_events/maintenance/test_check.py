"""Damaged rows: our fault and not the client's; left out, found, and set aside."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from order_events.__main__ import main
from order_events.domain.models import PaymentDraft, TableChange
from order_events.storage.sqlite import DATABASE_FILE

pytestmark = pytest.mark.sqlite
"""They look into the file, or end the process that has it."""

SAID = "a secret wish"


def damage(
    data_dir: Path, table: str, where: str = "1", content: str = f'{{"x": "{SAID}"}}'
) -> None:
    """Replace the content of rows by something that is no longer what the table has."""
    with closing(sqlite3.connect(data_dir / DATABASE_FILE, isolation_level=None)) as db:
        assert db.execute(f"UPDATE {table} SET body = ? WHERE {where}", (content,)).rowcount


async def reasons(server: Any) -> list[str]:
    async with server.session.get(f"{server.url}/readyz") as answer:
        return list((await answer.json())["reasons"])


async def test_a_damaged_order_is_our_fault_and_hides_no_other(server: Any, draft: Any) -> None:
    """500 with an id, and the list without it; the log says where and nothing of what."""
    bad, good = [await server.events.create_order("r1", draft, actor="a") for _ in range(2)]
    damage(server.events.settings.data_dir, "orders", f"id = '{bad.id}'")
    assert await reasons(server) == []
    with capture_logs() as lines:
        status, answer = await server.call("GET", f"/v1/orders/{bad.id}")
        changed, _ = await server.call("POST", f"/v1/orders/{bad.id}/status", {"status": "ready"})
    assert (status, answer["error"]["code"], changed) == (500, "INTERNAL", 500)
    incident = answer["error"]["incident"]
    assert incident in [line.get("incident") for line in lines]
    assert ("orders", ("r1", bad.id)) in [(x.get("table"), x.get("key")) for x in lines]
    assert SAID not in repr(lines)
    status, answer = await server.call("GET", "/v1/orders")
    assert (status, [order["id"] for order in answer["orders"]]) == (200, [good.id])
    assert answer["damaged"] == 1
    [reason] = await reasons(server)
    assert "check --set-aside" in reason
    assert (await server.call("GET", f"/v1/orders/{good.id}"))[0] == 200


async def test_a_damaged_order_does_not_stop_the_kitchens_updates(server: Any, draft: Any) -> None:
    """The next `kds:update` has the others."""
    screen = await server.connect()
    await screen.send(type="subscribe", events=["kds:update"])
    await screen.expect("subscribed")
    bad = await server.events.create_order("r1", draft, actor="a")
    await screen.expect("kds:update")
    damage(server.events.settings.data_dir, "orders", f"id = '{bad.id}'")
    server.events._kitchen_feed.changed("r1")
    good = await server.events.create_order("r1", draft, actor="a")
    update = await screen.expect("kds:update")
    assert [order["id"] for order in update["data"]["orders"]] == [good.id]


async def test_check_finds_damaged_rows_and_sets_them_aside(
    start: Any, draft: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """While the server runs it only reads; what it moves away can still be looked at."""
    server = await start()
    data_dir = server.events.settings.data_dir
    check = ["check", "--data-dir", str(data_dir)]
    order = await server.events.create_order("r1", draft, actor="a")
    payment = PaymentDraft(order_id=order.id, amount=1, method="cash")
    await server.events.take_payment("r1", payment, actor="a")
    table = TableChange(number="1", status="occupied")
    await server.events.change_table("r1", "t", table, actor="a")
    assert main(check) == 0
    for name in ("orders", "payments", "tables", "menus", "audit"):
        damage(data_dir, name, content="[]")
    capsys.readouterr()
    assert main(check) == 1
    assert len(capsys.readouterr().err.splitlines()) == 8
    assert main([*check, "--set-aside"]) == 1
    assert "in use" in capsys.readouterr().err
    await server.stop()
    assert main([*check, "--set-aside"]) == 0
    assert "7 rows" in capsys.readouterr().out
    assert main(check) == 0
    with closing(sqlite3.connect(data_dir / DATABASE_FILE)) as db:
        places = [place for (place,) in db.execute("SELECT place FROM set_aside ORDER BY place")]
    assert f"orders r1 {order.id}" in places
    epoch = server.events.store.epoch
    server = await start()
    assert (await server.call("GET", "/v1/orders"))[1]["orders"] == []
    assert (await reasons(server), server.events.store.epoch) == ([], epoch)


async def test_damaged_events_are_a_new_history(start: Any, draft: Any) -> None:
    """Otherwise clients would wait for the missing one for ever."""
    server = await start()
    data_dir = server.events.settings.data_dir
    await server.events.create_order("r1", draft, actor="a")
    epoch = server.events.store.epoch
    await server.stop()
    damage(data_dir, "events", content="{")
    assert main(["check", "--data-dir", str(data_dir)]) == 1
    assert main(["check", "--set-aside", "--data-dir", str(data_dir)]) == 0
    server = await start()
    assert server.events.store.epoch != epoch


@pytest.mark.parametrize(("column", "content"), [("body", "{}"), ("secrets", f'["{SAID}"]')])
async def test_a_damaged_webhook_is_left_out_at_the_start(
    start: Any, column: str, content: str
) -> None:
    """The server is not ready and says why; set aside, it is as if it had never been."""
    server = await start(webhook_private_networks=True)
    data_dir = server.events.settings.data_dir
    _, answer = await server.call("POST", "/v1/webhooks", {"url": "http://127.0.0.1:9/"})
    key = ("r1", answer["webhook"]["id"])
    await server.stop()
    with closing(sqlite3.connect(data_dir / DATABASE_FILE, isolation_level=None)) as db:
        db.execute(f"UPDATE webhooks SET {column} = ?", (content,))
    with capture_logs() as lines:
        server = await start()
    assert ("webhooks", key) in [(x.get("table"), x.get("key")) for x in lines]
    assert SAID not in repr(lines)
    [reason] = await reasons(server)
    assert "check --set-aside" in reason
    await server.stop()
    check = ["check", "--data-dir", str(data_dir)]
    assert (main(check), main([*check, "--set-aside"]), main(check)) == (1, 0, 0)
    server = await start()
    assert await reasons(server) == []
