"""Fan-out to real sockets: joined writes, stalled readers, nothing kept that is not needed."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Sequence
from typing import Any

import pytest

from order_events.app import REGISTRY
from order_events.domain.models import Event
from order_events.fanout import hub
from order_events.fanout.hub import Hub, Pending
from order_events.fanout.root_session import Interest, Subscription
from order_events.metrics import HubMetrics
from order_events.protocol.filters import EVENTS, TABLE_UPDATED, VOICE_TRANSCRIPT
from order_events.protocol.frames import FrameBatch
from order_events.protocol.messages import Subscribe

_SEQ = itertools.count(1)


def event(size: int = 300) -> Event:
    """Return an event that is not in the database."""
    seq = next(_SEQ)
    body = b'{"type":"table:updated","seq":%d,"pad":"%s"}' % (seq, b"x" * size)
    return Event("r1", "e", seq, str(seq), TABLE_UPDATED, {}, body)


class Counting:
    """A transport that counts writes and passes everything on."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self.writes = 0

    def write(self, data: bytes) -> None:
        self.writes += 1
        self.transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.transport, name)


async def test_what_is_published_together_is_one_write_for_each_socket(server: Any) -> None:
    """With and without compression, and for messages sent together as well."""
    clients = [
        await server.open(headers={"Authorization": f"Bearer {server.token()}"}, compress=compress)
        for compress in (0, 15, 15)
    ]
    for client in clients:
        await client.expect("connected")
    counting = []
    for connection in server.app[REGISTRY]._open:
        counting.append(Counting(connection._writer._transport))
        connection._writer._transport = counting[-1]
    published = [event() for _ in range(20)]
    for each in published:
        server.events.hub.publish(each)
    for client in clients:
        for each in published:
            assert (await client.expect("table:updated"))["seq"] == each.seq
    assert [transport.writes for transport in counting] == [1, 1, 1]
    for connection in server.app[REGISTRY]._open:
        for number in range(5):
            connection.send("hello", {"number": number})
        connection.send_batch(FrameBatch([event().message]))
    for client in clients:
        for _ in range(5):
            await client.expect("hello")
        await client.expect("table:updated")
    assert [transport.writes for transport in counting] == [2, 2, 2]


async def test_no_connection_has_a_compressor_of_its_own(server: Any) -> None:
    """Messages of every kind are compressed once for all connections.

    aiohttp's compressor, whose context the clients would have to share, is never created.
    """
    client = await server.open(headers={"Authorization": f"Bearer {server.token()}"}, compress=15)
    await client.expect("connected")
    await client.send(type="subscribe", events=["*"], batch_ms=10, filters={"lane": ["x"] * 50})
    await client.expect("subscribed")
    for _ in range(3):
        await server.events.publish("r1", VOICE_TRANSCRIPT, {"n": "x" * 500}, tags={"lane": "x"})
    await client.receive()
    [connection] = server.app[REGISTRY]._open
    assert connection._writer.window == 15
    assert connection._writer._ws._writer._compressobj is None


async def test_a_changed_subscription_counts_from_the_next_event(server: Any) -> None:
    """Events published before the message was handled are sent before the answer."""
    client = await server.connect()
    [handler] = server.events.hub._channels["r1"].subscribers
    first, second = event(), event()
    server.events.hub.publish(first)
    handler.receive(Subscribe(type="subscribe", events=("order:*",)), 0.0)
    server.events.hub.publish(second)
    assert (await client.expect("table:updated"))["seq"] == first.seq
    await client.expect("subscribed")
    await client.silent()


async def test_a_stalled_reader_keeps_every_event_and_only_the_latest_partial(start: Any) -> None:
    """While it stalls, the others receive everything at once.

    When it reads on, it has missed nothing but superseded partials.
    """
    server = await start(live_per_second=1_000_000, outbox_bytes=2**24)
    stalled = await server.open(headers={"Authorization": f"Bearer {server.token()}"}, compress=0)
    quick = await server.open(headers={"Authorization": f"Bearer {server.token()}"}, compress=15)
    for client in (stalled, quick):
        await client.expect("connected")
        await client.send(type="subscribe", events=["*"])
        await client.expect("subscribed")
    stalled.ws._response.connection.transport.pause_reading()
    slow = next(iter(server.app[REGISTRY]._open))
    published = []
    while len(slow._writer._outbox) < 20:
        published.append(event(60_000))
        server.events.hub.publish(published[-1])
        assert (await quick.expect("table:updated"))["seq"] == published[-1].seq
        assert len(published) < 500
    server.app[REGISTRY].sweep()
    sample = server.events.metrics.registry.get_sample_value
    assert sample("order_events_outbox_messages") == len(slow._writer._outbox)
    assert sample("order_events_outbox_fullest_bytes") >= 20 * 60_000
    for number in range(30):
        for lane in ("1", "2"):
            server.events.publish_live(
                "r1", VOICE_TRANSCRIPT, {"text": str(number)}, key=lane, tags={"lane": lane}
            )
        for _ in range(2):
            assert (await quick.expect(VOICE_TRANSCRIPT))["data"] == {"text": str(number)}
    stalled.ws._response.connection.transport.resume_reading()
    for each in published:
        assert (await stalled.expect("table:updated"))["seq"] == each.seq
    for _ in range(2):
        assert (await stalled.expect(VOICE_TRANSCRIPT))["data"] == {"text": "29"}
    await stalled.silent()
    assert server.events.metrics.registry.get_sample_value("order_events_slow_closes_total") == 0


