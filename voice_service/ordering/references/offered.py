"""What a guest orders who asks about something and then takes it: "I'll take two"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from voice_service.ordering.language.pack import Cue
from voice_service.ordering.mentions.mention import Mention, MentionType
from voice_service.ordering.menu.lexicon import Candidate

_BOTH = 2
_COUNTS = (MentionType.NUMBER, MentionType.SIZE)
_YES = 0.6  # certainty that "yes" to what was asked about orders it
_NAMES = (MentionType.ITEM, MentionType.CATEGORY, MentionType.GROUP, MentionType.UNKNOWN)
_FOLLOWS = (Cue.AND, Cue.COMMA, Cue.WITH, Cue.NO, Cue.EXTRA, Cue.LIGHT, Cue.PLAIN)


def asked_about(parts: Sequence[Mention]) -> tuple[Candidate, ...]:
    """The items that a question names, each with all that it may mean, and their size."""
    items = [s for p in parts if p.role is MentionType.ITEM for s in p.senses if s.id in p.items]
    sizes = [s for p in parts if p.role is MentionType.SIZE for s in p.senses[:1]]
    senses = [*items, *sizes] if items else []
    return tuple({(s.kind, s.id): replace(s, quality=1.0) for s in senses}.values())


def with_item(stretch: Sequence[Mention], about: tuple[Candidate, ...]) -> list[Mention]:
    """A stretch with the item put in that "it" or "two" stands for, if it takes what was asked.

    It is of the size that was asked about, unless another one is said.
    """
    sizes = tuple(s for s in about if s.kind == "size")
    parts = _with_item(stretch, tuple(s for s in about if s.kind == "item"))
    taken = any(p.role is MentionType.ITEM for p in parts) and parts != list(stretch)
    if len(sizes) != 1 or not taken or any(p.role is MentionType.SIZE for p in stretch):
        return parts
    at = next(i for i, p in enumerate(parts) if p.role is MentionType.ITEM)
    return [*parts[:at], replace(_item(parts[at], sizes), role=MentionType.SIZE), *parts[at:]]


def _with_item(stretch: Sequence[Mention], about: tuple[Candidate, ...]) -> list[Mention]:
    parts = list(stretch)
    begins = (i for i, p in enumerate(parts) if not (p.idle or p.cue(Cue.COMMA, Cue.AND, Cue.STOP)))
    start = next(begins, len(parts))
    if about and start == len(parts) and any(p.cue(Cue.YES) for p in parts):
        return [_item(parts[-1], tuple(replace(s, certainty=_YES) for s in about))]
    follows = (i for i in range(start, len(parts)) if _follows(parts[i]))
    end = next(follows, len(parts))
    said = parts[:end]
    if not about or not said or any(p.role in _NAMES for p in said):
        return parts
    at = next((i for i in reversed(range(end)) if _stands_for_it(said[i])), None)
    counts = [i for i, p in enumerate(said) if p.role in _COUNTS or p.cue(Cue.A)]
    counted = any(said[i].role is not MentionType.SIZE for i in counts)
    if not counted and not (at is not None and any(p.cue(Cue.REQUEST, Cue.ADD) for p in said)):
        return parts
    if at is None:
        after = counts[-1] + 1
        return [*parts[:after], _item(parts[after - 1], about), *parts[after:]]
    return [*parts[:at], *_items(parts[at], about), *parts[at + 1 :]]


def _items(part: Mention, about: tuple[Candidate, ...]) -> list[Mention]:
    """The item that a pronoun stands for, or each of two: "I'll take both"."""
    if not part.cue(Cue.BOTH) or len(about) != _BOTH:
        return [_item(part, about)]
    return [_item(part, (sense,)) for sense in about]


def _follows(part: Mention) -> bool:
    return part.role is MentionType.MODIFIER or part.cue(*_FOLLOWS)


def _stands_for_it(part: Mention) -> bool:
    return part.role is MentionType.CUE and part.cue(Cue.IT, Cue.ONE, Cue.BOTH) and not part.cue(Cue.A)


def _item(part: Mention, about: tuple[Candidate, ...]) -> Mention:
    span = replace(part.span, senses=about, cues=frozenset(), value=None)
    return Mention(span, MentionType.ITEM, about)
