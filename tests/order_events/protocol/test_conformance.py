"""Every documented message of the root socket, by example."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from order_events.auth.tokens import Role
from order_events.domain.models import OrderStatus, TableChange

TIMESTAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")


def assert_hub_event(message: dict[str, Any]) -> None:
    """Check the envelope of an event that has a place in history."""
    expected = {"type", "data", "timestamp", "event_id", "restaurant_id", "epoch", "seq"}
    assert set(message) == expected
    assert TIMESTAMP.match(message["timestamp"])
    assert message["restaurant_id"] == "r1"


async def test_a_socket_with_a_header_token_is_confirmed_with_connected_alone(server: Any) -> None:
    """`connected` has the connection's id and its place in history."""
    client = await server.connect()
    assert set(client.connected) == {"type", "data", "timestamp"}
    assert set(client.connected["data"]) == {"connection_id", "epoch", "seq"}
    assert TIMESTAMP.match(client.connected["timestamp"])
    await client.silent()


async def test_a_browser_authenticates_with_its_first_message(server: Any) -> None:
    """`auth` is answered with `auth:success`, then `connected`."""
    client = await server.open()
    await client.send(type="auth", token=server.token(role=Role.KITCHEN), id=7)
    success = await client.expect("auth:success")
    assert success["id"] == 7
    assert success["data"]["restaurant_id"] == "r1"
    assert success["data"]["role"] == "kitchen"
    assert TIMESTAMP.match(success["data"]["expires_at"])
    await client.expect("connected")


async def test_ping_is_answered_with_pong(server: Any) -> None:
    """The answer echoes the id."""
    client = await server.connect()
    await client.send(type="ping")
    assert set(await client.expect("pong")) == {"type", "timestamp"}
    await client.send(type="ping", id="a")
    assert (await client.expect("pong"))["id"] == "a"


async def test_a_created_order_reaches_a_client_that_never_subscribed(
    server: Any, burger: dict[str, Any]
) -> None:
    """`order:created` has the whole order, with money in cents."""
    client = await server.connect()
    status, answer = await server.call(
        "POST", "/v1/orders", {**burger, "table_id": "t1", "source": {"lane": "2"}}
    )
    assert status == 201
    message = await client.expect("order:created")
    assert_hub_event(message)
    order = message["data"]["order"]
    assert order == answer["order"]
    assert order["status"] == "pending"
    assert order["table_id"] == "t1"
    assert (order["subtotal"], order["tax"], order["total"]) == (999, 82, 1081)
    item = order["items"][0]
    assert (item["menu_item_id"], item["name"], item["quantity"]) == ("burger", "Burger", 1)
    documented = {
        *("id", "restaurant_id", "order_number", "type", "status", "items", "subtotal", "tax"),
        *("total", "currency", "table_id", "table_number", "customer_name", "notes", "source"),
        *("payment_status", "prep_time", "version", "created_at", "updated_at"),
    }
    assert documented <= set(order)
    assert re.fullmatch(r"\d{8}-0001", order["order_number"])


async def test_a_changed_order_is_told_as_updated(server: Any, draft: Any) -> None:
    """`order:updated` has the order as it is now, with a new version."""
    order = await server.events.create_order("r1", draft, actor="a")
    client = await server.connect()
    await server.events.revise_order(
        "r1", order.id, [draft.items[0].model_copy(update={"quantity": 2})], actor="b"
    )
    message = await client.until("order:updated")
    assert_hub_event(message)
    changed = message["data"]["order"]
    assert (changed["id"], changed["status"], changed["version"]) == (order.id, "pending", 2)
    assert TIMESTAMP.match(changed["updated_at"])
    assert changed["subtotal"] == 2 * 999
    assert message["data"]["actor"] == "b"


async def test_a_step_is_told_as_status_and_as_updated(server: Any, draft: Any) -> None:
    """`order:status` has the old and new status; `order:updated` follows with the order."""
    order = await server.events.create_order("r1", draft, actor="a")
    client = await server.connect()
    await server.events.set_status("r1", order.id, OrderStatus.CONFIRMED, actor="b")
    message = await client.until("order:status")
    assert_hub_event(message)
    data = message["data"]
    assert (data["order_id"], data["status"], data["previous_status"]) == (
        order.id,
        "confirmed",
        "pending",
    )
    updated = await client.expect("order:updated")
    assert updated["seq"] == message["seq"] + 1
    assert set(updated["data"]["order"]["status_times"]) == {"pending", "confirmed"}


