"""What answers a question that is still open, and what leaves it open."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from voice_service.ordering.acts import Act, Add, Among, Modify, Repeat, Replace, Target
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.language.tokens import keys_of
from voice_service.ordering.mentions.mention import Part, Role
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.menu.lexicon import Sense

CHOICES = frozenset({"ambiguous_item", "choose_item"})
"""Which of several items is meant: only one of them answers that, or its like."""
# Something was asked for and not understood: leaving something off is no answer to that.
_MISSED = frozenset({"not_understood", "unknown_item"})
_HOW_MANY = "ambiguous_quantity"
_WHICH_MODIFIER = frozenset({"ambiguous_modifier", "choose_modifier"})
_WHICH_SIZE = "conflicting_size"
_BOTH = 2
_ASIDE = (Cue.COMMA, Cue.STOP, Cue.QUESTION_MARK, Cue.REQUEST, Cue.A, Cue.THE, Cue.YES)


def stays_open(code: str, acts: Sequence[Act]) -> bool:
    """Whether a question with this code is open still when `acts` have changed the order."""
    if code in CHOICES:
        return True  # an item that answers it closes it
    if code in _MISSED:
        return not any(map(_wants, acts))
    changes = [change for act in acts for change in _changes(act)]
    if code == _HOW_MANY:
        return not any(c.quantity is not None for c in changes)
    if code in _WHICH_MODIFIER:
        return not any(c.mods for c in changes)
    return code == _WHICH_SIZE and not any(c.size is not None for c in changes)


def _changes(act: Act) -> Sequence[Modify]:
    """What an act says of lines, those it puts there included."""
    match act:
        case Modify():
            return (act,)
        case Among(changes=changes):
            return changes
        case Add(group) | Replace(group=group):
            return (Modify(Target(), tuple(group.mods), group.size, group.quantity),)
        case _:
            return ()


def _wants(act: Act) -> bool:
    """Whether an act asks for something, as a guest would who was not understood."""
    match act:
        case Modify(mods=mods, size=size, quantity=quantity, plain=plain):
            wanted = any(not mod.negated for mod in mods)
            return wanted or plain or size is not None or quantity is not None
        case Among(changes=changes):
            return any(map(_wants, changes))
        case Add() | Replace() | Repeat():
            return True
        case _:
            return False


def chosen(parts: Sequence[Part], offered: Collection[str], menu: CompiledMenu) -> list[Part]:
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
    if part.role in (Role.MODIFIER, Role.UNKNOWN):
        words = set(keys_of(part.span.text, menu.language))
        named = [i for i in items if words <= set(keys_of(menu.item_name(i), menu.language))]
        return [_item(part, named[0])] if len(named) == 1 else list(parts)
    return list(parts)


def _item(part: Part, item: str) -> Part:
    sense = Sense("item", item, None)
    return Part(
        replace(part.span, senses=(sense,), cues=frozenset(), value=None), Role.ITEM, (sense,)
    )
