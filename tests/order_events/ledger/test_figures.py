"""Analytics cost other restaurants nothing: apart from the readers, one at a time, and cached."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any

from support.transactions import NOON, at

from order_events.domain.audit_records import AnalyticsAnswer, AnalyticsQuery, SessionStart
from order_events.ledger import changes, daily_figures, voice_sessions
from order_events.ledger.daily_figures import DailyFigures
from order_events.menu.menu import Menu
from order_events.storage.queries import Reader


def missed(db: sqlite3.Connection, session_id: str, *texts: str, on: datetime = NOON) -> None:
    """Record a session in which phrases were not understood."""
    voice_sessions.begin(at(db, on), "r1", SessionStart(session_id=session_id), "lane-1")
    reasons = [{"code": "unknown_item", "text": text, "utterance": 1} for text in texts]
    data = {"session_id": session_id, "status": "clarify", "reasons": reasons, "matched": []}
    changes.publish(at(db, on), "r1", "voice:order", data, {})


def asked(
    figures: DailyFigures, db: sqlite3.Connection, now: datetime, day: date | None = None
) -> AnalyticsAnswer:
    query = AnalyticsQuery(from_day=day, to_day=day)
    return figures.answer(Reader(db, "e"), "r1", query, now)


def test_lanes_have_figures_of_their_own(db: sqlite3.Connection) -> None:
    """If they are asked for; sessions without a lane come last."""
    for session_id, lane in (("a", "2"), ("b", "1"), ("c", None), ("d", "2")):
        start = SessionStart(session_id=session_id, lane=lane)
        voice_sessions.begin(at(db), "r1", start, "kiosk")
    reader, query = Reader(db, "e"), AnalyticsQuery(from_day=NOON.date(), to_day=NOON.date())
    assert DailyFigures().answer(reader, "r1", query, NOON).lanes is None
    by_lane = query.model_copy(update={"by": "lane"})
    lanes = DailyFigures().answer(reader, "r1", by_lane, NOON).lanes
    assert [(one.lane, one.sessions) for one in lanes or ()] == [("1", 1), ("2", 2), (None, 1)]


async def test_other_reads_do_not_wait_for_analytics(server: Any) -> None:
    """However long they take: reads have threads of their own."""
    begun, go_on = threading.Event(), threading.Event()

    def long(reader: Reader) -> None:
        begun.set()
        go_on.wait(30)

    surveys = [asyncio.ensure_future(server.events.store.survey(long, "r1")) for _ in range(5)]
    try:
        await asyncio.to_thread(begun.wait, 30)
        assert (await server.call("GET", "/v1/orders", restaurant="r2"))[0] == 200
        assert (await server.call("GET", "/v1/orders"))[0] == 200
        assert not any(survey.done() for survey in surveys)
    finally:
        go_on.set()
    await asyncio.gather(*surveys)


async def test_requests_at_once_share_one_answer(server: Any, monkeypatch: Any) -> None:
    """It is computed once, and again only after something has happened."""
    computed = 0
    compute = DailyFigures.answer

    def counted(self: DailyFigures, *arguments: Any) -> AnalyticsAnswer:
        nonlocal computed
        computed += 1
        return compute(self, *arguments)

    monkeypatch.setattr(DailyFigures, "answer", counted)
    query = AnalyticsQuery()
    answers = await asyncio.gather(
        *(server.events.ledger.analytics("r1", query) for _ in range(20))
    )
    answers.append(await server.events.ledger.analytics("r1", query))
    assert (computed, len(set(answers))) == (1, 1)
    await server.events.ledger.begin("r1", SessionStart(session_id="s1"), "lane-1")
    await server.events.ledger.erase("r1", "s1", "ann")
    answer = await server.events.ledger.analytics("r1", query)
    assert AnalyticsAnswer.model_validate_json(answer).total.sessions == 1
    assert computed == 2


async def test_one_restaurants_requests_are_bounded(server: Any) -> None:
    """The one too many is refused at once, and does not wait behind the others."""
    go_on = threading.Event()
    surveys = [
        asyncio.ensure_future(server.events.store.survey(lambda r: go_on.wait(30), "r1"))
        for _ in range(30)
    ]
    await asyncio.sleep(0)
    refused = [survey for survey in surveys if survey.done() and survey.exception()]
    assert 10 <= len(refused) < 20
    go_on.set()
    await asyncio.gather(*surveys, return_exceptions=True)


def test_a_day_that_is_over_is_counted_once_an_hour(db: sqlite3.Connection) -> None:
    """Until something in it is erased, or the menu changes its time zone."""
    missed(db, "s1", "a marble")
    figures, later = DailyFigures(), NOON + timedelta(days=3)
    day = NOON.date()
    assert asked(figures, db, later, day).total.sessions == 1
    missed(db, "s2", "a marble")
    assert asked(figures, db, later, day).total.sessions == 1
    hour = timedelta(seconds=daily_figures.CACHED_S)
    assert asked(figures, db, later + hour, day).total.sessions == 2
    missed(db, "s3", "a marble")
    figures.forget("r1")
    counted = asked(figures, db, later + hour, day).total
    assert (counted.sessions, counted.not_understood[0].count) == (3, 3)


def test_the_current_day_is_always_counted(db: sqlite3.Connection) -> None:
    """Its figures change all the time."""
    figures = DailyFigures()
    for n in range(3):
        missed(db, f"s{n}", "a marble")
        assert asked(figures, db, NOON).total.sessions == n + 1


def test_the_nearest_name_is_that_of_the_current_menu(db: sqlite3.Connection, menu: Menu) -> None:
    """A menu with a new name replaces what was remembered."""
    missed(db, "s1", "burgher")
    figures = DailyFigures()
    assert asked(figures, db, NOON).total.not_understood[0].nearest == "Burger"
    items = tuple(item for item in menu.items if item.id != "burger")
    changes.put_menu(at(db), "r1", menu.model_copy(update={"items": items}), "m")
    assert asked(figures, db, NOON).total.not_understood[0].nearest is None


def test_the_cache_is_bounded(db: sqlite3.Connection, monkeypatch: Any) -> None:
    """The day unused longest goes first."""
    monkeypatch.setattr(daily_figures, "_CACHED", 3)
    figures = DailyFigures()
    for n in range(10):
        asked(figures, db, datetime(2027, 1, 1, tzinfo=UTC), NOON.date() + timedelta(days=n))
    assert len(figures._days) == 3