async def test_a_table_is_told(server: Any) -> None:
    """`table:updated` by example."""
    client = await server.connect()
    change = TableChange(number="12", status="occupied")
    await server.events.change_table("r1", "t12", change, actor="a")
    message = await client.expect("table:updated")
    assert_hub_event(message)
    table = message["data"]["table"]
    assert (table["id"], table["number"], table["status"]) == ("t12", "12", "occupied")


async def test_a_payment_is_told(server: Any, draft: Any) -> None:
    """`payment:processed` by example, and the order is paid."""
    order = await server.events.create_order("r1", draft, actor="a")
    client = await server.connect()
    status, _ = await server.call(
        "POST", "/v1/payments", {"order_id": order.id, "amount": 1081, "method": "card"}
    )
    assert status == 201
    message = await client.until("payment:processed")
    assert_hub_event(message)
    payment = message["data"]["payment"]
    assert payment["order_id"] == order.id
    assert (payment["amount"], payment["method"], payment["status"]) == (1081, "card", "completed")
    assert (await client.expect("order:updated"))["data"]["order"]["payment_status"] == "paid"


async def test_the_kitchen_gets_a_batch_of_changed_orders(server: Any, draft: Any) -> None:
    """`kds:update` has every changed order once, as it is now, with its preparation time."""
    client = await server.connect(role=Role.KITCHEN)
    await client.send(type="subscribe", events=["kds:update"])
    await client.expect("subscribed")
    orders = [await server.events.create_order("r1", draft, actor="a") for _ in range(3)]
    tickets: dict[str, Any] = {}
    while len(tickets) < 3:
        message = await client.expect("kds:update")
        assert_hub_event(message)
        tickets |= {ticket["id"]: ticket for ticket in message["data"]["orders"]}
    ticket = tickets[orders[0].id]
    assert ticket["status"] == "pending"
    assert ticket["prep_time"] == 12
    assert ticket["items"][0]["name"] == "Burger"


async def test_kds_updates_come_at_most_four_times_a_second(server: Any, draft: Any) -> None:
    """Changes close together are merged; none is lost."""
    client = await server.connect(role=Role.KITCHEN)
    await client.send(type="subscribe", events=["kds:update"])
    await client.expect("subscribed")
    loop = asyncio.get_running_loop()
    made, arrivals, told = set(), [], set()

    async def order_for_a_while() -> None:
        end = loop.time() + 1.1
        while loop.time() < end:
            made.add((await server.events.create_order("r1", draft, actor="a")).id)
            await asyncio.sleep(0.01)

    await order_for_a_while()
    while told != made:
        message = await client.expect("kds:update")
        arrivals.append(datetime.fromisoformat(message["timestamp"]))
        told |= {ticket["id"] for ticket in message["data"]["orders"]}
    assert len(made) > 10
    assert len(arrivals) > 2
    assert all(b - a >= timedelta(milliseconds=249) for a, b in pairwise(arrivals))


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("not json", "INVALID_MESSAGE"),
        ("[1]", "INVALID_MESSAGE"),
        ('"text"', "INVALID_MESSAGE"),
        ("{}", "INVALID_MESSAGE"),
        ('{"type": 5}', "INVALID_MESSAGE"),
        ("[" * 3000, "INVALID_MESSAGE"),
        ('{"type": "fly"}', "UNKNOWN_TYPE"),
        ('{"type": "voice:audio"}', "UNKNOWN_TYPE"),
        ('{"type": "subscribe"}', "INVALID_MESSAGE"),
        ('{"type": "subscribe", "events": []}', "INVALID_MESSAGE"),
        ('{"type": "subscribe", "events": ["order:made"]}', "INVALID_MESSAGE"),
        ('{"type": "subscribe", "events": ["order*"]}', "INVALID_MESSAGE"),
        ('{"type": "subscribe", "events": ["*"], "filters": {"colour": "red"}}', "INVALID_MESSAGE"),
        ('{"type": "subscribe", "events": ["*"], "since": {"seq": 1}}', "INVALID_MESSAGE"),
        ('{"type": "subscribe", "events": ["*"], "batch_ms": NaN}', "INVALID_MESSAGE"),
        ('{"type": "unsubscribe"}', "INVALID_MESSAGE"),
        ('{"type": "fly", "id": 1' + "0" * 5000 + "}", "INVALID_MESSAGE"),
        ('{"type": "ping", "id": 1' + "0" * 30 + "}", "INVALID_MESSAGE"),
        ('{"type": "ping", "id": true}', "INVALID_MESSAGE"),
        ('{"type": "ping", "id": "\\ud800"}', "INVALID_MESSAGE"),
        ('{"type": "ping", "id": {"a": 1}}', "INVALID_MESSAGE"),
    ],
)
async def test_a_wrong_message_is_answered_with_its_error(
    server: Any, sent: str, code: str
) -> None:
    """The connection stays open."""
    client = await server.connect()
    await client.ws.send_str(sent)
    error = await client.expect("error")
    assert error["data"]["code"] == code
    assert error["data"]["message"]
    await client.silent()


