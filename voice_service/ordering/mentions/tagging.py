"""Decides which role each phrase plays: is "guacamole" a side here, or on the burrito?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import dropwhile

from voice_service.ordering.doubt import Doubt
from voice_service.ordering.language.cue_sets import DESCRIBES, DETERMINERS, ONE_MORE
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.language.tokens import key_of, several
from voice_service.ordering.mentions.ambiguity import fits, listed, reading, with_kinds
from voice_service.ordering.mentions.kinds import elliptical, of_same_kind, plain_kind, usual
from voice_service.ordering.mentions.mention import (
    Mention,
    MentionType,
    candidates_of,
)
from voice_service.ordering.mentions.portions import with_portions
from voice_service.ordering.mentions.segmentation import Span
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.menu.lexicon import Candidate
from voice_service.ordering.menu.match import FULL, HEADED, NEARLY_FULL

_BETTER = 0.12  # an interrupted name may match this much worse than its last word alone
_NEAR = 3  # in so many phrases ahead, a measure looks for its item


def roles(spans: Sequence[Span], menu: CompiledMenu, ordered: Sequence[str]) -> list[Mention]:
    """Decide the role of each span, from left to right. `ordered`: the items of the cart."""
    mentions: list[Mention] = []
    current = ordered[-1] if ordered else None
    named: Mention | None = None  # said again by the words since: "cola cola cola"
    for index, span in enumerate(spans):
        following = spans[index + 1] if index + 1 < len(spans) else None
        pieces = listed(span, mentions, menu, current)
        if pieces:
            mentions, named = [*mentions, *pieces], None
            continue
        kin = () if current is None else (current, *reversed(ordered))
        mention = _role(span, spans[index + 1 :], mentions, menu, kin)
        head = _head_item(mention, mentions, spans[index + 1 :], menu, current)
        if head is not None:
            mentions.append(mention)
            mention = head
        named_before = any(p.role is MentionType.ITEM for p in mentions)
        if span.has(Cue.MEASURE) and _measures_nothing(
            mention, spans[index + 1 :], menu, ordered=named_before
        ):
            mention = Mention(_only(span, Cue.MEASURE), MentionType.CUE)
        if mentions and (
            _names_again(mention, named or mentions[-1], menu)
            or _heads_modifier(mention, mentions[-1])
            or _heads_group(mention, mentions[-1])
        ):
            named = named or mentions[-1]
            mention = Mention(_only(span, Cue.FILLER), MentionType.CUE)
        else:
            named = None
        if mention.role is MentionType.ITEM:
            mention = elliptical(mention, kin, menu, mentions)
            current = mention.items[0]
            word = span.text.split()[-1]
            key = key_of(word, menu.language)
            mention.plural = key != word and not key.isdigit()
        if mention.role is MentionType.NUMBER and mentions and mentions[-1].cue(Cue.NUMBERED):
            # "number two" is a name, and no name on this menu.
            mentions[-1] = Mention(
                replace(mentions[-1].span, cues=frozenset()), MentionType.UNKNOWN
            )
            mention = Mention(span, MentionType.UNKNOWN)
        if span.has(Cue.UNIT) and not span.candidates:
            # "Sixteen ounce" is a size, and none of this menu.
            if mentions and mentions[-1].role is MentionType.NUMBER:
                mentions[-1] = Mention(
                    replace(mentions[-1].span, cues=frozenset()), MentionType.UNKNOWN
                )
            mention = Mention(span, MentionType.UNKNOWN)
        if _another_kind(span, following, mentions, menu):
            mention = Mention(_only(span, Cue.GENERIC), MentionType.UNKNOWN)
        if _stands_for_item(span, following, mentions):
            mention = Mention(_only(span, Cue.ONE), MentionType.CUE)
        mention = plain_kind(mention, mentions, kin, menu)
        mentions.append(usual(mention, following, mentions, menu))
    return with_portions(with_kinds(_interrupted(mentions, menu), menu))


def _head_item(
    mention: Mention,
    before: list[Mention],
    ahead: Sequence[Span],
    menu: CompiledMenu,
    current: str | None,
) -> Mention | None:
    """Return the item that a modifier's name ends in: "an order of wheat toast"."""
    words = mention.span.text.split()
    counted = bool(before) and (
        before[-1].role is MentionType.NUMBER or before[-1].cue(*DETERMINERS)
    )
    counted = counted or (current is None and all(p.idle or p.cue(Cue.REQUEST) for p in before))
    if mention.role is not MentionType.MODIFIER or len(words) < 2 or not counted:
        return None
    if current is not None and any(menu.offers(current, s) for s in mention.candidates):
        return None
    if any(s.kind == "item" for span in ahead[:_NEAR] for s in span.candidates):
        return None
    named = menu.lexicon.find(key_of(words[-1], menu.language), words[-1])
    items = tuple(s for s in named if s.kind == "item" and s.match >= FULL)
    if not items or not any(menu.offers(items[0].id, s) for s in mention.candidates):
        return None
    return Mention(replace(mention.span, candidates=items, text=words[-1]), MentionType.ITEM, items)


