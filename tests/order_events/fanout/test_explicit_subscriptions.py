"""Connections that receive nothing before their own subscription."""

from __future__ import annotations

from typing import Any

import pytest

SINCE = {"events": ["order:*"], "since": {"epoch": "", "seq": 0}}


async def orders(server: Any, count: int) -> None:
    """Create orders, each one event."""
    for _ in range(count):
        status, _ = await server.call("POST", "/v1/orders", {"items": [{"menu_item_id": "burger"}]})
        assert status == 201


async def test_an_explicit_connection_is_silent_until_it_subscribes(server: Any) -> None:
    """What happened meanwhile comes after `subscribed`, so no event can move a position too far."""
    token = {"Authorization": f"Bearer {server.token()}"}
    client = await server.open("/?subscribe=explicit", headers=token)
    connected = await client.expect("connected")
    await orders(server, 2)
    await client.silent()
    since = {"epoch": connected["data"]["epoch"], "seq": connected["data"]["seq"]}
    await client.send(type="subscribe", events=["order:created"], since=since)
    assert (await client.expect("subscribed"))["data"]["recovered"]
    assert [(await client.expect("order:created"))["seq"] for _ in range(2)]


async def test_a_subscription_inside_auth_comes_before_everything_else(server: Any) -> None:
    """Its answer carries the id of `auth`; the events after `since` follow it, then live ones."""
    await orders(server, 3)
    epoch = server.events.hub.epoch
    client = await server.open()
    wish = {**SINCE, "events": ["order:created"], "since": {"epoch": epoch, "seq": 0}}
    await client.send(type="auth", id="a", token=server.token(), subscribe=wish)
    for type_ in ("auth:success", "connected"):
        await client.expect(type_)
    subscribed = await client.expect("subscribed")
    assert (subscribed["id"], subscribed["data"]["seq"]) == ("a", 0)
    seqs = [(await client.expect("order:created"))["seq"] for _ in range(3)]
    await orders(server, 1)
    assert seqs == sorted(seqs)
    assert (await client.expect("order:created"))["seq"] > seqs[-1]


async def test_a_subscription_that_is_refused_leaves_the_connection_silent(server: Any) -> None:
    """The error names the event; nothing is sent in its place."""
    client = await server.open()
    wish = {"events": ["order:eaten"]}
    await client.send(type="auth", id=7, token=server.token(), subscribe=wish)
    await client.until("connected")
    error = await client.expect("error")
    assert (error["id"], error["data"]["code"]) == (7, "INVALID_MESSAGE")
    await orders(server, 1)
    await client.silent()


@pytest.mark.parametrize(
    ("path", "auth", "says"),
    [
        ("/?subscribe=yes", {}, "subscribe: must be `explicit`"),
        ("/", {"subscribe": {}}, "subscribe.events: is missing"),
        ("/", {"token": 5}, "token: must be a text"),
    ],
)
async def test_a_wrong_way_to_subscribe_is_explained(
    server: Any, path: str, auth: dict[str, Any], says: str
) -> None:
    """And closes with 1008: trying again with the same message would not help."""
    client = await server.open(path)
    await client.send(**{"type": "auth", "token": server.token(), **auth})
    error = await client.until("error")
    assert error["data"]["message"].startswith(says)
    assert await client.close_code() == 1008


async def test_a_renewal_does_not_subscribe_again(server: Any) -> None:
    """A client may send the same `auth` message with a fresh token."""
    client = await server.open()
    auth = {"type": "auth", "token": server.token(), "subscribe": {"events": ["order:created"]}}
    await client.send(**auth)
    await client.until("subscribed")
    await client.send(**auth)
    await client.expect("auth:success")
    await orders(server, 1)
    await client.expect("order:created")
    await client.silent()
