"""Admission: how many sessions the machine has room for, given what they cost."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from voice_service.asr.capacity import Capacity


def served(
    capacity: Capacity, sessions: int, cost: float, seconds: int, start: float = 0.0
) -> float:
    """Serve `sessions`, each spending `cost` worker seconds per second; return the end."""
    capacity.serving(sessions, start)
    for second in range(seconds):
        capacity.spent(sessions * cost, start + second)
    return start + seconds


def crowd(capacity: Capacity, length: float, cost: float, seed: int) -> list[int]:
    """Return how many guests are served, sampled twice a second for five minutes of full demand.

    Sessions last about `length` seconds. They have a final every 5 s and one at the end, each of
    which costs a worker `cost` seconds per second of speech.
    """
    random, counts = Random(seed), []
    # For each guest: when they leave, and until when everything has been recognised.
    guests: list[tuple[float, float]] = []
    for now in (tick / 2 for tick in range(600)):
        for ends, known in guests:
            if now >= min(ends, known + 5):
                capacity.spent(cost * (now - known), now)
        guests = [
            (ends, now if now >= known + 5 else known) for ends, known in guests if ends > now
        ]
        capacity.serving(len(guests), now)
        while len(guests) < capacity.limit(now):
            guests.append((now + length * random.uniform(0.7, 1.3), now))
            capacity.serving(len(guests), now)
        counts.append(len(guests))
    return counts


def test_before_anything_is_measured_the_guess_decides() -> None:
    """Two workers, 90 % of whose time may be allotted, at 0.1 per session: 18."""
    assert Capacity(2, 0.1).limit(0.0) == 18


def test_what_sessions_really_cost_replaces_the_guess() -> None:
    """Cheaper sessions make room for more, more expensive ones for fewer."""
    cheap, dear = Capacity(2, 0.1), Capacity(2, 0.1)
    assert cheap.limit(served(cheap, 8, 0.05, 300)) in range(31, 37)
    assert dear.limit(served(dear, 8, 0.2, 300)) in range(9, 11)


def test_quiet_sessions_do_not_make_room_without_end() -> None:
    """All of them may begin to speak at once."""
    capacity = Capacity(2, 0.1)
    assert capacity.limit(served(capacity, 20, 0.0, 600)) in (71, 72)


def test_guests_who_have_just_arrived_make_no_room_for_more() -> None:
    """They have not said anything yet, but will cost as much as others."""
    capacity = Capacity(2, 0.1)
    for tick in range(100):
        now = tick / 20
        capacity.serving(capacity.limit(now), now)
    assert capacity.limit(5.0) <= 22
    capacity.spent(22 * 5 * 0.1, 5.0)
    assert capacity.limit(5.0) in range(16, 22)


def test_late_finals_leave_no_room_for_others_until_they_are_in_time_again() -> None:
    """Whatever the estimated cost, the sessions in progress come first."""
    capacity = Capacity(2, 0.1)
    capacity.serving(5, 0.0)
    for second in range(20):
        capacity.waited(1.0, float(second))
    assert capacity.limit(20.0) == 5
    for second in range(20, 60):
        capacity.waited(0.0, float(second))
    assert capacity.limit(60.0) > 5


def test_one_guest_is_always_served() -> None:
    """A machine that is too slow even for one guest serves that guest late rather than nobody."""
    capacity = Capacity(1, 5.0)
    assert capacity.limit(served(capacity, 1, 5.0, 60)) == 1


@given(
    workers=st.integers(1, 64),
    guess=st.floats(0.001, 2),
    events=st.lists(
        st.tuples(st.floats(0, 30), st.integers(0, 50), st.floats(0, 5), st.floats(0, 5))
    ),
)
def test_whatever_happens_the_limit_stays_between_one_guest_and_four_times_the_guess(
    workers: int, guess: float, events: list[tuple[float, int, float, float]]
) -> None:
    """Neither a burst nor a long silence makes the limit absurd."""
    capacity, now = Capacity(workers, guess), 0.0
    for pause, sessions, spent, waited in events:
        now += pause
        capacity.serving(sessions, now)
        capacity.spent(spent, now)
        capacity.waited(waited, now)
        assert 1 <= capacity.limit(now) <= max(1, sessions, 4 * 0.9 * workers / guess)


@settings(max_examples=15, deadline=None)
@given(
    length=st.floats(15, 120),
    guess=st.sampled_from([0.05, 0.1, 0.2]),
    seed=st.integers(0, 99),
)
def test_short_sessions_and_long_ones_lead_to_the_same_limit(
    length: float, guess: float, seed: int
) -> None:
    """If 18 guests use up the workers' time, about 18 are served, however fast they come and go."""
    later = crowd(Capacity(2, guess), length, 0.1, seed)[300:]
    assert 16 <= sum(later) / len(later) <= 20
