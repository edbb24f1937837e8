"""The reorder buffer, step by step and with random arrivals."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from voice_service.audio.reorder_buffer import Gap, Outcome, ReorderBuffer


def buffer(capacity: int = 8, patience: float = 1.0) -> ReorderBuffer[str]:
    return ReorderBuffer(capacity, patience)


def arrivals(most: int, window: int) -> st.SearchStrategy[list[int]]:
    """Return 1 … n, each at most `window` - 1 places from its own."""
    return st.integers(0, most).flatmap(
        lambda n: st.lists(st.integers(0, window - 1), min_size=n, max_size=n).map(
            lambda jitter: [
                place for _, place in sorted((p + j, p) for p, j in enumerate(jitter, start=1))
            ]
        )
    )


@given(arrivals(60, 8))
def test_any_permutation_within_capacity_comes_out_in_order_each_once(order: list[int]) -> None:
    """Whatever the network does to the order, the recogniser hears what was said."""
    waiting = buffer(capacity=8)
    heard = [item for n in order for item in waiting.push(n, str(n), 0.0)[1]]
    assert heard == [str(n) for n in range(1, len(order) + 1)]
    assert waiting.next_deadline() is None
    assert waiting.flush() == []


@given(st.lists(st.integers(1, 30), max_size=80), st.integers(1, 10))
def test_whatever_arrives_each_sequence_comes_out_once_as_itself_or_as_part_of_a_gap(
    sequences: list[int], capacity: int
) -> None:
    """With duplicates, leaps and losses, sequences come out without a hole or an overlap."""
    waiting = buffer(capacity)
    out: list[str | Gap] = []
    accepted: list[int] = []
    for n in sequences:
        outcome, due = waiting.push(n, str(n), 0.0)
        out += due
        if outcome is Outcome.ACCEPTED:
            accepted.append(n)
        else:
            assert due == []
        assert len(waiting._waiting) < capacity
        assert waiting.next_sequence == 1 + sum(i.count if isinstance(i, Gap) else 1 for i in out)
    out += waiting.flush()
    line: list[int] = []
    for item in out:
        line += range(item.first, item.last + 1) if isinstance(item, Gap) else [int(item)]
    assert line == list(range(1, max(accepted, default=0) + 1))
    assert sorted(int(item) for item in out if isinstance(item, str)) == sorted(accepted)
    assert all(item.count > 0 for item in out if isinstance(item, Gap))


def test_a_duplicate_is_dropped_while_it_waits_and_after_it_was_delivered() -> None:
    """A client that sends a chunk again does no harm."""
    waiting = buffer()
    assert waiting.push(2, "b", 0.0) == (Outcome.ACCEPTED, [])
    assert waiting.push(2, "other", 0.0) == (Outcome.DUPLICATE, [])
    assert waiting.push(1, "a", 0.0) == (Outcome.ACCEPTED, ["a", "b"])
    assert waiting.push(1, "other", 0.0) == (Outcome.DUPLICATE, [])


def test_a_chunk_that_was_given_up_is_too_late() -> None:
    """Silence has taken its place; it must not be heard after later audio."""
    waiting = buffer()
    waiting.push(2, "b", 0.0)
    assert waiting.expire(1.0) == [Gap(1, 1), "b"]
    assert waiting.push(1, "a", 1.1) == (Outcome.DUPLICATE, [])


def test_a_gap_is_given_up_after_its_patience_and_not_before() -> None:
    """A late chunk still counts; a lost one delays the others no longer than agreed."""
    waiting = buffer(patience=1.5)
    assert waiting.next_deadline() is None
    waiting.push(1, "a", 0.0)
    waiting.push(4, "d", 10.0)
    assert waiting.next_deadline() == 11.5
    waiting.push(5, "e", 11.0)
    assert waiting.next_deadline() == 11.5
    assert waiting.expire(11.49) == []
    assert waiting.expire(11.5) == [Gap(2, 3), "d", "e"]
    assert waiting.next_deadline() is None


def test_a_chunk_waits_no_longer_than_its_patience_however_many_gaps_there_are() -> None:
    """The waiting times of successive gaps must not add up."""
    waiting = buffer(patience=1.0)
    waiting.push(2, "b", 0.0)
    waiting.push(4, "d", 0.9)
    assert waiting.expire(1.0) == [Gap(1, 1), "b"]
    assert waiting.next_deadline() == 1.9
    assert waiting.expire(1.9) == [Gap(3, 3), "d"]


def test_several_gaps_that_are_due_are_given_up_together() -> None:
    """A late timer catches up."""
    waiting = buffer(patience=1.0)
    waiting.push(2, "b", 0.0)
    waiting.push(4, "d", 0.1)
    assert waiting.expire(5.0) == [Gap(1, 1), "b", Gap(3, 3), "d"]


def test_a_chunk_too_far_ahead_is_refused_and_may_come_again() -> None:
    """Both the waiting chunks and the silence for an invented number are bounded."""
    waiting = buffer(capacity=3)
    assert waiting.push(3, "c", 0.0) == (Outcome.ACCEPTED, [])
    assert waiting.push(4, "d", 0.0) == (Outcome.TOO_FAR, [])
    assert waiting.push(2**53, "z", 0.0) == (Outcome.TOO_FAR, [])
    assert waiting.push(1, "a", 0.0) == (Outcome.ACCEPTED, ["a"])
    assert waiting.push(4, "d", 0.0) == (Outcome.ACCEPTED, [])
    assert waiting.push(2, "b", 0.0) == (Outcome.ACCEPTED, ["b", "c", "d"])


def test_a_sender_that_stays_ahead_is_followed_after_the_patience() -> None:
    """It has lost the chunks between; refusing it for ever would mute it."""
    waiting = buffer(capacity=3, patience=1.0)
    waiting.push(1, "a", 0.0)
    for step in range(10):
        assert waiting.push(20 + step, "x", step / 10)[0] is Outcome.TOO_FAR
    assert waiting.push(30, "y", 1.0) == (Outcome.ACCEPTED, [Gap(2, 29), "y"])
    assert waiting.next_sequence == 31


def test_a_single_wrong_number_is_never_followed() -> None:
    """Other chunks keep arriving, so the number was wrong."""
    waiting = buffer(capacity=3, patience=1.0)
    assert waiting.push(999, "z", 0.0)[0] is Outcome.TOO_FAR
    assert waiting.push(1, "a", 0.5) == (Outcome.ACCEPTED, ["a"])
    assert waiting.push(999, "z", 1.5)[0] is Outcome.TOO_FAR


def test_flush_gives_up_every_gap_in_order() -> None:
    """At the end nothing more can arrive, and waiting chunks are heard."""
    waiting = buffer()
    waiting.push(2, "b", 0.0)
    waiting.push(5, "e", 0.0)
    assert waiting.flush() == [Gap(1, 1), "b", Gap(3, 4), "e"]
    assert waiting.next_deadline() is None


def test_hold_starts_the_patience_anew() -> None:
    """While the connection was away, the missing chunk could not come."""
    waiting = buffer(patience=1.0)
    waiting.push(2, "b", 0.0)
    waiting.hold(20.0)
    assert waiting.expire(20.9) == []
    assert waiting.expire(21.0) == [Gap(1, 1), "b"]


def test_hold_without_a_gap_starts_nothing() -> None:
    """A session that misses nothing has no deadline."""
    waiting = buffer()
    waiting.push(1, "a", 0.0)
    waiting.hold(5.0)
    assert waiting.next_deadline() is None
