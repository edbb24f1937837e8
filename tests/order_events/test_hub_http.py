"""The `/v1` API, health, metrics, pages, and the hub's own command line."""

from __future__ import annotations

import asyncio
import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
import structlog
from pydantic import ValidationError

from order_events import logs
from order_events.auth import Role
from order_events.settings import HubSettings


async def get(server: Any, path: str, **options: Any) -> tuple[int, str, Any]:
    """A plain GET: status, text and headers."""
    async with server.session.get(server.url + path, **options) as response:
        return response.status, await response.text(), response.headers


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
    assert payments == {"payments": [paid["payment"]]}
    status, read = await server.call("GET", path)
    assert (status, read["order"]["payment_status"], read["order"]["version"]) == (200, "paid", 7)


async def test_lists_are_pages_of_the_newest_first(server: Any, burger: dict[str, Any]) -> None:
    """Through filters as well."""
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
    """Orders and payments; another key makes another one."""
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
    """It is told all the same."""
    order = await server.events.create_order("r1", draft, actor="a")
    client = await server.connect()
    body = {"order_id": order.id, "amount": 1081, "method": "card", "status": "failed"}
    assert (await server.call("POST", "/v1/payments", body))[0] == 201
    assert (await client.until("payment:processed"))["data"]["payment"]["status"] == "failed"
    assert (await server.events.order("r1", order.id)).payment_status == "unpaid"


async def test_tables(server: Any) -> None:
    """Made, read, changed in part, and refused against a stale version."""
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
    """A sold-out item cannot be ordered until it is back."""
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
    """403 before the body is looked at."""
    status, answer = await server.call(method, path, body, role=role)
    assert (status, answer["error"]["code"]) == (403, "FORBIDDEN")


async def test_requests_without_a_good_token_are_refused(server: Any) -> None:
    """401 with a challenge; never a word about why the signature failed."""
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
    """65,536 bytes pass, one more does not; a menu may have more."""
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


async def test_what_is_not_there_is_said_in_json(server: Any) -> None:
    """Also the wrong method, with the right ones."""
    for path in ("/v1/nothing", "/v1/orders/none"):
        status, answer = await server.call("GET", path)
        assert (status, answer["error"]["code"]) == (404, "NOT_FOUND")
    headers = {"Authorization": f"Bearer {server.token()}"}
    async with server.session.delete(server.url + "/v1/menu", headers=headers) as response:
        assert response.status == 405
        assert set(response.headers["Allow"].split(",")) >= {"GET", "PUT"}
        assert "error" in await response.json()


async def test_health_readiness_and_metrics(server: Any, draft: Any) -> None:
    """Metrics count what the protocol lists."""
    assert (await get(server, "/healthz"))[0] == 200
    status, text, _ = await get(server, "/readyz")
    assert (status, json.loads(text)) == (200, {"ready": True, "reasons": []})
    client = await server.connect()
    await client.send(type="ping")
    await client.send(type="nonsense")
    await client.until("error")
    await server.events.create_order("r1", draft, actor="a")
    await client.until("order:created")
    _, text, headers = await get(server, "/metrics")
    assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
    for line in (
        'order_events_connections{socket="root"} 1.0',
        'order_events_messages_received_total{socket="root",type="ping"} 1.0',
        'order_events_messages_received_total{socket="root",type="other"} 1.0',
        'order_events_errors_total{code="UNKNOWN_TYPE",socket="root"} 1.0',
        'order_events_message_processing_seconds_count{socket="root"} 2.0',
        'order_events_published_total{type="order:created"} 1.0',
    ):
        assert line in text


async def test_pages_are_served_with_a_strict_policy(server: Any) -> None:
    """The first page without an upgrade, assets by name, and nothing outside the folder."""
    status, text, headers = await get(server, "/")
    assert status == 200
    assert text.lower().startswith("<!doctype html>")
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert "object-src 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert (await get(server, "/web/index.html"))[0] == 200
    for path in ("none.html", "..%2Fauth.py", "%2e%2e/auth.py", ".secret", "index", "a/b.html"):
        assert (await get(server, f"/web/{path}"))[0] == 404, path


