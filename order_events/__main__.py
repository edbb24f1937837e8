"""`python -m order_events`: the hub alone."""

from __future__ import annotations

import argparse
import sqlite3
import sys
from pathlib import Path
from typing import Any

from aiohttp import web
from pydantic import ValidationError

from order_events import logs
from order_events.app import build_app
from order_events.auth import AuthError, Role, authority
from order_events.metrics import HubMetrics
from order_events.schema import UnknownSchema
from order_events.server import serve
from order_events.service import OrderEvents
from order_events.settings import HubSettings
from order_events.store import DataDirBusy


def main(arguments: list[str] | None = None) -> int:
    """Runs a command; 0 when it went well, 1 when it did not, 2 for wrong settings."""
    options = _parser().parse_args(arguments)
    given: dict[str, Any] = {
        name: value
        for name, value in vars(options).items()
        if name in HubSettings.model_fields and value is not None
    }
    try:
        settings = HubSettings(**given)
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_input=False):
            where = ".".join(str(part) for part in problem["loc"])
            print(f"{where}: {problem['msg']}", file=sys.stderr)
        return 2
    logs.configure(settings.log_level)
    try:
        return _token(settings, options) if options.command == "token" else _serve(settings)
    except (AuthError, DataDirBusy, UnknownSchema, ValueError, OSError, sqlite3.Error) as error:
        print(f"order_events: {error}", file=sys.stderr)
        return 1


def application(settings: HubSettings) -> web.Application:
    """The hub alone, as an application."""
    return build_app(settings, OrderEvents(settings, HubMetrics()))


def _serve(settings: HubSettings) -> int:
    serve(application(settings), settings)
    return 0


def _token(settings: HubSettings, options: argparse.Namespace) -> int:
    role = Role(options.role)
    print(authority(settings).issue(options.restaurant, options.user, role, options.ttl))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m order_events",
        description="Every setting is also an environment variable, VOICE_ and its name.",
    )
    parser.add_argument("--data-dir", dest="data_dir", type=Path)
    commands = parser.add_subparsers(dest="command")
    serving = commands.add_parser("serve", help="serve until stopped (the default)")
    serving.add_argument("--host")
    serving.add_argument("--port", type=int)
    token = commands.add_parser("token", help="print a token")
    token.add_argument("--restaurant", required=True)
    token.add_argument("--user", required=True)
    token.add_argument("--role", required=True, choices=[role.value for role in Role])
    token.add_argument("--ttl", type=float, default=86_400, help="seconds it lives")
    return parser


if __name__ == "__main__":
    sys.exit(main())
