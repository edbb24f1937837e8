"""The OpenAPI and AsyncAPI documents: valid, complete, and true to what the server does."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import validate as validate_openapi
from support.schema_checks import check_message, closed, schema_of

from order_events.app import DESK
from order_events.auth.tokens import Role
from order_events.domain.audit_records import SessionStart
from order_events.domain.models import OrderStatus
from order_events.http.api import ROUTES
from order_events.http.routes import HTTP_STATUS, Route
from order_events.protocol.filters import SPOKEN
from order_events.protocol.messages import CloseCode, ErrorCode
from order_events.screens.devices import Screen
from order_events.settings import HubSettings
from order_events.specs import asyncapi, descriptions, openapi

OFFICIAL = Path(__file__).parents[2] / "schemas" / "asyncapi-3.0.0.json.gz"
HTTP_DOCUMENT = openapi.document(ROUTES, HubSettings.model_construct())
HUB_DOCUMENT = asyncapi.document([asyncapi.ROOT], HubSettings.model_construct())


def official() -> dict[str, Any]:
    """Return AsyncAPI's own JSON schema."""
    schema: dict[str, Any] = json.loads(gzip.decompress(OFFICIAL.read_bytes()))
    return schema


def test_the_documents_are_valid() -> None:
    """Checked against the standards' own schemas."""
    validate_openapi(HTTP_DOCUMENT)
    jsonschema.validate(HUB_DOCUMENT, official(), jsonschema.Draft7Validator)
    broken = {**HUB_DOCUMENT, "channels": {"root": {"address": 5}}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, official(), jsonschema.Draft7Validator)


def test_every_code_is_explained() -> None:
    """Error codes, close codes, and each error's HTTP status."""
    assert set(descriptions.ERRORS) == set(ErrorCode)
    assert set(descriptions.CLOSES) == set(CloseCode)
    assert set(HUB_DOCUMENT["components"]["schemas"]["ErrorCode"]["enum"]) == set(ErrorCode)
    documented = {code for route in ROUTES for code in route.errors}
    assert documented <= set(HTTP_STATUS)


def test_every_parameter_is_explained() -> None:
    """In the path, in the query and in headers."""
    operations = [o for methods in HTTP_DOCUMENT["paths"].values() for o in methods.values()]
    parameters = [p for operation in operations for p in operation.get("parameters", ())]
    assert len(parameters) > 30
    assert [p["name"] for p in parameters if not p.get("description")] == []


def test_the_hub_alone_does_not_speak_of_the_voice_service() -> None:
    """The dependency points one way."""
    assert set(HUB_DOCUMENT["channels"]) == {"root"}
    assert "VoiceStart" not in HUB_DOCUMENT["components"]["messages"]


async def test_a_server_serves_both_with_its_own_limits(start: Any) -> None:
    """Without a token."""
    server = await start(regular_per_minute=77, http_per_minute=88)
    for path, limit, value in (
        ("/v1/openapi.json", "http_per_minute", 88),
        ("/v1/asyncapi.json", "regular_per_minute", 77),
    ):
        async with server.session.get(server.url + path) as response:
            document = await response.json()
        assert response.status == 200
        limits = document.get("x-limits") or document["channels"]["root"]["x-limits"]
        assert limits[limit]["value"] == value


@pytest.fixture
async def server(start: Any) -> Any:
    """A server whose webhooks may lead to this machine."""
    return await start(webhook_private_networks=True)


async def test_what_is_served_is_what_is_documented(server: Any) -> None:
    """The document has every path and method of the router, and no other."""
    served = {
        (route.method.lower(), route.resource.canonical)
        for route in server.app.router.routes()
        if route.method != "HEAD"
    }
    documented = {
        (method, path) for path, methods in HTTP_DOCUMENT["paths"].items() for method in methods
    }
    paths = ("/", "/web/{name}", "/web/operator.html", "/service-worker.js")
    pages = {("get", path) for path in paths}
    # For clients that exist; new ones are not to find it.
    dialect = {
        ("get", "/api/v1/orders"),
        ("get", "/api/v1/orders/{id}"),
        ("patch", "/api/v1/orders/{id}/status"),
    }
    assert served == documented | pages | dialect


