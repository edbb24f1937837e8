"""The subscriptions of a root connection, driven against a plain history."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from order_events.fanout.root_session import History, RootSession
from order_events.protocol import filters
from order_events.protocol.filters import EVENTS, expand
from order_events.protocol.messages import Position, ProtocolError, Subscribe, Unsubscribe


class Watched:
    """A root session driven against a plain history, recording what it sends."""

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
        if self.session.position is None and self.session.interest.wait_ms(type_, {}) is not None:
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
    """In any interleaving of subscriptions, history and new events.

    Nothing owed is missing, nothing else is sent, and live events come once and in order.
    """
    watched = Watched()
    for name, *arguments in script:
        getattr(watched, name)(*arguments)
    watched.read(10_000)
    assert watched.session.position is None
    assert set(watched.sent) == set(watched.owed)
    assert Counter(watched.sent) <= watched.owed
    assert watched.session.interest.events == frozenset().union(*watched.wants)


def test_the_first_subscribe_ends_the_default_one_and_unsubscribe_does_not_bring_it_back() -> None:
    """Before the first `subscribe`, events can be removed from the default subscription."""
    session = RootSession(EVENTS, max_subscriptions=3, max_batch_ms=0, head=0)
    history = History("e", 0, 1)
    session.receive(Unsubscribe(type="unsubscribe", events=("order:*",)), history)
    assert session.interest.wait_ms("order:created", {}) is None
    assert session.interest.wait_ms("table:updated", {}) == 0
    session.receive(Subscribe(type="subscribe", events=("order:created",)), history)
    assert session.interest.wait_ms("table:updated", {}) is None
    assert session.interest.wait_ms("order:created", {}) == 0
    session.receive(Unsubscribe(type="unsubscribe", events=("*",)), history)
    assert session.interest.events == frozenset()
    assert session.interest.wait_ms("order:created", {}) is None
