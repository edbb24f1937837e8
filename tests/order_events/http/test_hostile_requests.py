"""Requests that once were answered wrongly: by 500, by silence, or as if all were well."""

from __future__ import annotations

import asyncio
import gzip
from collections import namedtuple
from typing import Any

import aiohttp
import pytest
from support.http_requests import ask
from support.raw_socket import TEXT, Frame, Raw

from order_events import operations
from order_events.http.hosts import is_known


async def test_a_body_that_is_not_what_its_encoding_says_is_the_clients_fault(server: Any) -> None:
    """Neither garbage nor half a gzip is an error of ours."""
    whole = gzip.compress(b'{"items": [{"menu_item_id": "burger"}]}')
    headers = {"Authorization": f"Bearer {server.token()}", "Content-Encoding": "gzip"}
    for body, status in ((b"no gzip", 400), (whole[: len(whole) // 2], 400), (whole, 201)):
        async with server.session.post(
            f"{server.url}/v1/orders", data=body, headers=headers
        ) as answer:
            assert answer.status == status, await answer.text()


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("since=0001-01-01T00:00:00%2B14:00", 400),
        ("until=9999-12-31T23:59:59-14:00", 400),
        ("since=2026", 400),
        ("since=1767225600.5", 400),
        ("since=2026-01-01T00:00:00Z", 200),
        ("since=2026-01-01T00:00:00-14:00", 200),
        ("after=gone", 404),
    ],
)
async def test_times_and_cursors_of_payments(server: Any, query: str, status: int) -> None:
    """A year is not a number of seconds, and a vanished cursor not the end of the list."""
    assert (await server.call("GET", f"/v1/payments?{query}"))[0] == status


async def test_a_number_is_no_day(server: Any) -> None:
    """It was taken for seconds since 1970."""
    assert (await server.call("GET", "/v1/analytics?from_day=1767225600"))[0] == 400


async def test_an_order_is_not_emptied_by_a_change(server: Any, burger: Any) -> None:
    """It is cancelled instead."""
    _, made = await server.call("POST", "/v1/orders", burger)
    path = f"/v1/orders/{made['order']['id']}"
    status, answer = await server.call("PATCH", path, {"items": []})
    assert (status, answer["error"]["code"]) == (422, "INVALID_ORDER")
    assert (await server.call("GET", path))[1]["order"]["items"] == made["order"]["items"]


async def test_totals_beyond_any_restaurant_are_refused(start: Any, burger: Any) -> None:
    """By a setting; the limit itself is allowed."""
    server = await start(max_order_total=1_081)
    assert (await server.call("POST", "/v1/orders", burger))[0] == 201
    two = {"items": [{"menu_item_id": "burger", "quantity": 2}]}
    status, answer = await server.call("POST", "/v1/orders", two)
    assert (status, answer["error"]["code"]) == (422, "INVALID_ORDER")
    assert "max_order_total" in answer["error"]["message"]


async def test_the_currency_stays_while_orders_are_open(server: Any, menu: Any) -> None:
    """1,081 cents do not become yen."""
    other = menu.model_copy(update={"currency": "JPY"}).model_dump(mode="json")
    _, made = await server.call("POST", "/v1/orders", {"items": [{"menu_item_id": "burger"}]})
    status, answer = await server.call("PUT", "/v1/menu", other)
    assert (status, answer["error"]["code"]) == (422, "INVALID_ORDER")
    assert made["order"]["order_number"] in answer["error"]["message"]
    path = f"/v1/orders/{made['order']['id']}/status"
    assert (await server.call("POST", path, {"status": "cancelled"}))[0] == 200
    assert (await server.call("PUT", "/v1/menu", other))[0] == 200


@pytest.mark.parametrize("zone", ["localtime", "Factory", "posixrules", "Mars/Olympus"])
async def test_a_time_zone_means_the_same_everywhere(server: Any, menu: Any, zone: str) -> None:
    """`localtime` would be the server's."""
    body = {**menu.model_dump(mode="json"), "time_zone": zone}
    status, answer = await server.call("PUT", "/v1/menu", body)
    assert status == 400
    assert "time_zone" in answer["error"]["message"]


@pytest.mark.sqlite
async def test_readiness_is_red_on_a_full_disk(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the first change fails."""
    usage = namedtuple("usage", ("total", "used", "free"))
    assert (await ask(server, "/readyz")).status == 200
    monkeypatch.setattr(operations.shutil, "disk_usage", lambda path: usage(10**12, 10**12, 1_000))
    answer = await ask(server, "/readyz")
    assert answer.status == 503
    assert "the disk is full" in await answer.text()


async def test_a_name_that_is_not_ours_is_refused(start: Any) -> None:
    """DNS rebinding: a page of `evil.example` whose name points to the loopback address."""
    local = await start(allowed_origins="https://shop.example")
    for host, status in (
        ("evil.example", 421),
        ("evil.example:3001", 421),
        ("localhost:3001", 200),
        ("127.0.0.1:3001", 200),
        ("shop.example", 200),
    ):
        assert (await ask(local, "/", Host=host)).status == status, host
    rebound = {"Host": "evil.example", "Origin": "http://evil.example"}
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await local.open(headers=rebound)
    assert refused.value.status == 421


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("[::1]:3001", True),
        ("kiosk.localhost", True),
        ("hub", True),
        ("orders.example", True),
        ("orders.example.", True),
        ("x.orders.example", False),
        ("1.2.3.4.evil.example", False),
        ("[", False),
    ],
)
def test_names_by_which_a_server_is_known(host: str, known: bool) -> None:
    """Nobody else can own an address or a name without a dot."""
    assert is_known(host, frozenset({"orders.example"})) is known


async def test_a_token_of_the_greatest_size_fits_into_the_header(start: Any) -> None:
    """It is refused for what it is, and not for the size of a header."""
    server = await start()
    longest = "x" * server.events.settings.token_max_bytes
    answer = await ask(server, "/v1/orders", Authorization=f"Bearer {longest}")
    assert answer.status == 401


async def test_another_version_of_the_protocol_is_told_which_one_is_spoken(server: Any) -> None:
    """RFC 6455, 4.2.2; aiohttp takes versions 7 and 8 for 13."""
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "7",
    }
    answer = await ask(server, "/", **headers)
    assert (answer.status, answer.headers["Sec-WebSocket-Version"]) == (426, "13")


async def test_what_cannot_be_inflated_is_not_closed_as_if_all_were_well(server: Any) -> None:
    """1007: the payload is not what it says."""
    client = await Raw.open(server, deflate=True)
    await client.text()
    client.send(Frame(TEXT, b"\xff\xff\xff\xff garbage", rsv=4))
    async with asyncio.timeout(10):
        assert await client.closed_with() == 1007
