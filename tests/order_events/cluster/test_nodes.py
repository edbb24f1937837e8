"""Several nodes are one service: every event on every node, in order, exactly once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web
from support.nats import NatsServer

from order_events.auth.roles import Role
from order_events.cluster import leases, positions
from order_events.protocol.filters import TABLE_UPDATED, VOICE_TRANSCRIPT
from order_events.webhooks import webhooks

Drop = Callable[[float], None]


async def eventually(holds: Callable[[], bool]) -> None:
    """Wait until it holds; the test's own time-out is the bound."""
    while not holds():  # noqa: ASYNC110
        await asyncio.sleep(0.02)


async def change(node: Any, number: int) -> None:
    status, _ = await node.call(
        "PUT", f"/v1/tables/t{number % 7}", {"number": str(number), "status": "occupied"}
    )
    assert status == 200


async def numbers(client: Any, count: int) -> list[tuple[int, str]]:
    """Return (seq, table number) of the next events."""
    received = [await client.until(TABLE_UPDATED) for _ in range(count)]
    return [(event["seq"], event["data"]["table"]["number"]) for event in received]


@pytest.mark.parametrize("dropped", [0.0, 0.5, 1.0])
async def test_what_is_committed_anywhere_arrives_everywhere(
    start_node: Any, bus: str, drop_wakeups: Drop, dropped: float
) -> None:
    """In order of seq and once, whatever share of the wake-ups is lost."""
    drop_wakeups(dropped)
    nodes = [await start_node(bus=bus) for _ in range(3)]
    clients = [await node.connect() for node in nodes]

    async def publish(node: Any, first: int) -> None:
        for number in range(first, first + 20):
            await change(node, number)

    await asyncio.gather(*(publish(node, 100 * place) for place, node in enumerate(nodes)))
    seen = [await numbers(client, 60) for client in clients]
    assert seen[0] == seen[1] == seen[2]
    assert [seq for seq, _ in seen[0]] == list(range(seen[0][0][0], seen[0][0][0] + 60))
    expected = {str(100 * place + number) for place in range(3) for number in range(20)}
    assert {number for _, number in seen[0]} == expected
    for node in nodes:
        [counted] = node.events.metrics.remote.collect()
        assert counted.samples[0].value >= 40


async def test_a_client_resumes_at_another_node(start_node: Any) -> None:
    """Its position is as good there; what it missed comes first, then what happens."""
    first, second = await start_node(), await start_node()
    client = await first.connect()
    await change(first, 1)
    event = await client.until(TABLE_UPDATED)
    await client.ws.close()
    await change(first, 2)
    await change(second, 3)
    again = await second.connect()
    since = {"epoch": event["epoch"], "seq": event["seq"]}
    await again.send(type="subscribe", events=[TABLE_UPDATED], since=since)
    assert (await again.until("subscribed"))["data"]["recovered"] is True
    await change(first, 4)
    assert [number for _, number in await numbers(again, 3)] == ["2", "3", "4"]


async def test_a_new_history_is_followed_at_every_node(start_node: Any) -> None:
    """The database has lost events: what is committed afterwards arrives everywhere as before."""
    nodes = [await start_node() for _ in range(2)]
    for node in nodes:
        await change(node, 1)
    served = nodes[0].events.hub.epoch
    await nodes[0].events.store.write(lambda tx: positions.begin_anew(tx, served))
    for node in nodes:
        await eventually(lambda hub=node.events.hub: hub.epoch != served)
    clients = [await node.connect() for node in nodes]
    for place, node in enumerate(nodes):
        await change(node, place)
    seen = [await numbers(client, 2) for client in clients]
    assert seen[0] == seen[1]
    assert {number for _, number in seen[0]} == {"0", "1"}