async def test_an_error_echoes_the_id_of_its_message(server: Any) -> None:
    """Even if the message could not be parsed as one of ours."""
    client = await server.connect()
    await client.send(type="subscribe", id="mine")
    assert (await client.expect("error"))["id"] == "mine"
    await client.send(type="nonsense", id=3, data={"sequence": 9})
    error = await client.expect("error")
    assert (error["id"], error["data"]["sequence"]) == (3, 9)


async def test_binary_messages_are_refused(server: Any) -> None:
    """Messages are JSON in text frames."""
    client = await server.connect()
    await client.ws.send_bytes(b"{}")
    assert (await client.expect("error"))["data"]["code"] == "INVALID_MESSAGE"
    await client.silent()


async def test_subscribe_narrows_to_what_was_asked_for(server: Any, draft: Any) -> None:
    """After the first `subscribe`, only matching events arrive, through its filters."""
    client = await server.connect()
    await client.send(
        type="subscribe",
        id=1,
        events=["order:created", "order:updated"],
        filters={"table_id": ["t1", "t2"]},
    )
    answer = await client.expect("subscribed")
    assert answer["id"] == 1
    assert answer["data"] == {
        "events": ["order:created", "order:updated"],
        "filters": {"table_id": ["t1", "t2"]},
        "recovered": False,
        "epoch": client.connected["data"]["epoch"],
        "seq": client.connected["data"]["seq"],
    }
    for table in ("t1", "t3", None, "t2"):
        made = draft.model_copy(update={"table_id": table})
        order = await server.events.create_order("r1", made, actor="a")
        await server.events.set_status("r1", order.id, OrderStatus.CANCELLED, actor="a")
    for table in ("t1", "t2"):
        for type_ in ("order:created", "order:updated"):
            message = await client.expect(type_)
            assert message["data"]["order"]["table_id"] == table
    await client.silent()


async def test_unsubscribe_takes_an_event_out(server: Any, draft: Any) -> None:
    """It is removed from every subscription, patterns included."""
    client = await server.connect()
    await client.send(type="subscribe", events=["order:*"])
    await client.expect("subscribed")
    await client.send(type="unsubscribe", events=["order:created"], id="u")
    answer = await client.expect("unsubscribed")
    assert (answer["id"], answer["data"]) == ("u", {"events": ["order:created"]})
    order = await server.events.create_order("r1", draft, actor="a")
    await server.events.set_status("r1", order.id, OrderStatus.CANCELLED, actor="a")
    await client.expect("order:status")
    await client.expect("order:updated")
    await client.silent()


async def test_events_that_fall_together_come_as_one_batch_where_asked(
    server: Any, draft: Any
) -> None:
    """`batch` keeps the order, and holds nothing back longer than asked."""
    client = await server.connect()
    await client.send(type="subscribe", events=["order:*"], batch_ms=150)
    await client.expect("subscribed")
    for _ in range(3):
        await server.events.create_order("r1", draft, actor="a")
    seqs: list[int] = []
    batches = 0
    while len(seqs) < 3:
        message = await client.receive()
        batches += message["type"] == "batch"
        assert set(message) == {"type", "events"} or message["type"] == "order:created"
        seqs += [e["seq"] for e in message.get("events", [message])]
    assert seqs == sorted(seqs)
    assert batches == 1


