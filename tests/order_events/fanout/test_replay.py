"""Replay: no gap, no duplicate, in order, whatever happens at the same time."""

from __future__ import annotations

import asyncio
from socket import SO_SNDBUF, SOL_SOCKET
from typing import Any

import pytest
from support.histories import collect, pour, publish

from order_events.app import REGISTRY


def numbers(events: list[dict[str, Any]]) -> list[int]:
    """Return the numbers that `publish` gave the events."""
    return [int(event["data"]["table"]["number"]) for event in events]


async def subscribe(client: Any, since: int, **options: Any) -> dict[str, Any]:
    """Subscribe from a place in history; return the answer."""
    position = {"epoch": client.connected["data"]["epoch"], "seq": since}
    await client.send(type="subscribe", **{"events": ["*"], "since": position, **options})
    answer: dict[str, Any] = (await client.until("subscribed"))["data"]
    return answer


@pytest.mark.parametrize("recent", [1, 10, 1000])
async def test_everything_since_is_followed_by_everything_new(start: Any, recent: int) -> None:
    """Replayed from memory, from the database, and from both."""
    server = await start(recent_events=recent, replay_chunk=7)
    await server.connect()
    await publish(server, 50)
    client = await server.connect()
    answer = await subscribe(client, 12)
    assert (answer["recovered"], answer["seq"]) == (True, 12)
    await publish(server, 5, start=50)
    events = await collect(client, 43)
    assert [e["seq"] for e in events] == list(range(13, 56))
    assert numbers(events) == list(range(12, 55))
    await client.silent()


@pytest.mark.parametrize("batch_ms", [0, 20])
async def test_the_switch_to_live_is_exact_while_events_pour_in(start: Any, batch_ms: int) -> None:
    """Clients resume from any place at any moment; each sees each matching event once."""
    server = await start(recent_events=8, replay_chunk=5, regular_per_minute=1000)
    await publish(server, 60, tables=3)
    pouring = asyncio.create_task(publish(server, 200, start=60, tables=3))

    async def resume(since: int, table: int | None) -> None:
        client = await server.connect(user=f"u{since}")
        filters = {} if table is None else {"filters": {"table_id": f"t{table}"}}
        answer = await subscribe(client, since, batch_ms=batch_ms, **filters)
        assert answer["recovered"] is True
        expected = [n for n in range(since, 260) if table is None or n % 3 == table]
        events = await collect(client, len(expected))
        assert numbers(events) == expected
        assert [e["seq"] for e in events] == [n + 1 for n in expected]
        await client.silent()

    await asyncio.gather(
        *(resume(since, table) for since in (0, 13, 59) for table in (None, 0, 2)), pouring
    )


async def test_a_second_subscription_goes_back_without_doubling_the_first(start: Any) -> None:
    """Both while the first is still catching up and when it is live."""
    server = await start(recent_events=4, replay_chunk=3)
    await publish(server, 30, tables=2)
    token = {"Authorization": f"Bearer {server.token()}"}
    client = await server.open("/?subscribe=explicit", headers=token)
    position = {"epoch": (await client.expect("connected"))["data"]["epoch"], "seq": 20}
    await client.send(type="subscribe", events=["*"], filters={"table_id": "t0"}, since=position)
    await client.send(
        type="subscribe",
        events=["table:updated"],
        filters={"table_id": "t1"},
        since={**position, "seq": 10},
        id=2,
    )
    await publish(server, 6, start=30, tables=2)
    seen: list[int] = []
    for _ in range(2 + 8 + 13):
        message = await client.receive()
        if message["type"] == "table:updated":
            seen += numbers([message])
    assert sorted(seen) == sorted([*range(20, 36, 2), *range(11, 36, 2)])
    assert len(set(seen)) == len(seen)
    await client.silent()


async def test_an_event_that_two_subscriptions_want_comes_once(server: Any) -> None:
    """Events are sent once per connection, not per subscription."""
    client = await server.connect()
    for events in (["table:*"], ["*"], ["table:updated"]):
        await client.send(type="subscribe", events=events)
        await client.expect("subscribed")
    await publish(server, 2)
    assert numbers(await collect(client, 2)) == [0, 1]
    await client.silent()


async def test_a_slow_client_can_replay_more_than_its_outbox_holds(start: Any) -> None:
    """History is read no faster than the client reads."""
    server = await start(outbox_messages=10, replay_chunk=50)
    await publish(server, 300)
    client = await server.connect()
    await subscribe(client, 0)
    assert numbers(await collect(client, 300)) == list(range(300))


@pytest.mark.parametrize("since", [{"epoch": "another", "seq": 3}, {"seq": 99}])
async def test_what_history_cannot_give_is_said(server: Any, since: dict[str, Any]) -> None:
    """Another epoch, or a place not reached yet: `recovered` is false, and only live events
    follow."""
    client = await server.connect()
    await publish(server, 5)
    await collect(client, 5)
    position = {"epoch": client.connected["data"]["epoch"], **since}
    await client.send(type="subscribe", events=["*"], since=position)
    answer = (await client.expect("subscribed"))["data"]
    assert (answer["recovered"], answer["seq"]) == (False, 5)
    await publish(server, 1, start=5)
    assert numbers(await collect(client, 1)) == [5]


