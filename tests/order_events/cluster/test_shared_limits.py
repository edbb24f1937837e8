"""What is used at other nodes counts here, for as long as they say so."""

from __future__ import annotations

from order_events.bus.messages import Usage
from order_events.cluster.shared_limits import KEPT_S, REPEAT_S, WINDOW_S, SharedLimits


def test_connections_elsewhere_count_until_they_are_gone() -> None:
    limits = SharedLimits()
    limits.take(Usage("r1", "e", {"a": 2, "b": 1}), "n2", 0.0)
    limits.take(Usage("r1", "e", {"a": 3}), "n3", 0.0)
    assert (limits.connections("r1"), limits.connections_of("r1", "a")) == (6, 5)
    limits.take(Usage("r1", "e", {}), "n2", 1.0)
    assert (limits.connections("r1"), limits.connections_of("r1", "b")) == (3, 0)
    assert limits.connections("r2") == 0


def test_a_silent_node_is_forgotten() -> None:
    """It was killed, or the bus is away: each node then counts for itself."""
    limits = SharedLimits()
    limits.take(Usage("r1", "e", {"a": 2}), "n2", 0.0)
    limits.news("e", {}, ["r1"], KEPT_S)
    assert limits.connections("r1") == 2
    limits.news("e", {}, ["r1"], KEPT_S + 0.1)
    assert limits.connections("r1") == 0


def test_requests_elsewhere_are_counted_once() -> None:
    limits = SharedLimits()
    limits.take(Usage("r1", "e", {}, {"a": 2}), "n2", 0.0)
    limits.take(Usage("r1", "e", {}, {"a": 3}), "n3", 0.0)
    assert limits.requests_elsewhere(("r1", "a"), 1.0) == 5
    assert limits.requests_elsewhere(("r1", "a"), 1.0) == 0
    limits.take(Usage("r1", "e", {}, {"a": 2}), "n2", 2.0)
    assert limits.requests_elsewhere(("r1", "a"), 2.0 + WINDOW_S + 1) == 0


def test_a_node_tells_what_has_changed_and_repeats_it() -> None:
    limits = SharedLimits()
    connected = {("r1", "a"): 1, ("r2", "b"): 2}
    first = limits.news("e", connected, ["r1", "r2"], 0.0)
    assert sorted(first, key=lambda usage: usage.restaurant_id) == [
        Usage("r1", "e", {"a": 1}, {}),
        Usage("r2", "e", {"b": 2}, {}),
    ]
    assert limits.news("e", connected, ["r1", "r2"], 1.0) == []
    limits.requested(("r1", "a"))
    assert limits.news("e", connected, ["r1", "r2"], 2.0) == [Usage("r1", "e", {"a": 1}, {"a": 1})]
    assert limits.news("e", connected, ["r2"], REPEAT_S) == [Usage("r2", "e", {"b": 2}, {})]
    assert limits.news("e", {}, ["r2"], REPEAT_S + 1) == [Usage("r2", "e", {}, {})]
    assert limits.news("e", {}, ["r2"], 3 * REPEAT_S) == []