SETUP = {"status": "occupied", "number": "12"}
NOWHERE = {"url": "http://127.0.0.1:9/"}
"""A webhook that nobody receives."""
ONCE = {
    "set_status",
    "delete_webhook",
    "recall_order",
    "restore_menu",
    "claim_pairing",
    "remove_device",
    "add_staff",
    "remove_staff",
}
"""What succeeds only once with the same body."""
WITHOUT_FIELDS = (
    "take_call",
    "release_call",
    "resolve_call",
    "recall_order",
    "restore_menu",
    "acknowledge_changes",
    "rotate_webhook_secret",
    "send_test_webhook",
)
CALLING = {
    "session_id": "s1",
    "reasons": [{"code": "allergy", "text": "nuts", "utterance": 1, "calls_staff": True}],
}


async def call_for_staff(server: Any) -> str:
    """Let a guest call for staff, if none does; return the call's id."""
    await server.events.publish("r1", "voice:order", CALLING, tags={"session_id": "s1"})
    [call] = await server.events.ledger.calls("r1")
    return str(call.id)


async def body_for(server: Any, route: Route, burger: dict[str, Any]) -> tuple[str, Any]:
    """Return a path and a body with which the route succeeds."""
    _, made = await server.call("POST", "/v1/orders", burger)
    order = made["order"]["id"]
    if route.path.startswith("/v1/orders/{id}/") and route.name != "set_status":
        await server.call("POST", f"/v1/orders/{order}/status", {"status": OrderStatus.CONFIRMED})
    await server.call("PUT", "/v1/tables/t1", SETUP)
    _, menu = await server.call("GET", "/v1/menu")
    await server.events.ledger.begin("r1", SessionStart(session_id="s1"), "lane-1")
    calling = await call_for_staff(server)
    desk = server.app[DESK]
    code = await desk.pair(Screen("r1", Role.KITCHEN, "Grill"), "boss")
    device, credential = await desk.claim(code)
    person = await desk.add_staff("r1", order[:8], Role.SERVER, "4711")
    identities = {
        "tables": "t1",
        "menu": "burger",
        "sessions": "s1",
        "calls": calling,
        "devices": device.id,
        "staff": person.id,
    }
    if "webhooks/{id}" in route.path:
        _, hooked = await server.call("POST", "/v1/webhooks", NOWHERE)
        identities["webhooks"] = hooked["webhook"]["id"]
    identity = identities.get(route.path.split("/")[2], order)
    bodies: dict[str, Any] = {
        "create_order": burger,
        "change_order": {"notes": "quick"},
        "set_status": {"status": OrderStatus.CONFIRMED},
        "put_table": SETUP,
        "patch_table": {"status": "free"},
        "take_payment": {"order_id": order, "amount": 100, "method": "card"},
        "put_menu": menu["menu"],
        "check_menu": {"text": json.dumps(menu["menu"])},
        "change_item": {"sold_out": False},
        "revoke": {"user_id": "nobody"},
        "set_item_status": {"status": "done"},
        "create_webhook": NOWHERE,
        "change_webhook": {"enabled": False},
        "pair_screen": {"role": "kitchen", "name": "Grill"},
        "claim_pairing": {"code": await desk.pair(Screen("r1", Role.KITCHEN, "Bar"), "boss")},
        "issue_device_token": {"credential": credential},
        "add_staff": {"name": order, "role": "server", "pin": "4711"},
        **{name: {} for name in WITHOUT_FIELDS},
    }
    path = route.path.replace("{id}", identity).replace("{item_id}", "1").replace("{n}", "1")
    query = f"?order_id={order}" if route.name == "list_payments" else ""
    return path + query, bodies.get(route.name)


@pytest.mark.parametrize(
    "route",
    # Whoever signs in does so at a paired screen, and only open sessions change hands: see the
    # tests of those.
    [route for route in ROUTES if route.name not in ("sign_in", "take_over", "resume")],
    ids=lambda r: r.name,
)
async def test_every_role_may_do_on_every_route_what_the_document_says(
    server: Any, route: Route, burger: dict[str, Any]
) -> None:
    """Documented roles get the documented answer, all others 403."""
    operation = HTTP_DOCUMENT["paths"][route.path][route.method.lower()]
    assert operation["x-roles"]
    path, body = await body_for(server, route, burger)
    for role in Role:
        if route.name in ONCE:
            path, body = await body_for(server, route, burger)
        status, answer = await server.call(route.method, path, body, role=role)
        expected = route.status if role.value in operation["x-roles"] else 403
        assert status == expected, (role, answer)
        described = operation["responses"][str(status)]["content"]["application/json"]["schema"]
        jsonschema.validate(
            answer, closed(HTTP_DOCUMENT, described), jsonschema.Draft202012Validator
        )


