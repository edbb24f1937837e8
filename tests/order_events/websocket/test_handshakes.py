"""Handshakes that aiohttp accepts although RFC 6455 or RFC 7692 forbids them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from order_events.websocket import deflate_offers

SOUND = {
    "": "",
    "permessage-deflate": "permessage-deflate",
    "permessage-deflate; client_max_window_bits": "permessage-deflate",
    "permessage-deflate; client_max_window_bits=9": "permessage-deflate",
    "permessage-deflate; server_max_window_bits=10": (
        "permessage-deflate; server_max_window_bits=10"
    ),
    "permessage-deflate;server_max_window_bits = 10": "",
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover": (
        "permessage-deflate; server_no_context_takeover"
    ),
    "permessage-deflate; bogus=1": "",
    "permessage-deflate; bogus=1, permessage-deflate": "permessage-deflate",
    "x-foo, permessage-deflate": "permessage-deflate",
    "permessage-deflate; server_max_window_bits=8": "",
}
"""Offers, and what the server answers."""
UNSOUND = [
    "permessage-deflate; server_max_window_bits",
    "permessage-deflate; server_max_window_bits=",
    "permessage-deflate; server_max_window_bits=16",
    "permessage-deflate; server_max_window_bits=010",
    "permessage-deflate; server_max_window_bits=10; server_max_window_bits=11",
    "permessage-deflate; client_max_window_bits=7",
    "permessage-deflate; client_max_window_bits; client_max_window_bits",
    "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
    "permessage-deflate; client_no_context_takeover=1",
    "x-permessage-deflate",
]


async def handshake(server: Any, *, first: str = "GET / HTTP/1.1", offer: str = "") -> bytes:
    """Return the server's answer, up to the end of its headers."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    extension = f"Sec-WebSocket-Extensions: {offer}\r\n" if offer else ""
    writer.write(
        (
            f"{first}\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            f"{extension}Authorization: Bearer {server.token()}\r\n\r\n"
        ).encode()
    )
    async with asyncio.timeout(5):
        answer = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    return answer


async def accepted(server: Any, offer: str) -> str:
    """Return the extension that the server has accepted."""
    lines = (await handshake(server, offer=offer)).decode().split("\r\n")
    assert " 101 " in lines[0]
    named = [line.partition(": ") for line in lines]
    return "".join(value for name, _, value in named if name == "Sec-WebSocket-Extensions")


@pytest.mark.parametrize(("offer", "answer"), SOUND.items())
async def test_an_offer_of_compression_is_answered(server: Any, offer: str, answer: str) -> None:
    """The first acceptable offer is accepted; unknown ones are skipped."""
    assert await accepted(server, offer) == answer


@pytest.mark.parametrize("offer", UNSOUND)
async def test_an_offer_against_the_rules_is_declined(server: Any, offer: str) -> None:
    """The connection goes on without compression, even if a valid offer stands beside it."""
    assert await accepted(server, offer) == ""
    assert not deflate_offers.sound([f"permessage-deflate, {offer}"])
    assert not deflate_offers.sound(["permessage-deflate", offer])


@pytest.mark.parametrize("first", ["HEAD / HTTP/1.1", "GET / HTTP/1.0"])
async def test_only_a_get_of_http_1_1_opens_a_socket(server: Any, first: str) -> None:
    """RFC 6455, 4.1."""
    assert b" 426 " in (await handshake(server, first=first)).splitlines()[0]
    assert server.sockets() == 0


@pytest.mark.parametrize("offer", ["voice", "graphql-ws, voice", "bearer,eyJhbGciOi"])
async def test_an_offer_of_subprotocols_is_answered_with_the_first(server: Any, offer: str) -> None:
    """Browsers fail a connection whose offer gets no answer."""
    headers = {"Authorization": f"Bearer {server.token()}", "Sec-WebSocket-Protocol": offer}
    client = await server.open(headers=headers)
    await client.expect("connected")
    first = offer.partition(",")[0]
    assert client.ws._response.headers["Sec-WebSocket-Protocol"] == first
