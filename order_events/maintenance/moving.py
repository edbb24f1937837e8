"""Moves restaurants from the SQLite database of one machine to PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from order_events.settings import HubSettings
from order_events.storage import schema
from order_events.storage.database import DatabaseUnusable
from order_events.storage.migrations import MIGRATIONS
from order_events.storage.sqlite import DATABASE_FILE, locked
from order_events.storage.store import database_of

if TYPE_CHECKING:
    from order_events.storage.postgresql.loading import Copied

SCREEN_SECRET = "screen-secret"  # noqa: S105 (a name)


def copy(source: Path, target: HubSettings, restaurants: Sequence[str] | None) -> Copied:
    """Copy restaurants, or all, from a data directory whose server is stopped.

    The source stays as it is. With everything goes the screens' secret, so that paired screens stay
    paired. Raises DataDirBusy, DatabaseUnusable or UnknownSchema; nothing was copied then.
    """
    path = source / DATABASE_FILE
    if not path.exists():
        raise DatabaseUnusable(f"there is no {path}")
    database = database_of(target)
    # The driver is an extra; `database_of` has said so if it is missing.
    from order_events.storage.postgresql.loading import copy_into  # noqa: PLC0415

    with locked(source), schema.opening(path), closing(schema.connect_reader(path, 5)) as db:
        if schema.stored_version(db) < len(MIGRATIONS):
            raise DatabaseUnusable(
                f"{path} has an older schema: run `python -m order_events upgrade` first"
            )
        unknown = [] if restaurants is None else _unknown(restaurants, schema.restaurants(db))
        if unknown:
            raise DatabaseUnusable(f"{path} has no restaurant {', '.join(unknown)}")
        with database.opening():
            return copy_into(
                target.store.get_secret_value(), db, restaurants, _secrets(source, restaurants)
            )


def _unknown(wanted: Sequence[str], known: set[str]) -> list[str]:
    return [restaurant_id for restaurant_id in wanted if restaurant_id not in known]


def _secrets(source: Path, restaurants: Sequence[str] | None) -> dict[str, bytes]:
    secret = source / SCREEN_SECRET
    if restaurants is not None or not secret.exists():
        return {}
    return {SCREEN_SECRET: secret.read_bytes().strip()}
