"""Addresses of the database and of the bus: where they may come from, and what they may be.

One with a password comes from an environment variable, because every user of the machine can read
the options of a process.
"""

from __future__ import annotations

import argparse
import os
from typing import Annotated, Any
from urllib.parse import parse_qs, urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr

ADDRESSES = frozenset({"bus", "store"})
"""The settings that are addresses."""


def without_password(value: str) -> str:
    """Return the value of an option; raise ArgumentTypeError if it is a URL with a password."""
    if any(map(_has_password, value.split(","))):
        raise argparse.ArgumentTypeError(
            "other users of the machine can read the password; use the environment variable"
        )
    return value


def _has_password(url: str) -> bool:
    parts = urlsplit(url)
    return parts.password is not None or "password" in parse_qs(parts.query)


def address_of(value: Any, variable: str) -> Any:
    """Return the address that an environment variable has for the kind `value`, or `value` itself.

    So an option can name the kind, while the password is where other users cannot read it.
    """
    address = os.environ.get(variable, "")
    return address if isinstance(value, str) and address.startswith(f"{value}://") else value


def _known_bus(value: SecretStr) -> SecretStr:
    address = value.get_secret_value()
    schemes = {url.rpartition("://")[0].strip() for url in address.split(",")}
    if address in {"local", "postgresql"} or address.startswith("postgresql://"):
        return value
    if not schemes <= {"nats", "tls"}:
        raise ValueError("`local`, `postgresql`, or a URL such as nats://host:4222")
    return value


def _known_store(value: SecretStr) -> SecretStr:
    address = value.get_secret_value()
    if address not in {"sqlite", "postgresql"} and not address.startswith("postgresql://"):
        raise ValueError("`sqlite`, `postgresql`, or a URL such as postgresql://user@host/name")
    return value


def store_address(value: str) -> SecretStr:
    """Return the address of a store; raise ValueError if it is none."""
    return _known_store(SecretStr(address_of(value, "VOICE_STORE")))


BusAddress = Annotated[
    SecretStr,
    BeforeValidator(lambda value: address_of(value, "VOICE_BUS")),
    AfterValidator(_known_bus),
]
StoreAddress = Annotated[
    SecretStr,
    BeforeValidator(lambda value: address_of(value, "VOICE_STORE")),
    AfterValidator(_known_store),
]
