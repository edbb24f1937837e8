"""What takes the place of what: "a sprite instead", "pickles instead of onions"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from voice_service.ordering.acts import Add, Remove, Replace, Target
from voice_service.ordering.intents.lookahead import item_ahead
from voice_service.ordering.intents.parse_state import ParseState
from voice_service.ordering.language.cue_sets import ARTICLES
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.mentions.mention import Mention, MentionType


def read_instead(_: list[Mention], index: int, state: ParseState) -> int:
    """Read "a sprite instead": the item just named takes the place of the one before it."""
    before = state.cart.items
    acts = state.flush()
    removal = acts[-1] if len(acts) > 1 else None
    if isinstance(removal, Remove) and isinstance(acts[0], Add):
        # "No fries, onion rings instead": what goes was named.
        state.acts[-1] = replace(removal, inherit=True)
        return index + 1
    last = state.acts[-1] if state.acts else None
    if not acts or last is not acts[-1] or not isinstance(last, Add) or not before:
        return index + 1
    request = last.request
    if request.counting.combos is not None and state.menu.combos_with(request.item, before):
        return index + 1  # "one with a sprite instead": so many of the combos have it
    category = state.menu.items[request.item].category
    alike = [i for i in before if state.menu.items[i].category == category]
    state.acts[-1] = Replace(Target(((alike or list(before))[-1],)), request)
    return index + 1


def read_instead_of(mentions: list[Mention], index: int, state: ParseState) -> int:
    """Read what goes: "a sprite instead of the coke", "pickles instead of onions"."""
    end = index + 1
    while end < len(mentions) and (
        mentions[end].idle or mentions[end].cue(*ARTICLES, Cue.MEASURE, Cue.FILLER)
    ):
        end += 1
    if end < len(mentions) and mentions[end].role is MentionType.SIZE:
        end += 1
    if end < len(mentions) and mentions[end].role is MentionType.ITEM:
        replacement_pending = any(p.role is MentionType.ITEM for p in state.pending)
        if replacement_pending and item_ahead(mentions, index, end):
            state.flush()
            replacement_pending = False
        state.instead = mentions[end].items
        if replacement_pending:
            state.flush()
        return end + 1
    if end < len(mentions) and mentions[end].role is MentionType.MODIFIER:
        if _gives_way(mentions[end], mentions[index + 1 : end], state):
            return end + 1
        without, but = (_as_cue(mentions[index], cue) for cue in (Cue.NO, Cue.BUT))
        state.pending += [without, mentions[end], but]
        return end + 1
    return index + 1


def _gives_way(mention: Mention, between: Sequence[Mention], state: ParseState) -> bool:
    """True of "almond milk instead of whole milk" or "instead of regular".

    Of the two there is only one in any case, or what is usual is meant.
    """
    chosen = next((p for p in state.pending[::-1] if p.role is MentionType.MODIFIER), None)
    if chosen is None:
        return False
    ordinary = state.menu.language.names.ordinary_words
    usual = any(word in ordinary for p in between for word in p.span.text.split())
    if usual or mention.span.has(Cue.SOFT) or mention.candidates[0].id == chosen.candidates[0].id:
        return True
    groups = {s.group for s in mention.candidates if s.group is not None}
    alike = not groups.isdisjoint(s.group for s in chosen.candidates)
    named = any(p.role is MentionType.ITEM for p in state.pending)
    return named and alike and all(state.menu.groups[group].max == 1 for group in groups)


def _as_cue(mention: Mention, cue: Cue) -> Mention:
    """Return the words of a mention as if they were that cue."""
    return Mention(replace(mention.span, cues=frozenset({cue})), MentionType.CUE)
