"""Partial names that stand for what is ordered, or for one dish: "the pie", "on the burger"."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from voice_service.ordering.language.cue_sets import ATTACHES
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.language.tokens import keys_of
from voice_service.ordering.mentions.mention import Mention, MentionType, candidates_of
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.menu.lexicon import Candidate

_COMMANDS = (Cue.REMOVE, Cue.UNDO, Cue.CHANGE, Cue.SUBSTITUTE, Cue.MAKE, Cue.TAKE, Cue.KEEP)
_ABOUT = (*ATTACHES, *_COMMANDS, Cue.INSTEAD_OF)
"""What follows these is in the order already, if it may be."""


def name_in_full(
    mentions: Sequence[Mention], ordered: Sequence[str], menu: CompiledMenu
) -> list[Mention]:
    """Put the item that is meant where a definite name leaves it open.

    `ordered`: the items of the cart; those named before in the same breath count as well.
    """
    named: list[Mention] = []
    index = 0
    while index < len(mentions):
        mention, item, end = mentions[index], None, index + 1
        if index and _ends_in_article(mentions[index - 1], menu):
            before = [i for p in named if p.role is MentionType.ITEM for i in p.items[:1]]
            item = _meant(mentions, index, [*ordered, *before], menu)
            if item is None and not ordered:
                item, end = _dish(mentions, index, menu) or (None, end)
        named.append(mention if item is None else mention.naming(Candidate("item", item, None)))
        index = end
    return named


def _ends_in_article(mention: Mention, menu: CompiledMenu) -> bool:
    """Return whether a name follows "the", maybe as part of a phrase: "instead of the"."""
    text, the = mention.span.text, menu.language.cues[Cue.THE]
    phrase = mention.role is MentionType.CUE and " " in text
    return mention.cue(Cue.THE) or (phrase and text.split()[-1] in the)


def _meant(
    mentions: Sequence[Mention], index: int, ordered: Sequence[str], menu: CompiledMenu
) -> str | None:
    """Return the one item of the order that a name fits, if it is no other item's."""
    mention = mentions[index]
    if mention.role is MentionType.ITEM and not set(mention.items).isdisjoint(ordered):
        return None
    if mention.role is not MentionType.UNKNOWN and not _about_the_order(mentions, index):
        return None
    kinds = {s.id for s in candidates_of(mention.span, "category")}
    fits = list(dict.fromkeys(item for item in ordered if menu.headings(item) & kinds))
    if not kinds and (mention.role is MentionType.UNKNOWN or mention.cue(Cue.GENERIC)):
        said = set(keys_of(mention.span.text, menu.language))
        names = {item: set(keys_of(menu.item_name(item), menu.language)) for item in ordered}
        fits = [item for item, words in names.items() if said <= words]
    if mention.role is MentionType.ITEM and mentions[max(index - 2, 0)].cue(*ATTACHES):
        return fits[-1] if fits else None
    return fits[0] if len(fits) == 1 else None


def _about_the_order(mentions: Sequence[Mention], index: int) -> bool:
    """Return whether the words before a name leave no doubt that it is ordered."""
    before = [p for p in mentions[max(0, index - 2) : index] if not p.idle or p.cue(Cue.THE)]
    return any(p.cue(*_ABOUT) for p in before)


def _dish(mentions: Sequence[Mention], index: int, menu: CompiledMenu) -> tuple[str, int] | None:
    """Return the one dish called after "the burger that's got mushrooms", and where that ends."""
    mention, link = mentions[index], mentions[index + 1 : index + 2]
    kinds = {s.id for s in candidates_of(mention.span, "category")}
    relates = any(p.cue(Cue.WITH) and " " in p.span.text for p in link)
    if not relates or not kinds:
        return None
    said: set[str] = set()
    end = index + 2 + any(p.cue(Cue.THE) for p in mentions[index + 2 : index + 3])
    while end < len(mentions) and mentions[end].role is MentionType.MODIFIER:
        said.update(keys_of(mentions[end].span.text, menu.language))
        end += 1
        links = takewhile(lambda p: p.cue(Cue.AND, Cue.THE), mentions[end:])
        more = end + len(list(links))
        if any(p.role is MentionType.MODIFIER for p in mentions[more : more + 1]):
            end = more
    of_kind = (item.id for item in menu.menu.items if menu.headings(item.id) & kinds)
    called = [i for i in of_kind if said <= set(keys_of(menu.item_name(i), menu.language))]
    return (called[0], end) if said and len(called) == 1 else None
