"""Limits of the HTTP API from both sides: rates, addresses, bodies, and what they are told."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_events.auth.tokens import Role
from order_events.protocol.ratelimit import Buckets
from order_events.settings import HubSettings
from order_events.websocket.client_address import origin_of

PROXY = HubSettings(trusted_proxies="10.0.0.0/8, 2001:db8::/32").trusted_proxies


async def ask(server: Any, path: str, **headers: str) -> aiohttp.ClientResponse:
    """A GET; the answer with its body read."""
    async with server.session.get(server.url + path, headers=headers) as response:
        await response.read()
        answer: aiohttp.ClientResponse = response
        return answer


async def statuses(server: Any, times: int, path: str = "/v1/orders", **headers: str) -> list[int]:
    """What that many requests are answered."""
    return [(await ask(server, path, **headers)).status for _ in range(times)]


async def test_a_user_has_so_many_requests_and_not_one_more(start: Any) -> None:
    """Over all of the user's tokens; another user, and the same name elsewhere, are not touched."""
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
    """Backends speak for a whole restaurant."""
    server = await start(http_per_minute=1, http_service_per_minute=3)
    service = f"Bearer {server.token(role=Role.SERVICE)}"
    assert await statuses(server, 4, Authorization=service) == [200, 200, 200, 429]


async def test_a_refused_request_has_no_effect(start: Any, burger: dict[str, Any]) -> None:
    """As it is told."""
    server = await start(http_per_minute=1)
    assert (await server.call("POST", "/v1/orders", burger))[0] == 201
    assert (await server.call("POST", "/v1/orders", burger))[0] == 429
    orders, _ = await server.events.orders("r1")
    assert len(orders) == 1


async def test_strangers_have_a_rate_per_address_and_guests_do_not_pay_for_it(start: Any) -> None:
    """Bad tokens and none count together; a good token passes from the same address."""
    server = await start(http_strangers_per_minute=4)
    assert await statuses(server, 2) == [401] * 2
    assert await statuses(server, 2, Authorization="Bearer nonsense") == [401] * 2
    assert await statuses(server, 1, Authorization="Bearer nonsense") == [429]
    assert await statuses(server, 1, "/v1/openapi.json") == [429]
    assert await statuses(server, 2, "/healthz") == [200] * 2
    assert await statuses(server, 1, Authorization=f"Bearer {server.token()}") == [200]


async def test_behind_a_trusted_proxy_the_clients_address_counts(start: Any) -> None:
    """And `X-Forwarded-For` of anybody else is not believed."""
    trusting = await start(http_strangers_per_minute=1, trusted_proxies="127.0.0.0/8")
    for client in ("192.0.2.1", "192.0.2.2"):
        header = {"X-Forwarded-For": f"203.0.113.9, {client}"}
        assert await statuses(trusting, 2, **header) == [401, 429]


async def test_without_trusted_proxies_a_header_changes_nothing(start: Any) -> None:
    """Whoever connects is counted."""
    server = await start(http_strangers_per_minute=1)
    assert await statuses(server, 1, **{"X-Forwarded-For": "192.0.2.1"}) == [401]
    assert await statuses(server, 1, **{"X-Forwarded-For": "192.0.2.2"}) == [429]


async def test_sockets_behind_a_trusted_proxy_are_counted_by_client(start: Any) -> None:
    """The cap of sockets that are not authenticated is the client's, not the proxy's."""
    server = await start(max_unauthenticated_per_address=1, trusted_proxies="127.0.0.1")
    await server.open(headers={"X-Forwarded-For": "192.0.2.1"})
    await server.open(headers={"X-Forwarded-For": "192.0.2.2"})
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await server.open(headers={"X-Forwarded-For": "192.0.2.1"})
    assert refused.value.status == 429


@pytest.mark.parametrize(
    ("peer", "header", "counted"),
    [
        ("192.0.2.7", (), "192.0.2.7"),
        ("192.0.2.7", ("198.51.100.1",), "192.0.2.7"),
        ("10.0.0.1", (), "10.0.0.1"),
        ("10.0.0.1", ("198.51.100.1",), "198.51.100.1"),
        ("10.0.0.1", ("203.0.113.1, 198.51.100.1, 10.0.0.2",), "198.51.100.1"),
        ("10.0.0.1", ("203.0.113.1", "198.51.100.1"), "198.51.100.1"),
        ("10.0.0.1", ("198.51.100.1, nonsense",), "10.0.0.1"),
        ("10.0.0.1", ("198.51.100.1:4711, 10.0.0.2:80",), "198.51.100.1"),
        ("10.0.0.1", ("[2001:470:1:2:3:4:5:6]:4711",), "2001:470:1:2::/64"),
        ("10.0.0.1", ("[2001:470:1:2:3:4:5:6]",), "2001:470:1:2::/64"),
        ("10.0.0.1", ("198.51.100.1:http",), "10.0.0.1"),
        ("10.0.0.1", ("10.0.0.3, 10.0.0.2",), "10.0.0.3"),
        ("2001:db8::1", ("2001:470:1:2:3:4:5:6",), "2001:470:1:2::/64"),
        ("::ffff:192.0.2.7", (), "192.0.2.7"),
        ("", ("198.51.100.1",), ""),
    ],
)
def test_whose_address_counts(peer: str, header: tuple[str, ...], counted: str) -> None:
    """From the right, up to the first that is no trusted proxy; an IPv6 network is one."""
    assert origin_of(peer, header, PROXY) == counted