async def test_a_client_that_has_seen_more_than_a_node_waits_for_it(
    start_node: Any, drop_wakeups: Drop
) -> None:
    """It resumes there all the same, over the socket and over HTTP, and gets nothing twice."""
    first, second = await start_node(), await start_node()
    ahead, behind = await first.connect(), await second.connect()
    drop_wakeups(1.0)
    await change(first, 1)
    event = await ahead.until(TABLE_UPDATED)
    since = {"epoch": event["epoch"], "seq": event["seq"]}
    assert second.events.hub.head("r1")[1] < event["seq"]
    await behind.send(type="subscribe", events=[TABLE_UPDATED], since=since, id=1)
    await behind.send(type="unsubscribe", events=[TABLE_UPDATED], id=2)
    await behind.send(type="subscribe", events=[TABLE_UPDATED], since=since, id=3)
    answers = [await behind.until(type_) for type_ in ("subscribed", "unsubscribed", "subscribed")]
    assert [answer["id"] for answer in answers] == [1, 2, 3]
    assert answers[0]["data"]["recovered"] is True
    await change(first, 2)
    event = await ahead.until(TABLE_UPDATED)
    assert await numbers(behind, 1) == [(event["seq"], "2")]
    await change(first, 3)
    event = await ahead.until(TABLE_UPDATED)
    status, page = await second.call("GET", f"/v1/events?after={event['seq']}")
    assert (status, page["recovered"], page["events"]) == (200, True, [])
    far = {**since, "seq": 10**9}
    await behind.send(type="subscribe", events=[TABLE_UPDATED], since=far)
    assert (await behind.until("subscribed"))["data"]["recovered"] is False


async def test_a_node_knows_the_head_before_it_has_clients(start_node: Any) -> None:
    """A new client gets what happens from now on, not what others have written before."""
    first, second = await start_node(), await start_node()
    for number in range(5):
        await change(first, number)
    client = await second.connect()
    _, head = first.events.hub.head("r1")
    assert client.connected["data"]["seq"] == head
    await change(first, 9)
    assert await numbers(client, 1) == [(head + 1, "9")]
    status, page = await second.call("GET", f"/v1/events?after={head}")
    assert (status, [event["seq"] for event in page["events"]]) == (200, [head + 1])


async def test_live_events_reach_the_other_nodes(start_node: Any, bus: str) -> None:
    """At most once, and without a place in history."""
    first, second = await start_node(bus=bus), await start_node(bus=bus)
    client = await second.connect(role=Role.SERVER)
    await client.send(type="subscribe", events=[VOICE_TRANSCRIPT])
    await client.until("subscribed")
    received = asyncio.create_task(client.until(VOICE_TRANSCRIPT))
    while not received.done():
        first.events.publish_live("r1", VOICE_TRANSCRIPT, {"text": "a"}, key="s", tags={})
        await asyncio.sleep(0.05)
    assert "seq" not in received.result()


