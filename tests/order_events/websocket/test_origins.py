"""Which pages may open a socket."""

from __future__ import annotations

from typing import Any

import aiohttp
import aiohttp.web
import pytest

from order_events.app import EVENTS, add_socket
from order_events.root_socket import RootApplication
from order_events.websocket.origins import origin_allowed

LISTED = (
    "https://pos.example",
    "https://KDS.example:443",
    "http://lan.example:8080",
    "capacitor://localhost",
)


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (None, True),
        ("http://hub.example:3001", True),
        ("https://hub.example:3001", True),
        ("http://HUB.example:3001", True),
        ("http://hub.example", False),
        ("http://hub.example:3002", False),
        ("https://pos.example", True),
        ("https://pos.example:443", True),
        ("https://Pos.Example", True),
        ("https://kds.example", True),
        ("http://pos.example", False),
        ("https://pos.example:8443", False),
        ("http://lan.example:8080", True),
        ("http://lan.example", False),
        ("https://pos.example.evil", False),
        ("https://evil-pos.example", False),
        ("https://pos.example@evil", False),
        ("https://evil#pos.example", False),
        ("null", False),
        ("", False),
        ("file://", False),
        ("https://", False),
        ("https://[pos.example", False),
        ("https://pos.example:port", False),
        ("pos.example", False),
        ("capacitor://localhost", True),
        ("capacitor://hub.example:3001", False),
        ("ionic://localhost", False),
    ],
)
def test_an_origin_is_compared_as_browsers_do(origin: str | None, allowed: bool) -> None:
    """By scheme, host and port, ignoring case and default ports."""
    assert origin_allowed(origin, "hub.example:3001", LISTED) is allowed
    assert origin_allowed(origin, "hub.example:3001", ("*",))


def test_the_opaque_origin_is_allowed_only_by_name() -> None:
    """Files, sandboxed frames and some web views send `null`."""
    assert origin_allowed("null", "hub.example", ("null",))
    assert not origin_allowed("null", "null", LISTED)


def test_our_own_origin_behind_a_proxy_is_its_host() -> None:
    """The default port may be left out, as browsers do."""
    assert origin_allowed("https://hub.example", "hub.example", ())
    assert origin_allowed("https://hub.example", "hub.example:443", ())
    assert not origin_allowed("https://hub.example", "hub.example:80", ())
    assert not origin_allowed("https://hub.example", "", ())


@pytest.mark.parametrize("path", ["/", "/echo"])
async def test_a_pages_origin_is_checked(start: Any, path: str) -> None:
    """On every socket: 403 for a page that is not ours, before anything is counted."""
    server = await start(allowed_origins="https://pos.example, https://kds.example", prepare=echo)
    token = {"Authorization": f"Bearer {server.token()}"}
    for good in ({}, {"Origin": server.url}, {"Origin": "https://kds.example"}):
        client = await server.open(path, headers={**token, **good})
        await client.expect("connected")
    for bad in ("https://evil.example", "null", "http://127.0.0.1:1"):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            await server.open(path, headers={**token, "Origin": bad})
        assert refusal.value.status == 403


def echo(app: aiohttp.web.Application) -> None:
    """Add another socket beside the root one."""
    events = app[EVENTS]
    root = RootApplication(
        events.settings, events.hub, events.store, events.metrics, events.cluster.follower.reach
    )
    add_socket(app, "/echo", root, "echo")
