"""Slips of the tongue: which of the words before "no", "sorry" or "I mean" are taken back."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import dropwhile

from voice_service.ordering.acts import (
    Act,
    Add,
    Dismiss,
    ItemRequest,
    Remove,
    Replace,
    Target,
    not_understood,
)
from voice_service.ordering.doubt import Doubt
from voice_service.ordering.intents.parse_state import ParseState
from voice_service.ordering.intents.reparandum import (
    but_for_these,
    doubt_other_kind,
    modifier_slip,
    of_kind,
    without_unknown,
)
from voice_service.ordering.items.assembly import assemble_items
from voice_service.ordering.language.cue_sets import (
    ARTICLES,
    ENDS_SENTENCE,
    GOES_ON,
    STARTS_COMMAND,
)
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.mentions.lookahead import role_follows
from voice_service.ordering.mentions.mention import Mention, MentionType


def no_as_correction(mentions: list[Mention], index: int, state: ParseState) -> bool:
    """Whether "no" takes back what was said ("two, no, three") and leaves nothing off."""
    mention = mentions[index]
    if not mention.cue(Cue.NO) or not mention.cue(Cue.DENY):
        return False
    following = mentions[index + 1 : index + 3]
    if not following or not (state.pending or state.acts or state.cart.items):
        return False
    first = following[0]
    if first.cue(Cue.COMMA):
        return len(following) > 1 and (
            following[1].role
            in (MentionType.NUMBER, MentionType.SIZE, MentionType.ITEM, MentionType.MODIFIER)
            or following[1].cue(Cue.A, Cue.MAKE, Cue.REQUEST, Cue.THE, Cue.WITH)
        )
    chosen = bool(state.pending) and state.pending[-1].role is MentionType.MODIFIER
    if first.cue(Cue.ALONE) or (first.cue(Cue.WITH) and chosen):
        return True
    second = following[1] if len(following) > 1 else None
    if second is not None and second.role is MentionType.ITEM and state.ordered(second):
        return False  # "not a Coke": there is one in the order
    named = list(
        dropwhile(lambda mention: mention.role is MentionType.MODIFIER, mentions[index + 2 :])
    )
    topping = second is not None and second.role is MentionType.MODIFIER
    topping = topping and not (named and named[0].role is MentionType.ITEM)
    return first.role in (MentionType.NUMBER, MentionType.SIZE) or (
        first.cue(Cue.A) and not topping
    )


def makes_another(mentions: Sequence[Mention], index: int, state: ParseState) -> bool:
    """ "With fries, make that tots": another of the kind that was said last."""
    named = next((mention for mention in mentions[index + 1 :] if not mention.cue(Cue.A)), None)
    made = mentions[index].cue(Cue.MAKE) and bool(state.pending)
    if not made or named is None or named.role is not MentionType.MODIFIER:
        return False
    return of_kind(state.pending[-1], {sense.group for sense in named.candidates})


def ends_in_no(mentions: Sequence[Mention], index: int, state: ParseState) -> bool:
    """Whether "actually no" leaves off what follows, and takes back none of its like before it.

    That is a modifier, or an item of the order: "no not a coke", "wait no fries".
    """
    words, cues = mentions[index].span.text.split(), state.menu.language.cues
    if len(words) == 1 or words[-1] not in cues[Cue.NO]:
        return False
    start = index + 1
    articles = (Cue.THE,) if words[-1] in cues[Cue.DENY] else ARTICLES
    while start < len(mentions) and mentions[start].cue(*articles):
        start += 1
    following = mentions[start] if start < len(mentions) else None
    if following is None:
        return False
    if following.role is MentionType.ITEM:
        return state.ordered(following)
    slip = bool(state.pending) and state.pending[-1].role is MentionType.MODIFIER
    return not slip and start == index + 1 and following.role is MentionType.MODIFIER


def correct(mentions: list[Mention], index: int, state: ParseState) -> int:
    """What follows replaces its like before it: a number, a size, an item, a modifier."""
    start = index + 1
    while start < len(mentions) and (
        mentions[start].cue(Cue.COMMA, Cue.CORRECT) or mentions[start].idle
    ):
        start += 1
    if _denied_again(mentions[index], mentions[start : start + 1], state):
        state.pending.pop()
        return start + 1
    alone = any(p.cue(Cue.ALONE) for p in mentions[start : start + 1])
    only = alone or mentions[index].cue(Cue.ONLY)
    if alone and role_follows(mentions, start, MentionType.MODIFIER):
        start += 1
    if only and _only_one_of_those(mentions[start:], state):
        state.flush()
        state.push([not_understood(mentions[index].span.text)])
        return start
    if only:
        state.pending = but_for_these(state.pending, mentions[start:])
    before = state.pending
    state.pending, merged = _correction(before, mentions[start:])
    if merged and before and state.pending == before[:-1]:
        doubt_other_kind(before[-1], mentions, start)
    ends = (*STARTS_COMMAND, *ENDS_SENTENCE, Cue.KEEP, Cue.NEVER_MIND)
    if merged or start >= len(mentions) or mentions[start].cue(*ends):
        if start >= len(mentions):
            _take_what_it_follows(mentions[index], state)
        return start
    breath = any(p.role is MentionType.ITEM for p in state.pending)
    state.flush()
    if mentions[start].cue(Cue.ALSO, Cue.AND):
        return start
    end = _size_alone(mentions, start, state) or next(
        (i for i in range(start, len(mentions)) if _ends(mentions, i, state)), len(mentions)
    )
    if any(p.cue(Cue.INSTEAD, Cue.INSTEAD_OF, Cue.QUESTION, Cue.TALK) for p in mentions[start:end]):
        return start
    acts = _unclear_if_both_go(assemble_items(mentions[start:end], state.menu, state.cart), state)
    if acts and isinstance(acts[0], Add) and state.cart.items:
        asks = mentions[start].cue(Cue.REQUEST)
        slips = mentions[index:start]
        acts[0] = _in_its_place(acts[0].request, slips, state, asks=asks, breath=breath)
        if any(slip.cue(Cue.MEANT) for slip in slips):
            acts[1:] = _each_in_its_place(acts, state)
    state.push(acts)
    return end


def _unclear_if_both_go(acts: list[Act], state: ParseState) -> list[Act]:
    """ "No fries, sorry, no coke": both, or only what was said last?"""
    first = next(iter(acts), None)
    if isinstance(first, Remove) and state.acts and isinstance(state.acts[-1], Remove):
        return [not_understood(first.text), *acts[1:]]
    return acts


def _take_what_it_follows(slip: Mention, state: ParseState) -> None:
    """Takes "diet cola, sorry" as "sorry, diet cola"."""
    said = [p for p in state.pending if p.role is MentionType.ITEM]
    opens = any(p.cue(*GOES_ON) for p in state.pending[:1])
    if len(said) != 1 or opens or state.acts or not state.cart.items or slip.cue(Cue.FILLER):
        return
    acts, state.pending = assemble_items(state.pending, state.menu, state.cart), []
    if acts and isinstance(acts[0], Add):
        acts[0] = _in_its_place(acts[0].request, [slip], state, asks=False, breath=False)
    state.push(acts)


def _size_alone(mentions: Sequence[Mention], start: int, state: ParseState) -> int | None:
    """Where "a medium" ends in "a small malt, no, a medium and a large tea"; None if it is not so.

    Two sizes before one name are of that ("two large and one small fries"), unless the size takes
    the place of another.
    """
    sized = start + any(p.cue(Cue.A) for p in mentions[start : start + 1])
    end = sized + 1
    if (
        end >= len(mentions)
        or mentions[sized].role is not MentionType.SIZE
        or not mentions[end].cue(Cue.AND)
    ):
        return None
    last = state.cart.items[-1:]
    takes = any(
        state.menu.offers(item, sense) for item in last for sense in mentions[sized].candidates
    )
    return end if takes and any(p.role is MentionType.ITEM for p in mentions[end:]) else None


def _ends(mentions: list[Mention], index: int, state: ParseState) -> bool:
    """Whether a correction ends at `index`, maybe as the next one begins: "no, a coke"."""
    if mentions[index].cue(*ENDS_SENTENCE, *STARTS_COMMAND, Cue.DONE):
        return True
    named = next((p for p in mentions[index + 1 :] if not p.cue(Cue.COMMA, Cue.A, Cue.THE)), None)
    again = named is not None and named.role in (
        MentionType.ITEM,
        MentionType.NUMBER,
        MentionType.SIZE,
    )
    return again and no_as_correction(mentions, index, state)


def _in_its_place(
    group: ItemRequest, slips: Sequence[Mention], state: ParseState, *, asks: bool, breath: bool
) -> Act:
    """What an item after a slip takes the place of: its like, or what was just said.

    `asks`: it is asked for in words ("actually, can I get"); `breath`: something was ordered in the
    same breath.
    """
    before = state.cart.items
    denies = any(_denies(slip, state) for slip in slips)
    if group.item in before and (denies or not asks):
        return Replace(Target((group.item,)), group, alike=True, anew=True)
    kind = state.menu.items[group.item].category
    alike = [item for item in before if state.menu.items[item].category == kind]
    sure = (denies or any(slip.cue(Cue.MEANT) for slip in slips)) and not asks
    if alike and (alike[-1] == before[-1] or not sure):
        return Replace(Target(), group, alike=True, anew=True)
    if alike:
        return Replace(Target((alike[-1],)), group, anew=True)
    if sure and (breath or len(before) == 1):
        return Replace(Target(), group, anew=True)
    if sure:
        # "Fries and a coke. I meant a burger": which of the two is it not?
        return not_understood(" ".join(slip.span.text for slip in slips))
    if breath and not asks:
        group.quality *= Doubt.BOTH_WANTED.certainty
    return Add(group)


def _each_in_its_place(acts: Sequence[Act], state: ParseState) -> list[Act]:
    """ "I meant a sprite and a hamburger": what is named further replaces its like as well."""
    first, left = acts[0], list(state.cart.items)
    if isinstance(first, Replace):
        left.remove(first.target.items[-1] if first.target.items else left[-1])
    return [_in_place_of_like(act, left, state) for act in acts[1:]]


def _in_place_of_like(act: Act, left: list[str], state: ParseState) -> Act:
    """The act, or if one of `left` is like what it adds, its replacement."""
    if not isinstance(act, Add):
        return act
    items = state.menu.items
    kind = items[act.request.item].category
    like = next((item for item in reversed(left) if items[item].category == kind), None)
    if like is None:
        return act
    left.remove(like)
    return Replace(Target((like,)), act.request, anew=True)


def _denies(slip: Mention, state: ParseState) -> bool:
    deny = state.menu.language.cues[Cue.DENY]
    return any(word in deny for word in slip.span.text.split())


def taken_back(mentions: Sequence[Mention], index: int, state: ParseState) -> None:
    """ "A coke, never mind": the one item just said goes; of several, or its topping, who knows."""
    said = [p for p in state.pending if p.role in (MentionType.ITEM, MentionType.MODIFIER)]
    before = state.cart
    acts = state.flush()
    added = [act for act in acts if isinstance(act, Add)]
    if not said:
        state.push([Dismiss(mentions[index].span.text)])
    elif len(acts) == len(added) == 1 and said[-1].role is MentionType.ITEM:
        group = added[0].request
        gone = Target((group.item,))
        state.push([Remove(gone, group.quantity or 1, asked=False, text=mentions[index].span.text)])
        state.cart = before
    else:
        state.push([not_understood(mentions[index].span.text)])


def _denied_again(slip: Mention, following: Sequence[Mention], state: ParseState) -> bool:
    """Whether "no not tomato" only names what it takes back, which was said just before."""
    words = slip.span.text.split()
    denies = len(words) > 1 and words[-1] in state.menu.language.cues[Cue.NO]
    if not denies or not state.pending or not following:
        return False
    said, again = state.pending[-1], following[0]
    return (
        said.role is again.role is MentionType.MODIFIER
        and said.candidates[:1] == again.candidates[:1]
    )


def _correction(stretch: list[Mention], following: Sequence[Mention]) -> tuple[list[Mention], bool]:
    """Takes the slip out of the words before a correction: "two, no, three colas".

    Returns the words that stay, and whether what follows simply goes on from there.
    """
    said = [p for p in following if not p.idle]
    understood = without_unknown(stretch, said)
    if understood is not None:
        return understood, True
    tail = len(stretch)
    while tail > 0 and (
        stretch[tail - 1].role in (MentionType.NUMBER, MentionType.SIZE)
        or stretch[tail - 1].idle
        or stretch[tail - 1].cue(Cue.A, Cue.COMMA, Cue.MORE)
    ):
        tail -= 1
    dangling = stretch[tail:]
    after_item = tail > 0 and stretch[tail - 1].role is MentionType.ITEM
    if after_item or not any(
        p.role in (MentionType.NUMBER, MentionType.SIZE) or p.cue(Cue.A) for p in dangling
    ):
        return modifier_slip(stretch, said)
    roles = {p.role for p in said[:3]}
    counted = MentionType.NUMBER in roles or any(p.cue(Cue.A) for p in said[:1])
    kept = [
        p
        for p in dangling
        if not (p.role is MentionType.SIZE and MentionType.SIZE in roles)
        and not ((p.role is MentionType.NUMBER or p.cue(Cue.A)) and counted)
    ]
    return [*stretch[:tail], *kept], True


def _only_one_of_those(following: Sequence[Mention], state: ParseState) -> bool:
    """ "A coke and fries, actually just the fries": what else was said, and is it still wanted?"""
    named = next((p for p in following if not p.idle and not p.cue(*ARTICLES)), None)
    if named is None or named.role is not MentionType.ITEM or not state.ordered(named):
        return False
    said = [p for p in state.pending if p.role in (MentionType.ITEM, MentionType.MODIFIER)]
    return len(said) > 1 or any(item not in named.items for item in state.cart.items)
