"""A phrase that names an item and a modifier: which is meant where it stands, and how surely."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import NamedTuple

from voice_service.ordering.language.pack import Cue
from voice_service.ordering.mentions.mention import HEADS, WHOLE, Part, Role, senses_of
from voice_service.ordering.mentions.segmentation import Span
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.menu.lexicon import Sense

_BETTER = 0.12  # an item that explains the words so much better than a modifier is an item
_LONGEST_LIST = 8  # phrases ahead in which a list of modifiers finds the item they are on
# Certainties, by reading what guests meant.
_LISTED = 0.9  # "bacon and cheddar omelette" is one dish
_WITH_ONE = 0.86  # "a roll with an egg" has it on it, more often than beside it
_AND_ONE = 0.75  # "a roll with cheese and an egg"
_AND_BARE = 0.6  # "french toast and bacon"
_LISTS = (Cue.AND, Cue.COMMA)


class Reading(NamedTuple):
    """What a phrase is taken for, and how likely that is."""

    modifier: bool
    certainty: float = 1.0


def reading(
    items: Sequence[Sense],
    modifiers: Sequence[Sense],
    ahead: Sequence[Span],
    before: Sequence[Part],
    menu: CompiledMenu,
    current: str | None,
) -> Reading:
    """Which of the two is meant, between the parts `before` and the phrases `ahead`.

    `current`: the item talked about last.
    """
    following = ahead[0] if ahead else None
    aside = following is not None and following.has(Cue.AS_SIDE)
    if items[0].quality > modifiers[0].quality and _headed(items, following, menu):
        return Reading(modifier=False)
    said = [p for p in before if not p.idle]
    measured = bool(said) and said[-1].cue(Cue.MEASURE)
    if (items[0].quality < WHOLE <= modifiers[0].quality and not measured) or (
        fits(modifiers, following, menu) and not aside
    ):
        return Reading(modifier=True)
    if not aside and _of_item_ahead(modifiers, ahead, said, menu):
        return Reading(modifier=True, certainty=_LISTED)
    takes = current is not None and any(menu.allows(current, m) for m in modifiers)
    if not takes or aside or _beside_itself(modifiers, following, said):
        return Reading(modifier=False)
    return _on_the_last(items, modifiers, said, menu)


def _on_the_last(
    items: Sequence[Sense], modifiers: Sequence[Sense], said: Sequence[Part], menu: CompiledMenu
) -> Reading:
    """Whether it is on the item before it, which may have it."""
    last = said[-1] if said else None
    previous = said[-2] if len(said) > 1 else None
    if last is None:
        return Reading(items[0].quality <= modifiers[0].quality + _BETTER)
    if last.cue(Cue.ADD, Cue.WITH):
        return Reading(modifier=True)
    if last.cue(Cue.A) and previous is not None and previous.cue(Cue.WITH):
        return Reading(modifier=True, certainty=_WITH_ONE)
    # "A small chili" is none of a chili dog's.
    sized = last.role is Role.SIZE and any(menu.allows(items[0].id, s) for s in last.senses)
    own = items[0].quality >= WHOLE and _heads_its_own(items[0].id, said, menu)
    if sized or own or last.role is Role.NUMBER or last.cue(*HEADS):
        listed = last.cue(Cue.A) and _in_list_of_modifiers(said[:-1])
        return Reading(modifier=False, certainty=_AND_ONE if listed else 1.0)
    if items[0].quality > modifiers[0].quality + _BETTER:
        return Reading(modifier=False)
    bare = last.cue(*_LISTS) and previous is not None and previous.role is Role.ITEM
    return Reading(modifier=True, certainty=_AND_BARE if bare else 1.0)


def _beside_itself(
    modifiers: Sequence[Sense], following: Span | None, said: Sequence[Part]
) -> bool:
    """Whether what is on an item already is said again "on the side" and is an order of its own."""
    if following is None or not following.has(Cue.ASIDE):
        return False
    since = takewhile(lambda p: p.role is not Role.ITEM, reversed(said))
    return any(p.role is Role.MODIFIER and p.senses[0].id == modifiers[0].id for p in since)


def _heads_its_own(item: str, said: Sequence[Part], menu: CompiledMenu) -> bool:
    """Whether it has a number and choices of its own: "one salmon caesar" after another caesar."""
    choices = list(takewhile(lambda p: p.role is Role.MODIFIER, reversed(said)))
    rest = said[: len(said) - len(choices)]
    counted = bool(rest) and (rest[-1].role is Role.NUMBER or rest[-1].cue(Cue.A, Cue.MORE))
    on_it = (Cue.WITH, Cue.ADD, Cue.NO)
    if not choices or not counted or (len(rest) > 1 and rest[-2].cue(*on_it)):
        return False
    return all(any(menu.allows(item, s) for s in p.senses) for p in choices)


def _of_item_ahead(
    modifiers: Sequence[Sense], ahead: Sequence[Span], said: Sequence[Part], menu: CompiledMenu
) -> bool:
    """Whether a list that it begins is of the item behind it: "bacon and cheddar omelette".

    Or of what carries it: "egg and bacon on a roll", "edamame in my bowl".
    """
    if said and (said[-1].role in (Role.ITEM, Role.SIZE) or _goes_on(said)):
        return False
    listed = list(takewhile(_may_list, ahead[:_LONGEST_LIST]))
    rest = ahead[len(listed) :]
    carried = bool(rest) and rest[0].has(Cue.ON)
    if carried:
        rest = rest[1:]
        rest = rest[1:] if rest and rest[0].has(Cue.A, Cue.THE) else rest
    elif not listed or not listed[0].has(*_LISTS):
        return False
    named = [s for span in listed if span.senses for s in senses_of(span, "modifier")[:1]]
    hosts = senses_of(rest[0], "item") if rest else ()
    return any(
        h.quality >= WHOLE
        and any(menu.allows(h.id, m) for m in modifiers)
        and all(menu.allows(h.id, m) for m in named)
        for h in hosts[:1]
    )


def _in_list_of_modifiers(said: Sequence[Part]) -> bool:
    last = [p for p in said[-2:] if not p.cue(*_LISTS)]
    return bool(last) and last[-1].role is Role.MODIFIER


def _goes_on(said: Sequence[Part]) -> bool:
    """Whether it is one more of a list of items: "chips, guacamole and a chicken burrito"."""
    return len(said) > 1 and said[-1].cue(*_LISTS) and said[-2].role is Role.ITEM


def _may_list(span: Span) -> bool:
    """Whether a phrase can stand in a list of modifiers."""
    return span.has(*_LISTS) or bool(senses_of(span, "modifier"))


def _headed(items: Sequence[Sense], following: Span | None, menu: CompiledMenu) -> bool:
    """Whether the name of an item's category follows: "a veggie sub"."""
    named = senses_of(following, "category") if following is not None else ()
    return any(s.id in menu.headings(items[0].id) for s in named)


def fits(modifiers: Sequence[Sense], following: Span | None, menu: CompiledMenu) -> bool:
    """Whether the phrase that follows is an item that takes one of `modifiers`."""
    ahead = [s.id for s in following.senses if s.kind == "item"] if following else []
    return any(menu.allows(i, m) for i in ahead for m in modifiers)
