"""Backups of a data directory that a server may be using, and the way back."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from order_events.maintenance import access, check
from order_events.settings import HubSettings
from order_events.storage import schema
from order_events.storage.database import DatabaseUnusable
from order_events.storage.sqlite import DATABASE_FILE, locked, start_anew

_COMPANIONS = ("", "-wal", "-shm")


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What an upgrade does: from one version of the schema to another, in so many seconds."""

    before: int
    after: int
    seconds: float
    backup: Path | None = None


def backup(settings: HubSettings, to: Path) -> Path:
    """Write a verified copy of the database, readable by its owner only; return its path.

    `to` is a file that does not exist, or a directory for one named after the time. Commits go on
    meanwhile. Raises DatabaseUnusable or OSError; nothing half-written is left.
    """
    path = _named(to)
    with _written_whole(path) as partial:
        _copy(settings, partial)
    return path


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did.

    `replaced` is where the former database is now. `access_kept` is False if it could not be read,
    so that access which was revoked since the backup is valid again.
    """

    epoch: str
    replaced: Path | None
    access_kept: bool


def restore(settings: HubSettings, source: Path) -> Restored:
    """Put a backup in place of the database, which is kept beside it.

    Access that was revoked since the backup stays revoked. Raises DatabaseUnusable for a backup
    that is damaged or from a newer version, DataDirBusy if a server is running.
    """
    settings.data_dir.mkdir(0o700, parents=True, exist_ok=True)
    path = settings.data_dir / DATABASE_FILE
    with locked(settings.data_dir), tempfile.TemporaryDirectory(dir=settings.data_dir) as folder:
        copy = Path(folder) / DATABASE_FILE
        _private(copy)
        shutil.copyfile(source, copy)
        _migrated(settings, copy)
        access_kept = not path.exists() or _access_carried_over(settings, copy, path)
        _sync(copy)
        replaced = _keep(path)
        copy.replace(path)
        _sync(settings.data_dir)
    return Restored(promote(settings), replaced, access_kept)


def promote(settings: HubSettings) -> str:
    """Make the database of a stopped server or a standby ready to be served; return its new epoch.

    Clients that saw more than it has will start afresh. Raises as `restore` does.
    """
    path = settings.data_dir / DATABASE_FILE
    if not path.exists():
        raise DatabaseUnusable(f"there is no {path} to serve")
    with (
        locked(settings.data_dir),
        schema.opening(path),
        closing(schema.connect(path, settings.store_busy_s)) as db,
    ):
        _require_sound(path, db)
        schema.migrate(db)
        return start_anew(db, settings.data_dir)


def try_upgrade(settings: HubSettings) -> Upgrade:
    """Upgrade a copy of the database, which a server may be using, and delete the copy.

    Raises DatabaseUnusable or UnknownSchema, as the upgrade itself would.
    """
    with tempfile.TemporaryDirectory(dir=settings.data_dir) as folder:
        copy = Path(folder) / DATABASE_FILE
        _copy(settings, copy)
        return _migrated(settings, copy)


def upgrade(settings: HubSettings) -> Upgrade:
    """Back the database up beside itself, then upgrade it; the server must be stopped."""
    path = settings.data_dir / DATABASE_FILE
    with locked(settings.data_dir):
        before = backup(settings, settings.data_dir / f"{path.name}.before-{_now()}")
        done = _migrated(settings, path)
    return Upgrade(done.before, done.after, done.seconds, before)


def _copy(settings: HubSettings, to: Path) -> None:
    source = settings.data_dir / DATABASE_FILE
    if not source.exists():
        raise DatabaseUnusable(f"there is no {source}")
    _private(to)
    uri = f"{source.absolute().as_uri()}?mode=ro"
    with (
        schema.opening(source),
        closing(sqlite3.connect(uri, uri=True, timeout=settings.store_busy_s)) as db,
    ):
        # One snapshot, whatever is committed meanwhile, and without the remains of what was
        # deleted, which a copy of the pages would have.
        db.execute("VACUUM INTO ?", (str(to),))
    with schema.opening(to), closing(sqlite3.connect(to)) as copy:
        _require_sound(to, copy)
    _sync(to)


def _migrated(settings: HubSettings, path: Path) -> Upgrade:
    with schema.opening(path), closing(schema.connect(path, settings.store_busy_s)) as db:
        _require_sound(path, db)
        before, started = schema.stored_version(db), time.perf_counter()
        schema.migrate(db)
        after, took = schema.stored_version(db), time.perf_counter() - started
        schema.empty_wal(db)
    return Upgrade(before, after, took)


def _access_carried_over(settings: HubSettings, copy: Path, replaced: Path) -> bool:
    with schema.opening(copy), closing(schema.connect(copy, settings.store_busy_s)) as db:
        done = access.carry_over(db, replaced)
        schema.empty_wal(db)
    return done


def _require_sound(path: Path, db: sqlite3.Connection) -> None:
    problems = check.problems_of_file(db)
    if problems:
        raise DatabaseUnusable(f"{path} is damaged: {problems[0]}")


@contextmanager
def _written_whole(path: Path) -> Iterator[Path]:
    """Write to a file beside `path` that takes its place at the end, or is deleted."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield partial
        # Fails if a file has appeared meanwhile, which must not be replaced.
        _private(path)
        partial.replace(path)
    finally:
        for companion in _COMPANIONS:
            partial.with_name(partial.name + companion).unlink(missing_ok=True)
    _sync(path.parent)


def _named(to: Path) -> Path:
    path = to / f"orders-{_now()}.sqlite3" if to.is_dir() else to
    if path.exists():
        raise FileExistsError(f"{path} exists; choose another name")
    return path


def _now() -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())


def _private(path: Path) -> None:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def _keep(path: Path) -> Path | None:
    """Move a database aside, with what belongs to it; return where it is now, if there was one."""
    kept = path.with_name(f"{path.name}.replaced-{_now()}")
    while kept.exists():
        kept = kept.with_name(f"{kept.name}-again")
    for companion in _COMPANIONS:
        with suppress(FileNotFoundError):
            path.with_name(path.name + companion).rename(kept.with_name(kept.name + companion))
    return kept if kept.exists() else None


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
