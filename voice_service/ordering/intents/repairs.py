"""Repairs: which of the words before "no", "sorry" or "I mean" are taken back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import dropwhile, takewhile

from voice_service.ordering.acts import (
    Act,
    Add,
    Dismiss,
    ItemRequest,
    Modify,
    Problem,
    Remove,
    Replace,
    Target,
    not_understood,
)
from voice_service.ordering.intents.contrast import alternative_end
from voice_service.ordering.intents.lookahead import counts_down, denied_command, takes_off
from voice_service.ordering.intents.parse_state import ParseState
from voice_service.ordering.intents.reparandum import (
    cut_modifier,
    cut_unknown,
    is_of_group,
    keep_only_listed,
)
from voice_service.ordering.items.assembly import assemble_items
from voice_service.ordering.language.cue_sets import (
    ENDS_SENTENCE,
    GOES_ON,
    PAUSES,
    STARTS_COMMAND,
)
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.mentions.mention import Mention, MentionType
from voice_service.ordering.reasons import ReasonCode


def no_opens_repair(mentions: list[Mention], index: int, state: ParseState) -> bool:
    """Return whether "no" takes back what was said ("two, no, three") and leaves nothing off."""
    mention = mentions[index]
    if not mention.cue(Cue.NO) or not mention.cue(Cue.DENY):
        return False
    following = mentions[index + 1 : index + 3]
    if not following or not (state.pending or state.acts or state.cart.items):
        return False
    first = following[0]
    if first.cue(Cue.COMMA) or answers(mentions, index):
        return any(not p.idle for p in mentions[index + 1 :] if not p.cue(Cue.COMMA))
    chosen = bool(state.pending) and state.pending[-1].role is MentionType.MODIFIER
    if first.cue(Cue.ALONE) or (first.cue(Cue.WITH) and chosen):
        return True
    second = following[1] if len(following) > 1 else None
    named = list(
        dropwhile(lambda mention: mention.role is MentionType.MODIFIER, mentions[index + 2 :])
    )
    topping = second is not None and second.role is MentionType.MODIFIER
    topping = topping and not (named and named[0].role is MentionType.ITEM)
    other = second is not None and second.role is MentionType.ITEM and not state.ordered(second)
    if first.cue(Cue.THE) and not first.idle and other:
        return True  # "no the cheeseburger", where there is none
    return first.role in (MentionType.NUMBER, MentionType.SIZE) or (
        first.cue(Cue.A) and not topping
    )


def answers(mentions: Sequence[Mention], index: int) -> bool:
    """Return whether "no" only answers, and a wish follows: "no can I get it decaf"."""
    if index and not mentions[index - 1].cue(*ENDS_SENTENCE, Cue.CORRECT):
        return False
    following = index + 1
    wish = (*ENDS_SENTENCE, Cue.REQUEST, Cue.ADD, Cue.MAKE, Cue.IT)
    return following < len(mentions) and (
        mentions[following].cue(*wish) or alternative_end(mentions, following) is not None
    )


def repairs_choice(mentions: Sequence[Mention], index: int, state: ParseState) -> bool:
    """True of "with fries, make that tots": another of the group that was said last."""
    named = next((mention for mention in mentions[index + 1 :] if not mention.cue(Cue.A)), None)
    made = mentions[index].cue(Cue.MAKE) and bool(state.pending)
    if not made or named is None or named.role is not MentionType.MODIFIER:
        return False
    return is_of_group(state.pending[-1], {sense.group for sense in named.candidates})


def is_stuttered_no(mentions: Sequence[Mention], index: int, state: ParseState) -> bool:
    """Return whether "no no onions" is one no, which leaves off what follows.

    After another modifier, that one is taken back: "with cheese, no no bacon". "No not fries"
    leaves off an item of the order.
    """
    words, cues = mentions[index].span.text.split(), state.menu.language.cues
    if len(words) == 1 or words[-1] not in cues[Cue.NO]:
        return False
    following = next(iter(mentions[index + 1 :]), None)
    if following is None:
        return False
    if following.role is MentionType.ITEM:
        return words[-1] not in cues[Cue.DENY] and state.ordered(following)
    last = state.pending[-1] if state.pending else None
    slip = last is not None and last.role is MentionType.MODIFIER
    same = last is not None and last.candidates[:1] == following.candidates[:1]
    return following.role is MentionType.MODIFIER and (same or not slip)


def read_stuttered_no(mentions: list[Mention], index: int, state: ParseState) -> int:
    """Read "no no onions" as "no onions"."""
    span = replace(mentions[index].span, cues=frozenset({Cue.NO}))
    state.pending.append(Mention(span, MentionType.CUE))
    return index + 1


def repair(mentions: list[Mention], index: int, state: ParseState) -> int:
    """Replace what was said by its like that follows: a number, a size, an item, a modifier."""
    start = index + 1
    while start < len(mentions) and (
        mentions[start].cue(*PAUSES, Cue.CORRECT)
        or (mentions[start].idle and not counts_down(mentions, start))
        or no_opens_repair(mentions, start, state)
    ):
        start += 1
    if start < len(mentions) and _takes_nothing_back(mentions, start):
        return start
    alone = any(p.cue(Cue.ALONE) for p in mentions[start : start + 1])
    if alone or mentions[index].cue(Cue.ONLY):
        state.pending = keep_only_listed(state.pending, mentions[start:])
    state.pending, merged = _correction(state.pending, mentions[start:])
    ends = (*STARTS_COMMAND, *ENDS_SENTENCE, Cue.KEEP, Cue.NEVER_MIND)
    if merged or start >= len(mentions) or mentions[start].cue(*ends):
        if start >= len(mentions):
            _take_what_it_follows(mentions[index], state)
        return start
    breath = any(p.role is MentionType.ITEM for p in state.pending)
    state.flush()
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
    elif acts and not breath and not mentions[start].cue(Cue.REQUEST):
        acts = _instead_of_toppings(acts, mentions[index:start], state)
    state.push(acts)
    return end


def _instead_of_toppings(acts: list[Act], slips: Sequence[Mention], state: ParseState) -> list[Act]:
    """Take back what was put on the item, where "I mean avocado" names something of its kind.

    Where the slip leaves that open ("actually avocado"), it is asked about.
    """
    mods = [mod for act in acts if isinstance(act, Modify) for mod in act.mods]
    change = acts[0]
    if not isinstance(change, Modify) or not mods or any(mod.negated for mod in mods):
        return acts
    line = next((x for x in state.cart.lines[::-1] if x.item in change.target.items), None)
    named, groups = {mod.id for mod in mods}, {mod.group for mod in mods}
    groups -= {*state.menu.single_groups(line.item)} if line is not None else groups
    before = [m for m in line.mods if m.group in groups and not m.negated] if line else []
    gone = [mod for mod in before if mod.id not in named]
    if not gone:
        return acts
    sure = any(slip.cue(Cue.MEANT) or _denies(slip, state) for slip in slips)
    if sure and len(gone) == 1:
        return [replace(change, mods=(*change.mods, replace(gone[0], negated=True))), *acts[1:]]
    if not sure and len(gone) < len(before):
        return acts  # "actually pepperoni on the whole thing": of what is there, only more
    names = [state.menu.modifiers[mod.group, mod.id].name for mod in mods]
    return [Problem(ReasonCode.INSTEAD_OR_ALSO, ", ".join(names))]


def _takes_nothing_back(mentions: Sequence[Mention], start: int) -> bool:
    """Return whether what follows a slip says itself what it does: "wait, add fries".

    It asks for something on top, perhaps at its end ("actually a sprite as well"), counts down, or
    rules something out.
    """
    told = alternative_end(mentions, start) or denied_command(mentions, start)
    if told is not None or takes_off(mentions, start):
        return True
    if counts_down(mentions, start):
        return True
    clause = list(takewhile(lambda mention: not mention.cue(*ENDS_SENTENCE), mentions[start:]))
    wish = [p for p in clause if not (p.idle or p.cue(Cue.REQUEST, Cue.TO))][:1]
    item = any(p.role is MentionType.ITEM for p in clause)
    asks = any(p.cue(*GOES_ON, Cue.MORE) for p in wish)
    return asks or (item and any(p.cue(Cue.ALSO) for p in clause))


def _unclear_if_both_go(acts: list[Act], state: ParseState) -> list[Act]:
    """Ask about "no fries, sorry, no coke": both, or only what was said last?"""
    first = next(iter(acts), None)
    if isinstance(first, Remove) and state.acts and isinstance(state.acts[-1], Remove):
        return [not_understood(first.text), *acts[1:]]
    return acts


def _take_what_it_follows(slip: Mention, state: ParseState) -> None:
    """Read "diet cola, sorry" as "sorry, diet cola"."""
    named_before = [p for p in state.pending if p.role is MentionType.ITEM]
    opens = any(p.cue(*GOES_ON) for p in state.pending[:1])
    if (
        len(named_before) != 1
        or opens
        or state.acts
        or not state.cart.items
        or slip.cue(Cue.FILLER)
    ):
        return
    acts, state.pending = assemble_items(state.pending, state.menu, state.cart), []
    if acts and isinstance(acts[0], Add):
        acts[0] = _in_its_place(acts[0].request, [slip], state, asks=False, breath=False)
    state.push(acts)


def _size_alone(mentions: Sequence[Mention], start: int, state: ParseState) -> int | None:
    """Return where "a medium" ends in "a small malt, no, a medium and a large tea", else None.

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
    """Return whether a repair ends at `index`, perhaps as the next one begins: "no, a coke"."""
    if mentions[index].cue(*ENDS_SENTENCE, *STARTS_COMMAND, Cue.DONE, Cue.KEEP):
        return True
    named = next((p for p in mentions[index + 1 :] if not p.cue(Cue.COMMA, Cue.A, Cue.THE)), None)
    again = named is not None and named.role in (
        MentionType.ITEM,
        MentionType.NUMBER,
        MentionType.SIZE,
    )
    return again and no_opens_repair(mentions, index, state)


