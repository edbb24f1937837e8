"""Keeps deliveries out of private networks, whatever a name resolves to."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from aiohttp.abc import AbstractResolver, ResolveResult

from order_events.protocol.messages import ErrorCode, ProtocolError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

REFUSED = (
    "url: leads into a private network; a server that may deliver there is started with "
    "--webhook-private-networks"
)
_LOOKUPS = 8
"""Names that are looked up at a time."""
_LOOKUP_S = 3.0
"""Longest lookup in seconds, with the wait for its turn."""
_NUMERIC = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV
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


async def check(url: str, resolver: PublicResolver) -> None:
    """Raise ProtocolError for an address that is not on the public internet, or not encrypted.

    A name that cannot be resolved now is accepted: each delivery looks again.
    """
    if not url.startswith("https://"):
        raise ProtocolError(ErrorCode.INVALID_MESSAGE, "url: must begin with https://")
    host = literal(url)
    if host is not None:
        private = is_private(host)
    else:
        try:
            await resolver.resolve(urlsplit(url).hostname or "", family=socket.AF_UNSPEC)
            private = False
        except PrivateAddress:
            private = True
        except (OSError, UnicodeError):
            return
    if private:
        raise ProtocolError(ErrorCode.INVALID_MESSAGE, REFUSED)


class Resolver(AbstractResolver):
    """Resolves names for connections, in a few threads of its own.

    Receivers choose the name servers, so slow ones must not hold up what else needs threads.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_LOOKUPS, thread_name_prefix="webhook lookup")
        self._free = asyncio.Semaphore(_LOOKUPS)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of a host; raise OSError, after a few seconds at the latest."""
        async with asyncio.timeout(_LOOKUP_S):
            await self._free.acquire()
            lookup = asyncio.get_running_loop().run_in_executor(
                self._threads, _look_up, host, port, family
            )
            # A lookup that nobody waits for any more still has its thread.
            lookup.add_done_callback(self._done)
            return await asyncio.shield(lookup)

    def _done(self, lookup: asyncio.Future[list[ResolveResult]]) -> None:
        self._free.release()
        if not lookup.cancelled():
            lookup.exception()

    async def close(self) -> None:
        """Start no further lookup."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class PublicResolver(Resolver):
    """Refuses private addresses at the moment of the connection.

    A check beforehand would not do: a name may resolve to another address the next time.
    """

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of a host; raise OSError."""
        found = await super().resolve(host, port, family)
        if any(is_private(each["host"]) for each in found):
            raise PrivateAddress
        return found


def _look_up(host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
    found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return [
        ResolveResult(
            hostname=host,
            host=socket.getnameinfo(address, _NUMERIC)[0],
            port=port,
            family=each_family,
            proto=protocol,
            flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
        )
        for each_family, _, protocol, _, address in found
    ]
