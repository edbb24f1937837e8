"""Keeps deliveries out of private networks, whatever a name resolves to."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
from urllib.parse import urlsplit

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import DefaultResolver

from order_events.protocol.messages import ErrorCode, ProtocolError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

REFUSED = (
    "url: leads into a private network; a server that may deliver there is started with "
    "--webhook-private-networks"
)
_LOOKUP_S = 3.0
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""Addresses of this network are translated to the IPv4 address in their last 32 bits."""


class PrivateAddress(OSError):
    """A name resolves to an address inside a private network."""

    def __init__(self) -> None:
        super().__init__(errno.EACCES, "it leads into a private network")


def is_private(text: str) -> bool:
    """Return whether an IP address is not one of the public internet."""
    address = _embedded(ipaddress.ip_address(text.partition("%")[0]))
    return not address.is_global or address.is_multicast


def _embedded(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address leads to, if it does."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def literal(url: str) -> str | None:
    """Return the host of an address if it is an IP address, and None if it is a name."""
    host = urlsplit(url).hostname or ""
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return host


async def check(url: str) -> None:
    """Raise ProtocolError for an address that is not on the public internet, or not encrypted.

    A name that cannot be resolved now is accepted: each delivery looks again.
    """
    if not url.startswith("https://"):
        raise ProtocolError(ErrorCode.INVALID_MESSAGE, "url: must begin with https://")
    host = literal(url)
    if host is None:
        try:
            async with asyncio.timeout(_LOOKUP_S):
                found = await asyncio.get_running_loop().getaddrinfo(
                    urlsplit(url).hostname, None, type=socket.SOCK_STREAM
                )
        except (OSError, TimeoutError, UnicodeError):
            return
        hosts = [str(entry[4][0]) for entry in found]
    else:
        hosts = [host]
    if any(map(is_private, hosts)):
        raise ProtocolError(ErrorCode.INVALID_MESSAGE, REFUSED)


class PublicResolver(AbstractResolver):
    """Resolves names for connections, and refuses private addresses at that moment.

    A check beforehand would not do: a name may resolve to another address the next time.
    """

    def __init__(self) -> None:
        self._inner = DefaultResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of a host; raise OSError."""
        found = await self._inner.resolve(host, port, family)
        if any(is_private(each["host"]) for each in found):
            raise PrivateAddress
        return found

    async def close(self) -> None:
        """Free what the resolver holds."""
        await self._inner.close()
