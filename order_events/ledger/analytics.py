"""Figures per day, computed from the audit. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from statistics import median

from rapidfuzz import fuzz, process

from order_events.domain.audit_records import Counts, DayFigures, Figures, LaneFigures, Phrase
from order_events.menu.entries import Category, MenuItem, Modifier, Size
from order_events.menu.menu import Menu

MOST_DAYS = 92
MOST_PHRASES = 50
"""Most phrases listed for one day, or for all days together."""
COUNTED_PHRASES = 1_000
"""Most different phrases of one day that are counted; the rarest are left out."""
_MISSES = frozenset({"not_understood", "unknown_item", "not_in_order"})
"""Codes of reasons whose text is a phrase that the menu should perhaps know."""
_TALK = "off_topic"
_NAME_WORDS = 4
"""Off-topic talk of at most this many words may be the name of an item."""
_ALIKE = 65.0
"""Least similarity (rapidfuzz's ratio, in percent) of a phrase that counts as a spelling of a name.

The library compares in C: in Python, a large menu kept the interpreter from everybody else."""
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
    lane: str | None = None

    @property
    def completed(self) -> bool:
        """True if its order was confirmed and not cancelled."""
        return self.confirmed_at is not None and not self.cancelled


@dataclass(frozen=True, slots=True)
class DayRecord:
    """What happened in one day, and how often each phrase was not understood."""

    outcomes: tuple[SessionOutcome, ...]
    phrases: Mapping[str, int]


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


def count_phrases(said: Iterable[tuple[str, str | None, int]]) -> dict[str, int]:
    """Count the phrases among reasons (code, text, how often), in the form in which they sound."""
    counted: Counter[str] = Counter()
    for code, text, times in said:
        phrase = _plain(text) if text and is_miss(code, text) else ""
        if phrase:
            counted[phrase] += times
    return dict(counted.most_common(COUNTED_PHRASES))


def by_day(records: Mapping[date, DayRecord], nearest: Nearest) -> tuple[DayFigures, ...]:
    """Return the figures of each day."""
    return tuple(
        DayFigures(day=day, **dict(figures(record.outcomes, record.phrases, nearest)))
        for day, record in records.items()
    )


def altogether(records: Iterable[DayRecord]) -> DayRecord:
    """Return several days as one."""
    outcomes: list[SessionOutcome] = []
    phrases: Counter[str] = Counter()
    for record in records:
        outcomes += record.outcomes
        phrases.update(record.phrases)
    return DayRecord(tuple(outcomes), phrases)


def figures(
    outcomes: Sequence[SessionOutcome], phrases: Mapping[str, int], nearest: Nearest
) -> Figures:
    """Return the figures of some sessions together."""
    return Figures(**dict(_counts(outcomes)), not_understood=_ranked(phrases, nearest))


def by_lane(outcomes: Iterable[SessionOutcome]) -> tuple[LaneFigures, ...]:
    """Return the figures of each lane, by name; those of sessions without one come last."""
    lanes: dict[str | None, list[SessionOutcome]] = {}
    for outcome in outcomes:
        lanes.setdefault(outcome.lane, []).append(outcome)
    names = sorted(lanes, key=lambda lane: (lane is None, lane or ""))
    return tuple(LaneFigures(lane=lane, **dict(_counts(lanes[lane]))) for lane in names)


def _counts(outcomes: Sequence[SessionOutcome]) -> Counts:
    heard = [outcome for outcome in outcomes if outcome.utterances]
    completed = sum(outcome.completed for outcome in heard)
    handed_over = sum(outcome.handed_over for outcome in heard)
    edited = sum(outcome.edits > 0 for outcome in heard)
    took = [v.confirmed_at - v.started_at for v in heard if v.confirmed_at is not None]
    return Counts(
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

    spellings, meant = list(names), list(names.values())

    def find(phrase: str) -> str | None:
        close = process.extractOne(phrase, spellings, scorer=fuzz.ratio, score_cutoff=_ALIKE)
        return None if close is None else meant[close[2]]

    return find


def _named(menu: Menu) -> Iterator[MenuItem | Modifier | Size | Category]:
    yield from menu.items
    for group in menu.modifier_groups:
        yield from group.modifiers
    yield from menu.sizes
    yield from menu.categories


def _ranked(phrases: Mapping[str, int], nearest: Nearest) -> tuple[Phrase, ...]:
    ranked = sorted(phrases.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST_PHRASES]
    return tuple(Phrase(text=text, count=count, nearest=nearest(text)) for text, count in ranked)


def _plain(text: str) -> str:
    return " ".join(_NO_WORD.sub(" ", text.lower()).split())


def _rate(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
