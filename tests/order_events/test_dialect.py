"""The original system's own clients, played from the description of what they send and read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.http_requests import ask, slow_request

from order_events.auth.tokens import Role
from order_events.dialect import unwrapped, wrapped

PATH = "/?restaurant_id=r1"


async def screen(server: Any, role: Role = Role.KITCHEN) -> Any:
    """Connect as one of their screens does."""
    client = await server.open(PATH)
    await client.send(type="auth", payload={"token": server.token(role=role)}, restaurantId="r1")
    for type_ in ("auth:success", "connected"):
        message = await client.expect(type_)
        assert message["payload"] == message["data"]
        assert message["restaurant_id"] == "r1"
    return client


async def order(server: Any) -> dict[str, Any]:
    """Create an order; return it."""
    _, answer = await server.call("POST", "/v1/orders", {"items": [{"menu_item_id": "burger"}]})
    created: dict[str, Any] = answer["order"]
    return created


async def test_a_screen_of_theirs_shows_orders_and_moves_them_on(server: Any) -> None:
    """It synchronises, sees each change in `payload`, and changes statuses in its own words."""
    before = await order(server)
    client = await screen(server)
    await client.send(type="orders:sync", payload={"request_full_sync": True}, timestamp="…")
    synced = await client.until("sync_complete")
    assert [each["id"] for each in synced["payload"]["orders"]] == [before["id"]]
    created = await order(server)
    assert (await client.until("order:created"))["payload"]["order"]["id"] == created["id"]
    wish = {"orderId": created["id"], "status": "confirmed"}
    await client.send(type="order:update_status", payload=wish)
    told = (await client.until("order:status_changed"))["payload"]
    assert told["orderId"] == told["order_id"] == created["id"]
    assert (told["status"], told["previousStatus"]) == ("confirmed", "pending")
    plain = await client.expect("order:status")
    assert plain["payload"] == plain["data"]
    await client.send(type="ping", payload={})
    assert (await client.until("pong"))["payload"] == {}


@pytest.mark.parametrize("type_", ["order:update_item_status", "order:item_status_changed"])
async def test_lines_are_marked_as_done(server: Any, type_: str) -> None:
    """Under either of their names; their event stands before ours."""
    created = await order(server)
    line = created["items"][0]["id"]
    await server.call("POST", f"/v1/orders/{created['id']}/status", {"status": "confirmed"})
    client = await screen(server)
    payload = {"order_id": created["id"], "item_id": line, "status": "done"}
    await client.send(type=type_, payload=payload)
    told = (await client.until("order:item_status_changed"))["payload"]
    assert (told["orderId"], told["itemId"], told["status"]) == (created["id"], line, "done")
    await client.expect("order:item_status")


async def test_a_failed_authentication_is_told_in_their_words(server: Any) -> None:
    """`auth:failed` with a text, then the protocol's error and 1008."""
    client = await server.open(PATH)
    await client.send(type="auth", token="wrong")
    failed = await client.expect("auth:failed")
    assert isinstance(failed["error"], str)
    assert failed["payload"] == {"error": failed["error"]}
    assert (await client.expect("error"))["payload"]["code"] == "UNAUTHORIZED"
    assert await client.close_code() == 1008


async def test_what_is_refused_has_no_effect_and_says_why(server: Any) -> None:
    """By role, by state, by form; with the id of the message."""
    created = await order(server)
    client = await screen(server)
    for payload, code in (
        ({"order_id": "none", "status": "confirmed"}, "NOT_FOUND"),
        ({"order_id": created["id"], "status": "ready"}, "ILLEGAL_TRANSITION"),
        ({"order_id": created["id"], "status": "eaten"}, "INVALID_MESSAGE"),
    ):
        await client.send(type="order:update_status", id=code, payload=payload)
        error = await client.until("error")
        assert (error["id"], error["payload"]["code"]) == (code, code)
    await client.send(type="unheard-of", payload={})
    assert (await client.until("error"))["data"]["code"] == "UNKNOWN_TYPE"
    await client.ws.send_str("no json")
    assert (await client.until("error"))["data"]["code"] == "INVALID_MESSAGE"


