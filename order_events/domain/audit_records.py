"""Voice sessions, audit entries and analytics, as they are kept and answered."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from order_events.domain.api_models import Answer, Query
from order_events.domain.drafts import Draft
from order_events.domain.models import Kept
from order_events.menu.entries import Id

Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2999, 12, 31))]


class SessionState(StrEnum):
    """What has become of a session."""

    STARTED = "started"
    TAKEN_OVER = "taken_over"
    HANDED_BACK = "handed_back"
    ENDED = "ended"
    ERASED = "erased"


class SessionStart(Draft):
    """A session that begins. `ordering`: an order is to be understood from what is said."""

    session_id: Id
    lane: Id | None = None
    table_id: Id | None = None
    ordering: bool = True


class HoldChange(Draft):
    """Takes a session over, or hands it back. `version`: refuse if it has moved on."""

    version: Annotated[int, Field(ge=1)] | None = None


class Session(Kept):
    """A voice session. `held_by` is the member of staff who has taken it over, if any.

    `actor` is the microphone's user, `status` that of its last `voice:order`, `edits` how often
    staff have changed its order's items, `handed_over` whether a person was ever needed.
    """

    session_id: str
    actor: str
    lane: str | None
    table_id: str | None
    ordering: bool
    status: str
    order_id: str | None
    held_by: str | None
    version: int
    utterances: int
    edits: int
    handed_over: bool
    started_at: str
    ended_at: str | None
    erased_at: str | None


class EntryKind(StrEnum):
    """What an entry of the audit is about."""

    SESSION = "session"
    UTTERANCE = "utterance"
    UNDERSTOOD = "understood"
    REASON = "reason"
    ORDER = "order"


class Entry(Kept):
    """One thing that happened. `number` counts up within the audit, `actor` is who did it.

    `data` by kind: of a `session` its `state`; of an `utterance` its `utterance`, `text`,
    `confidence`, `start_ms`, `end_ms` and whether it was `overheard`; of what was `understood` the
    `status` `after_utterance` and what was `matched` to what; of a `reason` its `code`, `text`,
    `utterance` and `question`; of an `order` what was done (`change`), `order_id`, `version`,
    `status`, a `reason` where one was given, and the `lines` that differ, each `before` and
    `after`.
    """

    number: int
    kind: EntryKind
    at: str
    actor: str
    data: dict[str, Any]


class SessionsQuery(Query):
    """Parameters of the list of sessions; `before` continues it."""

    before: float | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class AuditQuery(Query):
    """Parameters of an audit; `after` continues it."""

    after: Annotated[int, Field(ge=0, lt=2**63)] = 0
    limit: Annotated[int, Field(ge=1, le=1000)] = 500


class AnalyticsQuery(Query):
    """The days to count, both included, in the restaurant's time zone; else the last seven."""

    from_day: Day | None = None
    to_day: Day | None = None


class SessionAnswer(Answer):
    """One session."""

    session: Session


class SessionsAnswer(Answer):
    """The newest sessions first; ask again with `before`, until it is null."""

    sessions: tuple[Session, ...]
    before: float | None


class AuditAnswer(Answer):
    """How an order came to be, the oldest first; ask again with `after`, until it is null.

    `session` is the voice session, null where an order has none.
    """

    session: Session | None
    entries: tuple[Entry, ...]
    after: int | None


class ErasedAnswer(Answer):
    """What was erased: entries of the audit, and events whose words were taken out."""

    entries: int
    events: int


class Phrase(Answer):
    """Words that were not understood, how often, and the menu's item that is most like them."""

    text: str
    count: int
    nearest: str | None


class Figures(Answer):
    """Sessions of some days in figures. A rate is null where there is nothing to divide by.

    `heard` are the sessions in which something was said, and what the rates are of: orders
    confirmed (`completed`), orders that a person was needed for (`handed_over`) and orders whose
    items staff have changed (`edited`). `seconds_per_order` is the median, from the start of the
    session to the confirmation.
    """

    sessions: int
    heard: int
    ordered: int
    completed: int
    handed_over: int
    edited: int
    completion_rate: float | None
    hand_over_rate: float | None
    edit_rate: float | None
    seconds_per_order: float | None
    not_understood: tuple[Phrase, ...]


class DayFigures(Figures):
    """One day."""

    day: date


class AnalyticsAnswer(Answer):
    """Every day asked for, and all of them together."""

    time_zone: str
    from_day: date
    to_day: date
    total: Figures
    days: tuple[DayFigures, ...]
