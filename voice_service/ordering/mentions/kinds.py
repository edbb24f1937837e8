"""Names completed by the item before them: "a fish taco and one chicken", "a cola and one diet"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from voice_service.ordering.language.cue_sets import COUNTS_ANOTHER
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.language.tokens import keys_of
from voice_service.ordering.mentions.mention import Mention, MentionType
from voice_service.ordering.mentions.segmentation import Span
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.menu.lexicon import Candidate
from voice_service.ordering.menu.match import FULL, NEARLY_FULL
from voice_service.ordering.menu.shortening import head_of


def elliptical(
    mention: Mention, known: Sequence[str], menu: CompiledMenu, before: Sequence[Mention]
) -> Mention:
    """Complete the name of an item by that of an item before it: a cola "and one diet".

    `known`: those items, the last first.
    """
    if mention.candidates[0].match >= FULL:
        return mention
    completed = (_completed(mention, item, menu, before) for item in known)
    return next((one for one in completed if one is not None), mention)


def _completed(
    mention: Mention, current: str, menu: CompiledMenu, before: Sequence[Mention]
) -> Mention | None:
    goes_on = [
        s
        for s in mention.candidates
        if s.id in mention.items
        and (
            _goes_on(mention.span.text, s.id, current, menu)
            or _another_of_kind(mention.span.text, s.id, current, before, menu)
        )
    ]
    if len(goes_on) != 1 or (goes_on[0].id == current and len(mention.items) == 1):
        return None
    return replace(mention, candidates=(replace(goes_on[0], match=1.0, doubts=()),))


def _names_kind_of(mention: Mention, item: str, menu: CompiledMenu) -> bool:
    """Return whether a mention names one other item, whose full name ends in that of `item`."""
    [other, *more] = mention.items
    return not more and other != item and _goes_on(mention.span.text, other, item, menu)


def _goes_on(said: str, item: str, current: str, menu: CompiledMenu) -> bool:
    """Return whether what is left out of an item's name is the name of the item before it."""
    for missing in _left_out(said, item, menu):
        named = menu.lexicon.find("".join(missing), "")
        if any(s.kind == "item" and s.id == current and s.match >= NEARLY_FULL for s in named):
            return True
    return False


def _another_of_kind(
    said: str, item: str, current: str, before: Sequence[Mention], menu: CompiledMenu
) -> bool:
    """Return whether "and a chicken", after a fish taco, counts another, or "make it" does."""
    earlier = [p for p in before if not p.idle or p.cue(Cue.ONE, Cue.A)]
    counted = bool(earlier) and (
        earlier[-1].role is MentionType.NUMBER
        or earlier[-1].cue(*COUNTS_ANOTHER, Cue.MAKE, Cue.CORRECT, Cue.TO)
    )
    kind = keys_of(menu.item_name(current), menu.language)
    if not counted or not kind or item == current:
        return False
    head = kind[head_of(kind, menu.language)]
    left_out = _left_out(said, item, menu)
    return any(head in missing and set(missing) <= set(kind) for missing in left_out)


def _left_out(said: str, item: str, menu: CompiledMenu) -> Iterator[list[str]]:
    """Yield what is not said of each of an item's names that has all of what is said."""
    keys_said = set(keys_of(said, menu.language))
    for name in (menu.items[item].name, *menu.items[item].aliases):
        keys = keys_of(name, menu.language)
        missing = [k for k in keys if k not in keys_said] if keys_said <= set(keys) else []
        if missing:
            yield missing


def of_same_kind(
    span: Span,
    items: tuple[Candidate, ...],
    modifiers: tuple[Candidate, ...],
    before: Sequence[Mention],
    menu: CompiledMenu,
    current: str,
) -> tuple[Candidate, ...]:
    """Return the items meant by "and one chicken", after a fish taco that takes no chicken."""
    if any(menu.offers(current, m) for m in modifiers):
        return ()
    return tuple(s for s in items if _another_of_kind(span.text, s.id, current, before, menu))


def usual(
    mention: Mention, following: Span | None, before: Sequence[Mention], menu: CompiledMenu
) -> Mention:
    """Return the item that "regular" is in "two colas, one diet and one regular"."""
    ordinary = (
        mention.role is MentionType.CUE and mention.span.text in menu.language.names.ordinary_words
    )
    counted = bool(before) and (before[-1].role is MentionType.NUMBER or before[-1].cue(Cue.A))
    if not ordinary or not counted or (following is not None and _goes_on_naming(following)):
        return mention
    named = [p for p in before if p.role is MentionType.ITEM]
    for item in [p.items[0] for p in named[:-1]][::-1]:
        if _names_kind_of(named[-1], item, menu):
            return mention.naming(Candidate("item", item, None))
    return mention


def plain_kind(
    mention: Mention, before: Sequence[Mention], known: Sequence[str], menu: CompiledMenu
) -> Mention:
    """Return the item that "plain" is in "a sesame bagel, make it plain", or "one of them plain".

    `known`: the items before it, the last first.
    """
    last = before[-1] if before else None
    leads = last is not None and last.cue(Cue.MAKE, Cue.ONE, Cue.IT)
    if not known or not leads or mention.role is not MentionType.CUE or not mention.cue(Cue.PLAIN):
        return mention
    keys = keys_of(menu.item_name(known[0]), menu.language)
    phrase = (*keys_of(mention.span.text, menu.language), keys[head_of(keys, menu.language)])
    found = menu.lexicon.find("".join(phrase), "")
    items = [s.id for s in found if s.kind == "item" and s.match >= FULL and s.id != known[0]]
    return mention.naming(Candidate("item", items[0], None)) if items else mention


def _goes_on_naming(span: Span) -> bool:
    return bool(span.candidates) or span.unknown