async def test_staff_see_live_transcripts_of_the_sessions_they_watch(server: Any) -> None:
    """Partials are throttled to the latest; the final is durable and comes last."""
    watcher = await server.connect(role=Role.SERVER)
    await watcher.send(
        type="subscribe", events=["voice:transcript"], filters={"session_id": "s1", "lane": "2"}
    )
    await watcher.expect("subscribed")
    bystander = await server.connect()
    tags = {"session_id": "s1", "lane": "2"}
    for revision in range(20):
        data = {"session_id": "s1", "revision": revision, "is_final": False}
        server.events.publish_live("r1", "voice:transcript", data, key="s1", tags=tags)
        other = {"session_id": "s2", "revision": revision, "is_final": False}
        server.events.publish_live(
            "r1", "voice:transcript", other, key="s2", tags={"session_id": "s2", "lane": "2"}
        )
    first = await watcher.expect("voice:transcript")
    assert first["data"]["revision"] == 0
    assert set(first) == {"type", "data", "timestamp", "restaurant_id"}
    merged = await watcher.expect("voice:transcript")
    assert merged["data"]["revision"] == 19
    server.events.publish_live("r1", "voice:transcript", {"revision": 20}, key="s1", tags=tags)
    final = await server.events.publish(
        "r1", "voice:transcript", {"session_id": "s1", "is_final": True}, tags=tags
    )
    message = await watcher.expect("voice:transcript")
    assert_hub_event(message)
    assert message["seq"] == final.seq
    await asyncio.sleep(0.25)
    await watcher.silent()
    await bystander.silent()


async def test_partials_of_a_session_come_at_most_five_times_a_second(server: Any) -> None:
    """The last one always arrives."""
    watcher = await server.connect()
    await watcher.send(type="subscribe", events=["voice:*"])
    await watcher.expect("subscribed")
    loop = asyncio.get_running_loop()
    arrivals, revision = [], -1

    async def speak() -> None:
        for number in range(60):
            server.events.publish_live(
                "r1", "voice:transcript", {"revision": number}, key="s", tags={"session_id": "s"}
            )
            await asyncio.sleep(0.02)

    speaking = asyncio.create_task(speak())
    while revision < 59:
        message = await watcher.expect("voice:transcript")
        assert message["data"]["revision"] > revision
        revision = message["data"]["revision"]
        arrivals.append(loop.time())
    await speaking
    seconds = arrivals[-1] - arrivals[0]
    assert 3 <= len(arrivals) <= 5 * seconds + 1.5


async def test_restaurants_do_not_see_each_other(server: Any, draft: Any) -> None:
    """Neither through events, patterns, replay nor ids."""
    mine, theirs = await server.connect("r1"), await server.connect("r2")
    await theirs.send(type="subscribe", events=["*"], since={**_position(theirs), "seq": 0})
    await theirs.expect("subscribed")
    order = await server.events.create_order("r1", draft, actor="a")
    await server.events.publish("r1", "voice:order", {"a": 1}, tags={})
    server.events.publish_live("r1", "voice:transcript", {}, key="s", tags={})
    await mine.expect("order:created")
    await theirs.silent()
    assert (await server.call("GET", f"/v1/orders/{order.id}", restaurant="r2"))[0] == 404
    assert (await server.call("GET", "/v1/orders", restaurant="r2"))[1]["orders"] == []
    assert (await server.call("GET", "/v1/events", restaurant="r2"))[1]["events"] == []
    status, _ = await server.call(
        "POST", f"/v1/orders/{order.id}/status", {"status": "cancelled"}, restaurant="r2"
    )
    assert status == 404


def _position(client: Any) -> dict[str, Any]:
    data = client.connected["data"]
    return {"epoch": data["epoch"], "seq": data["seq"]}


async def test_at_shutdown_everybody_is_told_when_to_come_back(start: Any) -> None:
    """`going_away` with a random delay, then 1001."""
    server = await start(shutdown_spread_ms=700)
    clients = [await server.connect() for _ in range(8)]
    stopping = asyncio.create_task(server.stop())
    delays = set()
    for client in clients:
        message = await client.expect("going_away")
        assert 1 <= message["data"]["retry_after_ms"] <= 700
        delays.add(message["data"]["retry_after_ms"])
        assert await client.close_code() == 1001
    await stopping
    assert len(delays) > 1
    assert server.sockets() == 0