async def test_their_addresses_answer_with_what_they_read(server: Any) -> None:
    """A list, one order bare, and the order after a change of its status."""
    created = await order(server)
    headers = {"x-restaurant-id": "r1", "x-csrf-token": "c"}
    status, listed = await server.call("GET", "/api/v1/orders?page=2&limit=5", headers=headers)
    assert status == 200
    assert [each["id"] for each in listed["orders"]] == [created["id"]]
    path = f"/api/v1/orders/{created['id']}"
    assert (await server.call("GET", path))[1]["order_number"] == created["order_number"]
    status, changed = await server.call("PATCH", f"{path}/status", {"status": "confirmed"})
    assert (status, changed["status"]) == (200, "confirmed")
    for method, where, body, expected in (
        ("GET", "/api/v1/orders/none", None, (404, "NOT_FOUND")),
        ("GET", "/api/v1/orders?status=eaten", None, (400, "INVALID_MESSAGE")),
        ("PATCH", f"{path}/status", {"status": "pending"}, (409, "ILLEGAL_TRANSITION")),
    ):
        status, answer = await server.call(method, where, body)
        assert (status, answer["error"]["code"]) == expected
    status, _ = await server.call("GET", path, headers={"x-restaurant-id": "r2"})
    assert status == 403


async def test_their_headers_are_allowed_to_pages_of_allowed_origins(start: Any) -> None:
    """In the preflights that browsers send for them."""
    server = await start(allowed_origins="https://pos.example")
    headers = {"Origin": "https://pos.example", "Access-Control-Request-Method": "PATCH"}
    async with server.session.options(
        f"{server.url}/api/v1/orders/1/status", headers=headers
    ) as answer:
        assert answer.status == 204
        assert "x-csrf-token" in answer.headers["Access-Control-Allow-Headers"]


async def test_nobody_else_notices_the_dialect(server: Any) -> None:
    """A current client gets neither `payload` nor their events."""
    client = await server.connect()
    created = await order(server)
    await server.call("POST", f"/v1/orders/{created['id']}/status", {"status": "confirmed"})
    while (message := await client.receive())["type"] != "order:status":
        assert message["type"] in {"order:created", "kds:update"}
        assert "payload" not in message


async def test_an_outbox_that_is_full_is_read_again_from_history(start: Any) -> None:
    """Their events count towards the limits like any other, and none is lost."""
    server = await start(outbox_messages=4)
    client = await screen(server)
    made = [(await order(server))["id"] for _ in range(6)]
    seen = []
    while len(seen) < 6:
        seen.append((await client.until("order:created"))["payload"]["order"]["id"])
    assert seen == made


async def test_their_answers_are_bounded_like_ours(start: Any) -> None:
    """Kept by no cache; and one user reads only so much at a time."""
    server = await start(http_bytes_per_user=1)
    line = {"menu_item_id": "burger", "special_instructions": "x" * 500}
    for _ in range(10):
        assert (await server.call("POST", "/v1/orders", {"items": [line] * 50}))[0] == 201
    slow = await slow_request(server, "/api/v1/orders", server.token())
    refused = await ask(server, "/api/v1/orders", Authorization=f"Bearer {server.token()}")
    assert refused.status == 429
    assert refused.headers["Cache-Control"] == "no-store"
    slow.close()


def test_names_are_read_in_either_case_and_payloads_never_hide_the_envelope() -> None:
    """Nested names too; what is no object is left to the protocol's own errors."""
    text = '{"type":"subscribe","id":1,"payload":{"type":"x","filters":{"tableId":["t1"]}}}'
    assert json.loads(unwrapped(text)) == {
        "type": "subscribe",
        "id": 1,
        "filters": {"table_id": ["t1"]},
    }
    for odd in ("[1]", "nothing", '"text"'):
        assert unwrapped(odd) == odd


def test_a_batch_is_wrapped_event_by_event() -> None:
    """With the events that stand beside ours."""
    status = (
        b'{"type":"order:status","data":{"order_id":"o","status":"ready","previous_status":"x"}}'
    )
    [batch] = wrapped(b'{"type":"batch","events":[' + status + b"]}", "r1")
    assert batch.count(b'"payload"') == 2
    assert batch.index(b"order:status_changed") < batch.index(b'"order:status"')