@pytest.mark.parametrize(
    "route", [route for route in ROUTES if route.action is not None], ids=lambda r: r.name
)
async def test_no_route_answers_without_a_token(server: Any, route: Route) -> None:
    """401, whatever else is wrong with the request."""
    url = server.url + re.sub(r"{\w+}", "x", route.path)
    async with server.session.request(route.method, url) as response:
        assert response.status == 401
        answer = await response.json()
    problem = schema_of(HTTP_DOCUMENT, "ProblemAnswer")
    jsonschema.validate(answer, problem, jsonschema.Draft202012Validator)


@pytest.mark.parametrize("route", [r for r in ROUTES if r.has_body], ids=lambda r: r.name)
async def test_a_body_is_validated_by_the_model_that_the_document_names(
    server: Any, route: Route
) -> None:
    """An undocumented field is refused by name, in plain words."""
    operation = HTTP_DOCUMENT["paths"][route.path][route.method.lower()]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    named = schema_of(HTTP_DOCUMENT, schema["$ref"].rpartition("/")[2])
    assert named["additionalProperties"] is False
    status, answer = await server.call(
        route.method, re.sub(r"{\w+}", "x", route.path), {"colour_of_sky": "blue"}
    )
    assert (status, answer["error"]["code"]) == (400, "INVALID_MESSAGE")
    # Of a menu everything that is wrong is said, a line each.
    message = answer["error"]["message"].splitlines()[-1]
    assert re.fullmatch(r"\w+: is (missing; it is required|not known here; leave it out)", message)


async def test_every_message_of_the_root_socket_is_as_documented(
    server: Any, burger: dict[str, Any]
) -> None:
    """A session that produces them all; each message is valid against the document."""
    seen = set()
    client = await server.open()
    await client.send(type="auth", token=server.token(), id=1)
    everything = [
        {"type": "subscribe", "events": ["*"], "id": "s"},
        {"type": "subscribe", "events": ["order:*"], "filters": {"table_id": "t1"}},
        {"type": "unsubscribe", "events": ["voice:transcript"], "id": 2},
        {"type": "ping", "id": "p"},
        {"type": "fly", "id": "wrong"},
    ]
    for message in everything:
        await client.send(**message)
    _, made = await server.call("POST", "/v1/orders", burger)
    order = made["order"]["id"]
    await server.call("POST", f"/v1/orders/{order}/status", {"status": "confirmed"})
    await server.call("PUT", "/v1/tables/t1", SETUP)
    await server.call("POST", f"/v1/orders/{order}/items/1/status", {"status": "done"})
    paid = {"order_id": order, "amount": 100, "method": "card"}
    await server.call("POST", "/v1/payments", paid)
    await server.call("PATCH", "/v1/menu/items/burger", {"sold_out": False})
    await server.events.ledger.begin("r1", SessionStart(session_id="s1"), "lane-1")
    await server.events.ledger.begin("r1", SessionStart(session_id="s2"), "lane-2")
    calling = {**CALLING, "session_id": "s2"}
    await server.events.publish("r1", "voice:order", calling, tags={"session_id": "s2"})
    expected = {
        message.model_fields["type"].annotation.__args__[0] for message in asyncapi.ROOT.sends
    }
    for type_ in expected - {"going_away", "auth:expiring", "batch"}:
        while type_ not in seen:
            message = await client.receive()
            if message["type"] in SPOKEN:
                continue  # The voice service's, which its own documents describe.
            seen.add(check_message(HUB_DOCUMENT, "root", message)["type"])
    batched = await server.connect()
    await batched.send(type="subscribe", events=["order:*"], batch_ms=300)
    await batched.expect("subscribed")
    for _ in range(2):
        await server.call("POST", "/v1/orders", burger)
    batch = check_message(HUB_DOCUMENT, "root", await batched.until("batch"))
    for event in batch["events"]:
        check_message(HUB_DOCUMENT, "root", event)
    short = await server.connect(ttl=1)
    await server.events.create_order("r1", made_draft(burger), actor="a")
    check_message(HUB_DOCUMENT, "root", await short.until("auth:expiring"))
    await server.stop()
    check_message(HUB_DOCUMENT, "root", await client.until("going_away"))


def made_draft(burger: dict[str, Any]) -> Any:
    """Return an order as a publisher in the same process drafts it."""
    from order_events.domain.models import OrderDraft

    return OrderDraft.model_validate(burger)