def _in_its_place(
    request: ItemRequest, slips: Sequence[Mention], state: ParseState, *, asks: bool, breath: bool
) -> Act:
    """Return the act of an item after a slip: it replaces its like, or what was just said.

    `asks`: it is asked for in words ("actually, can I get"); `breath`: something was ordered in the
    same breath.
    """
    before = state.cart.items
    denies = any(_denies(slip, state) for slip in slips)
    if request.item in before and (denies or not asks):
        return Replace(Target((request.item,)), request, alike=True, anew=True)
    kind = state.menu.items[request.item].category
    alike = [item for item in before if state.menu.items[item].category == kind]
    sure = (denies or any(slip.cue(Cue.MEANT) for slip in slips)) and not asks
    if alike and (alike[-1] == before[-1] or not sure):
        return Replace(Target(), request, alike=True, anew=True)
    if alike:
        return Replace(Target((alike[-1],)), request, anew=True)
    # "No chocolate shake, I mean a vanilla shake": the burger before them stays.
    sure = sure and not any(isinstance(act, Remove) for act in state.acts)
    if sure and (breath or len(before) == 1):
        return Replace(Target(), request, anew=True)
    if sure:
        # "Fries and a coke. I meant a burger": which of the two is it not?
        return not_understood(" ".join(slip.span.text for slip in slips))
    return Add(request)


