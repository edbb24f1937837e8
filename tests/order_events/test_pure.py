"""The pure cores, with time as an argument."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from order_events.domain.models import Event
from order_events.fanout.event_batcher import Batcher
from order_events.fanout.recent_events import Recent
from order_events.fanout.root_session import History, RootSession
from order_events.fanout.throttle import Pacer
from order_events.protocol import filters
from order_events.protocol import messages as protocol
from order_events.protocol.filters import EVENTS, Filters, UnknownEvent, expand
from order_events.protocol.frames import Message
from order_events.protocol.messages import Position, ProtocolError, Subscribe, Unsubscribe
from order_events.protocol.ratelimit import Buckets, TokenBucket
from order_events.websocket.outbox import Outbox

steps = st.lists(st.floats(0, 30), max_size=200)


@given(st.integers(1, 200), steps)
def test_a_bucket_never_lets_more_than_two_budgets_through_a_minute(
    per_minute: int, waits: list[float]
) -> None:
    """One that was saved up and one that refills; and what it refuses passes when it says."""
    now, passed = 0.0, []
    bucket = TokenBucket(per_minute, now)
    for wait in waits:
        now += wait
        delay = bucket.take(1, now)
        if delay == 0:
            passed.append(now)
        else:
            assert bucket.take(1, now + delay * 0.9 - 1e-6) > 0
            now += delay
            assert bucket.take(1, now) == 0
            passed.append(now)
    for start in passed:
        assert sum(start <= t < start + 60 for t in passed) <= 2 * per_minute + 1


def test_a_full_bucket_gives_exactly_its_budget_at_once() -> None:
    """100 pass, the 101st waits 0.6 seconds."""
    bucket = TokenBucket(100, 5.0)
    assert all(bucket.take(1, 5.0) == 0 for _ in range(100))
    assert bucket.take(1, 5.0) == pytest.approx(0.6)
    assert bucket.take(1, 5.6) == 0
    assert bucket.take(1, 5.6) > 0


def test_buckets_forget_who_has_been_quiet_longest() -> None:
    """Beyond their bound; whoever is still known has no fresh budget."""
    buckets: Buckets[str] = Buckets(most=2)
    assert [buckets.take(who, 1, 0.0) for who in "aba"] == [0, 0, 60]
    assert buckets.take("c", 1, 0.0) == 0
    assert buckets.take("a", 1, 0.0) > 0
    assert buckets.take("b", 1, 0.0) == 0
    assert len(buckets) == 2


@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 0.5)), max_size=100))
def test_a_pacer_keeps_the_interval_and_never_loses_the_last_value(
    offers: list[tuple[str, float]],
) -> None:
    """Per key; values come in order, and nothing is remembered once all is quiet."""
    pacer: Pacer[str, int] = Pacer(0.2)
    now, sent, last = 0.0, [], {}

    def run_until(moment: float) -> None:
        while (deadline := pacer.next_deadline()) is not None and deadline <= moment:
            sent.extend((key, value, deadline) for key, value in pacer.due(deadline))

    for number, (key, wait) in enumerate(offers):
        now += wait
        run_until(now)
        last[key] = number
        if pacer.offer(key, number, now):
            sent.append((key, number, now))
    run_until(now + 10)
    for key, newest in last.items():
        values = [(value, at) for k, value, at in sent if k == key]
        assert values[-1][0] == newest
        assert all(a[0] < b[0] and b[1] - a[1] >= 0.2 - 1e-9 for a, b in pairwise(values))
    assert len(pacer) == 0
    assert pacer.next_deadline() is None


def test_a_blocked_key_waits_for_its_release() -> None:
    """However long what went is on its way."""
    pacer: Pacer[str, int] = Pacer(0.25)
    assert pacer.offer("k", 1, 0.0)
    pacer.block("k")
    assert not pacer.offer("k", 2, 5.0)
    assert pacer.next_deadline() is None
    assert pacer.due(5.0) == []
    pacer.release("k", 6.0)
    assert pacer.due(6.2) == []
    assert pacer.due(6.25) == [("k", 2)]


@given(
    st.lists(
        st.tuples(st.sampled_from([0, 50, 200]), st.floats(0, 0.1), st.integers(2, 40)),
        max_size=80,
    )
)
def test_batches_keep_every_event_its_order_and_its_deadline(
    events: list[tuple[int, float, int]],
) -> None:
    """And none has more events or bytes than allowed."""
    batcher = Batcher(max_events=5, max_bytes=100)
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


@given(st.lists(st.tuples(st.sampled_from([None, "a", "b", "pop"]), st.integers(1, 60))))
def test_an_outbox_is_bounded_ordered_and_merges_only_keys(
    actions: list[tuple[str | None, int]],
) -> None:
    """Compared with a plain list."""
    outbox, model = Outbox(10, 200), []
    for number, (key, size) in enumerate(actions):
        if key == "pop":
            taken = outbox.take(size)
            assert taken == [model.pop(0)[0] for _ in taken]
            assert sum(map(len, taken)) >= size or not model
            assert sum(map(len, taken[:-1])) < size
        else:
            payload = str(number).encode().ljust(size, b".")
            if key is not None:
                model = [entry for entry in model if entry[1] != key]
            total = sum(len(p) for p, _ in model)
            fits = len(model) < 10 and (not model or total + len(payload) <= 200)
            assert outbox.put(payload, key) is fits
            if fits:
                model.append((payload, key))
        assert len(outbox) == len(model)
    assert outbox.take(10_000) == [p for p, _ in model]
    assert outbox.take(10_000) == []
    assert outbox.half_empty


def test_replaced_messages_do_not_pile_up() -> None:
    """A stalled reader of a thousand partials holds one."""
    outbox = Outbox(10, 1000)
    for number in range(1000):
        assert outbox.put(str(number).encode(), "k")
    assert len(outbox) == 1
    assert len(outbox._entries) < 30
    assert outbox.take(1000) == [b"999"]


def test_patterns_stand_for_events() -> None:
    """Names, families, everything; anything else is no event."""
    assert expand(["order:*"]) == {"order:created", "order:updated", "order:status"}
    assert expand(["*"]) == EVENTS
    assert expand(["connected", "error", "kds:update"]) == {"kds:update"}
    for wrong in ("", "order", "order:", "order:c*", "*:created", "**", "order:**", "menu*"):
        with pytest.raises(UnknownEvent):
            expand([wrong])


values = st.lists(st.sampled_from("xyz"), min_size=1, max_size=3)
names = st.sampled_from(sorted(Filters.model_fields))


@given(st.dictionaries(names, values), st.dictionaries(names, values))
def test_filters_are_all_of_the_names_and_any_of_the_values(
    wanted: dict[str, list[str]], tags: dict[str, list[str]]
) -> None:
    """A single value is the same as a list of one; an event without the tag does not match."""
    single = {k: v[0] if len(v) == 1 else v for k, v in wanted.items()}
    expected = all(any(v in tags.get(k, []) for v in vs) for k, vs in wanted.items())
    known = filters.tags(tags)
    assert Filters.model_validate_json(json.dumps(wanted)).match(known) is expected
    assert Filters.model_validate_json(json.dumps(single)).match(known) is expected


def test_filters_are_bounded() -> None:
    """50 values pass, 51 do not; nor do empty lists and other types."""
    Filters.model_validate({"table_id": ["x"] * 50})
    for wrong in (["x"] * 51, [], 5, [5], {"a": 1}, ["x" * 201]):
        with pytest.raises(ValidationError):
            Filters.model_validate({"table_id": wrong})


def test_an_event_is_encoded_as_documented() -> None:
    """And what JSON cannot say becomes null instead of breaking clients."""
    from datetime import UTC, datetime

    moment = datetime(2026, 1, 2, 3, 4, 5, 678_901, UTC)
    message = protocol.event("x", {"n": float("nan")}, moment, id=1, seq=2)
    assert json.loads(protocol.encode(message)) == {
        "type": "x",
        "data": {"n": None},
        "timestamp": "2026-01-02T03:04:05.678Z",
        "seq": 2,
        "id": 1,
    }


class Watched:
    """A root session driven against a plain history, and everything it sent."""

    def __init__(self) -> None:
        self.history: list[str] = []
        self.session = RootSession(
            EVENTS, max_subscriptions=3, max_batch_ms=1000, head=len(self.history)
        )
        self.sent: list[int] = []
        # How often an event may be sent: once as it comes, once more per request to go back.
        self.owed: Counter[int] = Counter()
        self.wants: list[frozenset[str]] = [filters.DOCUMENTED_EVENTS]
        self.implicit = True

    def publish(self, type_: str) -> None:
        self.history.append(type_)
        seq = len(self.history)
        if any(type_ in events for events in self.wants):
            self.owed[seq] += 1
        if self.session.position is None and self.session.wants.wait_ms(type_, {}) is not None:
            self.sent.append(seq)

    def read(self, count: int) -> None:
        for _ in range(count):
            if self.session.position is None:
                return
            if self.session.position >= len(self.history):
                self.session.caught_up()
                return
            seq = self.session.position + 1
            if self.session.consider(seq, self.history[seq - 1], {}) is not None:
                self.sent.append(seq)

    def subscribe(self, events: tuple[str, ...], back: int | None) -> None:
        head = len(self.history)
        since = None if back is None else Position(epoch="e", seq=max(0, head - back))
        message = Subscribe(type="subscribe", events=events, since=since)
        try:
            reply = self.session.receive(message, History("e", head, 1))
        except ProtocolError as error:
            assert error.code == "SUBSCRIPTION_LIMIT"
            assert len(self.wants) == 3
            return
        if self.implicit:
            self.implicit, self.wants = False, []
        self.wants.append(expand(events))
        start = head if since is None else since.seq
        assert reply.data.model_dump()["seq"] == start
        for seq in range(start + 1, head + 1):
            if self.history[seq - 1] in expand(events):
                self.owed[seq] += 1


types = st.sampled_from(["order:created", "table:updated", "voice:order"])
commands = st.one_of(
    st.tuples(st.just("publish"), types),
    st.tuples(st.just("read"), st.integers(1, 4)),
    st.tuples(
        st.just("subscribe"),
        st.sampled_from([("*",), ("order:*",), ("table:updated", "voice:order")]),
        st.none() | st.integers(0, 6),
    ),
)


@given(st.lists(commands, max_size=60))
def test_a_session_sends_every_event_it_owes(script: list[tuple[Any, ...]]) -> None:
    """However subscriptions, history and new events fall together: nothing owed is missing,
    nothing is sent that was not asked for, and live events come once and in order."""
    watched = Watched()
    for name, *arguments in script:
        getattr(watched, name)(*arguments)
    watched.read(10_000)
    assert watched.session.position is None
    assert set(watched.sent) == set(watched.owed)
    assert Counter(watched.sent) <= watched.owed
    assert watched.session.wants.events == frozenset().union(*watched.wants)


def test_the_first_subscribe_ends_the_default_one_and_unsubscribe_does_not_bring_it_back() -> None:
    """From then on only what was asked for; before it, events can be taken out of the default."""
    session = RootSession(EVENTS, max_subscriptions=3, max_batch_ms=0, head=0)
    history = History("e", 0, 1)
    session.receive(Unsubscribe(type="unsubscribe", events=("order:*",)), history)
    assert session.wants.wait_ms("order:created", {}) is None
    assert session.wants.wait_ms("table:updated", {}) == 0
    session.receive(Subscribe(type="subscribe", events=("order:created",)), history)
    assert session.wants.wait_ms("table:updated", {}) is None
    assert session.wants.wait_ms("order:created", {}) == 0
    session.receive(Unsubscribe(type="unsubscribe", events=("*",)), history)
    assert session.wants.events == frozenset()
    assert session.wants.wait_ms("order:created", {}) is None


@given(st.lists(st.integers(1, 40), max_size=60), st.integers(0, 60))
def test_recent_events_are_bounded_and_without_a_gap(sizes: list[int], after: int) -> None:
    """By count and by bytes; what is no longer there is not given in part."""
    recent = Recent(5, 100)
    for seq, size in enumerate(sizes, start=1):
        recent.append(Event("r", "e", seq, str(seq), "t", {}, b"x" * size))
    kept = []
    for seq in range(len(sizes), max(0, len(sizes) - 5), -1):
        if sum(sizes[s - 1] for s in [*kept, seq]) > 100:
            break
        kept.append(seq)
    assert len(recent) == len(kept)
    found = recent.after(after, 3)
    if not kept or after + 1 < min(kept):
        assert found is None
    else:
        assert found is not None
        assert [e.seq for e in found] == list(range(after + 1, len(sizes) + 1))[:3]


def test_a_recent_event_can_be_replaced() -> None:
    """And its bytes count as they are then; one that is not here is passed over."""
    recent = Recent(5, 10)
    for seq in (1, 2, 3):
        recent.append(Event("r", "e", seq, "made", "t", {}, b"xxx"))
    for seq in (0, 2, 4):
        recent.replace(Event("r", "e", seq, "erased", "t", {}, b""))
    recent.append(Event("r", "e", 4, "made", "t", {}, b"xxxx"))
    found = recent.after(0, 9)
    assert found is not None
    assert [(e.seq, e.event_id) for e in found] == [
        *((1, "made"), (2, "erased"), (3, "made"), (4, "made")),
    ]


def test_an_event_larger_than_a_batch_is_not_held_back() -> None:
    """What waits goes before it."""
    batcher = Batcher(max_events=5, max_bytes=10)
    small, large = Message(b"1"), Message(b"x" * 11)
    assert batcher.add(small, 100, 0.0) == []
    assert batcher.add(large, 100, 0.0) == [small, large]
    assert batcher.deadline is None
