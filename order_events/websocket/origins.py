"""Which pages may open a socket or read an answer, by their `Origin` header. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}

Site = tuple[str, str, int | None]
"""Scheme, host and port, normalized so that equal origins compare equal (RFC 6454, 4)."""


def origin_allowed(origin: str | None, host: str, allowed: Iterable[str]) -> bool:
    """Return whether a page of this origin may connect.

    Allowed are clients that send none (not browsers), our own origin (`host` of the request) and
    the listed ones.
    """
    if origin is None or origin_listed(origin, allowed):
        return True
    site = _site(origin)
    # Behind a TLS proxy we do not know our own scheme, so the host alone decides.
    return site is not None and site[0] in _DEFAULT_PORTS and site == _site(f"{site[0]}://{host}")


def origin_listed(origin: str, allowed: Iterable[str]) -> bool:
    """Return whether an origin is among the allowed ones.

    Apps in web views have schemes of their own (`capacitor://localhost`). A page with the opaque
    origin `null` (a file, a sandbox) is allowed only if `null` or `*` is listed.
    """
    listed = tuple(allowed)
    if "*" in listed:
        return True
    if origin == "null":
        return origin in listed
    site = _site(origin)
    return site is not None and site in map(_site, listed)


def _site(origin: str) -> Site | None:
    try:
        parts = urlsplit(origin.strip())
        port = parts.port
    except ValueError:
        return None
    if not parts.scheme or not parts.hostname:
        return None
    return parts.scheme, parts.hostname, port or _DEFAULT_PORTS.get(parts.scheme)
