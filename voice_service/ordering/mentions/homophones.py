"""Numbers heard as words that sound the same: "two hamburgers to cheeseburgers"."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import takewhile

from voice_service.ordering.language.cue_sets import PAUSES
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.language.tokens import key_of, plain, plural, several
from voice_service.ordering.mentions.mention import candidates_of
from voice_service.ordering.mentions.segmentation import Span
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.menu.match import FULL

_OPENS = (Cue.AND, Cue.COMMA, Cue.STOP, Cue.REQUEST, Cue.ADD)
_CHANGES = (
    Cue.CHANGE,
    Cue.SUBSTITUTE,
    Cue.MAKE,
    Cue.REMOVE,
    Cue.INSTEAD_OF,
    Cue.ADD,
    Cue.QUESTION,
    Cue.THE,
    Cue.IT,
)
"""After these a preposition before a name makes sense: "change the cola to lemonades"."""


def counted(spans: Sequence[Span], menu: CompiledMenu, ordered: Collection[str]) -> list[Span]:
    """`spans` with a number where no other reading of its sound makes sense.

    Several of something have to follow it ("to colas"), or one of it ("won cola"), and what stands
    before it may have no preposition behind it. `ordered`: the items of the cart.
    """
    return [_number(spans, index, menu, ordered) or span for index, span in enumerate(spans)]


def _number(
    spans: Sequence[Span], index: int, menu: CompiledMenu, ordered: Collection[str]
) -> Span | None:
    span = spans[index]
    value = menu.language.number_sounds.get(span.text) if not span.candidates else None
    if value is None:
        return None
    before, ahead = spans[:index], _ahead(spans[index + 1 :])
    item = _item(ahead[-1], menu) if ahead else None
    if item is None or _follows(span, before, item, menu, ordered):
        return None
    if _several(ahead, item, menu) == (value > 1):
        return replace(span, cues=frozenset({Cue.NUMBER}), value=value, by_sound=True)
    # "And to fries": two of them, or one order? "And for fries"?
    listed = value > 1 and bool(before) and before[-1].has(Cue.AND, Cue.REQUEST)
    vague = listed and several(ahead[-1].text.split()[-1], menu.language)
    return replace(span, cues=frozenset({Cue.VAGUE})) if vague else None


def _ahead(spans: Sequence[Span]) -> Sequence[Span]:
    """The words up to the name that is counted: its size, and what is on it."""
    before = list(takewhile(_describes, spans))
    return spans[: len(before) + 1] if len(before) < len(spans) else ()


def _describes(span: Span) -> bool:
    said = candidates_of(span, "size") or candidates_of(span, "modifier") or span.has(Cue.MEASURE)
    return bool(said) and not candidates_of(span, "item")


def _item(span: Span, menu: CompiledMenu) -> str | None:
    """The item that a phrase names, in full or at least by what kind of thing it is."""
    items = candidates_of(span, "item")
    if not items:
        return None
    said, name = span.text.split()[-1], menu.item_name(items[0].id).split()[-1]
    headed = key_of(said, menu.language) == key_of(plain(name), menu.language)
    return items[0].id if headed or items[0].match >= FULL else None


def _several(ahead: Sequence[Span], item: str, menu: CompiledMenu) -> bool:
    """Whether it is said as several are: "colas", "orders of fries"; "fries" may be one."""
    measures = [s.text.split()[0] for s in ahead if s.has(Cue.MEASURE)]
    if not measures and plural(menu.item_name(item), menu.language) == menu.item_name(item):
        return False
    word = measures[-1] if measures else ahead[-1].text.split()[-1]
    return several(word, menu.language)


def _follows(
    span: Span, said: Sequence[Span], item: str, menu: CompiledMenu, ordered: Collection[str]
) -> bool:
    """Whether the word makes sense as what it was written as, behind what was `said`."""
    named = [i for i in (_item(s, menu) for s in said) if i is not None]
    opens = not said or said[-1].has(*_OPENS)
    if opens:
        again = span.has(Cue.TO, Cue.FOR) and item in {*named, *ordered}
        return again and (not said or said[-1].has(*PAUSES))
    previous = _item(said[-1], menu)
    if previous is None or any(s.has(*_CHANGES) or s.unknown for s in said):
        return True
    if not {item, previous}.isdisjoint({*named[:-1], *ordered}) or item == previous:
        return True
    # "Ketchup for hamburgers" may be one for those, "hamburgers for cheeseburgers" is nothing.
    alike = menu.items[previous].category == menu.items[item].category
    return span.has(Cue.FOR) and not alike