async def test_a_burst_larger_than_a_write_arrives_whole(server: Any) -> None:
    """A commit of many large events does not exceed a connection's bounds."""
    client = await server.connect()
    published = [event(30_000) for _ in range(20)]
    for each in published:
        server.events.hub.publish(each)
    for each in published:
        assert (await client.expect("table:updated"))["seq"] == each.seq


async def test_nothing_is_kept_for_readers_that_have_gone(server: Any) -> None:
    """Neither for one that left while events were pending, nor for one that had stalled."""
    before = len(asyncio.all_tasks())
    for _ in range(3):
        client = await server.connect()
        client.ws._response.connection.transport.pause_reading()
        [connection] = server.app[REGISTRY]._open
        while connection._writer._draining is None:
            server.events.hub.publish(event(60_000))
            server.events.hub.flush("r1")
        server.events.hub.publish(event())
        client.ws._response.connection.transport.abort()
        for _ in range(500):
            if server.sockets() == 0 and len(asyncio.all_tasks()) <= before:
                break
            await asyncio.sleep(0.01)
        assert len(asyncio.all_tasks()) <= before
        assert len(connection._writer._outbox) == 0
        assert not server.events.hub._channels


class Listener:
    """A subscriber that records which events arrived together."""

    def __init__(self, work_s: float = 0, *, sleep_s: float = 0, fails: bool = False) -> None:
        self.bursts: list[list[bytes]] = []
        self.broke = 0
        self._work_s = work_s
        self._sleep_s = sleep_s
        self._fails = fails

    def deliver(self, burst: FrameBatch) -> None:
        if self._fails:
            raise ZeroDivisionError
        self.bursts.append([message.body for message in burst.messages])
        time.sleep(self._sleep_s)
        end = time.thread_time() + self._work_s
        while time.thread_time() < end:
            pass

    def hold(self, pending: Sequence[Pending]) -> None:
        raise AssertionError("nothing is held back from this one")

    def broken(self) -> None:
        self.broke += 1


LONG_S = 0.05
"""A short delivery's processor time differs with what else the machine does; never by this much."""
WANTS = Interest(frozenset({Subscription(EVENTS)}))


async def test_a_subscriber_that_fails_is_told_and_the_others_go_on() -> None:
    """The order of subscribing does not matter."""
    fanout = Hub(HubMetrics(), recent_events=10, recent_bytes=100_000)
    listeners = [Listener(), Listener(fails=True), Listener()]
    for listener in listeners:
        fanout.attach("r1", listener, WANTS)
    published = event()
    fanout.publish(published)
    await asyncio.sleep(0)
    assert [listener.bursts for listener in listeners] == [
        [[published.body]],
        [],
        [[published.body]],
    ]
    assert [listener.broke for listener in listeners] == [0, 1, 0]


async def test_after_a_long_delivery_events_wait_for_each_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first event goes at once; later ones are joined while delivering takes too much time.

    A subscriber of another restaurant does not wait.
    """
    monkeypatch.setattr(hub, "MOST_S", 5.0)
    monkeypatch.setattr(hub, "LONG_S", LONG_S)
    fanout = Hub(HubMetrics(), recent_events=10, recent_bytes=100_000)
    slow, other = Listener(work_s=0.1), Listener()
    fanout.attach("r1", slow, WANTS)
    fanout.attach("r2", other, WANTS)
    first, second, third = event(), event(), event()
    fanout.publish(first)
    await asyncio.sleep(0)
    assert slow.bursts == [[first.body]]
    for each in (second, third):
        fanout.publish(each)
        fanout.publish(Event("r2", *[getattr(each, name) for name in ELSEWHERE]))
        await asyncio.sleep(0)
    assert slow.bursts == [[first.body]]
    assert other.bursts == [[second.body], [third.body]]
    for _ in range(500):
        if len(slow.bursts) == 2:
            break
        await asyncio.sleep(0.01)
    assert slow.bursts == [[first.body], [second.body, third.body]]


async def test_a_machine_that_is_busy_with_something_else_holds_nothing_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Deliveries are measured in processor time, not in elapsed time."""
    monkeypatch.setattr(hub, "LONG_S", LONG_S)
    fanout = Hub(HubMetrics(), recent_events=10, recent_bytes=100_000)
    interrupted = Listener(sleep_s=0.1)
    fanout.attach("r1", interrupted, WANTS)
    first, second = event(), event()
    for each in (first, second):
        fanout.publish(each)
        await asyncio.sleep(0)
    assert interrupted.bursts == [[first.body], [second.body]]


async def test_no_more_than_a_bounded_number_of_events_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The length of the delivery before them does not matter."""
    monkeypatch.setattr(hub, "MOST_S", 60.0)
    fanout = Hub(HubMetrics(), recent_events=10, recent_bytes=100_000)
    slow = Listener(work_s=0.1)
    fanout.attach("r1", slow, WANTS)
    fanout.publish(event())
    await asyncio.sleep(0)
    for _ in range(hub.MOST_EVENTS):
        assert len(slow.bursts) == 1
        fanout.publish(event())
    await asyncio.sleep(0)
    assert [len(burst) for burst in slow.bursts] == [1, hub.MOST_EVENTS]


ELSEWHERE = ("epoch", "seq", "event_id", "type", "tags", "body")