def _measures_nothing(
    mention: Mention, ahead: Sequence[Span], menu: CompiledMenu, *, ordered: bool
) -> bool:
    """Return whether "cup of" is a size or container of this menu, but not of the item ahead.

    `ordered`: an item was said before it.
    """
    if mention.role not in (MentionType.SIZE, MentionType.MODIFIER) or not ahead:
        return False
    items = (s.id for span in ahead[:_NEAR] for s in span.candidates if s.kind == "item")
    first = next(items, None)
    if (
        mention.role is MentionType.MODIFIER
        and ordered
        and {s.kind for s in ahead[0].candidates} == {"modifier"}
    ):
        return True  # "and a shot of vanilla"
    return first is not None and not any(menu.offers(first, s) for s in mention.candidates)


def _only(span: Span, cue: Cue) -> Span:
    """Return the span as one cue and nothing else."""
    return replace(span, candidates=(), cues=frozenset({cue}), value=None)


def _another_kind(
    span: Span, following: Span | None, before: Sequence[Mention], menu: CompiledMenu
) -> bool:
    """Return whether "zero" ends a name that the menu does not have: "coke zero"."""
    zero = menu.language.numbers.words.get(span.text) == 0
    if not zero or not span.has(Cue.NO) or span.candidates:
        return False
    ends = following is None or not (following.candidates or following.unknown)
    return ends and bool(before) and before[-1].role is MentionType.ITEM


def _stands_for_item(span: Span, following: Span | None, before: list[Mention]) -> bool:
    """Return whether "one" is a pronoun ("a large one") and no number."""
    if not span.has(Cue.ONE) or not before:
        return False
    counts = (Cue.MEASURE, Cue.ON, *DESCRIBES)
    if following is not None and (following.candidates or following.has(*counts)):
        return False
    previous = before[-1]
    named = (MentionType.SIZE, MentionType.ITEM, MentionType.MODIFIER, MentionType.UNKNOWN)
    return previous.role in named or previous.cue(Cue.THE, Cue.MORE)


def _role(
    span: Span,
    ahead: Sequence[Span],
    before: list[Mention],
    menu: CompiledMenu,
    known: Sequence[str],
) -> Mention:
    """Return the role of a phrase; `known`: what is named or ordered before it, the last first."""
    following, current = ahead[0] if ahead else None, known[0] if known else None
    if not span.candidates:
        return _unnamed(span, before)
    items, modifiers = candidates_of(span, "item"), candidates_of(span, "modifier")
    groups, sizes = candidates_of(span, "group"), candidates_of(span, "size")
    degree = span.has(Cue.LIGHT, Cue.EXTRA, Cue.HALF) and _modifier_ahead(following)
    chosen = any(_sized_ahead(s, following, menu) for s in sizes) or _chosen(modifiers, ahead, menu)
    if degree and not chosen:
        return Mention(span, MentionType.CUE)
    if items and not modifiers and items[0].match < FULL and _is_heading(span, before, menu):
        items = ()
    every = bool(groups) and _after_all(before)
    if sizes and not every:
        return Mention(span, MentionType.SIZE, sizes, also=modifiers)
    if items and modifiers and not every:
        alike = (of_same_kind(span, items, modifiers, before, menu, item) for item in known)
        kin = next((candidates for candidates in alike if candidates), ())
        items, modifiers = (kin, ()) if kin else (items, modifiers)
    if items and modifiers and not every:
        taken = reading(items, modifiers, ahead, before, menu, current)
        items = () if taken.modifier else _less_sure(items, taken.doubt)
        modifiers = _less_sure(modifiers, taken.doubt)
    if items and not every:
        # "sweet tea" is not sweet potato fries and a tea.
        adjective = not modifiers and items[0].match < HEADED and _item_ahead(following)
        return (
            Mention(span, MentionType.UNKNOWN)
            if adjective
            else Mention(span, MentionType.ITEM, items)
        )
    if groups and before and before[-1].cue(Cue.NO) and _of_group(modifiers, groups):
        every = True
    if modifiers and not every:
        idle = not candidates_of(span, "item") and span.has(Cue.FILLER, Cue.REQUEST)
        made = bool(before) and before[-1].cue(Cue.MAKE, Cue.WITH, Cue.ADD)  # "make that to go"
        whole = " " in span.text and modifiers[0].match >= FULL  # "a latte to go"
        used = not idle or made or whole or fits(modifiers, following, menu)
        return (
            Mention(span, MentionType.MODIFIER, modifiers)
            if used
            else Mention(span, MentionType.CUE)
        )
    return Mention(span, MentionType.GROUP, groups) if every else _heading(span, groups)


