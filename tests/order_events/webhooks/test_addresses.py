"""Deliveries stay out of private networks, however an address is written."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import Any

import pytest

from order_events.protocol.messages import ProtocolError
from order_events.webhooks import addresses
from order_events.webhooks.addresses import PrivateAddress, PublicResolver, check, is_private
from order_events.webhooks.sender import Sender


@pytest.mark.parametrize(
    ("address", "private"),
    [
        ("8.8.8.8", False),
        ("2001:4860:4860::8888", False),
        ("127.0.0.1", True),
        ("10.1.2.3", True),
        ("169.254.169.254", True),
        ("100.64.0.1", True),
        ("224.0.0.1", True),
        ("0.0.0.0", True),
        ("::1", True),
        ("fe80::1%eth0", True),
        ("fd00::1", True),
        ("::ffff:192.168.0.1", True),
        ("64:ff9b::7f00:1", True),
        ("64:ff9b::808:808", False),
        ("2002:7f00:1::", True),
    ],
)
def test_private_addresses_are_recognised(address: str, private: bool) -> None:
    """Also where IPv6 only wraps an IPv4 address."""
    assert is_private(address) is private


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/", "https://[::1]:8443/", "https://localhost/", "http://8.8.8.8/"]
)
async def test_a_webhook_into_a_private_network_is_refused(server: Any, url: str) -> None:
    """So is one that is not encrypted."""
    status, answer = await server.call("POST", "/v1/webhooks", {"url": url})
    assert (status, answer["error"]["code"]) == (400, "INVALID_MESSAGE")
    assert answer["error"]["message"].startswith("url: ")
    with pytest.raises(ProtocolError):
        await check(url, PublicResolver())


async def test_the_address_is_checked_again_at_each_delivery() -> None:
    """A name may have been moved into a private network since it was checked."""
    sender = Sender(5, private_networks=False)
    try:
        for url in ("https://localhost:9/", "https://127.0.0.1:9/"):
            outcome = await sender.send(url, ["whsec_c2VjcmV0"], "m", b"{}")
            assert "private network" in (outcome.problem or "")
    finally:
        await sender.close()
    resolver = PublicResolver()
    with pytest.raises(PrivateAddress):
        await resolver.resolve("localhost", 80, socket.AF_INET)
    await resolver.close()


async def test_slow_name_servers_hold_up_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lookups have threads of their own, and wait for them for a bounded time."""
    answered, threads = threading.Event(), set()

    def slow(*_: Any, **__: Any) -> Any:
        threads.add(threading.current_thread().name)
        answered.wait()
        return []

    monkeypatch.setattr(addresses, "_LOOKUP_S", 0.05)
    monkeypatch.setattr(addresses.socket, "getaddrinfo", slow)
    resolver = PublicResolver()
    try:
        tries = (resolver.resolve("slow.example") for _ in range(100))
        found = await asyncio.gather(*tries, return_exceptions=True)
        assert {type(each) for each in found} == {TimeoutError}
        assert 0 < len(threads) <= addresses._LOOKUPS
        assert all(name.startswith("webhook lookup") for name in threads)
        await check("https://slow.example/", resolver)
    finally:
        answered.set()
        await resolver.close()
