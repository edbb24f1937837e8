"""Batches: bounded, in order, and sent by their deadline."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from order_events.fanout.event_batcher import EventBatcher
from order_events.protocol.frames import Message


@given(
    st.lists(
        st.tuples(st.sampled_from([0, 50, 200]), st.floats(0, 0.1), st.integers(2, 40)),
        max_size=80,
    )
)
def test_batches_keep_every_event_its_order_and_its_deadline(
    events: list[tuple[int, float, int]],
) -> None:
    """No batch exceeds the limits on events and bytes."""
    batcher = EventBatcher(max_events=5, max_bytes=100)
    now, sent, due = 0.0, [], {}

    def record(messages: list[Message]) -> None:
        for message in messages:
            content = json.loads(message.body)
            inside = content["events"] if isinstance(content, dict) else [content]
            assert len(inside) <= 5
            assert sum(len(json.dumps(e)) for e in inside) <= 100
            for event in inside:
                assert now <= due[event[0]] + 1e-9
                sent.append(event[0])

    for number, (wait_ms, pause, size) in enumerate(events):
        target = now + pause
        while batcher.deadline is not None and batcher.deadline <= target:
            now = batcher.deadline
            record(batcher.due(now))
        now = target
        due[number] = now + wait_ms / 1000
        body = json.dumps([number, "x" * size]).encode()
        record(batcher.add(Message(body), wait_ms, now))
    record(batcher.flush())
    assert sent == list(range(len(events)))


def test_an_event_larger_than_a_batch_is_not_held_back() -> None:
    """Events that wait are sent before it."""
    batcher = EventBatcher(max_events=5, max_bytes=10)
    small, large = Message(b"1"), Message(b"x" * 11)
    assert batcher.add(small, 100, 0.0) == []
    assert batcher.add(large, 100, 0.0) == [small, large]
    assert batcher.deadline is None


def test_equal_batches_are_encoded_once() -> None:
    """Connections that hold back the same events share one message."""
    events = [Message(b'{"n":1}'), Message(b'{"n":2}')]
    batches = []
    for _ in range(2):
        batcher = EventBatcher(10, 1_000)
        for event in events:
            batcher.add(event, 50, 0.0)
        batches += batcher.flush()
    assert batches[0] is batches[1]
    assert batches[0].body == b'{"type":"batch","events":[{"n":1},{"n":2}]}'
