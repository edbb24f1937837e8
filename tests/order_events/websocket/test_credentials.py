"""Authentication of a socket, by header or first message; renewal and expiry."""

from __future__ import annotations

import time
from typing import Any

import pytest
from support.refusals import refused

from order_events.auth.tokens import (
    Role,
)


async def test_a_bad_header_token_is_told_and_closed_with_1008(server: Any) -> None:
    """Nothing but the error is sent."""
    for header in ("Bearer nonsense", "Bearer ", "Basic dTpw", server.token()):
        client = await server.open(headers={"Authorization": header})
        error = await client.expect("error")
        assert error["data"]["code"] == "UNAUTHORIZED"
        assert await client.close_code() == 1008
    _, metrics = await _metrics(server)
    assert 'auth_failures_total{socket="root"} 4.0' in metrics


async def _metrics(server: Any) -> tuple[int, str]:
    async with server.session.get(server.url + "/metrics") as response:
        return response.status, await response.text()


@pytest.mark.parametrize(
    "first",
    [
        '{"type":"auth","token":"nonsense"}',
        '{"type":"auth","token":5}',
        '{"type":"auth"}',
        '{"type":"ping"}',
        '{"type":"subscribe","events":["*"]}',
        "not json",
    ],
)
async def test_anything_but_a_good_auth_first_is_closed_with_1008(server: Any, first: str) -> None:
    """Including messages that would be valid later."""
    client = await server.open()
    await client.ws.send_str(first)
    await refused(client)


async def test_a_binary_first_message_is_closed_with_1008(server: Any) -> None:
    """It is not an `auth` message."""
    client = await server.open()
    await client.ws.send_bytes(b"x")
    await refused(client)


async def test_who_does_not_authenticate_in_time_is_closed(start: Any) -> None:
    """Authenticating just before the limit is in time."""
    server = await start(auth_timeout_s=0.4)
    late, in_time = await server.open(), await server.open()
    await in_time.ws.ping()
    await in_time.send(type="auth", token=server.token())
    await in_time.expect("auth:success")
    await refused(late)
    await in_time.expect("connected")
    await in_time.silent()


async def test_a_restaurant_in_the_message_must_be_the_tokens(server: Any) -> None:
    """The same one is accepted; another is closed with 1008."""
    client = await server.open()
    await client.send(type="auth", token=server.token("r1"), restaurant_id="r1")
    await client.expect("auth:success")
    client = await server.open()
    await client.send(type="auth", token=server.token("r1"), restaurant_id="r2")
    await refused(client)


async def test_a_token_can_be_renewed_on_the_open_socket(start: Any) -> None:
    """`auth:expiring` comes first; after renewal the old expiry has no effect."""
    server = await start(token_expiry_notice_s=0.7)
    client = await server.connect(ttl=1.0)
    expiring = await client.expect("auth:expiring")
    assert expiring["data"]["expires_at"].endswith("Z")
    await client.send(type="auth", token=server.token(ttl=1.9), id="renew")
    assert (await client.expect("auth:success"))["id"] == "renew"
    await client.expect("auth:expiring")
    await client.silent()
    await refused(client)


async def test_an_expired_token_closes_the_socket(start: Any) -> None:
    """Even if it was valid when the socket opened."""
    server = await start(token_expiry_notice_s=60)
    client = await server.connect(ttl=0.5)
    await client.expect("auth:expiring")
    began = time.monotonic()
    await refused(client)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    "who",
    [{"restaurant": "r2"}, {"user": "somebody"}, {"role": Role.KITCHEN}],
)
async def test_a_renewal_cannot_change_who_is_connected(server: Any, who: dict[str, Any]) -> None:
    """Another restaurant, user or role is closed with 1008."""
    client = await server.connect()
    await client.send(type="auth", token=server.token(**who))
    await refused(client)


async def test_a_bad_renewal_is_closed_with_1008(server: Any) -> None:
    """Even if the old token is still valid."""
    client = await server.connect()
    await client.send(type="auth", token="nonsense", id=4)
    assert (await refused(client))["id"] == 4