async def test_without_the_bus_everything_goes_on(
    start_node: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A second or two later. Readiness says so, and is not red: it goes on."""
    with NatsServer(tmp_path_factory.mktemp("nats")) as nats:
        first, second = [await start_node(bus=nats.url) for _ in range(2)]
        client = await second.connect()
        await eventually(lambda: first.events.cluster.trouble is None)
        nats.stop()
        await eventually(lambda: first.events.cluster.trouble is not None)
        async with first.session.get(first.url + "/readyz") as answer:
            assert (answer.status, (await answer.json())["degraded"]) == (
                200,
                ["NATS cannot be reached"],
            )
        await change(first, 1)
        assert [number for _, number in await numbers(client, 1)] == ["1"]
        nats.start()
        await eventually(lambda: first.events.cluster.trouble is None)
        await change(first, 2)
        assert [number for _, number in await numbers(client, 1)] == ["2"]


async def test_a_revocation_holds_at_every_node(start_node: Any, drop_wakeups: Drop) -> None:
    """Open connections are closed there, also if nobody called."""
    drop_wakeups(1.0)
    first, second = await start_node(), await start_node()
    client = await second.connect(user="u2")
    token = second.token(user="u2")
    status, _ = await first.call("POST", "/v1/revocations", {"user_id": "u2"})
    assert status == 201
    assert await client.close_code() == 1008
    async with second.session.get(
        second.url + "/v1/menu", headers={"Authorization": f"Bearer {token}"}
    ) as answer:
        assert answer.status == 401


async def test_erased_words_leave_the_memory_of_every_node(start_node: Any) -> None:
    """A client that resumes there gets the event as it is now."""
    first, second = await start_node(), await start_node()
    client = await second.connect()
    start = client.connected["data"]
    said = {"session_id": "s1", "text": "a secret", "is_final": True, "utterance": 1}
    await first.events.publish("r1", VOICE_TRANSCRIPT, said, tags={"session_id": "s1"})
    await client.send(type="subscribe", events=["*"])
    await client.until("subscribed")
    status, _ = await first.call("DELETE", "/v1/sessions/s1")
    assert status == 200
    await client.until("voice:session")
    again = await second.connect()
    since = {"epoch": start["epoch"], "seq": start["seq"]}
    await again.send(type="subscribe", events=[VOICE_TRANSCRIPT], since=since)
    event = await again.until(VOICE_TRANSCRIPT)
    assert event["data"]["text"] == ""


async def test_connections_at_other_nodes_count(start_node: Any) -> None:
    """Within a second or two of their being opened."""
    first, second = [await start_node(max_connections_per_user=2) for _ in range(2)]
    clients = [await first.connect(), await second.connect()]
    await eventually(lambda: second.events.cluster.limits.connections_of("r1", "u1") == 1)
    refused = await second.open(headers={"Authorization": f"Bearer {second.token()}"})
    assert await refused.close_code() == 1013
    await clients[0].ws.close()
    await eventually(lambda: second.events.cluster.limits.connections_of("r1", "u1") == 0)
    await second.connect()


async def test_requests_at_other_nodes_count(start_node: Any) -> None:
    """Within a second or two of their being made."""
    first, second = [await start_node(http_per_minute=6) for _ in range(2)]
    await second.call("GET", "/v1/menu")
    await eventually(lambda: "r1" in second.events.cluster.follower.restaurants)
    for _ in range(6):
        assert (await first.call("GET", "/v1/menu"))[0] == 200
    await eventually(lambda: bool(second.events.cluster.limits._requests))
    assert (await second.call("GET", "/v1/menu"))[0] == 429


async def test_the_kitchen_is_told_at_its_pace_by_all_nodes_together(
    start_node: Any, burger: dict[str, Any]
) -> None:
    """As often as by one node alone, and nothing is left out."""
    nodes = [await start_node(kds_per_second=4) for _ in range(2)]
    client = await nodes[0].connect()
    await client.send(type="subscribe", events=["kds:update"])
    await client.until("subscribed")
    made = set()
    for number in range(6):
        _, answer = await nodes[number % 2].call("POST", "/v1/orders", burger)
        made.add(answer["order"]["id"])
    updates = []
    while made:
        updates.append(await client.until("kds:update"))
        made -= {order["id"] for order in updates[-1]["data"]["orders"]}
    times = [update["timestamp"] for update in updates]
    assert times == sorted(set(times))


async def test_of_several_nodes_one_takes_care(
    start_node: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another one does once that has gone."""
    monkeypatch.setattr(leases, "RENEW_S", 0.1)
    nodes = [await start_node() for _ in range(3)]
    await eventually(lambda: any(node.events.cluster.caretaker.held for node in nodes))
    holders = [node for node in nodes if node.events.cluster.caretaker.held]
    assert len(holders) == 1
    await holders[0].stop()
    left = [node for node in nodes if node is not holders[0]]
    await eventually(lambda: any(node.events.cluster.caretaker.held for node in left))


async def test_a_webhook_gets_each_event_from_one_node(
    start_node: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever node made it; another delivers on once that one has gone."""
    monkeypatch.setattr(leases, "RENEW_S", 0.1)
    monkeypatch.setattr(webhooks, "STEP_S", 0.1)
    taken: list[str] = []

    async def take(request: web.Request) -> web.Response:
        taken.append((await request.json())["data"]["table"]["number"])
        return web.Response()

    app = web.Application()
    app.router.add_post("/", take)
    receiver = web.AppRunner(app)
    await receiver.setup()
    await web.TCPSite(receiver, "127.0.0.1", 0).start()
    try:
        url = f"http://127.0.0.1:{receiver.addresses[0][1]}/"
        nodes = [await start_node(webhook_private_networks=True) for _ in range(2)]
        await eventually(lambda: any(node.events.cluster.caretaker.held for node in nodes))
        draft = {"url": url, "events": [TABLE_UPDATED]}
        assert (await nodes[0].call("POST", "/v1/webhooks", draft))[0] == 201
        for number in range(4):
            await change(nodes[number % 2], number)
        await eventually(lambda: len(taken) >= 4)
        holder = next(node for node in nodes if node.events.cluster.caretaker.held)
        other = next(node for node in nodes if node is not holder)
        await holder.stop()
        await change(other, 4)
        await eventually(lambda: "4" in taken)
        assert taken == ["0", "1", "2", "3", "4"]
    finally:
        await receiver.cleanup()
