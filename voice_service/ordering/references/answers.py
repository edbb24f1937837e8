"""Answers that point at what was offered: "the first one", "both"."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from voice_service.ordering.language.cue_sets import ARTICLES, PUNCTUATION
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.language.tokens import keys_of
from voice_service.ordering.mentions.mention import Mention, MentionType
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.menu.lexicon import Candidate

_BOTH = 2
_ASIDE = (*PUNCTUATION, *ARTICLES, Cue.REQUEST, Cue.YES)


def fill_choice(
    mentions: Sequence[Mention], offered: Collection[str], menu: CompiledMenu
) -> list[Mention]:
    """Put in the items that "the first one" or "both" chooses from those `offered`.

    A word that only one of their names has chooses as well: "cheese", of pizzas.
    """
    answer = [p for p in mentions if not (p.idle or p.cue(*_ASIDE))]
    if len(offered) < _BOTH or len(answer) != 1:
        return list(mentions)
    (mention,) = answer
    items = list(offered)
    if mention.cue(Cue.ORDINAL) and mention.such is None:
        place = mention.span.value or 1
        at = place - 1 if place > 0 else len(items) + place
        return [_item(mention, items[at])] if 0 <= at < len(items) else list(mentions)
    if mention.cue(Cue.BOTH) and not mention.cue(Cue.EITHER, Cue.NO) and len(items) == _BOTH:
        return [_item(mention, item) for item in items]
    if mention.role in (MentionType.MODIFIER, MentionType.UNKNOWN):
        words = set(keys_of(mention.span.text, menu.language))
        named = [i for i in items if words <= set(keys_of(menu.item_name(i), menu.language))]
        return [_item(mention, named[0])] if len(named) == 1 else list(mentions)
    return list(mentions)


def _item(mention: Mention, item: str) -> Mention:
    candidate = Candidate("item", item, None)
    return Mention(
        replace(mention.span, candidates=(candidate,), cues=frozenset(), value=None),
        MentionType.ITEM,
        (candidate,),
    )
