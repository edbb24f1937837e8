"""Figures per day, computed from the audit. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from difflib import get_close_matches
from statistics import median

from order_events.domain.audit_records import DayFigures, Figures, Phrase
from order_events.menu.entries import Category, MenuItem, Modifier, Size
from order_events.menu.menu import Menu

MOST_DAYS = 92
MOST_PHRASES = 50
"""Most phrases listed for one day, or for all days together."""
_MISSES = frozenset({"not_understood", "unknown_item", "not_in_order"})
"""Codes of reasons whose text is a phrase that the menu should perhaps know."""
_TALK = "off_topic"
_NAME_WORDS = 4
"""Off-topic talk of at most this many words may be the name of an item."""
_ALIKE = 0.6
"""Least similarity (`difflib`'s ratio) at which a phrase counts as a spelling of a name."""
_NO_WORD = re.compile(r"[^\w' ]+")

Nearest = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class SessionOutcome:
    """How one voice session with ordering ended. Times are Unix seconds."""

    started_at: float
    utterances: int
    ordered: bool
    confirmed_at: float | None
    cancelled: bool
    handed_over: bool
    edits: int

    @property
    def completed(self) -> bool:
        """True if its order was confirmed and not cancelled."""
        return self.confirmed_at is not None and not self.cancelled


@dataclass(frozen=True, slots=True)
class Miss:
    """A phrase that was not understood, and when (Unix seconds)."""

    at: float
    text: str


def is_miss(code: str, text: str | None) -> bool:
    """Return whether a reason's text is a phrase that the menu should perhaps know."""
    if not text:
        return False
    return code in _MISSES or (code == _TALK and len(text.split()) <= _NAME_WORDS)


def days_between(first: date, last: date) -> list[date]:
    """Return the days from `first` to `last`, both included."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def bounds(first: date, last: date, zone: tzinfo) -> tuple[float, float]:
    """Return when the first day begins and the last one ends in a time zone (Unix seconds)."""
    start = datetime.combine(first, time(), zone)
    return start.timestamp(), datetime.combine(last + timedelta(days=1), time(), zone).timestamp()


def by_day(
    outcomes: Iterable[SessionOutcome],
    misses: Iterable[Miss],
    days: Sequence[date],
    zone: tzinfo,
    nearest: Nearest,
) -> tuple[DayFigures, ...]:
    """Return the figures of each day, including days on which nothing happened."""
    outcomes_of: dict[date, list[SessionOutcome]] = {day: [] for day in days}
    misses_of: dict[date, list[Miss]] = {day: [] for day in days}
    for outcome in outcomes:
        outcomes_of[_day(outcome.started_at, zone)].append(outcome)
    for miss in misses:
        misses_of[_day(miss.at, zone)].append(miss)
    return tuple(
        DayFigures(day=day, **dict(figures(outcomes_of[day], misses_of[day], nearest)))
        for day in days
    )


def figures(
    outcomes: Sequence[SessionOutcome], misses: Iterable[Miss], nearest: Nearest
) -> Figures:
    """Return the figures of some sessions together."""
    heard = [outcome for outcome in outcomes if outcome.utterances]
    completed = sum(outcome.completed for outcome in heard)
    handed_over = sum(outcome.handed_over for outcome in heard)
    edited = sum(outcome.edits > 0 for outcome in heard)
    took = [v.confirmed_at - v.started_at for v in heard if v.confirmed_at is not None]
    return Figures(
        sessions=len(outcomes),
        heard=len(heard),
        ordered=sum(outcome.ordered for outcome in heard),
        completed=completed,
        handed_over=handed_over,
        edited=edited,
        completion_rate=_rate(completed, len(heard)),
        hand_over_rate=_rate(handed_over, len(heard)),
        edit_rate=_rate(edited, len(heard)),
        seconds_per_order=round(median(took), 1) if took else None,
        not_understood=_phrases(misses, nearest),
    )


def nearest_on(menu: Menu | None) -> Nearest:
    """Return a function that finds the menu's name most like a phrase, or None.

    It compares the names and aliases of items, modifiers, sizes and categories, and returns the
    name; the first one wins a tie.
    """
    names: dict[str, str] = {}
    for thing in () if menu is None else _named(menu):
        for name in (thing.name, *thing.aliases):
            names.setdefault(_plain(name), thing.name)

    def find(phrase: str) -> str | None:
        close = get_close_matches(phrase, names, n=1, cutoff=_ALIKE)
        return names[close[0]] if close else None

    return find


def _named(menu: Menu) -> Iterator[MenuItem | Modifier | Size | Category]:
    yield from menu.items
    for group in menu.modifier_groups:
        yield from group.modifiers
    yield from menu.sizes
    yield from menu.categories


def _phrases(misses: Iterable[Miss], nearest: Nearest) -> tuple[Phrase, ...]:
    counted = Counter(text for miss in misses if (text := _plain(miss.text)))
    ranked = sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST_PHRASES]
    return tuple(Phrase(text=text, count=count, nearest=nearest(text)) for text, count in ranked)


def _plain(text: str) -> str:
    return " ".join(_NO_WORD.sub(" ", text.lower()).split())


def _rate(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _day(at: float, zone: tzinfo) -> date:
    return datetime.fromtimestamp(at, UTC).astimezone(zone).date()
