"""The store on a real PostgreSQL server: what SQLite has no equal of."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import psycopg
import pytest
from psycopg import errors

from order_events.__main__ import main
from order_events.domain.models import OrderStatus, TableChange
from order_events.protocol.errors import StoreUnavailable
from order_events.settings import HubSettings
from order_events.storage import schema
from order_events.storage.database import DatabaseUnusable, Fault, OutcomeUnknown, UnknownSchema
from order_events.storage.postgresql import dialect, transactions
from order_events.storage.postgresql.connection import WRITER, Raw, connect
from order_events.storage.postgresql.database import PostgresqlDatabase, migrate
from order_events.storage.postgresql.migrations import MIGRATIONS
from order_events.storage.postgresql.transactions import PostgresTransactions


def test_placeholders_are_translated_outside_texts() -> None:
    """Those with a number may recur; SQLite's choice of an index is left out."""
    sql = "SELECT a FROM t INDEXED BY i WHERE b = ? AND c = '?1' AND d > ?"
    assert dialect.translated(sql) == b"SELECT a FROM t WHERE b = $1 AND c = '?1' AND d > $2"
    assert dialect.translated("VALUES (?2, ?1, ?2)") == b"VALUES ($2, $1, $2)"


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (errors.UniqueViolation(), Fault.CHANGE),
        (errors.DeadlockDetected(), Fault.CONFLICT),
        (errors.SerializationFailure(), Fault.CONFLICT),
        (errors.LockNotAvailable(), Fault.UNAVAILABLE),
        (errors.ReadOnlySqlTransaction(), Fault.UNAVAILABLE),
        (errors.AdminShutdown(), Fault.UNAVAILABLE),
        (errors.DataCorrupted(), Fault.DAMAGE),
        (ValueError(), None),
    ],
)
def test_errors_say_whose_fault_it_is(error: Exception, fault: Fault | None) -> None:
    """A change is refused alone, a conflict tried again, anything else fails the group."""
    assert dialect.fault(error) is fault


def test_nodes_need_a_common_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the tokens of one node would be worth nothing at another."""
    monkeypatch.delenv("VOICE_JWT_SECRET", raising=False)
    with pytest.raises(ValueError, match="VOICE_JWT_SECRET"):
        HubSettings(store="postgresql://host/db")
    monkeypatch.setenv("VOICE_STORE", "postgresql://u:hush@host/db")
    settings = HubSettings(store="postgresql", jwt_secret="s" * 32)
    assert settings.store.get_secret_value() == "postgresql://u:hush@host/db"
    assert "hush" not in repr(settings)


@pytest.mark.parametrize("address", ["postgresql://u:hush@[", "postgresql://u:hush@h/d?no=1"])
def test_an_address_that_is_none_is_refused_without_its_password(address: str) -> None:
    """Even though libpq's own message quotes it."""
    settings = HubSettings(store=address, jwt_secret="s" * 32)
    with pytest.raises(DatabaseUnusable) as refused:
        PostgresqlDatabase(settings).open()
    assert "hush" not in str(refused.value)


