"""Limits of the HTTP API, from both sides: rates, addresses and bodies."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from support.http_requests import ask, slow_request, statuses

from order_events.auth.tokens import Role


async def test_a_user_has_so_many_requests_and_not_one_more(start: Any) -> None:
    """Across all the user's tokens; other users and restaurants are unaffected."""
    server = await start(http_per_minute=5)
    first, second = (f"Bearer {server.token()}" for _ in range(2))
    assert await statuses(server, 3, Authorization=first) == [200] * 3
    assert await statuses(server, 3, Authorization=second) == [200, 200, 429]
    refused = await ask(server, "/v1/orders", Authorization=first)
    problem = json.loads(await refused.text())["error"]
    assert problem["code"] == "RATE_LIMITED"
    assert 1 <= int(refused.headers["Retry-After"]) <= 12
    assert 0 < problem["retry_after_ms"] <= 12_000
    for other in (server.token(user="u2"), server.token("r2")):
        assert await statuses(server, 1, Authorization=f"Bearer {other}") == [200]


async def test_services_have_a_rate_of_their_own(start: Any) -> None:
    """Backends act for a whole restaurant."""
    server = await start(http_per_minute=1, http_service_per_minute=3)
    service = f"Bearer {server.token(role=Role.SERVICE)}"
    assert await statuses(server, 4, Authorization=service) == [200, 200, 200, 429]


async def test_a_refused_request_has_no_effect(start: Any, burger: dict[str, Any]) -> None:
    """As the error message says."""
    server = await start(http_per_minute=1)
    assert (await server.call("POST", "/v1/orders", burger))[0] == 201
    assert (await server.call("POST", "/v1/orders", burger))[0] == 429
    orders, _ = await server.events.orders("r1")
    assert len(orders) == 1


async def test_strangers_have_a_rate_per_address_and_guests_do_not_pay_for_it(start: Any) -> None:
    """Invalid and missing tokens count together; a valid token passes from the same address."""
    server = await start(http_strangers_per_minute=4)
    assert await statuses(server, 2) == [401] * 2
    assert await statuses(server, 2, Authorization="Bearer nonsense") == [401] * 2
    assert await statuses(server, 1, Authorization="Bearer nonsense") == [429]
    assert await statuses(server, 1, "/v1/openapi.json") == [429]
    assert await statuses(server, 2, "/healthz") == [200] * 2
    assert await statuses(server, 1, Authorization=f"Bearer {server.token()}") == [200]


async def test_behind_a_trusted_proxy_the_clients_address_counts(start: Any) -> None:
    """`X-Forwarded-For` from anybody else is ignored."""
    trusting = await start(http_strangers_per_minute=1, trusted_proxies="127.0.0.0/8")
    for client in ("192.0.2.1", "192.0.2.2"):
        header = {"X-Forwarded-For": f"203.0.113.9, {client}"}
        assert await statuses(trusting, 2, **header) == [401, 429]


async def test_without_trusted_proxies_a_header_changes_nothing(start: Any) -> None:
    """The peer's own address counts."""
    server = await start(http_strangers_per_minute=1)
    assert await statuses(server, 1, **{"X-Forwarded-For": "192.0.2.1"}) == [401]
    assert await statuses(server, 1, **{"X-Forwarded-For": "192.0.2.2"}) == [429]


async def test_a_body_that_does_not_come_is_given_up(start: Any) -> None:
    """408; a body that arrives in time, in pieces of any size, is accepted."""
    server = await start(idle_http_s=0.3)
    body = b'{"user_id": "nobody"}'
    head = (
        "POST /v1/revocations HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: Bearer {server.token()}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    for sent, status in ((body, b"201"), (body[:-1], b"408")):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(head.encode() + sent[:5])
        await writer.drain()
        writer.write(sent[5:])
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n"), 5)
        assert answer.split()[1] == status
        writer.close()


async def test_slow_readers_hold_a_bounded_number_of_bytes(start: Any) -> None:
    """Per user and per address; one that reads nothing is cut, and its bytes are free again."""
    megabyte = 1_048_576
    server = await start(
        http_bytes_per_user=5 * megabyte // 2, http_bytes_per_address=4 * megabyte, idle_http_s=3
    )
    for n in range(150):
        text = {"session_id": "s1", "text": f"{n} " + "x" * 9_000}
        tags = {"session_id": "s1"}
        await server.events.publish("r1", "voice:transcript", text, tags=tags)
    path, user = "/v1/events?limit=1000", server.token()
    slow = [await slow_request(server, path, user) for _ in range(2)]
    authorization = {"Authorization": f"Bearer {user}"}

    async def status(**headers: str) -> int:
        async with server.session.get(server.url + path, headers=headers) as response:
            return int(response.status)

    assert await status(**authorization) == 429
    other = server.token(user="u2")
    assert await status(Authorization=f"Bearer {other}") == 200
    small = {"Authorization": f"Bearer {user}"}
    async with server.session.get(f"{server.url}/v1/menu", headers=small) as response:
        assert response.status == 200
    for _ in range(500):
        if await status(**authorization) == 200:
            break
        await asyncio.sleep(0.02)
    assert await status(**authorization) == 200
    for connection in slow:
        connection.close()


async def test_a_large_answer_arrives_whole(server: Any) -> None:
    """However many slices it has."""
    text = "".join(f"{n} " for n in range(200_000))[:1_000_000]
    tags = {"session_id": "s1"}
    data = {"session_id": "s1", "text": text}
    await server.events.publish("r1", "voice:transcript", data, tags=tags)
    status, answer = await server.call("GET", "/v1/events")
    assert status == 200
    assert answer["events"][-1]["data"]["text"] == text


async def test_answers_are_neither_cached_nor_guessed_at(server: Any) -> None:
    """They are somebody's orders, and errors are no exception."""
    for path in ("/v1/orders", "/v1/menu", "/v1/nothing", "/v1/openapi.json"):
        answer = await ask(server, path, Authorization=f"Bearer {server.token()}")
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
