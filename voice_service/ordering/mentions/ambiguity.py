"""Phrases that name an item and a modifier: which is meant where it stands, and how surely."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import dropwhile, takewhile
from typing import NamedTuple

from voice_service.ordering.doubt import Doubt
from voice_service.ordering.language.cue_sets import (
    ARTICLES,
    CHANGES_TOPPINGS,
    DETERMINERS,
    LISTS,
    ONE_MORE,
    WITH_OR_WITHOUT,
)
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.language.tokens import key_of, keys_of
from voice_service.ordering.mentions.mention import (
    Mention,
    MentionType,
    candidates_of,
)
from voice_service.ordering.mentions.segmentation import Span
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.menu.lexicon import Candidate
from voice_service.ordering.menu.match import FULL, HEADED

_BETTER = 0.12  # an item that matches this much better than a modifier is an item
_MOST_OF_IT = 0.5  # of an item's name that a size stands before
_LONGEST_LIST = 8  # in so many phrases ahead, a list of modifiers finds its item
_MOST_WORDS = 6


class Reading(NamedTuple):
    """What a phrase is taken for, a modifier or an item, and what speaks against it."""

    modifier: bool
    doubt: Doubt | None = None


def reading(
    items: Sequence[Candidate],
    modifiers: Sequence[Candidate],
    ahead: Sequence[Span],
    before: Sequence[Mention],
    menu: CompiledMenu,
    current: str | None,
) -> Reading:
    """Return which of the two is meant, between the mentions `before` and the phrases `ahead`.

    `current`: the item talked about last.
    """
    following = ahead[0] if ahead else None
    aside = following is not None and following.has(Cue.AS_SIDE)
    earlier = [p for p in before if not p.idle]
    # "An order of salsa" is an item; "a torta de pastor" is not a taco al pastor.
    measured = items[0].match >= HEADED and bool(earlier) and earlier[-1].cue(Cue.MEASURE)
    fuller = items[0].match < FULL <= modifiers[0].match
    # "A shot of chocolate" is no hot chocolate.
    portion = fuller and measured and earlier[-1].cue(Cue.PORTION)
    if (
        not portion
        and items[0].match >= _MOST_OF_IT
        and _sized_alone(items[0], earlier, ahead, menu)
    ):
        return Reading(modifier=False, doubt=Doubt.SIZED_NAME)
    fitting = fits(modifiers, following, menu) and not aside
    if portion or (fuller and not measured) or fitting:
        return Reading(modifier=True)
    if not aside and _of_item_ahead(modifiers, ahead, earlier, menu):
        return Reading(modifier=True)
    takes = current is not None and any(menu.offers(current, m) for m in modifiers)
    if not takes or aside or _beside_itself(modifiers, following, earlier):
        return Reading(modifier=False)
    return _on_the_last(items, modifiers, earlier, menu)


def _on_the_last(
    items: Sequence[Candidate],
    modifiers: Sequence[Candidate],
    earlier: Sequence[Mention],
    menu: CompiledMenu,
) -> Reading:
    """Return whether it is on the item before, which takes it, or is an item of its own."""
    last = earlier[-1] if earlier else None
    previous = earlier[-2] if len(earlier) > 1 else None
    if last is None:
        return Reading(items[0].match <= modifiers[0].match + _BETTER)
    after_with = last.cue(Cue.A) and previous is not None and previous.cue(Cue.WITH)
    if after_with or last.cue(Cue.ADD, Cue.WITH):
        return Reading(modifier=True)
    # "A small chili" is none of a chili dog's.
    sized = _sized(items[0].id, earlier, menu)
    own = items[0].match >= FULL and _heads_its_own(items[0].id, earlier, menu)
    if sized or own or last.role is MentionType.NUMBER or last.cue(*DETERMINERS):
        listed = last.cue(Cue.A) and _in_list_of_modifiers(earlier[:-1])
        return Reading(modifier=False, doubt=Doubt.LISTED_WITH_ARTICLE if listed else None)
    if items[0].match > modifiers[0].match + _BETTER:
        return Reading(modifier=False)
    bare = last.cue(*LISTS) and previous is not None and previous.role is MentionType.ITEM
    return Reading(modifier=True, doubt=Doubt.AFTER_AND if bare else None)


def _sized(item: str, earlier: Sequence[Mention], menu: CompiledMenu) -> bool:
    """Return whether a size of an item stands right before."""
    sizes = earlier[-1].candidates if earlier and earlier[-1].role is MentionType.SIZE else ()
    return any(menu.offers(item, size) for size in sizes)


def _sized_alone(
    item: Candidate, earlier: Sequence[Mention], ahead: Sequence[Span], menu: CompiledMenu
) -> bool:
    """Return whether a count and a size stand before, and another count follows or nothing.

    What is on it may follow half a name: "a large pepperoni with olives".
    """
    counted = len(earlier) > 1 and _counts(earlier[-2].span)
    rest = list(dropwhile(lambda span: span.has(*LISTS), ahead))
    described = item.match < FULL and bool(rest) and rest[0].has(*WITH_OR_WITHOUT)
    ends = not rest or described or (len(rest) < len(ahead) and _counts(rest[0]))
    return counted and ends and _sized(item.id, earlier, menu)


def _counts(span: Span) -> bool:
    return span.has(Cue.NUMBER, *ONE_MORE) and not span.candidates


def _beside_itself(
    modifiers: Sequence[Candidate], following: Span | None, earlier: Sequence[Mention]
) -> bool:
    """Return whether a modifier is named again "on the side", as an order of its own."""
    if following is None or not following.has(Cue.ASIDE):
        return False
    since = takewhile(lambda p: p.role is not MentionType.ITEM, reversed(earlier))
    return any(
        p.role is MentionType.MODIFIER and p.candidates[0].id == modifiers[0].id for p in since
    )


def _heads_its_own(item: str, earlier: Sequence[Mention], menu: CompiledMenu) -> bool:
    """Return whether it has a number and choices of its own: "one salmon caesar", after another."""
    choices = list(takewhile(lambda p: p.role is MentionType.MODIFIER, reversed(earlier)))
    rest = earlier[: len(earlier) - len(choices)]
    counted = bool(rest) and (rest[-1].role is MentionType.NUMBER or rest[-1].cue(*ONE_MORE))
    if not choices or not counted or (len(rest) > 1 and rest[-2].cue(*CHANGES_TOPPINGS)):
        return False
    return all(any(menu.offers(item, s) for s in p.candidates) for p in choices)


def _of_item_ahead(
    modifiers: Sequence[Candidate],
    ahead: Sequence[Span],
    earlier: Sequence[Mention],
    menu: CompiledMenu,
) -> bool:
    """Return whether a list that it begins is on the item behind: "bacon and cheddar omelette".

    That item may also follow an "on": "egg and bacon on a roll", "edamame in my bowl".
    """
    if earlier and (earlier[-1].role in (MentionType.ITEM, MentionType.SIZE) or _goes_on(earlier)):
        return False
    listed = list(takewhile(_may_list, ahead[:_LONGEST_LIST]))
    rest = ahead[len(listed) :]
    carried = bool(rest) and rest[0].has(Cue.ON)
    if carried:
        rest = rest[1:]
        rest = rest[1:] if rest and rest[0].has(*ARTICLES) else rest
    elif not listed or not listed[0].has(*LISTS):
        return False
    named = [s for span in listed if span.candidates for s in candidates_of(span, "modifier")[:1]]
    hosts = candidates_of(rest[0], "item") if rest else ()
    return any(
        h.match >= FULL
        and any(menu.offers(h.id, m) for m in modifiers)
        and all(menu.offers(h.id, m) for m in named)
        for h in hosts[:1]
    )


def _in_list_of_modifiers(earlier: Sequence[Mention]) -> bool:
    last = [p for p in earlier[-2:] if not p.cue(*LISTS)]
    return bool(last) and last[-1].role is MentionType.MODIFIER


def _goes_on(earlier: Sequence[Mention]) -> bool:
    """Return whether it continues a list of items: "chips, guacamole and a chicken burrito"."""
    return len(earlier) > 1 and earlier[-1].cue(*LISTS) and earlier[-2].role is MentionType.ITEM


def _may_list(span: Span) -> bool:
    """Return whether a phrase can stand in a list of modifiers."""
    return span.has(*LISTS) or bool(candidates_of(span, "modifier"))


def fits(modifiers: Sequence[Candidate], following: Span | None, menu: CompiledMenu) -> bool:
    """Return whether the phrase that follows is an item that takes one of `modifiers`."""
    ahead = [s.id for s in following.candidates if s.kind == "item"] if following else []
    return any(menu.offers(i, m) for i in ahead for m in modifiers)


def with_kinds(mentions: list[Mention], menu: CompiledMenu) -> list[Mention]:
    """Read kinds that a number of items is made of: "three tacos, one beef and two chicken".

    The name leaves open which items they are, and the numbers after it add up to theirs.
    """
    for index, mention in enumerate(mentions):
        if len(_kinds_of(mention, menu)) > 1 and index:
            kinds = list(_kinds(mentions, index, menu))
            total = sum(count for _, count, _ in kinds)
            if len(kinds) > 1 and mentions[index - 1].span.value == total:
                for i, _, candidates in kinds:
                    mentions[i] = replace(
                        mentions[i], role=MentionType.ITEM, candidates=candidates, also=()
                    )
    return mentions


def _kinds(
    mentions: Sequence[Mention], index: int, menu: CompiledMenu
) -> Iterator[tuple[int, int, tuple[Candidate, ...]]]:
    """Yield where kinds of the item at `index` are named, how many, and which items they are."""
    heading, at = mentions[index], index + 1
    while at < len(mentions):
        if mentions[at].cue(*LISTS) or mentions[at].idle:
            at += 1
            continue
        counted = mentions[at].role is MentionType.NUMBER or mentions[at].cue(Cue.A, Cue.OTHER)
        kind = next((i for i in range(at + 1, len(mentions)) if not _links(mentions[i])), None)
        candidates = _named(mentions[kind], heading, menu) if counted and kind else ()
        if kind is None or not candidates:
            return
        yield kind, mentions[at].span.value or 1, candidates
        at = kind + 1


def _kinds_of(heading: Mention, menu: CompiledMenu) -> Sequence[str]:
    """Return the items that a name leaves open, or those of a category."""
    if heading.role is MentionType.CATEGORY:
        return menu.in_category(heading.candidates[0].id)
    return heading.items if heading.role is MentionType.ITEM else ()


def _links(mention: Mention) -> bool:
    """Return whether a word stands between a count and a kind: "two of the beef"."""
    return mention.idle or mention.cue(Cue.MEASURE)


def _named(mention: Mention, heading: Mention, menu: CompiledMenu) -> tuple[Candidate, ...]:
    kind, head = mention.span.text, heading.span.text
    for phrase in (f"{kind} {head}", f"{head} {kind}"):
        candidates = menu.lexicon.find("".join(keys_of(phrase, menu.language)), phrase)
        whole = [s for s in candidates if s.kind == "item" and s.match >= FULL]
        if named := tuple(s for s in whole if s.id in _kinds_of(heading, menu))[:1]:
            return named
    return ()


def listed(
    span: Span, before: Sequence[Mention], menu: CompiledMenu, current: str | None
) -> list[Mention]:
    """Return the modifiers that an item's name is made of, in a list of modifiers.

    Empty if the item is meant. `current`: the item talked about last, which has to take them all.
    """
    items = candidates_of(span, "item")
    words = span.text.split()
    if current is None or not items or items[0].match < FULL or candidates_of(span, "modifier"):
        return []
    if not 1 < len(words) <= _MOST_WORDS or not _in_a_list(before):
        return []
    pieces = _pieces(words, current, menu)
    return [_mention(piece, span) for piece in pieces] if len(pieces) > 1 else []


def _in_a_list(before: Sequence[Mention]) -> bool:
    earlier = [p for p in before if not p.idle]
    if not earlier:
        return False
    links = len(earlier) > 1 and earlier[-1].cue(*LISTS)
    last = earlier[-2] if links else earlier[-1]
    return last.role is MentionType.MODIFIER or (not links and last.cue(*CHANGES_TOPPINGS))


def _link(word: str, menu: CompiledMenu) -> bool:
    return word in menu.language.cues[Cue.AND]


_Piece = tuple[str, tuple[Candidate, ...]]


def _pieces(words: Sequence[str], item: str, menu: CompiledMenu) -> list[_Piece]:
    """Return `words` as modifiers of `item`, with the links between; nothing if one is none.

    The longest modifiers come first.
    """
    if not words:
        return []
    if _link(words[0], menu):
        rest = _pieces(words[1:], item, menu)
        return [(words[0], ()), *rest] if rest else []
    for end in range(len(words), 0, -1):
        phrase = " ".join(words[:end])
        key = "".join(key_of(word, menu.language) for word in words[:end])
        candidates = menu.lexicon.find(key, phrase)
        fitting = tuple(
            s
            for s in candidates
            if s.kind == "modifier" and s.match >= FULL and menu.offers(item, s)
        )
        rest = _pieces(words[end:], item, menu)
        if fitting and (rest or end == len(words)):
            return [(phrase, fitting), *rest]
    return []


def _mention(piece: _Piece, span: Span) -> Mention:
    text, candidates = piece
    cues = frozenset() if candidates else frozenset({Cue.AND})
    part = replace(span, text=text, candidates=candidates, cues=cues)
    return Mention(part, MentionType.MODIFIER if candidates else MentionType.CUE, candidates)
