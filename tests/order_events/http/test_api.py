"""The `/v1` API: orders, tables, payments, the menu, and requests that are refused."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from support.http_requests import get
from yarl import URL

from order_events.auth.tokens import Role
from order_events.domain.models import OrderDraft, OrderStatus
from order_events.ledger import changes


async def test_an_order_through_its_life(server: Any, burger: dict[str, Any]) -> None:
    """Created, changed, stepped on, paid, read and listed."""
    status, made = await server.call("POST", "/v1/orders", burger)
    assert status == 201
    path = f"/v1/orders/{made['order']['id']}"
    status, changed = await server.call(
        "PATCH", path, {"customer_name": "Ann", "items": burger["items"] * 2, "version": 1}
    )
    assert (status, changed["order"]["customer_name"]) == (200, "Ann")
    assert (changed["order"]["subtotal"], changed["order"]["version"]) == (1998, 2)
    for step in ("confirmed", "preparing", "ready", "completed"):
        status, stepped = await server.call("POST", path + "/status", {"status": step})
        assert (status, stepped["order"]["status"]) == (200, step)
    status, answer = await server.call("POST", path + "/status", {"status": "cancelled"})
    assert (status, answer["error"]["code"]) == (409, "ILLEGAL_TRANSITION")
    body = {"order_id": made["order"]["id"], "amount": 5000, "method": "card"}
    status, paid = await server.call("POST", "/v1/payments", body)
    assert (status, paid["payment"]["amount"]) == (201, 5000)
    payments = (await server.call("GET", f"/v1/payments?order_id={body['order_id']}"))[1]
    assert payments == {"payments": [paid["payment"]], "after": None, "damaged": 0}
    status, read = await server.call("GET", path)
    assert (status, read["order"]["payment_status"], read["order"]["version"]) == (200, "paid", 7)


async def test_lists_are_pages_of_the_newest_first(server: Any, burger: dict[str, Any]) -> None:
    """With filters as well."""
    for number in range(7):
        await server.call("POST", "/v1/orders", {**burger, "table_id": f"t{number % 2}"})
    seen: list[str] = []
    before: str | int | None = ""
    while before is not None:
        query = f"limit=3&before={before}" if before else "limit=3"
        page = (await server.call("GET", f"/v1/orders?{query}"))[1]
        seen += [order["order_number"][-4:] for order in page["orders"]]
        before = page["before"]
    assert seen == [f"000{n}" for n in range(7, 0, -1)]
    page = (await server.call("GET", "/v1/orders?table_id=t0&status=pending"))[1]
    assert len(page["orders"]) == 4
    assert (await server.call("GET", "/v1/orders?status=ready"))[1]["orders"] == []
    assert (await server.call("GET", "/v1/orders?status=eaten"))[0] == 400


async def test_creations_repeated_with_a_key_are_made_once(
    server: Any, burger: dict[str, Any]
) -> None:
    """Orders and payments; another key creates another one."""
    key = {"Idempotency-Key": "k1"}
    first = (await server.call("POST", "/v1/orders", burger, headers=key))[1]["order"]
    again = (await server.call("POST", "/v1/orders", burger, headers=key))[1]["order"]
    other = (await server.call("POST", "/v1/orders", burger, headers={"Idempotency-Key": "k2"}))[1][
        "order"
    ]
    assert first == again
    assert other["id"] != first["id"]
    body = {"order_id": first["id"], "amount": 100, "method": "cash"}
    paid = [(await server.call("POST", "/v1/payments", body, headers=key))[1] for _ in range(2)]
    assert paid[0] == paid[1]
    read = (await server.call("GET", f"/v1/orders/{first['id']}"))[1]["order"]
    assert (read["paid"], read["payment_status"]) == (100, "partial")
    for wrong, status in (("x" * 200, 201), ("x" * 201, 400), ("", 400)):
        answer = await server.call("POST", "/v1/orders", burger, headers={"Idempotency-Key": wrong})
        assert answer[0] == status


async def test_a_failed_payment_pays_nothing(server: Any, draft: Any) -> None:
    """Its event is sent all the same."""
    order = await server.events.create_order("r1", draft, actor="a")
    client = await server.connect()
    body = {"order_id": order.id, "amount": 1081, "method": "card", "status": "failed"}
    assert (await server.call("POST", "/v1/payments", body))[0] == 201
    assert (await client.until("payment:processed"))["data"]["payment"]["status"] == "failed"
    assert (await server.events.order("r1", order.id)).payment_status == "unpaid"


async def test_a_refund_takes_back_what_was_paid_and_no_more(server: Any, draft: Any) -> None:
    """This works for a cancelled order too, which can no longer be paid."""
    order = await server.events.create_order("r1", draft, actor="a")

    async def record(amount: int, status: str) -> int:
        body = {"order_id": order.id, "amount": amount, "method": "card", "status": status}
        return int((await server.call("POST", "/v1/payments", body))[0])

    assert await record(1, "refunded") == 422
    assert await record(5_000, "completed") == 201
    assert await record(5_001, "refunded") == 422
    assert await record(4_500, "refunded") == 201
    read = await server.events.order("r1", order.id)
    assert (read.paid, read.payment_status) == (500, "partial")
    await server.events.set_status("r1", order.id, OrderStatus.CANCELLED, actor="a")
    assert await record(500, "completed") == 409
    assert await record(500, "refunded") == 201
    read = await server.events.order("r1", order.id)
    assert (read.paid, read.payment_status) == (0, "unpaid")
    events = (await server.call("GET", "/v1/events?events=payment:processed"))[1]["events"]
    told = [(e["data"]["payment"]["status"], e["data"]["payment"]["amount"]) for e in events]
    assert told == [("completed", 5_000), ("refunded", 4_500), ("refunded", 500)]


async def test_a_change_of_nothing_is_none(server: Any, draft: Any) -> None:
    """It makes neither a version nor an event; a stale version is refused all the same."""
    order = await server.events.create_order("r1", draft, actor="a")
    path = f"/v1/orders/{order.id}"
    for nothing in ({}, {"version": 1}, {"items": None}):
        status, answer = await server.call("PATCH", path, nothing)
        assert (status, answer["order"]["version"]) == (200, 1)
    assert (await server.call("PATCH", path, {"version": 2}))[0] == 409
    page = (await server.call("GET", "/v1/events?events=order:*"))[1]
    assert [event["type"] for event in page["events"]] == ["order:created"]


async def test_null_takes_out_what_was_said(server: Any, burger: dict[str, Any]) -> None:
    """Absent fields stay; revising only the items leaves the notes."""
    said = {"notes": "no nuts", "table_id": "t1", "customer_name": "Ann"}
    made = (await server.call("POST", "/v1/orders", {**burger, **said}))[1]["order"]
    path = f"/v1/orders/{made['id']}"
    for name in said:
        changed = (await server.call("PATCH", path, {name: None}))[1]["order"]
        assert changed[name] is None
        said[name] = ""
        assert all(changed[other] for other in said if said[other])
    assert (await server.call("GET", "/v1/orders?table_id=t1"))[1]["orders"] == []
    await server.call("PATCH", path, {"notes": "nuts"})
    items = OrderDraft.model_validate(burger).items
    revised = await server.events.revise_order("r1", made["id"], items, actor="a")
    assert revised.notes == "nuts"


async def test_tables_are_listed_in_pages_and_bounded(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A screen that lost its place in history can read them again."""
    monkeypatch.setattr(changes, "MAX_TABLES", 5)
    body = {"number": "1", "status": "free"}
    for n in range(5):
        assert (await server.call("PUT", f"/v1/tables/t{n}", body))[0] == 200
    assert (await server.call("PUT", "/v1/tables/t5", body))[0] == 422
    assert (await server.call("PUT", "/v1/tables/t4", body))[0] == 200
    await server.call("PUT", "/v1/tables/other", body, restaurant="r2")
    pages, query = [], "limit=2"
    while query:
        page = (await server.call("GET", f"/v1/tables?{query}"))[1]
        pages.append([table["id"] for table in page["tables"]])
        query = page["after"] and f"limit=2&after={page['after']}"
    assert pages == [["t0", "t1"], ["t2", "t3"], ["t4"]]
    assert (await server.call("GET", "/v1/tables", role=Role.DEVICE))[0] == 403


