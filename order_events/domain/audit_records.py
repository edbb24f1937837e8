"""Voice sessions, audit entries and analytics, as they are stored and returned."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field

from order_events.domain.api_models import Answer, NoNumber, Query
from order_events.domain.drafts import Draft
from order_events.domain.models import Kept
from order_events.menu.entries import Id

Day = Annotated[date, NoNumber, Field(ge=date(2000, 1, 1), le=date(2999, 12, 31))]


class SessionState(StrEnum):
    """What happened to a session."""

    STARTED = "started"
    TAKEN_OVER = "taken_over"
    HANDED_BACK = "handed_back"
    ENDED = "ended"
    ERASED = "erased"


class SessionStart(Draft):
    """A new session. `ordering` is false if it only transcribes, without making an order."""

    session_id: Id
    lane: Id | None = None
    table_id: Id | None = None
    ordering: bool = True


class HoldChange(Draft):
    """Takes over a session or hands it back.

    If `version` is given, the request is refused unless it is the session's current one.
    """

    version: Annotated[int, Field(ge=1)] | None = None


class Session(Kept):
    """A voice session. `held_by` is the member of staff who has taken it over, if any.

    `actor` is the user of the microphone. `status` is that of the latest `voice:order`. `edits`
    counts how often staff have changed the items of its order. `handed_over` is true if a person
    was ever needed.
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
    """What an audit entry is about."""

    SESSION = "session"
    UTTERANCE = "utterance"
    UNDERSTOOD = "understood"
    REASON = "reason"
    ORDER = "order"


class Entry(Kept):
    """An audit entry. `number` increases within the audit; `actor` is who did it.

    `data` depends on `kind`:

    - `session`: the `state`.
    - `utterance`: `utterance`, `text`, `confidence`, `start_ms`, `end_ms`, whether it was
      `overheard`, and whether the microphone had proved to be `narrow_band`.
    - `understood`: the `status` after an utterance (`after_utterance`), which words were `matched`
      to what, and the `readings`: the ways in which it could be meant, each with its `probability`,
      whether it was `taken`, and the features that decided (`because`).
    - `reason`: `code`, `text`, `utterance` and `question`.
    - `order`: what was done (`change`), `order_id`, `version`, `status`, the `reason` if one was
      given, and the `lines` that differ, each with `before` and `after`.
    """

    number: int
    kind: EntryKind
    at: str
    actor: str
    data: dict[str, Any]


class SessionsQuery(Query):
    """Query of the list of sessions. `before` comes from the previous page."""

    before: float | None = Field(None, description="`before` in the answer with the previous page.")
    limit: int = Field(50, ge=1, le=200, description="Most sessions in the answer.")


class AuditQuery(Query):
    """Query of an audit. `after` comes from the previous page."""

    after: int = Field(0, ge=0, lt=2**63, description="Only entries with a greater `number`.")
    limit: int = Field(500, ge=1, le=1000, description="Most entries in the answer.")


class AnalyticsQuery(Query):
    """The first and last day to report, in the restaurant's time zone. Default: the last seven."""

    from_day: Day | None = Field(None, description="The first day; absent: six before the last.")
    to_day: Day | None = Field(None, description="The last day; absent: today.")
    by: Literal["lane"] | None = Field(None, description="`lane`: also the figures of each lane.")


class SessionAnswer(Answer):
    """One session."""

    session: Session


class SessionsAnswer(Answer):
    """A page of sessions, newest first. Pass `before` for the next page; null on the last page."""

    sessions: tuple[Session, ...]
    before: float | None


class AuditAnswer(Answer):
    """A page of an audit, oldest entry first.

    Pass `after` for the next page; it is null on the last page. `session` is the voice session, or
    null if the order has none. `damaged` is how many were left out because they cannot be read.
    """

    session: Session | None
    entries: tuple[Entry, ...]
    after: int | None
    damaged: int = 0


class ErasedAnswer(Answer):
    """How many audit entries and events contained words that have been erased."""

    entries: int
    events: int


class Phrase(Answer):
    """A phrase that was not understood, how often it occurred, and the most similar menu name."""

    text: str
    count: int
    nearest: str | None


class Counts(Answer):
    """Figures about sessions.

    `heard` counts the sessions in which something was said. Rates are shares of these, from 0 to 1:
    order confirmed (`completed`), person needed (`handed_over`), items changed by staff
    (`edited`). A rate is null if `heard` is 0. `seconds_per_order` is the median time from the
    start of the session to the confirmation.
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


class Figures(Counts):
    """Figures about the sessions of one or more days, and what was not understood in them."""

    not_understood: tuple[Phrase, ...]


class LaneFigures(Counts):
    """The figures of one lane, or of all sessions without one (null)."""

    lane: str | None


class DayFigures(Figures):
    """The figures of one day."""

    day: date


class LineChange(Answer):
    """In what respects people changed a line of an order.

    `menu_item_id` and `name` are those before the change, if the line was there. If it was and
    still is, `fields` are the parts of it that differ: `menu_item_id`, `quantity`, `size`,
    `modifiers`, `special_instructions`.
    """

    menu_item_id: str
    name: str
    change: Literal["added", "changed", "removed"]
    fields: tuple[str, ...]


class TrialChange(LineChange):
    """A change of lines, and how many lines were changed like this."""

    count: int


class TrialFigures(Answer):
    """How the orders of a menu on trial turned out.

    `accepted` would have been accepted without a person if there had been no trial. Of these,
    people have changed the items of `accepted_changed` and cancelled `accepted_cancelled`;
    `changes` are the most frequent changes of their lines.
    """

    orders: int
    accepted: int
    accepted_changed: int
    accepted_cancelled: int
    changes: tuple[TrialChange, ...]


class AnalyticsAnswer(Answer):
    """The figures of each day, and of all days together (`total`).

    `trial` is about the orders of menus on trial; it is null if there were none. `lanes` are those
    of all days, if they were asked for (`by`).
    """

    time_zone: str
    from_day: date
    to_day: date
    total: Figures
    days: tuple[DayFigures, ...]
    trial: TrialFigures | None
    lanes: tuple[LaneFigures, ...] | None = None