def test_both_schemas_have_the_same_tables(on_postgresql: Any) -> None:
    """With the same columns, so that everything above the seam may rely on either."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as lite:
        schema.migrate(lite)
        of_lite = {
            (table, column[1])
            for (table,) in lite.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
            for column in lite.execute(f"PRAGMA table_info({table})")
        }
    with closing(connect(_address(), WRITER)) as raw:
        of_postgresql = set(
            raw.execute(
                b"SELECT table_name, column_name FROM information_schema.columns"
                b" WHERE table_schema = 'public'"
            )
        )
    assert of_postgresql == of_lite


def test_the_next_version_may_run_beside_this_one(on_postgresql: Any) -> None:
    """A schema that is one step ahead is left alone; one further ahead is refused."""
    with closing(connect(_address(), WRITER)) as raw:
        epoch = migrate(raw)
        for ahead in (1, 2):
            raw.execute(b"INSERT INTO schema_version VALUES ($1)", (len(MIGRATIONS) + ahead,))
            if ahead == 1:
                assert migrate(raw) == epoch
        with pytest.raises(UnknownSchema):
            migrate(raw)


async def test_the_operator_can_begin_a_new_epoch(
    start: Any, on_postgresql: Any, draft: Any, capsys: Any
) -> None:
    """As after the database was restored; orders stay, and a running hub goes on under it."""
    server = await start()
    kept = await server.events.create_order("r1", draft, actor="a")
    assert await asyncio.to_thread(main, ["new-epoch"]) == 0
    epoch = capsys.readouterr().out.splitlines()[-1]
    after = await server.events.publish("r1", "voice:order", {}, tags={})
    assert (after.epoch, await server.events.order("r1", kept.id)) == (epoch, kept)


def test_commands_for_a_file_are_refused(on_postgresql: Any, capsys: Any) -> None:
    """Instead of treating a data directory that nobody uses."""
    assert main(["check"]) == 1
    assert "pg_dump" in capsys.readouterr().err


async def test_two_hubs_write_to_one_database(start: Any, on_postgresql: Any, draft: Any) -> None:
    """No deadlock, no gap, no number twice, whatever restaurants their groups have in common."""
    hubs = [await start(), await start(menu=False)]
    restaurants = [f"r{n}" for n in range(1, 9)]
    for restaurant in restaurants[2:]:
        await hubs[0].events.put_menu(restaurant, await hubs[0].events.menu("r1"), "m")

    async def lane(hub: Any, order: list[str]) -> None:
        for restaurant in order:
            made = await hub.events.create_order(restaurant, draft, actor="a")
            await hub.events.set_status(restaurant, made.id, OrderStatus.CONFIRMED, actor="a")

    lanes = (lane(hub, restaurants[:: step or 1]) for hub in hubs for step in (1, -1) * 6)
    await asyncio.gather(*lanes)
    for restaurant in restaurants:
        orders, _ = await hubs[0].events.orders(restaurant, limit=100)
        numbers = sorted(int(order.order_number[-4:]) for order in orders)
        assert numbers == list(range(1, 25))
        found = await hubs[1].events.store.read(lambda r, id_=restaurant: r.events(id_, 0, 1_000))
        assert [event.seq for event in found] == list(range(1, len(found) + 1))


async def test_an_idempotency_key_holds_at_every_hub(
    start: Any, on_postgresql: Any, draft: Any
) -> None:
    """Two hubs that get the same request at once make one order of it."""
    hubs = [await start(), await start(menu=False)]
    made = await asyncio.gather(
        *(
            hub.events.create_order("r1", draft, actor="a", idempotency_key=f"k{n}")
            for n in range(10)
            for hub in hubs
        )
    )
    assert len({order.id for order in made}) == 10


async def test_a_server_that_comes_back_is_used_again(
    start: Any, on_postgresql: Any, draft: Any
) -> None:
    """Meanwhile callers are told; the process lives on."""
    server = await start()
    kept = await server.events.create_order("r1", draft, actor="a")
    on_postgresql.stop()
    try:
        with pytest.raises(StoreUnavailable):
            await server.events.create_order("r1", draft, actor="a")
        status, answer = await server.call("GET", f"/v1/orders/{kept.id}")
        assert (status, answer["error"]["code"]) == (503, "UNAVAILABLE")
        assert not server.events.ready
    finally:
        on_postgresql.start()
    for _ in range(600):
        if server.events.ready:
            break
        await asyncio.sleep(0.05)
    assert (await server.events.order("r1", kept.id)) == kept
    again = await server.events.create_order("r1", draft, actor="a")
    assert again.order_number[-4:] == "0002"


Cut = Callable[[Raw], None]


class _Cut:
    """Breaks the connection of a writer at its next COMMIT, before or after it is sent."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.when: str | None = None
        monkeypatch.setattr(transactions, "connect", self._connect)

    def _connect(self, address: str, settings: Any) -> Raw:
        raw = connect(address, settings)
        execute = raw.execute

        def cut(query: Any, *parameters: Any) -> Any:
            if query != b"COMMIT" or self.when is None:
                return execute(query, *parameters)
            if self.when == "after":
                execute(query)
            self.when = None
            raw.close()
            raise psycopg.OperationalError("the connection is lost")

        raw.execute = cut  # type: ignore[method-assign]
        return raw


async def test_a_commit_whose_answer_was_lost_is_resolved(
    start: Any, on_postgresql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server knows whether it was made: its events are told, or its callers are refused."""
    cut = _Cut(monkeypatch)
    server = await start()
    client = await server.connect()
    await client.send(type="subscribe", events=["table:updated"])
    await client.expect("subscribed")

    async def change(table: str) -> None:
        await server.events.change_table(
            "r1", table, TableChange(number=table, status="free"), actor="a"
        )

    cut.when = "after"
    await change("made")
    cut.when = "before"
    with pytest.raises(StoreUnavailable, match="nothing was changed"):
        await change("lost")
    await change("later")
    told = [(await client.expect("table:updated"))["data"]["table"]["id"] for _ in range(2)]
    assert told == ["made", "later"]


async def test_a_commit_that_cannot_be_resolved_is_told_once_it_can(
    start: Any, on_postgresql: Any, draft: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its caller is told that it is unknown; its events come before any later one."""
    cut = _Cut(monkeypatch)
    server = await start()
    client = await server.connect()
    await client.send(type="subscribe", events=["order:created"])
    await client.expect("subscribed")
    resolve = PostgresTransactions._resolve

    def gives_up(self: PostgresTransactions, lost: psycopg.Error) -> None:
        raise OutcomeUnknown("not now") from lost

    monkeypatch.setattr(PostgresTransactions, "_resolve", gives_up)
    cut.when = "after"
    with pytest.raises(StoreUnavailable, match="may or may not"):
        await server.events.create_order("r1", draft, actor="a", idempotency_key="k")
    monkeypatch.setattr(PostgresTransactions, "_resolve", resolve)
    later = await server.events.create_order("r1", draft, actor="a")
    told = [(await client.expect("order:created"))["data"]["order"]["id"] for _ in range(2)]
    same = await server.events.create_order("r1", draft, actor="a", idempotency_key="k")
    assert told == [same.id, later.id]


def _address() -> str:
    return HubSettings().store.get_secret_value()
