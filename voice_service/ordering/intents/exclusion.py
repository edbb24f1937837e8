"""Utterances that name all that is to stay in the order: "actually just the burger"."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from voice_service.ordering.acts import Aside, Remove, Target, not_understood
from voice_service.ordering.intents.lookahead import denied_command
from voice_service.ordering.intents.modification import keep
from voice_service.ordering.intents.parse_state import ParseState
from voice_service.ordering.intents.removal import known
from voice_service.ordering.language.cue_sets import ENDS_SENTENCE, PUNCTUATION
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.mentions.mention import Mention, MentionType
from voice_service.ordering.reasons import ReasonCode
from voice_service.ordering.references.pointers import text_of

_ONLY = (Cue.ONLY, Cue.ALONE, Cue.REQUEST, Cue.COMMA)
_WISHES = (*_ONLY, Cue.AND)
_SLIPS = (Cue.CORRECT, Cue.DENY, Cue.KEEP)


def keep_despite(mentions: Sequence[Mention], index: int, state: ParseState) -> int | None:
    """Read "don't cancel it" as a wish to keep it; what is named after it is another matter."""
    verb = denied_command(mentions, index)
    if verb is None:
        return None
    state.flush()
    said = list(takewhile(lambda mention: not mention.cue(*PUNCTUATION), mentions[verb:]))
    named = next((i for i, p in enumerate(said) if p.candidates), None)
    if named is not None:
        said = said[: named + 1 + any(p.cue(Cue.OFF) for p in said[named + 1 : named + 2])]
    words = text_of(said).split()
    if said[0].cue(Cue.CHANGE) or not (
        named is not None or any(word in state.menu.language.cues[Cue.IT] for word in words)
    ):
        state.acts.append(Aside(ReasonCode.OFF_TOPIC, " ".join(words)))
    else:
        state.push(keep(said, state.menu, state.cart))
    return verb + len(said)


def keep_only(mentions: Sequence[Mention], index: int, state: ParseState) -> int | None:
    """Read "actually just the burger"; return where it ends, or None if it says more.

    All that it names has to be in the order, else it is a wish. Without a slip before it, nothing
    else may be in the order: "just the fries" may be what comes next.
    """
    if index:
        return None
    start = 0
    while start < len(mentions) and _leads(mentions[start]):
        start += 1
    if not any(p.cue(Cue.ALONE) for p in mentions[start : start + 1]):
        return None
    named, end = _named(mentions, start + 1)
    items = [known(mention.items, state.cart) for mention in named]
    kept = tuple(item for item in items if item is not None)
    if not kept or len(kept) < len(named) or not _ends(mentions, end):
        return None
    if not any(p.cue(*_SLIPS) for p in mentions[:start]) and not set(state.cart.items) <= set(kept):
        return None
    state.push([Remove(Target(kept), text=text_of(mentions[start:end]), others=True)])
    return end


def keep_the_others(mentions: Sequence[Mention], index: int, state: ParseState) -> int | None:
    """Read "skip the shake, I only want the other two" as no more than "skip the shake"."""
    end, said = index + 1, len(state.pending)
    while said and (state.pending[said - 1].idle or state.pending[said - 1].cue(*_WISHES)):
        said -= 1
    wish, denied = state.pending[said:], any(p.cue(Cue.NO) for p in state.pending[:said])
    removed = any(isinstance(act, Remove) for act in state.acts[-1:])
    if not any(p.cue(*_ONLY) for p in wish) or not (denied or removed) or not _ends(mentions, end):
        return None
    lines = {line.item for line in state.cart.lines}
    state.pending = state.pending[:said]
    state.flush()
    last = state.acts[-1] if state.acts else None
    if not isinstance(last, Remove):
        state.push([not_understood(mentions[index].span.text)])
        return end
    count = state.menu.language.numbers.words.get(mentions[index].span.text.split()[-1])
    if count not in (None, len(lines.difference(last.target.items))):
        state.push([not_understood(mentions[index].span.text)])
    return end


def _leads(mention: Mention) -> bool:
    """Return whether a mention may stand before the "just"."""
    return (mention.cue(*_SLIPS, Cue.COMMA) or mention.idle) and not mention.cue(Cue.ALONE)


def _named(mentions: Sequence[Mention], index: int) -> tuple[list[Mention], int]:
    """Return the items that are named one after the other, and where they end."""
    named: list[Mention] = []
    while index < len(mentions) and mentions[index].role is MentionType.ITEM:
        named.append(mentions[index])
        index += 1
        linked = [p.cue(cue) for p, cue in zip(mentions[index:], (Cue.AND, Cue.THE), strict=False)]
        if len(linked) > 1 and all(linked):
            index += len(linked)
    return named, index


def _ends(mentions: Sequence[Mention], index: int) -> bool:
    """Return whether nothing more is said of them."""
    while index < len(mentions) and (mentions[index].cue(Cue.COMMA) or mentions[index].idle):
        index += 1
    return index == len(mentions) or mentions[index].cue(*ENDS_SENTENCE, Cue.DONE)