async def test_a_page_that_the_browser_has_is_not_sent_again(server: Any) -> None:
    """It asks each time, and a new version is seen at once."""
    url = server.url + "/web/index.html"
    async with server.session.get(url) as first:
        tag, body = first.headers["ETag"], await first.read()
        assert first.headers["Cache-Control"] == "no-cache"
    async with server.session.get(url, headers={"If-None-Match": tag}) as again:
        assert (again.status, await again.read()) == (304, b"")
        assert again.headers["ETag"] == tag
    async with server.session.get(url, headers={"If-None-Match": '"older"'}) as other:
        assert (other.status, await other.read()) == (200, body)


async def test_logs_have_connection_and_restaurant_and_no_token(server: Any, draft: Any) -> None:
    """Nor what a guest has said."""
    logs.configure("debug")
    # What `configure` has set, with the lines kept instead of written.
    processors = structlog.get_config()["processors"][:-1]
    entries: list[dict[str, Any]] = []
    gone = asyncio.Event()

    def keep(_: Any, __: str, entry: Any) -> Any:
        entries.append(dict(entry))
        if entry["event"] == "disconnected":
            gone.set()
        raise structlog.DropEvent

    structlog.configure(processors=[*processors, keep])
    try:
        token = server.token()
        client = await server.open(headers={"Authorization": f"Bearer {token}"})
        connected = await client.expect("connected")
        data = {"text": "a secret wish"}
        await server.events.publish("r1", "voice:transcript", data, tags={"session_id": "s"})
        await client.send(type="auth", token="nonsense-token")
        await client.close_code()
        await asyncio.wait_for(gone.wait(), 5)
    finally:
        structlog.reset_defaults()
        structlog.contextvars.clear_contextvars()
    assert [e["event"] for e in entries] == [
        "connected",
        "authentication refused",
        "disconnected",
    ]
    assert all(e["connection"] == connected["data"]["connection_id"] for e in entries)
    assert all(e["restaurant"] == "r1" for e in entries)
    written = repr(entries)
    assert token not in written
    assert "nonsense-token" not in written
    assert "secret wish" not in written


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """`VOICE_` for all but the log level; the defaults are the protocol's."""
    for name, value in {
        "VOICE_PORT": "4000",
        "VOICE_ALLOWED_ORIGINS": "https://a.example/,https://b.example",
        "LOG_LEVEL": "debug",
        "VOICE_REGULAR_PER_MINUTE": "7",
    }.items():
        monkeypatch.setenv(name, value)
    settings = HubSettings()
    assert (settings.port, settings.log_level, settings.regular_per_minute) == (4000, "debug", 7)
    assert settings.allowed_origins == ("https://a.example", "https://b.example")
    fields = HubSettings.model_fields
    assert all(field.description for field in fields.values())
    defaults = {
        "heartbeat_s": 30,
        "voice_per_minute": 1000,
        "max_message_bytes": 65_536,
        "max_subscriptions": 10,
        "auth_timeout_s": 10,
        "kds_per_second": 4,
        "live_per_second": 5,
        "port": 3001,
        "host": "127.0.0.1",
    }
    assert {name: fields[name].default for name in defaults} == defaults
    monkeypatch.setenv("VOICE_PORT", "99999")
    with pytest.raises(ValidationError):
        HubSettings()


def test_a_log_that_cannot_be_written_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard error may be a full disk or a closed pipe."""
    logs.configure("info")
    with contextlib.suppress(OSError), Path("/dev/full").open("w") as full:
        with monkeypatch.context() as patched:
            patched.setattr("sys.stderr", full)
            structlog.get_logger().error("lost")
        written = True
    assert written
    closed = Path("/dev/null").open("w")  # noqa: SIM115
    closed.close()
    monkeypatch.setattr("sys.stderr", closed)
    structlog.get_logger().error("lost")