@given(st.text(max_size=40), st.lists(st.text(max_size=60), max_size=3))
def test_no_header_can_make_an_untrusted_peer_somebody_else(peer: str, header: list[str]) -> None:
    """Nor raise."""
    assert origin_of("192.0.2.7", header, PROXY) == "192.0.2.7"
    origin_of(peer, header, PROXY)


def test_who_asks_for_rates_is_forgotten_in_the_end() -> None:
    """Memory is bounded: the quietest goes, and then begins anew."""
    buckets: Buckets[str] = Buckets(most=2)
    for name in ("a", "b", "a", "c"):
        buckets.take(name, 2, 0.0)
    assert buckets.take("a", 2, 0.0) > 0
    assert buckets.take("b", 2, 0.0) == 0


def test_a_wrong_proxy_is_refused_at_the_start() -> None:
    """A typing mistake must not open the door."""
    with pytest.raises(ValueError, match="trusted_proxies"):
        HubSettings(trusted_proxies="10.0.0.0/8, proxy.example")


async def test_metrics_may_ask_for_a_token_of_their_own(start: Any) -> None:
    """A restaurant's token does not open them: they are about all restaurants."""
    server = await start(metrics_token="scrape-me-please")
    assert await statuses(server, 1, "/metrics") == [401]
    manager = f"Bearer {server.token()}"
    assert await statuses(server, 1, "/metrics", Authorization=manager) == [401]
    good = await ask(server, "/metrics", Authorization="Bearer scrape-me-please")
    assert good.status == 200
    assert "scrape-me-please" not in repr(HubSettings(metrics_token="scrape-me-please"))


async def test_a_body_that_does_not_come_is_given_up(start: Any) -> None:
    """408; one that comes in time, however small its pieces, is taken."""
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


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("limit=0", "limit: must be at least 1"),
        ("limit=201", "limit: must be at most 200"),
        ("limit=many", "limit: must be a whole number"),
        ("before=-1", "before: must be at least 0"),
        ("statsu=ready", "statsu: is not known here; leave it out"),
        ("status=ready&status=pending", "status: is given twice"),
        ("status=eaten", "status: must be 'pending', 'confirmed'"),
    ],
)
async def test_a_wrong_parameter_is_explained_in_plain_words(
    server: Any, query: str, says: str
) -> None:
    """Which one, and what it must be."""
    status, answer = await server.call("GET", f"/v1/orders?{query}")
    assert (status, answer["error"]["code"]) == (400, "INVALID_MESSAGE")
    assert answer["error"]["message"].startswith(says)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"items": []}, "items: must have 1 or more entries"),
        ({"items": [{"menu_item_id": 5}]}, "items[0].menu_item_id: must be a text"),
        ({"items": 5}, "items: must be a list"),
        (
            {"items": [{"menu_item_id": "burger", "quantity": 1.5}]},
            "items[0].quantity: must be a whole number",
        ),
        (
            {"items": [{"menu_item_id": "burger", "quantity": 1000}]},
            "items[0].quantity: must be at most 999",
        ),
        (
            {"items": [{"menu_item_id": "burger", "quantity": True}]},
            "items[0].quantity: must be a whole number",
        ),
        ([], "the body must be an object"),
    ],
)
async def test_a_wrong_body_is_explained_in_plain_words(server: Any, body: Any, says: str) -> None:
    """The place as a programmer writes it, and no word of ours."""
    status, answer = await server.call("POST", "/v1/orders", body)
    assert (status, answer["error"]["message"]) == (400, says)


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ({"type": "subscribe"}, "events: is missing; it is required"),
        (
            {"type": "subscribe", "events": ["*"], "batch_ms": "x"},
            "batch_ms: must be a whole number",
        ),
        ({"type": "ping", "id": True}, "id: must be a text or must be a whole number"),
        ({}, "type: is missing; it is required"),
        ([], "the message must be an object"),
    ],
)
async def test_a_wrong_message_is_explained_in_plain_words(
    server: Any, message: Any, says: str
) -> None:
    """As over HTTP."""
    client = await server.connect()
    await client.ws.send_str(json.dumps(message))
    assert (await client.expect("error"))["data"]["message"] == says