async def test_payments_are_listed_by_time_in_pages(server: Any, draft: Any) -> None:
    """As a till counts them up at the end of a day."""
    order = await server.events.create_order("r1", draft, actor="a")
    body = {"order_id": order.id, "amount": 1, "method": "cash"}
    made = [(await server.call("POST", "/v1/payments", body))[1]["payment"] for _ in range(5)]
    seen: list[dict[str, Any]] = []
    after = ""
    while after is not None:
        query = f"limit=2&since={made[0]['created_at']}" + (f"&after={after}" if after else "")
        page = (await server.call("GET", f"/v1/payments?{query}"))[1]
        seen += page["payments"]
        after = page["after"]
    assert sorted(p["id"] for p in seen) == sorted(p["id"] for p in made)
    assert [p["created_at"] for p in seen] == sorted(p["created_at"] for p in made)
    first = f"/v1/payments?until={made[0]['created_at']}"
    assert (await server.call("GET", first))[1]["payments"] == []
    assert (await server.call("GET", "/v1/payments?since=2026-01-01T00:00:00Z"))[1]["payments"]
    for wrong in ("yesterday", "2026-01-01T00:00:00"):
        status, answer = await server.call("GET", f"/v1/payments?since={wrong}")
        assert (status, answer["error"]["code"]) == (400, "INVALID_MESSAGE")
        assert "must" in answer["error"]["message"]


