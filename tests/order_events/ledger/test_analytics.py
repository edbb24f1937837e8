"""Figures of sessions: days in the restaurant's time zone, rates, and missed phrases."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_events.ledger import analytics
from order_events.ledger.analytics import DayRecord, SessionOutcome
from order_events.menu.menu import Menu

ZONE = ZoneInfo("America/New_York")


def at(text: str) -> float:
    """Return a time in New York as Unix seconds."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp()


def outcome(started: float, **fields: Any) -> SessionOutcome:
    usual: dict[str, Any] = {
        "utterances": 1,
        "ordered": True,
        "confirmed_at": started + 30,
        "cancelled": False,
        "handed_over": False,
        "edits": 0,
    }
    return SessionOutcome(started, **{**usual, **fields})


def nothing(phrase: str) -> str | None:
    return None


def test_a_day_is_the_restaurants_own() -> None:
    """A quarter to midnight in New York is the next day in UTC."""
    start, end = analytics.bounds(date(2026, 3, 7), date(2026, 3, 7), ZONE)
    assert start <= at("2026-03-07T23:45") < end <= at("2026-03-08T00:05")


def test_the_bounds_of_a_day_on_which_the_clocks_change() -> None:
    """8 March 2026 has 23 hours there, 1 November 25."""
    for day, hours in ((date(2026, 3, 8), 23), (date(2026, 11, 1), 25)):
        start, end = analytics.bounds(day, day, ZONE)
        assert (end - start) / 3600 == hours


def test_rates_are_of_the_sessions_in_which_something_was_said() -> None:
    """A cancelled order is not complete; a session without a word is not a failure."""
    outcomes = [
        outcome(0.0),
        outcome(0.0, confirmed_at=50.0, edits=2),
        outcome(0.0, cancelled=True, confirmed_at=90.0),
        outcome(0.0, confirmed_at=None, ordered=False, handed_over=True),
        outcome(0.0, utterances=0, ordered=False, confirmed_at=None),
    ]
    counted = analytics.figures(outcomes, {}, nothing)
    assert (counted.sessions, counted.heard, counted.ordered, counted.completed) == (5, 4, 3, 2)
    assert counted.completion_rate == 0.5
    assert counted.hand_over_rate == 0.25
    assert counted.edit_rate == 0.25
    assert counted.seconds_per_order == 50.0


def test_phrases_are_counted_as_they_sound_and_the_most_frequent_come_first() -> None:
    """Case and punctuation do not distinguish phrases; empty ones are not counted."""
    texts = ["A doppio.", "a doppio", "Flat-white!", " ", "..."]
    phrases = analytics.count_phrases(("unknown_item", text, 1) for text in texts)
    counted = analytics.figures([], phrases, nothing)
    assert [(p.text, p.count) for p in counted.not_understood] == [
        ("a doppio", 2),
        ("flat white", 1),
    ]
    many = analytics.count_phrases(("unknown_item", f"phrase {n}", 1) for n in range(2_000))
    assert len(many) == analytics.COUNTED_PHRASES
    assert len(analytics.figures([], many, nothing).not_understood) == analytics.MOST_PHRASES


def test_the_nearest_item_is_a_suggestion_only_where_it_is_near(menu: Menu) -> None:
    """ "burgher" is like the burger; "lawn mower" is like nothing on the menu."""
    nearest = analytics.nearest_on(menu)
    assert nearest("burgher") == "Burger"
    assert nearest("kola") == "Cola"
    assert nearest("lawn mower") is None
    assert analytics.nearest_on(None)("burger") is None


def test_the_nearest_may_be_a_topping_a_size_or_a_category(menu: Menu) -> None:
    """A phrase that was not understood need not be an item."""
    nearest = analytics.nearest_on(menu)
    for group in menu.modifier_groups:
        for modifier in group.modifiers:
            assert nearest(f"{modifier.name.lower()}z") == modifier.name
    for thing in (*menu.sizes, *menu.categories):
        assert nearest(thing.name.lower()) is not None


@pytest.mark.parametrize(
    ("code", "text", "missed"),
    [
        ("unknown_item", "lobster roll", True),
        ("not_in_order", "lobster roll", True),
        ("off_topic", "flat white", True),
        ("off_topic", "we have to be at home by six", False),
        ("question", "do you have onion rings", False),
        ("not_understood", "", False),
    ],
)
def test_a_phrase_that_was_taken_for_talk_may_be_a_name(code: str, text: str, missed: bool) -> None:
    """If it is as short as a name."""
    assert analytics.is_miss(code, text) is missed


@given(
    st.lists(st.tuples(st.integers(0, 9), st.booleans(), st.integers(0, 2)), max_size=40),
    st.sampled_from(["UTC", "Asia/Kathmandu", "Pacific/Auckland", "America/New_York"]),
)
def test_the_days_add_up_to_the_whole(
    outcomes: list[tuple[int, bool, int]], zone_name: str
) -> None:
    """Nothing is counted twice or dropped at a boundary."""
    zone = ZoneInfo(zone_name)
    first = date(2026, 3, 25)
    days = analytics.days_between(first, first + timedelta(days=9))
    start, end = analytics.bounds(days[0], days[-1], zone)
    assert datetime.fromtimestamp(start, UTC).astimezone(zone).date() == days[0]
    inside: dict[date, list[SessionOutcome]] = {day: [] for day in days}
    for n, held, words in outcomes:
        began = start + (end - start - 1) * n / 9
        day = datetime.fromtimestamp(began, UTC).astimezone(zone).date()
        inside[day].append(outcome(began, handed_over=held, utterances=words))
    records = {day: DayRecord(tuple(of_day), {"doppio": 1}) for day, of_day in inside.items()}
    counted = analytics.by_day(records, nothing)
    together = analytics.altogether(records.values())
    whole = analytics.figures(together.outcomes, together.phrases, nothing)
    assert (whole.sessions, whole.not_understood[0].count) == (len(outcomes), len(days))
    for name in ("sessions", "heard", "ordered", "completed", "handed_over", "edited"):
        assert sum(getattr(day, name) for day in counted) == getattr(whole, name)
