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
    """`mentions` with the items put in that "the first one" or "both" chooses of those `offered`.

    So does a word that only one of them is called by: "cheese", of pizzas.
    """
    said = [p for p in mentions if not (p.idle or p.cue(*_ASIDE))]
    if len(offered) < _BOTH or len(said) != 1:
        return list(mentions)
    (mention,) = said
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
    sense = Candidate("item", item, None)
    return Mention(
        replace(mention.span, candidates=(sense,), cues=frozenset(), value=None),
        MentionType.ITEM,
        (sense,),
    )
