"""The events kept in memory for clients that resume."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from order_events.domain.models import Event
from order_events.fanout.recent_events import RecentEvents


@given(st.lists(st.integers(1, 40), max_size=60), st.integers(0, 60))
def test_recent_events_are_bounded_and_without_a_gap(sizes: list[int], after: int) -> None:
    """Bounded by count and bytes; a range that is not all here is not returned in part."""
    recent = RecentEvents(5, 100)
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
    """Its new size counts; an event that is not here is ignored."""
    recent = RecentEvents(5, 10)
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