async def test_screens_are_told_of_the_menu_if_they_asked(server: Any, menu: Any) -> None:
    """Items sold out, and a replaced menu; clients that never subscribed receive neither."""
    asked, documented = await server.connect(role=Role.KITCHEN), await server.connect()
    await asked.send(type="subscribe", events=["menu:*"])
    await asked.expect("subscribed")
    await server.call("PATCH", "/v1/menu/items/burger", {"sold_out": True})
    told = (await asked.expect("menu:updated"))["data"]
    assert told == {"version": 2, "items": [{"id": "burger", "sold_out": True}], "actor": "u1"}
    await server.events.put_menu("r1", menu, "m")
    told = (await asked.expect("menu:updated"))["data"]
    assert told == {"version": 3, "items": [], "actor": "m"}
    await documented.silent()


async def test_tables(server: Any) -> None:
    """Created, read, changed in part, and refused against a stale version."""
    assert (await server.call("GET", "/v1/tables/t1"))[0] == 404
    assert (await server.call("PUT", "/v1/tables/t1", {"status": "occupied"}))[0] == 422
    body = {"number": "12", "status": "occupied"}
    status, answer = await server.call("PUT", "/v1/tables/t1", body)
    assert (status, answer["table"]["version"]) == (200, 1)
    status, answer = await server.call("PATCH", "/v1/tables/t1", {"status": "available"})
    assert (answer["table"]["number"], answer["table"]["status"]) == ("12", "available")
    stale = {"status": "occupied", "version": 1}
    status, answer = await server.call("PATCH", "/v1/tables/t1", stale)
    assert (status, answer["error"]["code"]) == (409, "STALE_VERSION")
    assert (await server.call("GET", "/v1/tables/t1"))[1]["table"]["version"] == 2


async def test_the_menu_and_what_is_sold_out(
    server: Any, menu: Any, burger: dict[str, Any]
) -> None:
    """A sold-out item cannot be ordered until it is available again."""
    status, answer = await server.call("GET", "/v1/menu")
    assert (status, answer["version"]) == (200, 1)
    assert answer["menu"] == json.loads(menu.model_dump_json())
    status, answer = await server.call(
        "PATCH", "/v1/menu/items/burger", {"sold_out": True}, role=Role.KITCHEN
    )
    assert (status, answer["version"]) == (200, 2)
    status, answer = await server.call("POST", "/v1/orders", burger)
    assert (status, answer["error"]["code"]) == (409, "SOLD_OUT")
    await server.call("PATCH", "/v1/menu/items/burger", {"sold_out": False})
    assert (await server.call("POST", "/v1/orders", burger))[0] == 201
    assert (await server.call("PATCH", "/v1/menu/items/pizza", {"sold_out": True}))[0] == 404
    body = {**json.loads(menu.model_dump_json()), "name": "New"}
    assert (await server.call("PUT", "/v1/menu", body))[1] == {"version": 4}
    assert (await server.events.menu("r1")).name == "New"
    assert (await server.events.menu("r2")).name == "Test Kitchen"
    wrong = {**body, "colour": 1, "items": [{**body["items"][0], "price": "4.49"}]}
    status, answer = await server.call("PUT", "/v1/menu", wrong)
    assert (status, answer["error"]["message"]) == (
        400,
        "items.0 (burger).price: must be whole cents, 0 or more\n"
        "colour: is not known here; leave it out",
    )
    assert (await server.call("GET", "/v1/menu", restaurant="r3"))[0] == 404
    status, answer = await server.call("POST", "/v1/orders", burger, restaurant="r3")
    assert (status, answer["error"]["code"]) == (422, "INVALID_ORDER")


