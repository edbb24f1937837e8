"""The commands for operators: `python -m order_events check …`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from order_events.addresses import store_address, without_password
from order_events.maintenance import backup, check, moving
from order_events.settings import HubSettings
from order_events.storage.database import DatabaseUnusable

Run = Callable[[HubSettings, argparse.Namespace], int]


def add_parsers(commands: Any, place: argparse.ArgumentParser) -> None:
    """Add the commands to a program's; each sets `run`. `place` has the options of all."""
    checking = commands.add_parser(
        "check",
        help="read every row; status 1 if the database or a row is damaged",
        parents=[place],
    )
    checking.add_argument(
        "--set-aside",
        action="store_true",
        help="move damaged rows into the table set_aside (the server must be stopped)",
    )
    checking.set_defaults(run=_of_a_file(_check))
    saving = commands.add_parser(
        "backup",
        help="write a verified copy of the database; the server may go on",
        parents=[place],
    )
    saving.add_argument("to", type=Path, help="a new file, or a directory")
    saving.set_defaults(run=_of_a_file(_backup))
    restoring = commands.add_parser(
        "restore",
        help="put a backup in place of the database (the server must be stopped)",
        parents=[place],
    )
    restoring.add_argument("source", type=Path, help="the backup")
    restoring.set_defaults(run=_of_a_file(_restore))
    promoting = commands.add_parser(
        "promote",
        help="make a standby's database ready to be served (its old server must be stopped)",
        parents=[place],
    )
    promoting.set_defaults(run=_of_a_file(_promote))
    upgrading = commands.add_parser(
        "upgrade",
        help="back the database up, then upgrade it; a start upgrades it, too",
        parents=[place],
    )
    upgrading.add_argument(
        "--dry-run", action="store_true", help="upgrade a copy only; the server may go on"
    )
    upgrading.set_defaults(run=_of_a_file(_upgrade))

    copying = commands.add_parser(
        "copy",
        help="copy restaurants from SQLite to PostgreSQL (the source's server must be stopped)",
        parents=[place],
    )
    copying.add_argument(
        "--from",
        dest="source",
        type=_data_dir,
        help="sqlite:DIRECTORY; without it, the data directory",
    )
    copying.add_argument(
        "--to",
        dest="target",
        required=True,
        type=without_password,
        help="the URL of the database, or `postgresql` where VOICE_STORE or libpq's variables name "
        "it; a password belongs there, or into PGPASSFILE",
    )
    copying.add_argument(
        "--restaurant",
        dest="restaurants",
        action="append",
        help="one of those to copy (without any, everything is copied)",
    )
    copying.set_defaults(run=_copy)


def _data_dir(source: str) -> Path:
    kind, _, directory = source.partition(":")
    if kind != "sqlite" or not directory:
        raise argparse.ArgumentTypeError("sqlite: and the data directory")
    return Path(directory.removeprefix("//"))


def _copy(settings: HubSettings, options: argparse.Namespace) -> int:
    source = getattr(options, "source", None) or settings.data_dir
    target = settings.model_copy(update={"store": store_address(options.target)})
    done = moving.copy(source, target, getattr(options, "restaurants", None))
    for table, count in done.rows.items():
        print(f"{table}: {count} rows")
    if not done.history_kept:
        print("the target has a history of its own: clients of these restaurants start afresh")
    print(f"copied; the epoch is {done.epoch}. Serve these restaurants from the target alone now.")
    return 0


def _of_a_file(run: Run) -> Run:
    """Return a command that is refused where the settings name PostgreSQL, which has its own."""

    def refusing(settings: HubSettings, options: argparse.Namespace) -> int:
        if settings.on_postgresql:
            raise DatabaseUnusable(
                "this command is for SQLite: use PostgreSQL's own (pg_dump, pg_restore, "
                "pg_basebackup); a start upgrades its schema. To treat a data directory all the "
                "same, unset VOICE_STORE"
            )
        return run(settings, options)

    return refusing


def _check(settings: HubSettings, options: argparse.Namespace) -> int:
    found = check.set_aside(settings) if options.set_aside else check.check(settings)
    for line in found.file:
        print(f"the file is damaged: {line}", file=sys.stderr)
    for place in found.rows:
        print(f"a row is damaged: {place}", file=sys.stderr)
    if found.file:
        print("restore a backup: python -m order_events restore", file=sys.stderr)
    elif found.rows and options.set_aside:
        print(f"{len(found.rows)} rows were moved into the table set_aside")
        if found.new_epoch is not None:
            print("events were among them: clients start afresh, with a new epoch")
        return 0
    elif found.rows:
        print("stop the server and add --set-aside to move these rows away", file=sys.stderr)
    else:
        print("everything can be read")
    return 0 if found.sound else 1


def _backup(settings: HubSettings, options: argparse.Namespace) -> int:
    print(backup.backup(settings, options.to))
    return 0


def _restore(settings: HubSettings, options: argparse.Namespace) -> int:
    done = backup.restore(settings, options.source)
    print(f"restored; clients start afresh, with the epoch {done.epoch}")
    if not done.access_kept:
        print(
            "the former database cannot be read: access that was revoked since the backup is valid "
            "again; look through the screens and staff",
            file=sys.stderr,
        )
    if done.replaced is not None:
        print(
            f"the former database is {done.replaced}; delete it and its -wal when you no longer "
            "need it: it may contain words that have been erased"
        )
    return 0


def _promote(settings: HubSettings, options: argparse.Namespace) -> int:
    print(f"ready to be served; clients start afresh, with the epoch {backup.promote(settings)}")
    return 0


def _upgrade(settings: HubSettings, options: argparse.Namespace) -> int:
    done = backup.try_upgrade(settings) if options.dry_run else backup.upgrade(settings)
    steps = f"from schema version {done.before} to {done.after}, {done.seconds:.1f} s"
    if done.backup is None:
        print(f"a copy was upgraded {steps}; nothing was changed")
    else:
        print(f"upgraded {steps}; the way back: restore {done.backup} with the old program")
    return 0
