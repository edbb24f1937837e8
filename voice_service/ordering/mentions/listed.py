"""A name of several words: is "rice and beans" a side, or rice and beans on the burrito?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from voice_service.ordering.language.pack import Cue
from voice_service.ordering.language.tokens import key_of
from voice_service.ordering.mentions.mention import WHOLE, Part, Role, senses_of
from voice_service.ordering.mentions.segmentation import Span
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.menu.lexicon import Sense

_MOST_WORDS = 6
_EITHER = 0.8  # certainty that "with rice and beans" has both on it, where that is a dish as well


def listed(
    span: Span, before: Sequence[Part], menu: CompiledMenu, current: str | None
) -> list[Part]:
    """The modifiers that an item's name is made of, where a list of modifiers is being said.

    Empty if it is the item. `current`: the item talked about last, which has to take all of them.
    """
    items = senses_of(span, "item")
    words = span.text.split()
    if current is None or not items or items[0].quality < WHOLE or senses_of(span, "modifier"):
        return []
    if not 1 < len(words) <= _MOST_WORDS or not _in_a_list(before):
        return []
    pieces = _pieces(words, current, menu)
    links = [words[at] for at in range(len(words)) if _link(words[at], menu)]
    certainty = _EITHER if links else 1.0
    return [_part(piece, span, certainty) for piece in pieces] if len(pieces) > 1 else []


def left_off(
    span: Span, following: Span | None, menu: CompiledMenu, current: str | None
) -> list[Part]:
    """ "No" and the modifier in "no salt", where that is a choice of another item and no name here.

    Empty if it is not.
    """
    words, modifiers = span.text.split(), senses_of(span, "modifier")
    if current is None or not modifiers or words[0] not in menu.language.cues[Cue.NO]:
        return []
    elsewhere = following is not None and any(s.kind == "item" for s in following.senses)
    if elsewhere or any(menu.allows(current, s) for s in modifiers):
        return []
    pieces = _pieces(words[1:], current, menu)
    without = replace(span, text=words[0], senses=(), cues=frozenset({Cue.NO}))
    return [Part(without, Role.CUE), _part(pieces[0], span, 1.0)] if len(pieces) == 1 else []


def _in_a_list(before: Sequence[Part]) -> bool:
    said = [p for p in before if not p.idle]
    if not said:
        return False
    links = len(said) > 1 and said[-1].cue(Cue.AND, Cue.COMMA)
    last = said[-2] if links else said[-1]
    return last.role is Role.MODIFIER or (not links and last.cue(Cue.WITH, Cue.ADD, Cue.NO))


def _link(word: str, menu: CompiledMenu) -> bool:
    return word in menu.language.cues[Cue.AND]


_Piece = tuple[str, tuple[Sense, ...]]


def _pieces(words: Sequence[str], item: str, menu: CompiledMenu) -> list[_Piece]:
    """`words` as modifiers of `item`, the longest first, with the links between; else nothing."""
    if not words:
        return []
    if _link(words[0], menu):
        rest = _pieces(words[1:], item, menu)
        return [(words[0], ()), *rest] if rest else []
    for end in range(len(words), 0, -1):
        said = " ".join(words[:end])
        key = "".join(key_of(word, menu.language) for word in words[:end])
        senses = menu.lexicon.find(key, said)
        fitting = tuple(
            s
            for s in senses
            if s.kind == "modifier" and s.quality >= WHOLE and menu.allows(item, s)
        )
        rest = _pieces(words[end:], item, menu)
        if fitting and (rest or end == len(words)):
            return [(said, fitting), *rest]
    return []


def _part(piece: _Piece, span: Span, certainty: float) -> Part:
    text, senses = piece
    sure = tuple(replace(s, certainty=s.certainty * certainty) for s in senses)
    cues = frozenset() if senses else frozenset({Cue.AND})
    said = replace(span, text=text, senses=sure, cues=cues)
    return Part(said, Role.MODIFIER if senses else Role.CUE, sure)
