"""Options of the command line: their types, and where their values come from."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from pydantic import SecretStr, ValidationError

from order_events.addresses import ADDRESSES, without_password
from voice_service.settings import VoiceSettings


def option(parser: argparse.ArgumentParser, flag: str, **keywords: Any) -> None:
    """Add an option whose default an environment variable may set."""
    variable = f"VOICE_{flag.lstrip('-').replace('-', '_').upper()}"
    value = os.environ.get(variable)
    if keywords.get("action") == "store_true":
        keywords["default"] = (value or "").lower() in {"1", "true", "yes"}
    elif value:
        keywords["default"] = value
        keywords.pop("required", None)
    if "choices" in keywords:
        # argparse checks typed values against the choices, but not defaults.
        keywords["type"] = _one_of(keywords["choices"])
    parser.add_argument(flag, **keywords)


def _one_of(choices: Sequence[str]) -> Callable[[str], str]:
    def check(value: str) -> str:
        if value not in choices:
            raise argparse.ArgumentTypeError(f"{value!r} is not one of {', '.join(choices)}")
        return value

    return check


def within(
    kind: type[int] | type[float], least: float, most: float
) -> Callable[[str], int | float]:
    """Return an argument type for numbers from `least` to `most`."""

    def check(value: str) -> int | float:
        try:
            number = kind(value)
        except ValueError:
            number = float("nan")
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(f"{value!r} is not a number from {least} to {most}")
        return number

    return check


def bearer(value: str) -> str:
    """Check that a header can carry the token. The error does not show it, as it is a secret."""
    token = value.strip()
    if not token:
        raise argparse.ArgumentTypeError("it is empty")
    if " " in token or not (token.isascii() and token.isprintable()):
        raise argparse.ArgumentTypeError("a token has no spaces or line breaks in it")
    return token


def settings_options(
    parser: argparse.ArgumentParser, names: Iterable[str] = VoiceSettings.model_fields
) -> None:
    """Add an option for each setting; the settings read the environment themselves."""
    group = parser.add_argument_group("settings")
    for name in names:
        field = VoiceSettings.model_fields[name]
        if name in {"jwt_secret", "jwt_secret_previous", "metrics_token"}:
            continue  # every user of the machine can read a secret on a command line
        default = field.get_default(call_default_factory=True, validated_data={})
        if isinstance(default, tuple):
            default = ",".join(map(str, default))
        if isinstance(default, SecretStr):
            default = default.get_secret_value()
        shown = "" if default in (None, "") else f" (default: {default})"
        group.add_argument(
            f"--{name.replace('_', '-')}",
            dest=f"setting_{name}",
            metavar="VALUE",
            type=without_password if name in ADDRESSES else str,
            help=f"{field.description}{shown}".replace("%", "%%"),
        )


def settings_of(options: argparse.Namespace) -> VoiceSettings:
    """Return the settings from the given options, else the environment; exit if one is wrong."""
    given = {
        name.removeprefix("setting_"): value
        for name, value in vars(options).items()
        if name.startswith("setting_") and value is not None
    }
    try:
        return VoiceSettings(**given)
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_input=False):
            name = str(problem["loc"][0]) if problem["loc"] else "settings"
            complain(f"--{name.replace('_', '-')} (VOICE_{name.upper()}): {problem['msg']}")
        raise SystemExit(2) from error


def complain(message: str) -> None:
    """Print an error for whoever runs the command, not for whoever reads its output."""
    print(f"voice-service: {message}", file=sys.stderr)
