"""What a guest orders after asking about it: "What is in the taco?" "I'll take two"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from voice_service.ordering.doubt import Doubt
from voice_service.ordering.language.cue_sets import DESCRIBES, LISTS
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.mentions.mention import Mention, MentionType
from voice_service.ordering.menu.lexicon import Candidate

_BOTH = 2
_COUNTS = (MentionType.NUMBER, MentionType.SIZE)
_NAMES = (MentionType.ITEM, MentionType.CATEGORY, MentionType.GROUP, MentionType.UNKNOWN)
_FOLLOWS = (*LISTS, *DESCRIBES)


def asked_about(mentions: Sequence[Mention]) -> tuple[Candidate, ...]:
    """Return the items that a question names, each with all that it may mean, and their size."""
    items = [
        s for p in mentions if p.role is MentionType.ITEM for s in p.candidates if s.id in p.items
    ]
    sizes = [s for p in mentions if p.role is MentionType.SIZE for s in p.candidates[:1]]
    candidates = [*items, *sizes] if items else []
    return tuple({(s.kind, s.id): replace(s, match=1.0) for s in candidates}.values())


def with_item(stretch: Sequence[Mention], about: tuple[Candidate, ...]) -> list[Mention]:
    """Put in the item that "it" or "two" stands for, if the guest takes what was asked about.

    It has the size that was asked about, unless another one is said.
    """
    sizes = tuple(s for s in about if s.kind == "size")
    mentions = _with_item(stretch, tuple(s for s in about if s.kind == "item"))
    taken = any(p.role is MentionType.ITEM for p in mentions) and mentions != list(stretch)
    if len(sizes) != 1 or not taken or any(p.role is MentionType.SIZE for p in stretch):
        return mentions
    at = next(i for i, p in enumerate(mentions) if p.role is MentionType.ITEM)
    return [*mentions[:at], mentions[at].naming(*sizes), *mentions[at:]]


def _with_item(stretch: Sequence[Mention], about: tuple[Candidate, ...]) -> list[Mention]:
    mentions = list(stretch)
    begins = (
        i for i, p in enumerate(mentions) if not (p.idle or p.cue(Cue.COMMA, Cue.AND, Cue.STOP))
    )
    start = next(begins, len(mentions))
    if about and start == len(mentions) and any(p.cue(Cue.YES) for p in mentions):
        doubted = (replace(s, doubts=(Doubt.YES_TO_QUESTION,)) for s in about)
        return [mentions[-1].naming(*doubted)]
    follows = (i for i in range(start, len(mentions)) if _follows(mentions[i]))
    end = next(follows, len(mentions))
    beginning = mentions[:end]
    if not about or not beginning or any(p.role in _NAMES for p in beginning):
        return mentions
    at = next((i for i in reversed(range(end)) if _stands_for_it(beginning[i])), None)
    counts = [i for i, p in enumerate(beginning) if p.role in _COUNTS or p.cue(Cue.A)]
    counted = any(beginning[i].role is not MentionType.SIZE for i in counts)
    if not counted and not (at is not None and any(p.cue(Cue.REQUEST, Cue.ADD) for p in beginning)):
        return mentions
    if at is None:
        after = counts[-1] + 1
        return [*mentions[:after], mentions[after - 1].naming(*about), *mentions[after:]]
    return [*mentions[:at], *_items(mentions[at], about), *mentions[at + 1 :]]


def _items(mention: Mention, about: tuple[Candidate, ...]) -> list[Mention]:
    """Return the item that a pronoun stands for, or each of two: "I'll take both"."""
    if not mention.cue(Cue.BOTH) or len(about) != _BOTH:
        return [mention.naming(*about)]
    return [mention.naming(candidate) for candidate in about]


def _follows(mention: Mention) -> bool:
    return mention.role is MentionType.MODIFIER or mention.cue(*_FOLLOWS)


def _stands_for_it(mention: Mention) -> bool:
    return (
        mention.role is MentionType.CUE
        and mention.cue(Cue.IT, Cue.ONE, Cue.BOTH)
        and not mention.cue(Cue.A)
    )
