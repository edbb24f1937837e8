"""Reads every row of a database, and sets aside those that cannot be read."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from order_events.domain.calls import Call
from order_events.domain.models import Order, Payment, Table
from order_events.domain.webhooks import Secrets, Webhook
from order_events.menu.menu import Menu
from order_events.settings import HubSettings
from order_events.storage import schema
from order_events.storage.damaged_rows import Place
from order_events.storage.sqlite import DATABASE_FILE, locked, start_anew

_TAGS: TypeAdapter[dict[str, list[str]]] = TypeAdapter(dict[str, list[str]])
_SECRETS: TypeAdapter[Secrets] = TypeAdapter(Secrets)
_OBJECT: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])
_MOST_PROBLEMS = 20
"""Most lines that SQLite's own check reports."""

Read = Callable[[str | bytes], object]


@dataclass(frozen=True, slots=True)
class _Content:
    """A table, its key, and how each of its columns with JSON is read."""

    key: tuple[str, ...]
    columns: dict[str, Read]


_CONTENTS = {
    "orders": _Content(("restaurant_id", "id"), {"body": Order.model_validate_json}),
    "tables": _Content(("restaurant_id", "id"), {"body": Table.model_validate_json}),
    "payments": _Content(("restaurant_id", "id"), {"body": Payment.model_validate_json}),
    "calls": _Content(("restaurant_id", "id"), {"body": Call.model_validate_json}),
    "webhooks": _Content(
        ("restaurant_id", "id"),
        {"body": Webhook.model_validate_json, "secrets": _SECRETS.validate_json},
    ),
    "menus": _Content(("restaurant_id",), {"body": Menu.model_validate_json}),
    "menu_versions": _Content(("restaurant_id", "version"), {"body": Menu.model_validate_json}),
    "events": _Content(
        ("restaurant_id", "seq"),
        {"body": _OBJECT.validate_json, "tags": _TAGS.validate_json},
    ),
    "audit": _Content(("restaurant_id", "subject", "number"), {"body": _OBJECT.validate_json}),
}


@dataclass(frozen=True, slots=True)
class Findings:
    """What is wrong: with the file, in SQLite's words, and with rows.

    `new_epoch` is set if events were set aside: clients cannot resume across the gap.
    """

    file: tuple[str, ...]
    rows: tuple[Place, ...]
    new_epoch: str | None = None

    @property
    def sound(self) -> bool:
        """True if nothing is wrong."""
        return not self.file and not self.rows


def check(settings: HubSettings) -> Findings:
    """Read the whole database, which a server may be using meanwhile.

    Raises DatabaseUnusable if it cannot even be opened.
    """
    path = settings.data_dir / DATABASE_FILE
    with schema.opening(path), closing(schema.connect_reader(path, settings.store_busy_s)) as db:
        file = problems_of_file(db)
        return Findings(file, () if file else tuple(_damaged(db)))


def set_aside(settings: HubSettings) -> Findings:
    """Check, and move damaged rows into the table `set_aside`; raise DataDirBusy if it is in use.

    A damaged file is left as it is: only a backup helps.
    """
    path = settings.data_dir / DATABASE_FILE
    with (
        locked(settings.data_dir),
        schema.opening(path),
        closing(schema.connect(path, settings.store_busy_s)) as db,
    ):
        file = problems_of_file(db)
        if file:
            return Findings(file, ())
        schema.migrate(db)
        rows = tuple(_damaged(db))
        _move(db, rows)
        lost = any(place.table == "events" for place in rows)
        return Findings((), rows, start_anew(db, settings.data_dir) if lost else None)


def problems_of_file(db: sqlite3.Connection) -> tuple[str, ...]:
    """Return what SQLite finds wrong with the file, in its words."""
    found = db.execute(f"PRAGMA integrity_check({_MOST_PROBLEMS})").fetchall()
    return tuple(line for (line,) in found if line != "ok")


def _damaged(db: sqlite3.Connection) -> Iterator[Place]:
    present = {name for (name,) in db.execute("SELECT name FROM sqlite_schema")}
    for table, content in _CONTENTS.items():
        if table not in present:
            continue
        columns = ", ".join((*content.key, *content.columns))
        for row in db.execute(f"SELECT {columns} FROM {table}"):  # noqa: S608
            key, values = row[: len(content.key)], row[len(content.key) :]
            reads = content.columns.values()
            if not all(_readable(read, value) for read, value in zip(reads, values, strict=True)):
                yield Place(table, key)


def _readable(read: Read, value: str | bytes) -> bool:
    try:
        read(value)
    except ValidationError:
        return False
    return True


def _move(db: sqlite3.Connection, rows: tuple[Place, ...]) -> None:
    db.execute("BEGIN IMMEDIATE")
    for place in rows:
        where = " AND ".join(f"{name} = ?" for name in _CONTENTS[place.table].key)
        cursor = db.execute(f"SELECT * FROM {place.table} WHERE {where}", place.key)  # noqa: S608
        names = [column[0] for column in cursor.description]
        content = dict(zip(names, map(_text, cursor.fetchone()), strict=True))
        db.execute(
            "INSERT INTO set_aside (name, place, content, at) VALUES (?, ?, ?, ?)",
            (place.table, str(place), json.dumps(content), time.time()),
        )
        db.execute(f"DELETE FROM {place.table} WHERE {where}", place.key)  # noqa: S608
    db.execute("COMMIT")


def _text(value: object) -> object:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