async def test_a_menu_file_is_read_without_being_published(server: Any, menu: Any) -> None:
    """As JSON or CSV, which are two ways to write the same; each fault is named."""
    text = menu.model_dump_json()
    status, answer = await server.call("POST", "/v1/menu/check", {"text": text})
    assert (status, answer["menu"]) == (200, json.loads(text))
    table = answer["csv"]
    status, again = await server.call("POST", "/v1/menu/check", {"text": "\ufeff" + table})
    assert (status, again["menu"]) == (200, json.loads(text))
    wrong = table.replace("burger", "burger\nburger", 1)
    status, answer = await server.call("POST", "/v1/menu/check", {"text": wrong})
    assert (status, answer["error"]["code"]) == (400, "INVALID_MESSAGE")
    assert answer["error"]["message"].startswith("row ")
    assert (await server.call("GET", "/v1/menu"))[1]["version"] == 1


async def test_a_menu_is_published_and_an_earlier_one_restored(server: Any, menu: Any) -> None:
    """Under a new number; what has sold out meanwhile stays sold out."""
    body = {**json.loads(menu.model_dump_json()), "name": "New"}
    await server.call("PUT", "/v1/menu?trial_orders=5", body)
    await server.call("PATCH", "/v1/menu/items/burger", {"sold_out": True})
    path = "/v1/menu/versions"
    found = (await server.call("GET", path))[1]["versions"]
    assert [(v["version"], v["trial_orders"]) for v in found] == [(2, 5), (1, None)]
    assert found[0]["items"] == len(menu.items)
    status, refused = await server.call("POST", f"{path}/1/restore", {"version": 2})
    assert (status, refused["error"]["code"]) == (409, "STALE_VERSION")
    assert (await server.call("POST", f"{path}/1/restore", {}))[1] == {"version": 4}
    now = (await server.call("GET", "/v1/menu"))[1]
    assert (now["menu"]["name"], now["trial"]) == (menu.name, None)
    assert [item["id"] for item in now["menu"]["items"] if item["sold_out"]] == [
        "burger",
        "soup",
    ]
    newest = (await server.call("GET", path))[1]["versions"][0]
    assert (newest["version"], newest["restored_from"], newest["published_by"]) == (4, 1, "u1")
    for unknown in ("3", "99", "first"):
        assert (await server.call("POST", f"{path}/{unknown}/restore", {}))[0] == 404
    assert (await server.call("GET", path, role=Role.KITCHEN))[0] == 403


@pytest.mark.parametrize(
    ("role", "method", "path", "body"),
    [
        (Role.DEVICE, "GET", "/v1/orders", None),
        (Role.DEVICE, "GET", "/v1/events", None),
        (Role.KITCHEN, "POST", "/v1/orders", {}),
        (Role.KITCHEN, "PUT", "/v1/tables/t", {}),
        (Role.SERVER, "POST", "/v1/payments", {}),
        (Role.SERVER, "GET", "/v1/payments?order_id=x", None),
        (Role.CASHIER, "PUT", "/v1/menu", {}),
        (Role.CASHIER, "PATCH", "/v1/menu/items/burger", {}),
    ],
)
async def test_a_role_may_do_only_what_the_table_says(
    server: Any, role: Role, method: str, path: str, body: dict[str, Any] | None
) -> None:
    """403, before the body is read."""
    status, answer = await server.call(method, path, body, role=role)
    assert (status, answer["error"]["code"]) == (403, "FORBIDDEN")