def _each_in_its_place(acts: Sequence[Act], state: ParseState) -> list[Act]:
    """Let each of "I meant a sprite and a hamburger" replace its like."""
    first, left = acts[0], list(state.cart.items)
    if isinstance(first, Replace):
        left.remove(first.target.items[-1] if first.target.items else left[-1])
    return [_in_place_of_like(act, left, state) for act in acts[1:]]


def _in_place_of_like(act: Act, left: list[str], state: ParseState) -> Act:
    """Return an act as a replacement, if one of `left` is like what it adds."""
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
    """Return whether a slip contains a "no"."""
    deny = state.menu.language.cues[Cue.DENY]
    return any(word in deny for word in slip.span.text.split())


def dismiss_last(mentions: Sequence[Mention], index: int, state: ParseState) -> None:
    """Read "a coke, never mind": the one item just said goes.

    Of several, or with a topping, nobody knows which.
    """
    named_before = [p for p in state.pending if p.role in (MentionType.ITEM, MentionType.MODIFIER)]
    before = state.cart
    acts = state.flush()
    added = [act for act in acts if isinstance(act, Add)]
    if not named_before:
        state.push([Dismiss(mentions[index].span.text)])
    elif len(acts) == len(added) == 1 and named_before[-1].role is MentionType.ITEM:
        request = added[0].request
        gone = Target((request.item,))
        state.push([Remove(gone, request.count, asked=False, text=mentions[index].span.text)])
        state.cart = before
    else:
        state.push([not_understood(mentions[index].span.text)])


def _correction(clause: list[Mention], following: Sequence[Mention]) -> tuple[list[Mention], bool]:
    """Take the slip out of the words before a repair: "two, no, three colas".

    Return the words that stay, and whether what follows simply goes on from there.
    """
    repair_words = [p for p in following if not p.idle]
    understood = cut_unknown(clause, repair_words)
    if understood is not None:
        return understood, True
    tail = len(clause)
    while tail > 0 and (
        clause[tail - 1].role in (MentionType.NUMBER, MentionType.SIZE)
        or clause[tail - 1].idle
        or clause[tail - 1].cue(Cue.A, Cue.COMMA, Cue.MORE)
    ):
        tail -= 1
    modifiers = clause[tail:]
    after_item = tail > 0 and clause[tail - 1].role is MentionType.ITEM
    if after_item or not any(
        p.role in (MentionType.NUMBER, MentionType.SIZE) or p.cue(Cue.A) for p in modifiers
    ):
        return cut_modifier(clause, repair_words)
    roles = {p.role for p in repair_words[:3]}
    counted = MentionType.NUMBER in roles or any(p.cue(Cue.A) for p in repair_words[:1])
    kept = [
        p
        for p in modifiers
        if not (p.role is MentionType.SIZE and MentionType.SIZE in roles)
        and not ((p.role is MentionType.NUMBER or p.cue(Cue.A)) and counted)
    ]
    return [*clause[:tail], *kept], True
