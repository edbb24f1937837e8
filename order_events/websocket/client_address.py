"""The address that per-address limits count: the peer's, or the one a trusted proxy reports.

aiohttp-remotes was considered and rejected: its filter believes `X-Forwarded-For` and
`X-Forwarded-Host` from any peer, and its strict variant needs the exact number of proxies.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

import structlog
from aiohttp import hdrs, web

Network = IPv4Network | IPv6Network
_WITH_PORT = re.compile(r"([0-9.]+):[0-9]+|\[([^\]]*)\](?::[0-9]+)?")

logger = structlog.get_logger(__name__)


class Callers:
    """Tells which address a request counts towards.

    Warns once about a proxy that should perhaps be trusted: without that, its clients share limits.
    """

    def __init__(self, trusted: Sequence[Network]) -> None:
        self._trusted = trusted
        self._warned = False

    def address(self, request: web.Request) -> str:
        """Return the address that a request counts towards."""
        peer = request.remote or ""
        forwarded_for = request.headers.getall(hdrs.X_FORWARDED_FOR, ())
        if forwarded_for and not self._warned and not self.trusts(request):
            self._warned = True
            logger.warning(
                "X-Forwarded-For comes from an address that is not trusted: if that is your proxy, "
                "name it in trusted_proxies, otherwise all of its clients share one limit",
                address=peer,
            )
        return origin_of(peer, forwarded_for, self._trusted)

    def peer(self, address: str) -> str | None:
        """Return what a connection from an address counts as; None if that is a trusted proxy."""
        return None if _trusted(address, self._trusted) else _counted(address)

    def trusts(self, request: web.Request) -> bool:
        """Return whether a request comes straight from a trusted proxy."""
        return _trusted(request.remote or "", self._trusted)


def origin_of(peer: str, forwarded_for: Sequence[str], trusted: Sequence[Network]) -> str:
    """Return the nearest address that is not a trusted proxy's.

    `forwarded_for` are the values of the header. Each proxy appends the address that called it, so
    everything to the left of the first untrusted address may be invented. An entry that is not an
    address, with or without a port, also ends the search. An IPv6 address is reduced to its /64,
    which is what one household has.
    """
    chain = [_without_port(hop.strip()) for value in forwarded_for for hop in value.split(",")]
    address = peer
    while _trusted(address, trusted) and chain:
        hop = chain.pop()
        if not _is_address(hop):
            break
        address = hop
    return _counted(address)


def is_loopback(address: str) -> bool:
    """Return whether an address is that of this machine; `origin_of` reduces ::1 to its /64."""
    return address == "::/64" or (_is_address(address) and ip_address(address).is_loopback)


def _trusted(address: str, trusted: Sequence[Network]) -> bool:
    return _is_address(address) and any(ip_address(address) in network for network in trusted)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _without_port(hop: str) -> str:
    """Drop a port, which some proxies add: `192.0.2.7:4711`, `[2001:db8::1]:4711`."""
    with_port = _WITH_PORT.fullmatch(hop)
    return hop if with_port is None else with_port[1] or with_port[2]


def _counted(address: str) -> str:
    if not _is_address(address):
        return address
    ip = ip_address(address)
    if ip.version == 4:
        return str(ip)
    return str(ip.ipv4_mapped or ip_network((int(ip), 64), strict=False))
