"""Words that were heard as others that sound the same: "to cheeseburgers", "no eyes"."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import pairwise, takewhile

from voice_service.ordering.doubt import Doubt
from voice_service.ordering.language.cue_sets import (
    ARTICLES,
    DESCRIBES,
    DETERMINERS,
    ENDS_SENTENCE,
    PAUSES,
    SEPARATES,
)
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.language.tokens import key_of, keys_of, plain, plural, several
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
"""After these, a preposition before a name makes sense: "change the cola to lemonades"."""


def by_sound(spans: Sequence[Span], menu: CompiledMenu, ordered: Collection[str]) -> list[Span]:
    """Read words as what they sound like where the menu and the words around them call for it.

    `ordered`: the items of the cart.
    """
    spans = _commanded(_joined(spans, menu), menu)
    spans = _modifiers(spans, menu, ordered)
    return _counted(_opened(spans, menu), menu, ordered)


def _joined(spans: Sequence[Span], menu: CompiledMenu) -> list[Span]:
    """Read "a nice tea" as iced tea; if "tea" is a name of its own, it is not sure."""
    heard, junctures = list(spans), menu.language.spelling.junctures
    for index, (before, named) in enumerate(pairwise(spans)):
        items = candidates_of(named, "item")
        if before.text not in junctures or not items:
            continue
        phrase = f"{junctures[before.text]} {named.text}"
        found = menu.lexicon.find("".join(keys_of(phrase, menu.language)), phrase)
        meant = [s for s in found if s.kind == "item" and s.match >= FULL]
        if meant:
            own = items[0].match >= FULL
            doubt = Doubt.SOUNDS_LIKE_BOTH if own else Doubt.SOUNDS_LIKE_NAME
            heard[index + 1] = replace(
                named,
                candidates=tuple(s.doubted(doubt) for s in (named.candidates if own else meant)),
            )
    return heard


def _commanded(spans: Sequence[Span], menu: CompiledMenu) -> list[Span]:
    """Read "no wait at a cola" as a wish to add one: it opens a clause, and a name follows."""
    heard, commands = list(spans), menu.language.spelling.commands
    for index, span in enumerate(spans):
        opens = not index or spans[index - 1].has(*_OPENS, Cue.CORRECT, Cue.BUT)
        if span.text not in commands or span.candidates or not opens:
            continue
        named = next((s for s in spans[index + 1 :] if not s.has(*DETERMINERS)), None)
        if named is not None and candidates_of(named, "item"):
            said = commands[span.text]
            cues = frozenset(c for c, phrases in menu.language.cues.items() if said in phrases)
            heard[index] = replace(span, text=said, cues=cues, by_sound=True)
    return heard


def _modifiers(spans: Sequence[Span], menu: CompiledMenu, ordered: Collection[str]) -> list[Span]:
    """Read what names nothing after "no" or "with" as a modifier: "no eyes", "with let us"."""
    heard = list(spans)
    items = {s.id for span in spans for s in candidates_of(span, "item")} | {*ordered}
    index = 1
    while index < len(heard):
        said = (
            list(takewhile(_names_nothing, heard[index:]))
            if heard[index - 1].has(*DESCRIBES)
            else []
        )
        if said and (len(said) > 1 or said[0].unknown):
            phrase = " ".join(span.text for span in said)
            found = menu.lexicon.find_modifiers_by_sound(phrase)
            meant = tuple(
                s.doubted(Doubt.SOUNDS_LIKE_NAME)
                for s in found
                if any(menu.offers(item, s) for item in items)
            )
            if meant:
                words = tuple(w for span in said for w in span.words)
                heard[index : index + len(said)] = [
                    replace(
                        said[0],
                        end=said[-1].end,
                        text=phrase,
                        candidates=meant,
                        cues=frozenset(),
                        words=words,
                        by_sound=True,
                    )
                ]
        index += 1
    return heard


def _names_nothing(span: Span) -> bool:
    return not span.candidates and not span.has(*SEPARATES, *ENDS_SENTENCE, *ARTICLES, Cue.NUMBER)


def _opened(spans: Sequence[Span], menu: CompiledMenu) -> list[Span]:
    """Part the number from "I want to" where no verb follows: "I want to coffees"."""
    opened: list[Span] = []
    for index, span in enumerate(spans):
        first, _, last = span.text.rpartition(" ")
        asks = not span.candidates and span.cues <= {Cue.REQUEST, Cue.FILLER}
        parts = first and asks and last in menu.language.cues[Cue.TO]
        ahead = _ahead(spans[index + 1 :]) if parts else ()
        item = _item(ahead[-1], menu) if ahead else None
        if item is not None and _several(ahead, item, menu):
            request, number = frozenset({Cue.REQUEST}), frozenset({Cue.TO})
            opened.append(replace(span, text=first, words=span.words[:-1], cues=request))
            opened.append(replace(span, text=last, words=span.words[-1:], cues=number))
        else:
            opened.append(span)
    return opened


def _counted(spans: Sequence[Span], menu: CompiledMenu, ordered: Collection[str]) -> list[Span]:
    """Read a word as the number that it sounds like where nothing else makes sense.

    A plural has to follow ("to colas"), or a singular ("won cola"), and the words before must not
    call for a preposition. `ordered`: the items of the cart.
    """
    return [_number(spans, index, menu, ordered) or span for index, span in enumerate(spans)]


def _number(
    spans: Sequence[Span], index: int, menu: CompiledMenu, ordered: Collection[str]
) -> Span | None:
    span = spans[index]
    value = menu.language.numbers.sounds.get(span.text) if not span.candidates else None
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
    """Return the words up to the name that is counted: its size, what is on it, and the name."""
    before = list(takewhile(_describes, spans))
    return spans[: len(before) + 1] if len(before) < len(spans) else ()


def _describes(span: Span) -> bool:
    describes = (
        candidates_of(span, "size") or candidates_of(span, "modifier") or span.has(Cue.MEASURE)
    )
    return bool(describes) and not candidates_of(span, "item")


def _item(span: Span, menu: CompiledMenu) -> str | None:
    """Return the item that a phrase names in full, or at least by its last word."""
    items = candidates_of(span, "item")
    if not items:
        return None
    word, name = span.text.split()[-1], menu.item_name(items[0].id).split()[-1]
    headed = key_of(word, menu.language) == key_of(plain(name), menu.language)
    return items[0].id if headed or items[0].match >= FULL else None


def _several(ahead: Sequence[Span], item: str, menu: CompiledMenu) -> bool:
    """Return whether a name is in the plural: "colas", "orders of fries"; "fries" may be one."""
    measures = [s.text.split()[0] for s in ahead if s.has(Cue.MEASURE)]
    if not measures and plural(menu.item_name(item), menu.language) == menu.item_name(item):
        return False
    word = measures[-1] if measures else ahead[-1].text.split()[-1]
    return several(word, menu.language)


def _follows(
    span: Span, before: Sequence[Span], item: str, menu: CompiledMenu, ordered: Collection[str]
) -> bool:
    """Return whether the word makes sense as it was written, after the `before` words."""
    named = [i for i in (_item(s, menu) for s in before) if i is not None]
    opens = not before or before[-1].has(*_OPENS)
    if opens:
        again = span.has(Cue.TO, Cue.FOR) and item in {*named, *ordered}
        return again and (not before or before[-1].has(*PAUSES))
    previous = _item(before[-1], menu)
    if previous is None or any(s.has(*_CHANGES) or s.unknown for s in before):
        return True
    if not {item, previous}.isdisjoint({*named[:-1], *ordered}) or item == previous:
        return True
    # "Ketchup for hamburgers" may be one for those, "hamburgers for cheeseburgers" is nothing.
    alike = menu.items[previous].category == menu.items[item].category
    return span.has(Cue.FOR) and not alike