async def test_requests_without_a_good_token_are_refused(server: Any) -> None:
    """401 with a challenge, without saying why the signature failed."""
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": server.token()}):
        status, text, answered = await get(server, "/v1/orders", headers=headers)
        assert (status, answered["WWW-Authenticate"]) == (401, "Bearer")
        assert json.loads(text)["error"]["code"] == "UNAUTHORIZED"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"items": []}',
        b'{"items": [{"menu_item_id": "burger", "price": 1}]}',
        b'{"items": [{"menu_item_id": "burger", "quantity": 0}]}',
        b'{"items": [{"menu_item_id": "burger"}], "status": "ready"}',
        b'{"items": [{"menu_item_id": "burger"}], "restaurant_id": "r2"}',
        b"[" * 5000,
        b"\xff\xfe",
    ],
)
async def test_a_wrong_body_is_refused_and_changes_nothing(server: Any, body: bytes) -> None:
    """A client cannot set prices, status or restaurant."""
    headers = {"Authorization": f"Bearer {server.token()}"}
    url = server.url + "/v1/orders"
    async with server.session.post(url, data=body, headers=headers) as response:
        assert response.status == 400
        assert (await response.json())["error"]["code"] == "INVALID_MESSAGE"
    assert server.events.hub.head("r1")[1] == 0


async def test_bodies_are_bounded_from_both_sides(server: Any, burger: dict[str, Any]) -> None:
    """65,536 bytes pass and one more does not; a menu may be larger."""
    headers = {"Authorization": f"Bearer {server.token()}"}
    body = json.dumps(burger).encode()
    for size, status in ((65_536, 201), (65_537, 413)):
        data = body + b" " * (size - len(body))
        url = server.url + "/v1/orders"
        async with server.session.post(url, data=data, headers=headers) as response:
            assert response.status == status
    menu = json.dumps(json.loads((await server.events.menu("r1")).model_dump_json())).encode()
    for size, status in ((1_048_576, 200), (1_048_577, 413)):
        data = menu + b" " * (size - len(menu))
        url = server.url + "/v1/menu"
        async with server.session.put(url, data=data, headers=headers) as response:
            assert response.status == status


@pytest.mark.parametrize("id_", ["x" * 101, "%ED%A0%80", "x" * 5_000])
async def test_ids_in_a_path_are_as_bounded_as_in_a_body(server: Any, id_: str) -> None:
    """An id that no filter could name is not stored."""
    headers = {"Authorization": f"Bearer {server.token()}"}
    url = URL(f"{server.url}/v1/tables/{id_}", encoded=True)
    table = {"number": "1", "status": "free"}
    async with server.session.put(url, json=table, headers=headers) as response:
        answer = await response.json()
    if id_.startswith("%"):
        # What is no UTF-8 stays as it was sent, percent signs and all.
        assert (response.status, answer["table"]["id"]) == (200, id_)
    else:
        assert (response.status, answer["error"]["code"]) == (400, "INVALID_MESSAGE")
        assert answer["error"]["message"] == "id must have at most 100 characters"


@pytest.mark.parametrize("token", [None, "secret-" * 6])
async def test_headers_that_are_no_text_are_refused(start: Any, token: str | None) -> None:
    """Both as an idempotency key and as a secret, and not as an internal error."""
    server = await start(metrics_token=token)
    body = b'{"items":[{"menu_item_id":"burger"}]}'
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    if token is None:
        writer.write(
            b"POST /v1/orders HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer "
            + server.token().encode()
            + b"\r\nIdempotency-Key: k\xff\r\nContent-Length: %d\r\n\r\n" % len(body)
            + body
        )
    else:
        writer.write(
            b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            b"Authorization: Bearer k\xff\r\n\r\n"
        )
    status = (await reader.readline()).split()[1]
    assert status == (b"400" if token is None else b"401")
    writer.close()


async def test_what_is_not_there_is_said_in_json(server: Any) -> None:
    """Also for a wrong method, whose answer lists the right ones."""
    for path in ("/v1/nothing", "/v1/orders/none"):
        status, answer = await server.call("GET", path)
        assert (status, answer["error"]["code"]) == (404, "NOT_FOUND")
    headers = {"Authorization": f"Bearer {server.token()}"}
    async with server.session.delete(server.url + "/v1/menu", headers=headers) as response:
        assert response.status == 405
        assert set(response.headers["Allow"].split(",")) >= {"GET", "PUT"}
        assert "error" in await response.json()
