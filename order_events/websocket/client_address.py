"""Whose address counts for per-address limits: the peer's, or what a trusted proxy says it is.

aiohttp-remotes was looked at and not taken: its filter believes `X-Forwarded-For` and
`X-Forwarded-Host` from any peer, and its strict variant wants the exact number of proxies.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from aiohttp import hdrs, web

Network = IPv4Network | IPv6Network
_WITH_PORT = re.compile(r"([0-9.]+):[0-9]+|\[([^\]]*)\](?::[0-9]+)?")


def caller(request: web.Request, trusted: Sequence[Network]) -> str:
    """The address a request is counted for."""
    return origin_of(
        request.remote or "", request.headers.getall(hdrs.X_FORWARDED_FOR, ()), trusted
    )


def origin_of(peer: str, forwarded_for: Sequence[str], trusted: Sequence[Network]) -> str:
    """The nearest address that is no trusted proxy's; an IPv6 one as its /64, a household's share.

    `forwarded_for` are the values of the header: each proxy adds who it was called by on the right,
    so what stands left of the first stranger may be invented. An entry that is no address, with or
    without a port, ends the search as well.
    """
    chain = [_without_port(hop.strip()) for value in forwarded_for for hop in value.split(",")]
    address = peer
    while _trusted(address, trusted) and chain:
        hop = chain.pop()
        if not _is_address(hop):
            break
        address = hop
    return _counted(address)


def _trusted(address: str, trusted: Sequence[Network]) -> bool:
    return _is_address(address) and any(ip_address(address) in network for network in trusted)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _without_port(hop: str) -> str:
    """Some proxies add the port: `192.0.2.7:4711`, `[2001:db8::1]:4711`."""
    with_port = _WITH_PORT.fullmatch(hop)
    return hop if with_port is None else with_port[1] or with_port[2]


def _counted(address: str) -> str:
    if not _is_address(address):
        return address
    ip = ip_address(address)
    if ip.version == 4:
        return str(ip)
    return str(ip.ipv4_mapped or ip_network((int(ip), 64), strict=False))
