"""The throttle: the latest value of each key, at most once per interval."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from order_events.fanout.throttle import Throttle


@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 0.5)), max_size=100))
def test_a_throttle_keeps_the_interval_and_never_loses_the_last_value(
    offers: list[tuple[str, float]],
) -> None:
    """Per key; values stay in order, and unused keys are dropped."""
    throttle: Throttle[str, int] = Throttle(0.2)
    now, sent, last = 0.0, [], {}

    def run_until(moment: float) -> None:
        while (deadline := throttle.next_deadline()) is not None and deadline <= moment:
            sent.extend((key, value, deadline) for key, value in throttle.due(deadline))

    for number, (key, wait) in enumerate(offers):
        now += wait
        run_until(now)
        last[key] = number
        if throttle.offer(key, number, now):
            sent.append((key, number, now))
    run_until(now + 10)
    for key, newest in last.items():
        values = [(value, at) for k, value, at in sent if k == key]
        assert values[-1][0] == newest
        assert all(a[0] < b[0] and b[1] - a[1] >= 0.2 - 1e-9 for a, b in pairwise(values))
    assert len(throttle) == 0
    assert throttle.next_deadline() is None


def test_a_blocked_key_waits_for_its_release() -> None:
    """However long the last value takes to be delivered."""
    throttle: Throttle[str, int] = Throttle(0.25)
    assert throttle.offer("k", 1, 0.0)
    throttle.block("k")
    assert not throttle.offer("k", 2, 5.0)
    assert throttle.next_deadline() is None
    assert throttle.due(5.0) == []
    throttle.release("k", 6.0)
    assert throttle.due(6.2) == []
    assert throttle.due(6.25) == [("k", 2)]
