"""Which pages may open a socket, by their `Origin` header. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}

Site = tuple[str, str, int | None]
"""Scheme, host and port, normalized so that equal origins compare equal (RFC 6454, 4)."""


def origin_allowed(origin: str | None, host: str, allowed: Iterable[str]) -> bool:
    """Return whether a page of this origin may connect.

    Allowed are clients that send none (not browsers), our own origin (`host` of the request) and
    the listed ones. A page with the opaque origin `null` (a file, a sandbox) is allowed only if all
    are.
    """
    listed = tuple(allowed)
    if origin is None or "*" in listed:
        return True
    site = _site(origin)
    if site is None:
        return False
    # Behind a TLS proxy we do not know our own scheme, so the host alone decides.
    return site == _site(f"{site[0]}://{host}") or site in map(_site, listed)


def _site(origin: str) -> Site | None:
    try:
        parts = urlsplit(origin.strip())
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        return None
    return parts.scheme, parts.hostname, port or _DEFAULT_PORTS[parts.scheme]
