"""Migrations, durability settings, and a new epoch."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from support.transactions import at, order

from order_events.domain.models import OrderDraft
from order_events.ledger import changes
from order_events.menu.menu import Menu
from order_events.storage import schema

pytestmark = pytest.mark.sqlite
"""They look into the file, or end the process that has it."""


def test_a_new_epoch_keeps_everything_but_the_events(
    tmp_path: Path, draft: OrderDraft, menu: Menu
) -> None:
    """seq counts on, so no seq is ever used twice."""
    with closing(schema.connect(tmp_path / "db", 1)) as db:
        before = schema.migrate(db)
        changes.put_menu(at(db), "r1", menu, "m")
        made = order(at(db), draft)
        after = schema.new_epoch(db)
        assert (after != before, schema.migrate(db)) == (True, after)
        assert at(db).positions() == {"r1": (1, 2)}
        assert at(db).require_order("r1", made.id) == made
        assert order(at(db), draft).order_number.endswith("-0002")
        assert at(db).positions() == {"r1": (2, 2)}


@pytest.mark.parametrize("version", range(1, len(schema.MIGRATIONS)))
def test_a_database_of_an_earlier_version_is_brought_up_to_date(
    version: int, monkeypatch: pytest.MonkeyPatch, menu: Menu
) -> None:
    """Its rows stay, and everything works as in a new one."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        with monkeypatch.context() as earlier:
            earlier.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:version])
            schema.migrate(db)
        db.execute(
            "INSERT INTO menus (restaurant_id, version, body, updated_at, updated_by)"
            " VALUES ('r1', 7, ?, '', '')",
            (menu.model_dump_json(),),
        )
        schema.migrate(db)
        assert at(db).trial("r1") is None
        assert changes.put_menu(at(db), "r1", menu, "m", 3) == 8
        trial = at(db).trial("r1")
        assert trial is not None
        assert trial.left == 3


async def test_a_newer_schema_is_not_touched(tmp_path: Path) -> None:
    """An older program reports it instead of damaging it."""
    path = tmp_path / "db"
    db = schema.connect(path, 1)
    epoch = schema.migrate(db)
    assert schema.migrate(db) == epoch
    db.execute("INSERT INTO schema_version (version) VALUES (99)")
    with pytest.raises(schema.UnknownSchema):
        schema.migrate(db)
    db.close()


def test_a_migration_may_have_triggers_and_semicolons_in_texts() -> None:
    """SQLite decides where a statement ends."""
    script = """
    CREATE TABLE t (a TEXT DEFAULT 'x;y');
    CREATE TRIGGER r AFTER INSERT ON t BEGIN UPDATE t SET a = ';'; DELETE FROM t; END;
    DROP TABLE t
    """
    db = sqlite3.connect(":memory:")
    parts = list(schema.statements(script))
    for statement in parts:
        db.execute(statement)
    assert [part.split()[0] for part in parts] == ["CREATE", "CREATE", "DROP"]


def test_the_database_survives_a_loss_of_power_by_its_settings(tmp_path: Path) -> None:
    """WAL with synchronous FULL, not NORMAL."""
    db = schema.connect(tmp_path / "db", 1)
    assert db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert db.execute("PRAGMA synchronous").fetchone()[0] == 2
    db.close()
