"""Answers that point at what was offered: "the first one", "both"."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from voice_service.ordering.language.cue_sets import (
    ARTICLES,
    DESCRIBES,
    LISTS,
    ONE_MORE,
    PUNCTUATION,
)
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.language.tokens import keys_of
from voice_service.ordering.mentions.mention import Mention, MentionType
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.menu.lexicon import Candidate
from voice_service.ordering.menu.match import FULL

_BOTH = 2
_ASIDE = (*PUNCTUATION, *ARTICLES, Cue.REQUEST, Cue.YES)


def fill_choice(
    mentions: Sequence[Mention], offered: Collection[str], menu: CompiledMenu
) -> list[Mention]:
    """Put in the items that "the first one" or "both" chooses from those `offered`.

    A word that only one of their names has chooses as well: "cheese", of pizzas, "everything with
    butter", of bagels.
    """
    answer = [p for p in mentions if not (p.idle or p.cue(*_ASIDE))]
    if len(offered) < _BOTH or not answer:
        return list(mentions)
    shares = _shares(mentions, offered, menu)
    if shares:
        return shares
    mention, *rest = answer
    whole = mention.role is MentionType.ITEM and mention.candidates[0].match >= FULL
    named = () if whole else _called(mention, offered, menu)
    if len(named) == 1 and (not rest or rest[0].cue(*DESCRIBES, Cue.AND, Cue.MAKE)):
        return [_item(mention, named[0]), *rest]
    return [_item(mention, item) for item in _pointed(answer, offered)] or list(mentions)


def _shares(
    mentions: Sequence[Mention], offered: Collection[str], menu: CompiledMenu
) -> list[Mention]:
    """Return an answer that says how many of each: "two garlic and one plain"; else nothing."""
    shares: list[Mention] = []
    counted = 0
    for mention in mentions:
        last = shares[-1] if shares else None
        counts = last is not None and (last.role is MentionType.NUMBER or last.cue(*ONE_MORE))
        named = _called(mention, offered, menu) if counts else ()
        if len(named) == 1:
            shares.append(_item(mention, named[0]))
            counted += 1
        elif mention.role is MentionType.NUMBER or mention.cue(*ONE_MORE, *LISTS):
            shares.append(mention)
        elif not (mention.idle or mention.cue(*PUNCTUATION, Cue.REQUEST, Cue.MEASURE)):
            return []
    return shares if counted > 1 else []


def _called(mention: Mention, offered: Collection[str], menu: CompiledMenu) -> Sequence[str]:
    """Return those whose names have all that is said."""
    words = set(keys_of(mention.span.text, menu.language))
    return [i for i in offered if words <= set(keys_of(menu.item_name(i), menu.language))]


def _pointed(answer: Sequence[Mention], offered: Collection[str]) -> Sequence[str]:
    """Return those that "the second one" or "both" points at, if nothing else is said."""
    mention, items = answer[0], list(offered)
    if len(answer) > 1:
        return ()
    if mention.cue(Cue.ORDINAL) and mention.such is None:
        place = mention.span.value or 1
        at = place - 1 if place > 0 else len(items) + place
        return items[at : at + 1] if at >= 0 else ()
    pair = mention.cue(Cue.BOTH) and not mention.cue(Cue.EITHER, Cue.NO)
    return items if pair and len(items) == _BOTH else ()


def _item(mention: Mention, item: str) -> Mention:
    candidate = Candidate("item", item, None)
    return Mention(
        replace(mention.span, candidates=(candidate,), cues=frozenset(), value=None),
        MentionType.ITEM,
        (candidate,),
    )
