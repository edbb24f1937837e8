"""Named features of a reading: what speaks for it and against it.

Each name is the construal and a circumstance ("restated:identical"), so that a weight says what the
circumstance is worth for that construal. The plain reading has none: its score is 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from voice_service.ordering.acts import Add, Agree, Aside, Deny, Done, ItemRequest, Remove
from voice_service.ordering.cart.lines import Line
from voice_service.ordering.intents.parser import Parsed
from voice_service.ordering.language.pack import Cue, Language, Repetition
from voice_service.ordering.language.tokens import tokenize
from voice_service.ordering.readings.reading import Construal, Reading, adds_to

_SHORT = 4
"""Words of an utterance that is hardly more than a name."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a reading is judged by, apart from its acts.

    `lines`: the order before, without parts of combos. `fresh`: ids of the lines that the utterance
    before put there or changed. `asked`: a question to the guest is open. `words`: the utterance as
    `spoken` returns it, and `repetition` the phrases to look for in it.
    """

    parsed: Parsed
    lines: Sequence[Line]
    fresh: frozenset[str]
    asked: bool
    words: str
    repetition: Repetition


def spoken(text: str, language: Language) -> str:
    """Return the words of a text as phrases of the language pack are written."""
    return " ".join(token.text for token in tokenize(text, language) if token.key)


def says(words: str, phrases: Iterable[str]) -> bool:
    """Return whether any of the phrases is among the words, as `spoken` returns them."""
    return any(f" {phrase} " in f" {words} " for phrase in phrases)


def features(reading: Reading, said: Circumstances) -> Mapping[str, float]:
    """The features of a reading, each 1 where it is there."""
    if reading.construal is Construal.AS_SAID:
        return {}
    return {f"{reading.construal}:{name}": 1.0 for name in _circumstances(reading, said)}


def _circumstances(reading: Reading, said: Circumstances) -> Iterator[str]:
    yield "bias"
    yield from _in_words(said)
    yield from _in_the_order(reading, said)


_CUES = {
    "corrects": (Cue.CORRECT, Cue.INSTEAD),
    "on top cue": (Cue.MORE, Cue.ALSO, Cue.ADD, Cue.ADDITIONAL),
    "request cue": (Cue.REQUEST,),
    "definite": (Cue.THE,),
    "indefinite": (Cue.A,),
    "nothing else cue": (Cue.ONLY, Cue.ALONE),
}
_ACTS: dict[str, type] = {"agrees": Agree, "completes": Done, "removes": Remove, "aside": Aside}


def _in_words(said: Circumstances) -> Iterator[str]:
    mentions, acts = said.parsed.mentions, said.parsed.acts
    opening = [m for m in mentions[:3] if not m.idle or m.cue(Cue.YES)]
    yield from (name for name, cues in _CUES.items() if any(m.cue(*cues) for m in mentions))
    yield from (name for name, kind in _ACTS.items() if any(isinstance(a, kind) for a in acts))
    words = sum(len(m.span.words) for m in mentions)
    told = {
        "denies": said.parsed.denies or any(isinstance(act, Deny) for act in acts),
        "opens with and": bool(opening) and opening[0].cue(Cue.AND),
        "repeats": says(said.words, said.repetition.repeats),
        "rejects": says(said.words, said.repetition.rejects),
        "asks for more": says(said.words, said.repetition.adds),
        "question open": said.asked,
        "few words": words <= _SHORT,
    }
    yield from (name for name, there in told.items() if there)


def _in_the_order(reading: Reading, said: Circumstances) -> Iterator[str]:
    requests = [act.request for act in said.parsed.acts if isinstance(act, Add)]
    items = {line.item for line in said.lines}
    again = [request for request in requests if request.item in items]
    if not again:
        yield "nothing again"
        return
    pairs = [(r, line) for r in again for line in said.lines if line.item == r.item]
    told = {
        "identical": any(not (adds_to(r, x) or _leaves_out(r, x)) for r, x in pairs),
        "new detail": all(adds_to(r, x) for r, x in pairs),
        "equal count": any((r.quantity or 0) > 1 and r.quantity == x.count for r, x in pairs),
        "whole order": len(said.lines) > 1 and {r.item for r in again} >= items,
        "new item": len(requests) > len(again),
        "just said": any(x.id in said.fresh for _, x in pairs),
        "more than one": len(reading.restated) > 1,
    }
    yield from (name for name, there in told.items() if there)


def _leaves_out(request: ItemRequest, line: Line) -> bool:
    """Return whether a line has what a request does not say."""
    unsized = line.size is not None and request.size is None
    return unsized or len(line.mods) > len(request.mods)
