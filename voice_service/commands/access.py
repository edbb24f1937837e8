"""The commands `token` and `link`: who may use the service, and which screens."""

from __future__ import annotations

import argparse

from order_events.auth.screen_tokens import pairing_url
from order_events.auth.tokens import AuthError, Role, authority, check_grant
from order_events.screens.tokens import screen_tokens
from order_events.settings import HubSettings
from order_events.storage.database import DatabaseUnusable, UnknownSchema
from voice_service.commands.options import complain, option, settings_of, settings_options

_TOKEN_SETTINGS = tuple(
    name
    for name in HubSettings.model_fields
    if name == "data_dir" or name.startswith(("jwt_", "token_"))
)


def token(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `token`."""
    option(parser, "--restaurant", required=True, help="restaurant that the token is for")
    option(parser, "--user", required=True, help="user that the token is for")
    option(
        parser, "--role", required=True, choices=[r.value for r in Role], help="role of the user"
    )
    option(
        parser, "--ttl", type=float, default=86_400.0, help="seconds it is valid (default: 1 day)"
    )
    settings_options(parser, _TOKEN_SETTINGS)
    parser.set_defaults(run=_run_token)


def _run_token(options: argparse.Namespace) -> int:
    settings = settings_of(options)
    who = options.restaurant, options.user
    try:
        # Check first, so that no secret is created for nothing.
        check_grant(*who, options.ttl, settings.token_max_lifetime_s)
        token = authority(settings).issue(*who, Role(options.role), options.ttl)
    except (AuthError, OSError, ValueError) as error:
        complain(str(error))
        return 1
    print(token)
    return 0


def link(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `link`."""
    roles = [role.value for role in Role if role is not Role.SERVICE]
    option(parser, "--restaurant", required=True, help="restaurant that the screen is for")
    option(parser, "--role", choices=roles, default="manager", help="role (default: manager)")
    option(parser, "--name", default="First screen", help="name of the screen")
    option(parser, "--address", default="http://localhost:3001", help="where the server is reached")
    option(
        parser, "--ttl", type=float, default=3_600.0, help="seconds it is valid (default: 1 hour)"
    )
    settings_options(parser, _TOKEN_SETTINGS)
    parser.set_defaults(run=_run_link)


def _run_link(options: argparse.Namespace) -> int:
    settings = settings_of(options)
    try:
        check_grant(options.restaurant, options.name, options.ttl, settings.token_max_lifetime_s)
        tokens = screen_tokens(settings)
    except (AuthError, DatabaseUnusable, UnknownSchema, OSError, ValueError) as error:
        complain(str(error))
        return 1
    code = tokens.link(options.restaurant, Role(options.role), options.name, options.ttl)
    print(pairing_url(options.address, code))
    return 0
