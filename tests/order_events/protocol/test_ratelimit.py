"""Token buckets: how much passes in a minute, and when the next may."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_events.protocol.ratelimit import Buckets, TokenBucket

steps = st.lists(st.floats(0, 30), max_size=200)


@given(st.integers(1, 200), steps)
def test_a_bucket_never_lets_more_than_two_budgets_through_a_minute(
    per_minute: int, waits: list[float]
) -> None:
    """One budget saved up, and one refilled.

    A refused amount passes after the time that the refusal gave.
    """
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
    """Only beyond the bound; a key that is still known gets no fresh budget."""
    buckets: Buckets[str] = Buckets(most=2)
    assert [buckets.take(who, 1, 0.0) for who in "aba"] == [0, 0, 60]
    assert buckets.take("c", 1, 0.0) == 0
    assert buckets.take("a", 1, 0.0) > 0
    assert buckets.take("b", 1, 0.0) == 0
    assert len(buckets) == 2


def test_who_asks_for_rates_is_forgotten_in_the_end() -> None:
    """Memory is bounded: the key unused longest is dropped, and starts afresh."""
    buckets: Buckets[str] = Buckets(most=2)
    for name in ("a", "b", "a", "c"):
        buckets.take(name, 2, 0.0)
    assert buckets.take("a", 2, 0.0) > 0
    assert buckets.take("b", 2, 0.0) == 0
