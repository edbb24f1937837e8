"""`python -m order_events`: the hub on its own."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiohttp import web
from pydantic import ValidationError

from order_events import logs
from order_events.addresses import ADDRESSES, without_password
from order_events.app import build_app
from order_events.auth.tokens import AuthError, Role, authority, check_grant
from order_events.maintenance import commands
from order_events.metrics import HubMetrics
from order_events.protocol.errors import OrderError
from order_events.server import serve, why_not
from order_events.service import OrderEvents
from order_events.settings import HubSettings
from order_events.storage.database import DatabaseUnusable, UnknownSchema
from order_events.storage.sqlite import DataDirBusy
from order_events.storage.store import database_of

_START_ERRORS = (
    AuthError,
    DataDirBusy,
    DatabaseUnusable,
    UnknownSchema,
    OrderError,
    ValueError,
    OSError,
)
_SECRETS = frozenset({"jwt_secret", "jwt_secret_previous", "metrics_token"})
"""Settings without a command-line option, because any user of the machine can read it."""


def main(arguments: list[str] | None = None) -> int:
    """Run a command. Return 0 on success, 1 if it failed, 2 if the settings are wrong."""
    options = _parser().parse_args(arguments)
    given: dict[str, Any] = {
        name: value for name, value in vars(options).items() if name in HubSettings.model_fields
    }
    try:
        settings = HubSettings(**given)
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_input=False):
            name = str(problem["loc"][0]) if problem["loc"] else "settings"
            variable = "LOG_LEVEL" if name == "log_level" else f"VOICE_{name.upper()}"
            print(f"order_events: {name} ({variable}): {problem['msg']}", file=sys.stderr)
        return 2
    logs.configure(settings.log_level)
    try:
        return _run(settings, options)
    except _START_ERRORS as error:
        print(f"order_events: {why_not(error, settings)}", file=sys.stderr)
        return 1


def application(settings: HubSettings) -> web.Application:
    """Return the hub on its own as an application."""
    return build_app(settings, OrderEvents(settings, HubMetrics()))


def _run(settings: HubSettings, options: argparse.Namespace) -> int:
    if (run := getattr(options, "run", None)) is not None:
        return int(run(settings, options))
    if options.command == "token":
        return _token(settings, options)
    if options.command == "new-epoch":
        print(database_of(settings).begin_new_epoch())
        return 0
    serve(application(settings), settings)
    return 0


def _token(settings: HubSettings, options: argparse.Namespace) -> int:
    restaurant, user = options.restaurant, options.user
    # Checked first: `authority` may create a signing secret, needlessly if this fails.
    check_grant(restaurant, user, options.ttl, settings.token_max_lifetime_s)
    print(authority(settings).issue(restaurant, user, Role(options.role), options.ttl))
    return 0


def _option_type(name: str) -> Callable[[str], str]:
    return without_password if name in ADDRESSES else str


def _parser() -> argparse.ArgumentParser:
    # No defaults: otherwise the subcommand's would overwrite an option given before it.
    place = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    place.add_argument(
        "--data-dir", type=Path, help="directory of the database and the signing secret"
    )
    rest = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    for name, field in HubSettings.model_fields.items():
        if name != "data_dir" and name not in _SECRETS:
            option = f"--{name.replace('_', '-')}"
            about = (field.description or "").replace("%", "%%")
            rest.add_argument(option, metavar="VALUE", help=about, type=_option_type(name))
    parser = argparse.ArgumentParser(
        prog="python -m order_events",
        description="Runs the order-event hub on its own. Every setting is also an environment "
        "variable: VOICE_ and its name in capitals (LOG_LEVEL for the log level). The secrets, "
        "VOICE_JWT_SECRET, VOICE_JWT_SECRET_PREVIOUS and VOICE_METRICS_TOKEN, can only be set like "
        "this.",
        parents=[place, rest],
        # Otherwise a command's own option is taken for the beginning of a setting's.
        allow_abbrev=False,
    )
    subcommands = parser.add_subparsers(dest="command")
    subcommands.add_parser("serve", help="serve until stopped (the default)", parents=[place, rest])
    subcommands.add_parser(
        "new-epoch",
        help="run this after restoring a backup, so that no client resumes from lost history",
        parents=[place],
    )
    commands.add_parsers(subcommands, place)
    token = subcommands.add_parser("token", help="issue a token and print it", parents=[place])
    token.add_argument("--restaurant", required=True)
    token.add_argument("--user", required=True)
    token.add_argument("--role", required=True, choices=[role.value for role in Role])
    token.add_argument(
        "--ttl", type=float, default=86_400, help="seconds it is valid (default: 1 day)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
