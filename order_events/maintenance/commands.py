"""The commands for operators: `python -m order_events check …`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any

from order_events.maintenance import check
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
