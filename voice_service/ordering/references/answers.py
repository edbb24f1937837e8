"""Answers that point at what was offered: "the first one", "both"."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from voice_service.ordering.language.pack import Cue
from voice_service.ordering.language.tokens import keys_of
from voice_service.ordering.mentions.mention import Mention, MentionType
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.menu.lexicon import Candidate

_BOTH = 2
_ASIDE = (Cue.COMMA, Cue.STOP, Cue.QUESTION_MARK, Cue.REQUEST, Cue.A, Cue.THE, Cue.YES)


def fill_choice(parts: Sequence[Mention], offered: Collection[str], menu: CompiledMenu) -> list[Mention]:
    """`parts` with the items put in that "the first one" or "both" chooses of those `offered`.

    So does a word that only one of them is called by: "cheese", of pizzas.
    """
    said = [p for p in parts if not (p.idle or p.cue(*_ASIDE))]
    if len(offered) < _BOTH or len(said) != 1:
        return list(parts)
    (part,) = said
    items = list(offered)
    if part.cue(Cue.ORDINAL) and part.such is None:
        place = part.span.value or 1
        at = place - 1 if place > 0 else len(items) + place
        return [_item(part, items[at])] if 0 <= at < len(items) else list(parts)
    if part.cue(Cue.BOTH) and not part.cue(Cue.EITHER, Cue.NO) and len(items) == _BOTH:
        return [_item(part, item) for item in items]
    if part.role in (MentionType.MODIFIER, MentionType.UNKNOWN):
        words = set(keys_of(part.span.text, menu.language))
        named = [i for i in items if words <= set(keys_of(menu.item_name(i), menu.language))]
        return [_item(part, named[0])] if len(named) == 1 else list(parts)
    return list(parts)


def _item(part: Mention, item: str) -> Mention:
    sense = Candidate("item", item, None)
    return Mention(
        replace(part.span, senses=(sense,), cues=frozenset(), value=None), MentionType.ITEM, (sense,)
    )
