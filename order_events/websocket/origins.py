"""Which pages may open a socket, by their `Origin`. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}

Site = tuple[str, str, int | None]
"""Scheme, host and port, in the form in which equal ones are equal (RFC 6454, 4)."""


def origin_allowed(origin: str | None, host: str, allowed: Iterable[str]) -> bool:
    """Whether the page may: none (not a browser), our own (`host` of the request), or listed.

    A page without an origin of its own (`null`: a file, a sandbox) may only where all may.
    """
    listed = tuple(allowed)
    if origin is None or "*" in listed:
        return True
    site = _site(origin)
    if site is None:
        return False
    # Behind a proxy that speaks TLS only the host tells what our own origin is.
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
