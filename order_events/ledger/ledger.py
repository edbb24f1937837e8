"""Voice sessions, audits and analytics, for the HTTP API and publishers in the process.

Methods that change something return once it is on disk. All raise OrderError.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from order_events.domain.audit_records import (
    AnalyticsAnswer,
    AnalyticsQuery,
    AuditAnswer,
    AuditQuery,
    EntryKind,
    ErasedAnswer,
    Session,
    SessionStart,
)
from order_events.fanout.hub import Hub
from order_events.ledger import analytics, audit_log, retention, voice_sessions
from order_events.ledger.analytics import Miss, SessionOutcome
from order_events.menu.menu import Menu
from order_events.protocol.errors import InvalidOrder, NotFound
from order_events.storage.queries import Reader
from order_events.storage.store import Store
from order_events.storage.transaction import utc_now

_DEFAULT_DAYS = 7


class Ledger:
    """The ledger of all restaurants of a process. Call it on the event loop."""

    def __init__(self, store: Store, hub: Hub) -> None:
        self._store = store
        self._hub = hub

    async def begin(self, restaurant_id: str, start: SessionStart, actor: str) -> Session:
        """Begin a session, or resume it with its holder unchanged."""
        return await self._store.write(
            lambda tx: voice_sessions.begin(tx, restaurant_id, start, actor), restaurant_id
        )

    async def end(self, restaurant_id: str, session_id: str, actor: str) -> Session:
        """End a session: its microphone no longer listens."""
        return await self._store.write(
            lambda tx: voice_sessions.end(tx, restaurant_id, session_id, actor), restaurant_id
        )

    async def hold(
        self, restaurant_id: str, session_id: str, *, actor: str, version: int | None
    ) -> Session:
        """Let a member of staff take the session over.

        Raises StaleVersion if `version` is given and the session has another one.
        """
        return await self._store.write(
            lambda tx: voice_sessions.hold(tx, restaurant_id, session_id, actor, version),
            restaurant_id,
        )

    async def hand_back(
        self, restaurant_id: str, session_id: str, *, actor: str, version: int | None
    ) -> Session:
        """Let the member of staff hand the session back; raise as `hold` does."""
        return await self._store.write(
            lambda tx: voice_sessions.hand_back(tx, restaurant_id, session_id, actor, version),
            restaurant_id,
        )

    async def session(self, restaurant_id: str, session_id: str) -> Session:
        """Return a session; raise NotFound."""
        return await self._store.read(
            lambda r: voice_sessions.require(r, restaurant_id, session_id), restaurant_id
        )

    async def newest(
        self, restaurant_id: str, before: float | None, limit: int
    ) -> tuple[list[Session], float | None]:
        """Return sessions, the newest first, and `before` for the next page."""
        return await self._store.read(
            lambda r: voice_sessions.newest(r, restaurant_id, before, limit), restaurant_id
        )

    async def audit_of_session(
        self, restaurant_id: str, session_id: str, page: AuditQuery
    ) -> AuditAnswer:
        """Return what is kept about a session; raise NotFound."""

        def read(reader: Reader) -> AuditAnswer:
            session = voice_sessions.require(reader, restaurant_id, session_id)
            return _page(reader, restaurant_id, audit_log.of_session(session_id), session, page)

        return await self._store.read(read, restaurant_id)

    async def audit_of_order(
        self, restaurant_id: str, order_id: str, page: AuditQuery
    ) -> AuditAnswer:
        """Return what is kept about an order and its session; raise NotFound."""

        def read(reader: Reader) -> AuditAnswer:
            order = reader.order(restaurant_id, order_id)
            if order is None:
                raise NotFound("there is no such order")
            session_id = order.source.session_id
            session = session_id and voice_sessions.find(reader, restaurant_id, session_id)
            return _page(reader, restaurant_id, audit_log.of_order(order), session or None, page)

        return await self._store.read(read, restaurant_id)

    async def erase(self, restaurant_id: str, session_id: str, actor: str) -> ErasedAnswer:
        """Erase what was said in a session from everything that is kept; raise NotFound."""
        erased = await self._store.write(
            lambda tx: retention.erase_session(tx, restaurant_id, session_id, actor), restaurant_id
        )
        self._hub.replace(erased.events)
        return ErasedAnswer(entries=erased.entries, events=len(erased.events))

    async def analytics(self, restaurant_id: str, query: AnalyticsQuery) -> AnalyticsAnswer:
        """Return figures per day; raise InvalidOrder for days that cannot be counted."""

        def read(reader: Reader) -> AnalyticsAnswer:
            row = reader.menu_row(restaurant_id)
            menu = None if row is None else Menu.model_validate_json(row[1])
            return _analytics(reader, restaurant_id, menu, query, utc_now())

        return await self._store.read(read, restaurant_id)


def _page(
    reader: Reader, restaurant_id: str, subject: str, session: Session | None, page: AuditQuery
) -> AuditAnswer:
    entries = audit_log.entries(reader, restaurant_id, subject, page.after, page.limit)
    after = entries[-1].number if len(entries) == page.limit else None
    return AuditAnswer(session=session, entries=tuple(entries), after=after)


def _analytics(
    reader: Reader, restaurant_id: str, menu: Menu | None, query: AnalyticsQuery, now: datetime
) -> AnalyticsAnswer:
    zone = ZoneInfo("UTC" if menu is None else menu.time_zone)
    first, last = _range(query, now.astimezone(zone).date())
    start, end = analytics.bounds(first, last, zone)
    outcomes = _outcomes(reader, restaurant_id, start, end)
    misses = _misses(reader, restaurant_id, start, end)
    nearest = cache(analytics.nearest_on(menu))
    return AnalyticsAnswer(
        time_zone=zone.key,
        from_day=first,
        to_day=last,
        total=analytics.figures(outcomes, misses, nearest),
        days=analytics.by_day(outcomes, misses, analytics.days_between(first, last), zone, nearest),
    )


def _range(query: AnalyticsQuery, today: date) -> tuple[date, date]:
    last = query.to_day or max(today, query.from_day or today)
    first = query.from_day or last - timedelta(days=_DEFAULT_DAYS - 1)
    if not 0 <= (last - first).days < analytics.MOST_DAYS:
        raise InvalidOrder(
            f"from_day must not be after to_day, and {analytics.MOST_DAYS} days are the most"
        )
    return first, last


def _outcomes(reader: Reader, restaurant_id: str, start: float, end: float) -> list[SessionOutcome]:
    rows = reader.db.execute(
        "SELECT started_at, utterances, order_id IS NOT NULL, confirmed_at, cancelled,"
        " handed_over, edits FROM sessions WHERE restaurant_id = ? AND ordering"
        " AND started_at >= ? AND started_at < ?",
        (restaurant_id, start, end),
    )
    return [SessionOutcome(a, n, bool(o), c, bool(x), bool(h), e) for a, n, o, c, x, h, e in rows]


def _misses(reader: Reader, restaurant_id: str, start: float, end: float) -> list[Miss]:
    rows = reader.db.execute(
        "SELECT at, json_extract(body, '$.code'), json_extract(body, '$.text') FROM audit"
        " WHERE restaurant_id = ? AND kind = ? AND at >= ? AND at < ?",
        (restaurant_id, EntryKind.REASON, start, end),
    )
    return [Miss(at, text) for at, code, text in rows if analytics.is_miss(code, text)]
