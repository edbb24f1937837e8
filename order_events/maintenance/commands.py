"""The commands for operators: `python -m order_events check …`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from order_events.maintenance import backup, check
from order_events.settings import HubSettings

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
    checking.set_defaults(run=_check)
    saving = commands.add_parser(
        "backup",
        help="write a verified copy of the database; the server may go on",
        parents=[place],
    )
    saving.add_argument("to", type=Path, help="a new file, or a directory")
    saving.set_defaults(run=_backup)
    restoring = commands.add_parser(
        "restore",
        help="put a backup in place of the database (the server must be stopped)",
        parents=[place],
    )
    restoring.add_argument("source", type=Path, help="the backup")
    restoring.set_defaults(run=_restore)
    promoting = commands.add_parser(
        "promote",
        help="make a standby's database ready to be served (its old server must be stopped)",
        parents=[place],
    )
    promoting.set_defaults(run=_promote)
    upgrading = commands.add_parser(
        "upgrade",
        help="back the database up, then upgrade it; a start upgrades it, too",
        parents=[place],
    )
    upgrading.add_argument(
        "--dry-run", action="store_true", help="upgrade a copy only; the server may go on"
    )
    upgrading.set_defaults(run=_upgrade)


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
