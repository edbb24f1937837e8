"""Repeating what was ordered last, and taking back what was said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from voice_service.ordering.acts import Remove, Repeat, Target, Undo, not_understood
from voice_service.ordering.intents.lookahead import of_kind
from voice_service.ordering.intents.parse_state import ParseState
from voice_service.ordering.language.cue_sets import DIFFERS, PAUSES, PUNCTUATION, STARTS_COMMAND
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.mentions.lookahead import differs
from voice_service.ordering.mentions.mention import Mention, MentionType
from voice_service.ordering.menu.lexicon import Candidate
from voice_service.ordering.references.pointers import ends, read_pointer, text_of

_MOST_TIMES = 10  # more changes are not taken back at once


def undo(mentions: list[Mention], index: int, state: ParseState) -> int | None:
    """Read "scratch that" or "undo that twice"; None if it names what is to go."""
    mention = mentions[index]
    if _names_what_goes(mentions, index, state):
        return None
    if _announces(mentions, index, state) or takes_out_again(mentions, index, state):
        return index + 1
    times = _times(mentions, index + 1)
    state.flush()
    rest = mentions[index + 1 :]
    if mention.cue(Cue.GIVE_UP) and rest and all(p.idle or p.cue(*PUNCTUATION) for p in rest):
        state.push([not_understood(text_of(mentions[index:]))])  # "forget it, it is for here"
        return len(mentions)
    item, unclear = mention.cue(Cue.UNDO_ITEM), mention.cue(Cue.GIVE_UP) and times is None
    state.push([Undo(item, mention.span.text, unclear, times)])
    return index + 1 + (times is not None)


def _names_what_goes(mentions: Sequence[Mention], index: int, state: ParseState) -> bool:
    """Return whether the "that" of "remove that" is a determiner: "remove that coke"."""
    if mentions[index].span.text.split()[-1] not in state.menu.language.cues[Cue.THE]:
        return False
    said = (MentionType.SIZE, MentionType.MODIFIER)
    named = next((p for p in mentions[index + 1 :] if p.role not in said), None)
    return named is not None and named.role is MentionType.ITEM and state.ordered(named)


def _announces(mentions: Sequence[Mention], index: int, state: ParseState) -> bool:
    """Return whether what is to go comes next: "I changed my mind, cancel the coke"."""
    it = mentions[index].span.text.split()[-1] in state.menu.language.cues[Cue.IT]
    if it and not mentions[index].cue(Cue.GIVE_UP):
        return False
    following = next((p for p in mentions[index + 1 :] if not (p.cue(*PAUSES) or p.idle)), None)
    goes = (*STARTS_COMMAND, Cue.NO, Cue.TAKE, Cue.INSTEAD_OF)
    return following is not None and following.cue(*goes)


def takes_out_again(mentions: Sequence[Mention], index: int, state: ParseState) -> bool:
    """True of "I changed my mind about the cola, scrap it": the "it" is out already."""
    pronoun = any(p.cue(Cue.IT) for p in mentions[index + 1 : index + 2])
    it = pronoun or mentions[index].span.text.split()[-1] in state.menu.language.cues[Cue.IT]
    said = [p for p in state.pending if not (p.idle or p.cue(*PAUSES, Cue.AND))]
    return it and not said and bool(state.acts) and isinstance(state.acts[-1], Remove)


def one_less(mentions: list[Mention], index: int, state: ParseState) -> int | None:
    """Read "one less" of the only thing ordered; of several, nobody knows which."""
    number, word = mentions[index], mentions[index + 1 : index + 2]
    counted = number.role is MentionType.NUMBER or number.cue(Cue.ONE, Cue.A, Cue.IT)
    if not counted or not any(p.cue(Cue.FEWER) for p in word) or not ends(mentions, index + 2):
        return None
    if state.pending or not state.cart.items:
        return None
    text = text_of(mentions[index : index + 2])
    alone = len(state.cart.lines) == 1
    gone = Remove(Target(), number.span.value or 1, text=text)
    state.push([gone if alone else not_understood(text)])
    return index + 2


def one_more_of_those(mentions: list[Mention], index: int, state: ParseState) -> int | None:
    """Read "one more of the first", which a person has to look up."""
    found = read_pointer(mentions, index + 1) if mentions[index].cue(Cue.MORE) else None
    if found is None or not mentions[index + 1].cue(Cue.ORDINAL) or not ends(mentions, found[1]):
        return None
    state.flush()
    state.push([not_understood(text_of(mentions[index : found[1]]))])
    return found[1]


def _times(mentions: Sequence[Mention], index: int) -> int | None:
    """Return how many times, in "undo that twice"."""
    number = mentions[index] if index < len(mentions) else None
    if number is None or number.role is not MentionType.NUMBER or not ends(mentions, index + 1):
        return None
    return min(number.span.value or 1, _MOST_TIMES)


def repeat_same(mentions: list[Mention], index: int, state: ParseState) -> int:
    """Read "the same again"; "another one with cheese" is an item of its own."""
    following = mentions[index + 1] if index + 1 < len(mentions) else None
    if index and mentions[index - 1].cue(Cue.WITH) and state.pending:
        # "And a latte with the same": a person has to find out what is to be the same.
        state.flush()
        state.acts.append(not_understood(mentions[index].span.text))
        return index + 1
    if following is not None and following.role in (
        MentionType.ITEM,
        MentionType.SIZE,
        MentionType.MODIFIER,
    ):
        more = replace(mentions[index].span, cues=frozenset({Cue.MORE}))
        state.pending.append(Mention(more, MentionType.CUE))
        return index + 1
    state.flush()
    if following is not None and following.cue(Cue.BUT):
        # "The same but ...": a person has to find out what the difference replaces.
        state.acts.append(not_understood(mentions[index].span.text))
    if differs(mentions, index + 1) and state.cart.items:
        last = (Candidate("item", state.cart.items[-1], None),)
        state.pending.append(Mention(mentions[index].span, MentionType.ITEM, last))
    else:
        state.push([Repeat(bare=True)])
    return index + 1


def repeat_more(
    mentions: list[Mention], index: int, count: int, end: int, state: ParseState
) -> int:
    """Read "two more" of the last item; "one more with cheese" is an item of its own."""
    state.flush()
    if end < len(mentions) and (mentions[end].cue(*DIFFERS) or of_kind(mentions, end)):
        more = replace(mentions[index].span, cues=frozenset({Cue.MORE}), value=count)
        number = replace(more, cues=frozenset({Cue.NUMBER}))
        last = (Candidate("item", state.cart.items[-1], None),)
        state.pending += [
            Mention(number, MentionType.NUMBER),
            Mention(more, MentionType.ITEM, last),
        ]
    else:
        state.push([Repeat(count, bare=True)])
    return end