def _is_heading(span: Span, before: Sequence[Mention], menu: CompiledMenu) -> bool:
    """Return whether a category or a group explains words better than half the name of an item.

    "For veggies" leads to some of them, and orders no veggie sub.
    """
    if candidates_of(span, "category"):
        return True
    leads = not before or not (before[-1].role is MentionType.NUMBER or before[-1].cue(*ONE_MORE))
    plural = several(span.text.split()[-1], menu.language)
    return leads and plural and any(s.match >= NEARLY_FULL for s in candidates_of(span, "group"))


def _less_sure(candidates: tuple[Candidate, ...], doubt: Doubt | None) -> tuple[Candidate, ...]:
    """Doubt what a phrase names, as it may mean something else."""
    return candidates if doubt is None else tuple(s.doubted(doubt) for s in candidates)


def _after_all(before: Sequence[Mention]) -> bool:
    """Return whether "all" or "all the" comes just before."""
    near = before[-2:] if before and before[-1].cue(Cue.THE) else before[-1:]
    return any(mention.cue(Cue.BOTH) for mention in near)


def _of_group(modifiers: tuple[Candidate, ...], groups: tuple[Candidate, ...]) -> bool:
    """Return whether "no salsa" means all salsas, as it names the group better than a modifier."""
    return not modifiers or groups[0].match > modifiers[0].match


def _unnamed(span: Span, before: list[Mention]) -> Mention:
    if span.has(Cue.NUMBER):
        return Mention(span, MentionType.NUMBER)
    if span.cues == {Cue.GENERIC} and not _named_before(before):
        return Mention(span, MentionType.UNKNOWN)
    return Mention(span, MentionType.CUE if span.cues else MentionType.UNKNOWN)


def _heading(span: Span, groups: tuple[Candidate, ...]) -> Mention:
    if span.has(Cue.MEASURE, Cue.ASIDE):
        return Mention(span, MentionType.CUE)
    categories = candidates_of(span, "category")
    if categories:
        return Mention(span, MentionType.CATEGORY, categories)
    if span.has(Cue.ADD, Cue.WITH, Cue.EXTRA, Cue.HALF):
        # A group called "Extras" or "Add" does not turn everyday words into names.
        return Mention(span, MentionType.CUE)
    return Mention(span, MentionType.GROUP, groups)


def _named_before(before: list[Mention]) -> bool:
    return bool(before) and before[-1].role in (MentionType.ITEM, MentionType.MODIFIER)


def _item_ahead(following: Span | None) -> bool:
    return following is not None and any(s.kind == "item" for s in following.candidates)


def _sized_ahead(size: Candidate, following: Span | None, menu: CompiledMenu) -> bool:
    """Return whether the item that follows is named in full and comes in this size."""
    named = () if following is None else candidates_of(following, "item")
    return any(s.match >= FULL and menu.offers(s.id, size) for s in named)


