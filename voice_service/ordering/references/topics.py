"""What a guest names before saying what to do with it: "the tea, can you put lemon in it"."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from voice_service.ordering.language.cue_sets import ENDS_SENTENCE, PUNCTUATION, STARTS_COMMAND
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.mentions.mention import Mention, MentionType

_ACTS_ON_IT = (*STARTS_COMMAND, Cue.ADD, Cue.TAKE, Cue.KEEP, Cue.REQUEST, Cue.SUBSTITUTE)


def put_in_place(mentions: Sequence[Mention], ordered: Collection[str]) -> list[Mention]:
    """Put a topic where "it" stands for it, or behind what is to be on it.

    "The one without pickles, leave the mustard off" is about that one. `ordered`: the items of the
    cart.
    """
    start = next((i for i, p in enumerate(mentions) if not _leads(p)), len(mentions))
    end = _topic(mentions, start, ordered)
    topic, rest = mentions[start:end], mentions[end:]
    while rest and rest[0].cue(Cue.COMMA):
        rest = rest[1:]
    if not topic or not rest or not rest[0].cue(*_ACTS_ON_IT):
        return list(mentions)
    stop = next((i for i, p in enumerate(rest) if p.cue(*ENDS_SENTENCE)), len(rest))
    clause, others = rest[:stop], rest[stop:]
    placed = _in_its_clause(topic, clause)
    return [*mentions[:start], *placed, *others] if placed else list(mentions)


def _in_its_clause(topic: Sequence[Mention], clause: Sequence[Mention]) -> list[Mention]:
    """Return the clause with its topic in it; empty if the two have nothing to do with each other.

    A pronoun may be part of the command: "cancel it", "change that to".
    """
    first = clause[0]
    other = any(p.role is MentionType.ITEM or p.such is not None for p in clause)
    if first.cue(Cue.UNDO):
        return [first.as_cue(Cue.REMOVE), *topic, *clause[1:]]
    if first.cue(Cue.TAKE) and any(p.cue(Cue.OFF) for p in clause[1:2]):
        return [first.as_cue(Cue.TAKE), *topic, *clause[1:]]
    if first.cue(Cue.MAKE):
        to = [first.as_cue(Cue.TO)] if other else []
        return [first.as_cue(Cue.CHANGE) if other else first, *topic, *to, *clause[1:]]
    if other or not any(p.role is MentionType.MODIFIER for p in clause):
        return []
    return [*clause, first.as_cue(Cue.ON), *topic]


def _leads(mention: Mention) -> bool:
    return mention.such is None and (
        mention.idle or mention.cue(*PUNCTUATION, Cue.AND, Cue.CORRECT)
    )


def _topic(mentions: Sequence[Mention], start: int, ordered: Collection[str]) -> int:
    """Return where a topic at `start` ends: a description, or "the tea" that is ordered."""
    named = mentions[start : start + 2]
    if named and named[0].such is not None:
        return start + 1
    the = len(named) > 1 and named[0].cue(Cue.THE) and named[1].role is MentionType.ITEM
    return start + 2 if the and not set(named[1].items).isdisjoint(ordered) else start
