"""Numbers that count what is ordered already: "both are two", "two of each", or a number alone."""

from __future__ import annotations

from collections.abc import Sequence

from voice_service.ordering.acts import (
    Add,
    Modify,
    ModifyReferenced,
    Problem,
    Reference,
    ReferenceKind,
    Target,
    not_understood,
)
from voice_service.ordering.cart_view import CartView
from voice_service.ordering.intents.parse_state import ParseState
from voice_service.ordering.items.assembly import assemble_items
from voice_service.ordering.language.cue_sets import (
    ATTACHES,
    CHANGES_TOPPINGS,
    GOES_ON,
    ONE_MORE,
    PUNCTUATION,
)
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.language.tokens import plural
from voice_service.ordering.mentions.lookahead import for_all
from voice_service.ordering.mentions.mention import Mention, MentionType
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.reasons import ReasonCode
from voice_service.ordering.references.pointers import ends, text_of

_BETWEEN = (Cue.REQUEST, Cue.MAKE, Cue.TIMES, Cue.MEASURE, Cue.TO, Cue.THE)
"""May stand beside a number and what it counts: "make all of them times two"."""

_NOT_AFTER = (*ATTACHES, *CHANGES_TOPPINGS, Cue.BUT)


def counts_each(mentions: Sequence[Mention], index: int) -> tuple[int, int] | None:
    """Return how many "two of each" or "both are two" asks for of each, and where it ends.

    None if the words say more ("two each with cheese", "no ice in two of each").
    """
    if index and mentions[index - 1].cue(*_NOT_AFTER):
        return None
    count, all_of_them, end = 0, False, index
    while end < len(mentions) and not (count and all_of_them and ends(mentions, end)):
        mention = mentions[end]
        if mention.role is MentionType.NUMBER and not count:
            count = mention.span.value or 0
        elif mention.cue(Cue.BOTH, Cue.EVERYTHING) and not mention.cue(Cue.NO) and not all_of_them:
            all_of_them = True
        elif not (mention.idle or mention.cue(*_BETWEEN)):
            return None
        end += 1
    return (count, end) if count and all_of_them else None


def count_each(mentions: list[Mention], index: int, state: ParseState) -> int | None:
    """Read "two of each": of what was named in the same breath, else of all that is ordered."""
    found = counts_each(mentions, index)
    if found is None or not state.has_items:
        return _one_for_each(mentions, index, state)
    count, end = found
    if count == 1 and (state.pending or all(line.count == 1 for line in state.cart.lines)):
        return None
    named = [act.request.item for act in state.flush() if isinstance(act, Add)]
    items = tuple(dict.fromkeys(named or state.cart.items))
    if len(items) == 1 and named:
        # "Tacos for me and my wife, two each": two, or four?
        name = state.menu.item_name(items[0])
        state.push([Problem(ReasonCode.AMBIGUOUS_QUANTITY, name)])
    elif len(items) == 1:
        state.push([not_understood(text_of(mentions[index:end]))])
    else:
        pair = any(p.cue(Cue.PAIR) for p in mentions[index:end])
        kind = ReferenceKind.BOTH if pair else ReferenceKind.ALL
        ref = Reference(kind, items=tuple(named), text=text_of(mentions[index:end]))
        changes = tuple(Modify(Target((item,)), quantity=count) for item in items)
        state.push([ModifyReferenced(ref, changes)])
    return end


def _one_for_each(mentions: list[Mention], index: int, state: ParseState) -> int | None:
    """Read "a burger and a cola each", which are as many as there are people: how many?"""
    named = [p for p in state.pending if p.role is MentionType.ITEM]
    last = next((p for p in state.pending[::-1] if not p.idle), None)
    if not mentions[index].cue(Cue.EACH) or not named or last is None or for_all(mentions, index):
        return None
    apart = last.span.words[-1:] != (mentions[index].span.words[0] - 1,)  # "at three bucks each"
    if apart or last.role is MentionType.NUMBER or last.cue(Cue.A, Cue.BOTH):
        return None
    state.flush()
    for mention in named:
        name = state.menu.item_name(mention.items[0])
        state.push([Problem(ReasonCode.AMBIGUOUS_QUANTITY, name)])
    return index + 1


def count_those(mentions: list[Mention], index: int, state: ParseState) -> int | None:
    """Read "two of them" or "make that two of those", where there are not yet so many of the last.

    Nothing else may be said.
    """
    aside = (*PUNCTUATION, Cue.MAKE, Cue.REQUEST)
    said = [p for p in mentions if p.cue(Cue.ONE) or not (p.idle or p.cue(*aside, Cue.IT))]
    if index or len(said) != len((Cue.NUMBER, Cue.ONE)) or said[0].role is not MentionType.NUMBER:
        return None
    last = next((x for x in state.cart.lines[::-1] if x.item in state.cart.items[-1:]), None)
    count = said[0].span.value or 0
    of_them = said[1].role is MentionType.CUE and said[1].cue(Cue.ONE) and " " in said[1].span.text
    if last is None or count <= last.count or not of_them:
        return None
    state.push([Modify(Target(), quantity=count, text=text_of(said))])
    return len(mentions)


def counts_last(mentions: Sequence[Mention], cart: CartView) -> bool:
    """True of a number alone, where the last thing ordered has no number yet: "two"."""
    said = [mention for mention in mentions if not (mention.idle or mention.cue(Cue.STOP))]
    if [mention.role for mention in said] != [MentionType.NUMBER] or cart.choices:
        return False
    last = [line for line in cart.lines if line.item in cart.items[-1:]]
    return bool(last) and last[-1].quantity is None


def count_before_pause(mentions: Sequence[Mention], waiting: int, state: ParseState) -> int:
    """Read the number of "a burger. Two. A large coke", which counts the burgers.

    `waiting`: so many words were said before the pause. A number belongs to what follows, unless
    that is counted itself, is named as one, or names nothing. Return where the words begin that are
    still to be read.
    """
    before = [p for p in mentions if p.span.words and p.span.words[-1] < waiting]
    if [p.role for p in before] != [MentionType.NUMBER] or not state.cart.items:
        return 0
    said = [p for p in mentions[1:] if not (p.idle or p.cue(Cue.REQUEST))][:1]
    counted = any(p.role is MentionType.NUMBER or p.cue(*ONE_MORE) for p in said)
    single = (before[0].span.value or 0) > 1 and any(_is_one(p, state.menu) for p in said)
    if not (counted or single or any(p.cue(*GOES_ON, Cue.NO, Cue.DONE) for p in said)):
        return 0
    state.push(assemble_items(before, state.menu, state.cart))
    return 1


def _is_one(mention: Mention, menu: CompiledMenu) -> bool:
    """Return whether an item is named in the singular, and has a plural: "coke", not "fries"."""
    if mention.role is not MentionType.ITEM or mention.plural:
        return False
    name = menu.item_name(mention.items[0])
    return plural(name, menu.language) != name