async def test_history_that_was_forgotten_is_never_given_in_part(start: Any) -> None:
    """History reaches back exactly to its edge, and not one event further."""
    server = await start(retention_events=10, recent_events=2)
    await publish(server, 30)
    await server.events.forget(0.0)
    client = await server.connect()
    assert (await subscribe(client, 19))["recovered"] is False
    assert (await subscribe(client, 20))["recovered"] is True
    assert numbers(await collect(client, 10)) == list(range(20, 30))
    status, page = await server.call("GET", "/v1/events?after=19")
    assert (status, page["recovered"], page["events"]) == (200, False, [])
    page = (await server.call("GET", "/v1/events?after=20"))[1]
    assert (page["recovered"], page["more"], len(page["events"])) == (True, False, 10)


async def test_old_events_are_forgotten_by_age(server: Any) -> None:
    """Younger events stay."""
    await publish(server, 5)
    await server.events.forget(0.0)
    client = await server.connect()
    assert (await subscribe(client, 0))["recovered"] is True
    assert numbers(await collect(client, 5)) == list(range(5))
    await server.events.forget(9e9)
    assert (await subscribe(client, 4))["recovered"] is False
    assert (await subscribe(client, 5))["recovered"] is True
    await publish(server, 1, start=5)
    assert numbers(await collect(client, 1)) == [5]


async def test_after_a_restart_clients_resume_where_they_were(start: Any) -> None:
    """The epoch stays, and seq continues without a gap."""
    server = await start()
    client = await server.connect()
    before = client.connected["data"]
    await publish(server, 3)
    await client.ws.close()
    await server.stop()
    server = await start(menu=False)
    await publish(server, 2, start=3)
    client = await server.connect()
    assert client.connected["data"]["epoch"] == before["epoch"]
    assert client.connected["data"]["seq"] == 5
    assert (await subscribe(client, before["seq"]))["recovered"] is True
    events = await collect(client, 5)
    assert numbers(events) == list(range(5))
    assert len({event["event_id"] for event in events}) == 5


@pytest.mark.parametrize("batch_ms", [0, 20])
async def test_who_reads_is_not_closed_by_a_commit_larger_than_its_outbox(
    start: Any, batch_ms: int
) -> None:
    """What does not fit is read from history.

    Nothing is missing, duplicated or out of order, and afterwards events arrive live again.
    """
    server = await start(outbox_bytes=200_000, recent_events=5)
    client = await far_away(server)
    await client.send(type="subscribe", events=["voice:order"], batch_ms=batch_ms)
    await client.expect("subscribed")
    await pour(server, 150, 40_000)
    events = await collect(client, 150)
    assert [event["seq"] for event in events] == list(range(1, 151))
    assert replayed(server) > 0, "everything fitted: the test shows nothing"
    await pour(server, 1, 10)
    assert [event["seq"] for event in await collect(client, 1)] == [151]
    await client.silent()


@pytest.mark.parametrize("batch_ms", [0, 20])
async def test_an_event_larger_than_the_outbox_is_replayed(start: Any, batch_ms: int) -> None:
    """Between other events, and from history in chunks."""
    server = await start(outbox_bytes=50_000, recent_events=1, history_bytes=60_000)
    for size in (10, 1_000, 300_000, 2_000_000, 20, 300_000):
        await pour(server, 1, size)
    client = await far_away(server)
    answer = await subscribe(client, 0, batch_ms=batch_ms)
    assert answer["recovered"] is True
    events = await collect(client, 6)
    assert [event["seq"] for event in events] == list(range(1, 7))
    await client.silent()


async def far_away(server: Any) -> Any:
    """Return a client whose connection accepts little at a time."""
    client = await server.open(
        headers={"Authorization": f"Bearer {server.token()}"}, compress=0, max_msg_size=0
    )
    client.connected = await client.expect("connected")
    [connection] = server.app[REGISTRY]._open
    connection._transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_SNDBUF, 16_384)
    return client


def replayed(server: Any) -> float:
    """Return how many events have been read from history for sockets."""
    value: float = server.events.metrics.registry.get_sample_value("order_events_replayed_total")
    return value


@pytest.mark.sqlite
async def test_nobody_hears_of_an_event_before_it_has_been_fanned_out(start: Any) -> None:
    """Between its commit and its fan-out an event is on disk.

    Neither a replay nor a page of history may contain it, because it will arrive live.
    """
    server = await start(recent_events=1)
    await publish(server, 5)
    store, committed = server.events.store, []
    fan_out, store._committed = store._committed, committed.extend
    await publish(server, 3, start=5)
    client = await server.connect()
    await subscribe(client, 0)
    assert numbers(await collect(client, 5)) == [0, 1, 2, 3, 4]
    await client.silent()
    page = (await server.call("GET", "/v1/events?after=0"))[1]
    assert (len(page["events"]), page["seq"], page["more"]) == (5, 5, False)
    store._committed = fan_out
    fan_out(committed)
    assert numbers(await collect(client, 3)) == [5, 6, 7]
    await client.silent()


async def test_what_waits_in_a_batch_comes_before_the_answer_to_a_subscribe(start: Any) -> None:
    """It was published before, and belongs to the old subscriptions."""
    server = await start()
    client = await server.connect()
    await client.send(type="subscribe", events=["table:updated"], batch_ms=5_000)
    await client.expect("subscribed")
    await publish(server, 2)
    await client.send(type="subscribe", events=["order:*"])
    assert numbers((await client.expect("batch"))["events"]) == [0, 1]
    await client.expect("subscribed")
