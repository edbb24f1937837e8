"""Figures per day from the database: counted by SQLite, one restaurant's request at a time, cached.

Everything here runs in the one thread of `Store.survey`.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from order_events.domain.audit_records import AnalyticsAnswer, AnalyticsQuery, EntryKind
from order_events.ledger import analytics, trials
from order_events.ledger.analytics import DayRecord, Nearest, SessionOutcome
from order_events.menu.menu import Menu
from order_events.protocol.errors import InvalidOrder
from order_events.storage.queries import Reader

SETTLED_S = 6 * 3600
"""Seconds after its end from which a day is cached: by then its sessions and orders are over."""
CACHED_S = 3600
"""Seconds for which a day stays cached, because staff may still change an order of it."""
_CACHED = 200_000
"""Most sessions and phrases in the cache, some 50 MB."""
_MENUS = 64
_PHRASES = 5_000
"""Most phrases of a restaurant whose nearest name is remembered: 92 days of 50."""
_DEFAULT_DAYS = 7

Key = tuple[str, str, date]
"""A restaurant, its time zone, and a day."""


class DailyFigures:
    """The days counted last, and what their phrases are near to. Not thread-safe."""

    def __init__(self) -> None:
        self._days: OrderedDict[Key, tuple[float, DayRecord]] = OrderedDict()
        self._size = 0
        self._names: OrderedDict[str, tuple[tuple[int, str] | None, str, Nearest]] = OrderedDict()

    def answer(
        self, reader: Reader, restaurant_id: str, query: AnalyticsQuery, now: datetime
    ) -> AnalyticsAnswer:
        """Return the figures asked for; raise InvalidOrder for days that cannot be counted."""
        zone_name, nearest = self._menu(reader, restaurant_id)
        zone = ZoneInfo(zone_name)
        first, last = _range(query, now.astimezone(zone).date())
        records = {
            day: self._day(reader, restaurant_id, day, zone, now.timestamp())
            for day in analytics.days_between(first, last)
        }
        total = analytics.altogether(records.values())
        return AnalyticsAnswer(
            time_zone=zone_name,
            from_day=first,
            to_day=last,
            total=analytics.figures(total.outcomes, total.phrases, nearest),
            days=analytics.by_day(records, nearest),
            lanes=analytics.by_lane(total.outcomes) if query.by == "lane" else None,
            trial=trials.figures(reader, restaurant_id, *analytics.bounds(first, last, zone)),
        )

    def forget(self, restaurant_id: str) -> None:
        """Drop everything about a restaurant."""
        self._names.pop(restaurant_id, None)
        for key in [key for key in self._days if key[0] == restaurant_id]:
            self._drop(key)

    def _menu(self, reader: Reader, restaurant_id: str) -> tuple[str, Nearest]:
        """Return the time zone, and what finds the nearest name on the menu."""
        version = reader.menu_version(restaurant_id)
        known = self._names.pop(restaurant_id, None)
        if known is None or known[0] != version:
            row = reader.menu_row(restaurant_id)
            menu = row and reader.parse(Menu, row[1], "menus", restaurant_id)
            nearest = lru_cache(_PHRASES)(analytics.nearest_on(menu))
            known = version, "UTC" if menu is None else menu.time_zone, nearest
        self._names[restaurant_id] = known
        if len(self._names) > _MENUS:
            self._names.popitem(last=False)
        return known[1], known[2]

    def _day(
        self, reader: Reader, restaurant_id: str, day: date, zone: ZoneInfo, now: float
    ) -> DayRecord:
        key = restaurant_id, zone.key, day
        counted_at, record = self._days.get(key, (0.0, None))
        if record is not None and 0 <= now - counted_at < CACHED_S:
            self._days.move_to_end(key)
            return record
        self._drop(key)
        start, end = analytics.bounds(day, day, zone)
        record = DayRecord(
            _outcomes(reader, restaurant_id, start, end),
            analytics.count_phrases(_reasons(reader, restaurant_id, start, end)),
        )
        if end + SETTLED_S < now:
            self._days[key] = now, record
            self._size += _size(record)
            while self._size > _CACHED:
                self._drop(next(iter(self._days)))
        return record

    def _drop(self, key: Key) -> None:
        dropped = self._days.pop(key, None)
        if dropped is not None:
            self._size -= _size(dropped[1])


def _size(record: DayRecord) -> int:
    return 1 + len(record.outcomes) + len(record.phrases)


def _range(query: AnalyticsQuery, today: date) -> tuple[date, date]:
    last = query.to_day or max(today, query.from_day or today)
    first = query.from_day or last - timedelta(days=_DEFAULT_DAYS - 1)
    if not 0 <= (last - first).days < analytics.MOST_DAYS:
        raise InvalidOrder(
            f"from_day must not be after to_day, and {analytics.MOST_DAYS} days are the most"
        )
    return first, last


def _outcomes(
    reader: Reader, restaurant_id: str, start: float, end: float
) -> tuple[SessionOutcome, ...]:
    rows = reader.db.execute(
        "SELECT started_at, utterances, order_id IS NOT NULL, confirmed_at, cancelled,"
        " handed_over, edits, lane FROM sessions WHERE restaurant_id = ? AND ordering"
        " AND started_at >= ? AND started_at < ?",
        (restaurant_id, start, end),
    )
    return tuple(
        SessionOutcome(a, n, bool(o), c, bool(x), bool(h), e, lane)
        for a, n, o, c, x, h, e, lane in rows
    )


def _reasons(
    reader: Reader, restaurant_id: str, start: float, end: float
) -> list[tuple[str, str | None, int]]:
    """Return the codes and texts of a day's reasons, the most frequent first, and how often each.

    SQLite counts them, which lets other threads run. Twice as many as are counted in the end,
    because some are no phrases and some differ in spelling alone.
    """
    return reader.db.execute(
        "SELECT json_extract(body, '$.code'), json_extract(body, '$.text'), count(*) AS times"
        " FROM audit WHERE restaurant_id = ? AND kind = ? AND at >= ? AND at < ?"
        " AND json_valid(body) GROUP BY 1, 2 ORDER BY times DESC LIMIT ?",
        (restaurant_id, EntryKind.REASON, start, end, 2 * analytics.COUNTED_PHRASES),
    ).fetchall()
