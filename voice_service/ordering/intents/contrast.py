"""What is named only to be ruled out, beside what is meant: "not a small coke, a large one"."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from voice_service.ordering.intents.parse_state import Contrast, ParseState
from voice_service.ordering.language.cue_sets import ENDS_SENTENCE
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.mentions.lookahead import role_follows
from voice_service.ordering.mentions.mention import Mention, MentionType

_TOLD_APART = (MentionType.ITEM, MentionType.SIZE, MentionType.NUMBER)
_BETWEEN = (Cue.COMMA, Cue.BUT, Cue.MEANT)


def rule_out(mentions: Sequence[Mention], index: int, state: ParseState) -> int | None:
    """Read "not a hamburger" beside what is meant, before it or behind it; return where it ends.

    None if it stands alone: "not the cookie" is a removal, "not toasted" a wish.
    """
    if _takes_back_topping(mentions, index, state.pending):
        state.pending.pop()
        return index + 2
    end = alternative_end(mentions, index)
    if end is None:
        return None
    said = [p for p in mentions[index:end] if p.candidates]
    named = said[-1].items if said and said[-1].role is MentionType.ITEM else ()
    before = _meant_before(state.pending)
    meant = next((p.items for p in before[::-1] if p.role is MentionType.ITEM), ())
    while end < len(mentions) and mentions[end].cue(*_BETWEEN):
        end += 1
    ahead = takewhile(lambda mention: not mention.cue(*ENDS_SENTENCE), mentions[end:])
    follows = any(p.role in _TOLD_APART for p in ahead)
    if before and not (follows and set(meant) & set(named)):
        items = sum(p.role is MentionType.ITEM for p in state.pending)
        state.contrast = Contrast(named, max(items - 1, 0))
        return end
    if not follows:
        return None
    state.flush()
    state.contrast = Contrast(named)
    return end


def _takes_back_topping(
    mentions: Sequence[Mention], index: int, pending: Sequence[Mention]
) -> bool:
    """True of "with tomato, no, not tomato": it only names what it takes back."""
    said, again = pending[-1:], mentions[index + 1 : index + 2]
    toppings = all(p.role is MentionType.MODIFIER for p in (*said, *again))
    slips = mentions[index].cue(Cue.CORRECT) and bool(said) and bool(again)
    return slips and toppings and said[0].candidates[:1] == again[0].candidates[:1]


def alternative_end(mentions: Sequence[Mention], index: int) -> int | None:
    """Return where what is ruled out ends; None if it is no item, size or number, or nothing is."""
    if not mentions[index].cue(Cue.NOT):
        return None
    told: set[MentionType] = set()
    for end in range(index + 1, len(mentions)):
        mention = mentions[end]
        if mention.role is MentionType.ITEM:
            kind = role_follows(mentions, end, MentionType.CATEGORY)  # "a cheeseburger meal"
            return end + 1 + kind
        again = mention.role in told or (mention.cue(Cue.A, Cue.THE) and bool(told))
        if again or not _goes_on(mention):
            return end if told else None
        told |= {mention.role} & set(_TOLD_APART)
    return len(mentions) if told else None


def _meant_before(pending: Sequence[Mention]) -> list[Mention]:
    """Return what was said in the same sentence that may be meant instead."""
    sentence = takewhile(lambda mention: not mention.cue(*ENDS_SENTENCE), pending[::-1])
    return [p for p in sentence if p.role in _TOLD_APART][::-1]


def _goes_on(mention: Mention) -> bool:
    """Return whether a mention may stand before the name of what is ruled out, or for it."""
    inside = mention.cue(Cue.A, Cue.THE, Cue.MEASURE, Cue.ONE, Cue.SIZED)
    return inside or mention.idle or mention.role in (*_TOLD_APART, MentionType.MODIFIER)