def _chosen(modifiers: Sequence[Candidate], ahead: Sequence[Span], menu: CompiledMenu) -> bool:
    """Return whether "double" is a choice of the item ahead: "a double oat milk latte"."""
    whole = [s for s in modifiers if s.match >= FULL]
    rest = list(
        dropwhile(lambda span: not candidates_of(span, "item") and bool(span.candidates), ahead)
    )
    hosts = candidates_of(rest[0], "item")[:1] if rest else ()
    return any(menu.offers(host.id, s) for host in hosts for s in whole)


def _modifier_ahead(following: Span | None) -> bool:
    return following is not None and any(s.kind == "modifier" for s in following.candidates)


def _names_again(mention: Mention, previous: Mention, menu: CompiledMenu) -> bool:
    """Return whether an item's name repeats the one before: "pizza pie", "americano coffee"."""
    if mention.role is not MentionType.ITEM or previous.role is not MentionType.ITEM:
        return False
    if mention.items == previous.items:
        return True
    ours, theirs = menu.items[mention.items[0]], menu.items[previous.items[0]]
    if ours.category != theirs.category or mention.span.has(Cue.GENERIC):
        return ours.category == theirs.category
    # "Jin Xuan green tea", where the teas are a category, and no green tea is among them.
    word = mention.span.text.split()[-1]
    kind = menu.lexicon.find(key_of(word, menu.language), word)
    headed = any(s.kind == "category" and s.id == theirs.category for s in kind)
    return headed and mention.candidates[0].match < HEADED <= previous.candidates[0].match


def _heads_modifier(mention: Mention, previous: Mention) -> bool:
    """Return whether a word only completes the modifier before it: "cheddar", "cheese"."""
    if mention.role is not MentionType.MODIFIER or previous.role is not MentionType.MODIFIER:
        return False
    groups = {s.group for s in previous.candidates}
    if mention.candidates[0].match < FULL and candidates_of(mention.span, "group"):
        return True  # "firm noodles", where there are kinds of noodles
    if not mention.span.has(Cue.GENERIC):
        return False
    return mention.candidates[0].match < FULL and all(s.group in groups for s in mention.candidates)


def _heads_group(mention: Mention, previous: Mention) -> bool:
    """Return whether a word only says what a choice before it is of: "poached", "eggs"."""
    if mention.role is not MentionType.ITEM or previous.role is not MentionType.MODIFIER:
        return False
    groups = {s.id for s in candidates_of(mention.span, "group") if s.match >= NEARLY_FULL}
    full = mention.candidates[0].match >= FULL
    return not full and any(s.group in groups for s in previous.candidates)


def _interrupted(mentions: list[Mention], menu: CompiledMenu) -> list[Mention]:
    """Rejoin a name that something interrupts: "double bacon cheeseburger", "chai tea latte"."""
    for index in range(len(mentions) - 2):
        first, inner, head = mentions[index : index + 3]
        kind = inner.role is MentionType.CATEGORY
        if not (kind or inner.role is MentionType.MODIFIER) or head.role is not MentionType.ITEM:
            continue
        if first.role not in (MentionType.UNKNOWN, MentionType.CUE, MentionType.ITEM) or first.idle:
            continue
        joined = first.span.text + " " + head.span.text
        words = [w for mention in (first, head) for w in mention.span.text.split()]
        found = [
            s for s in menu.lexicon.find(_key(words, menu), "".join(words)) if s.kind == "item"
        ]
        if not found or found[0].match < head.candidates[0].match - _BETTER:
            continue
        if kind and found[0].match < FULL:
            continue
        if not kind and not any(menu.offers(found[0].id, m) for m in inner.candidates):
            continue
        span = Span(
            head.span.start,
            head.span.end,
            joined,
            tuple(found),
            frozenset(),
            None,
            first.span.words + head.span.words,
        )
        mentions[index] = Mention(_only(first.span, Cue.FILLER), MentionType.CUE)
        if kind:
            mentions[index + 1] = Mention(_only(inner.span, Cue.FILLER), MentionType.CUE)
        mentions[index + 2] = Mention(span, MentionType.ITEM, tuple(found))
    return mentions


def _key(words: Sequence[str], menu: CompiledMenu) -> str:
    return "".join(key_of(word, menu.language) for word in words)
