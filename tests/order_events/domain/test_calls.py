"""Calls for staff: who has one, what it is about, and in which order they are answered."""

from __future__ import annotations

import pytest

from order_events.domain import calls
from order_events.domain.calls import Call, CallState, Urgency
from order_events.protocol.errors import IllegalTransition, StaleVersion


def call(*reasons: str, since: str = "2026-07-01T12:00:00.000Z", id_: str = "c") -> Call:
    return Call(
        id=id_,
        session_id="s",
        order_id=None,
        lane=None,
        table_id=None,
        reasons=reasons,
        urgency=calls.urgency(reasons),
        since=since,
        state=CallState.OPEN,
        taken_by=None,
        version=1,
    )


def test_the_most_urgent_comes_first_and_then_the_oldest() -> None:
    """An allergy before a guest who waits, and that before an order that needs a look."""
    times = [f"2026-07-01T12:00:0{n}.000Z" for n in range(8)]
    codes = ["order_limit", "allergy", "staff_requested", "no_audio"] * 2
    made = [call(c, since=t, id_=t) for c, t in zip(codes, times, strict=True)]
    ordered = [(c.reasons[0], c.since) for c in calls.by_urgency(reversed(made))]
    asked = ("allergy", "allergy", "staff_requested", "staff_requested", "order_limit")
    assert tuple(code for code, _ in ordered[:5]) == asked
    assert [since for _, since in ordered] == [times[n] for n in (1, 5, 2, 6, 0, 3, 4, 7)]


def test_a_call_is_one_persons_until_released() -> None:
    """Taking it twice changes nothing; a colleague cannot take it away by accident."""
    taken = calls.take(call("allergy"), "ann", 1)
    assert (taken.state, taken.taken_by, taken.version) == (CallState.TAKEN, "ann", 2)
    assert calls.take(taken, "ann", None) is taken
    with pytest.raises(IllegalTransition, match="ann has this call"):
        calls.take(taken, "bob", None)
    with pytest.raises(StaleVersion):
        calls.take(call("allergy"), "bob", 7)
    free = calls.release(taken, None)
    assert (free.state, free.taken_by) == (CallState.OPEN, None)
    assert calls.release(free, None) is free
    assert calls.hand_to(taken, "bob").taken_by == "bob"


def test_an_answered_call_is_over() -> None:
    """Resolving twice is no error; nobody can take it any more."""
    over = calls.resolve(call("allergy"))
    assert over.state is CallState.RESOLVED
    assert calls.resolve(over, 1) is over
    with pytest.raises(IllegalTransition, match="has been answered"):
        calls.take(over, "ann", None)


def test_further_reasons_can_make_a_call_more_urgent() -> None:
    """What is known already changes nothing."""
    known = call("order_limit")
    assert calls.with_reasons(known, ["order_limit"]) is known
    more = calls.with_reasons(known, ["allergy"])
    assert (more.reasons, more.urgency) == (("order_limit", "allergy"), Urgency.DANGER)
    many = calls.with_reasons(known, [f"reason_{n}" for n in range(50)])
    assert len(many.reasons) == calls.MOST_REASONS
