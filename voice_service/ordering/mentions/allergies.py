"""Finds allergies anywhere in an utterance, so that no question, talk or order swallows one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from voice_service.ordering.acts import Aside
from voice_service.ordering.language.cue_sets import PUNCTUATION, SEPARATES
from voice_service.ordering.language.pack import Cue, Language
from voice_service.ordering.language.tokens import tokenize
from voice_service.ordering.mentions.segmentation import Span
from voice_service.ordering.menu.match import FULL, HEADED
from voice_service.ordering.reasons import ReasonCode

_CUES = (Cue.ALLERGY, Cue.ALLERGY_TO, Cue.CONDITION)
_LISTS = (*SEPARATES, Cue.ALSO)
_LINKS = (Cue.THE, Cue.A, Cue.MEASURE, Cue.BOTH, Cue.ON, Cue.TO, Cue.EXTRA, Cue.GENERIC)
"""What may stand between "allergic to" and the allergen."""
_ORDERS = (
    *_CUES,
    Cue.QUESTION_MARK,
    Cue.REQUEST,
    Cue.ADD,
    Cue.NO,
    Cue.BUT,
    Cue.WITH,
    Cue.QUESTION,
    Cue.DONE,
    Cue.REMOVE,
    Cue.CHANGE,
    Cue.MAKE,
    Cue.CORRECT,
    Cue.UNDO,
    Cue.RESTART,
    Cue.STAFF,
    Cue.WAIT,
    Cue.NUMBER,
    Cue.MORE,
    Cue.SAME,
    Cue.NUMBERED,
    Cue.INSTEAD_OF,
    Cue.NEVER_MIND,
)
"""What begins an order again, or another sentence."""


@dataclass(frozen=True)
class AllergyExtraction:
    """What an utterance says of allergies: `asides`, and `rest`, the spans without them.

    `unfinished` are words at the end that wait for the allergen ("I'm allergic to").
    """

    asides: tuple[Aside, ...]
    rest: tuple[Span, ...]
    unfinished: tuple[Span, ...] = ()


def extract_allergies(text: str, spans: Sequence[Span], language: Language) -> AllergyExtraction:
    """Return the allergies in `text`, whose spans are `spans`.

    A stop takes the place of each. A guest who says "no allergies" has none.
    """
    if not any(span.has(*_CUES, Cue.NO) for span in spans):
        return AllergyExtraction((), tuple(spans))
    words = _Words(text, language)
    clauses: list[_Clause] = []
    rest: list[Span] = []
    done = 0
    for at, span in enumerate(spans):
        if at < done or not (_tells_of_allergy(span) or _left_out(spans, at, language)):
            continue
        clause = _clause(spans, at, done, words, language)
        clauses.append(clause)
        rest += spans[done : clause.start]
        done = clause.end
        if not (span.has(Cue.CONDITION) and done < len(spans) and spans[done].candidates):
            rest.append(_stop(span))  # "a nut free cookie" stays one thing
    if not clauses:
        return AllergyExtraction((), tuple(spans))
    last = clauses[-1]
    unfinished = spans[last.start :] if last.open and last.end == len(spans) else ()
    asides = _once([clause.aside for clause in clauses])
    return AllergyExtraction(asides, _trimmed([*rest, *spans[done:]]), tuple(unfinished))


@dataclass(frozen=True)
class _Clause:
    """The spans from `start` to `end` are about an allergy; `open`: the allergen is missing."""

    start: int
    end: int
    aside: Aside
    open: bool


def _clause(
    spans: Sequence[Span], at: int, done: int, words: _Words, language: Language
) -> _Clause:
    """Return the clause about the allergy at `at`; the spans before `done` are taken already."""
    denial = _denial(spans, at, words, language)
    named_before, first = _object_before(spans, at, done, language)
    end, named_after = _end(spans, at, before=named_before)
    start = _start(spans, first if denial is None else denial, done)
    known = named_before or named_after or denial is not None
    since = start if known else _context(spans, start)
    aside = Aside(
        ReasonCode.ALLERGY if denial is None else ReasonCode.SIDE_TALK, words.of(spans[since:end])
    )
    return _Clause(start, end, aside, not known and spans[at].has(Cue.ALLERGY_TO))


class _Words:
    """An utterance's words as they were heard, before slips were corrected."""

    def __init__(self, text: str, language: Language) -> None:
        self._tokens = [token for token in tokenize(text, language) if token.key]

    def of(self, spans: Sequence[Span]) -> str:
        """Return the text from the first to the last word of `spans`."""
        indexes = [word for span in spans for word in span.words if not span.has(*PUNCTUATION)]
        first, last = min(indexes), max(indexes)
        return " ".join(token.text for token in self._tokens if first <= token.word <= last)


def _tells_of_allergy(span: Span) -> bool:
    """Return whether a span tells of an allergy and is no name on the menu ("gluten free bun")."""
    return span.has(*_CUES) and not span.candidates


def _left_out(spans: Sequence[Span], at: int, language: Language) -> bool:
    """Return whether "nothing with nuts" is said, where the menu has no nuts to leave off."""
    following = next((s for s in spans[at + 1 :] if not (s.filler or s.has(Cue.THE))), None)
    if not spans[at].has(Cue.NO) or spans[at].candidates or following is None:
        return False
    # "Gluten" alone is not the menu's "gluten free bun".
    named = following.candidates and following.candidates[0].match >= HEADED
    return not named and following.text in language.allergies.allergens


def _denial(spans: Sequence[Span], at: int, words: _Words, language: Language) -> int | None:
    """Return where the "no" or "not" about the allergy at `at` stands; None if there is none."""
    if spans[at].has(Cue.NO) or not _tells_of_allergy(spans[at]):
        return None
    for index in range(at - 1, -1, -1):
        if spans[index].has(*PUNCTUATION):
            return None
        for word in reversed(words.of([spans[index]]).split()):
            if word in language.allergies.denials:
                return index
            if word not in language.allergies.denial_links:
                return None
    return None


def _object_before(
    spans: Sequence[Span], at: int, done: int, language: Language
) -> tuple[bool, int]:
    """Return whether the allergen stands right before ("a peanut allergy"), and where."""
    if not spans[at].has(Cue.ALLERGY):
        return spans[at].has(Cue.CONDITION), at
    first = at
    while first > done and spans[first - 1].unknown:
        first -= 1
    while first < at and first - 2 >= done and _joins(spans[first - 2 : first], language):
        first -= 2
    if first == at and first > done and spans[first - 1].candidates:
        first -= 1
    named = first < at
    for cues in ((Cue.A,), (Cue.REQUEST, Cue.WITH)):
        before = next((i for i in range(first - 1, done - 1, -1) if not spans[i].filler), None)
        if before is not None and spans[before].has(*cues) and not spans[before].candidates:
            first = before
    return named, first


def _joins(pair: Sequence[Span], language: Language) -> bool:
    """Return whether a pair is "dairy and", before another allergen."""
    return pair[0].text in language.allergies.allergens and pair[1].has(Cue.AND, Cue.OR)


def _end(spans: Sequence[Span], at: int, *, before: bool) -> tuple[int, bool]:
    """Return where the words about the allergy end, and whether they name the allergen.

    `before`: the words before have named it.
    """
    linked, named, end = not before, False, at + 1
    for index in range(at + 1, len(spans)):
        span = spans[index]
        if span.has(Cue.STOP) and before:
            break
        if not _belongs(spans, index, linked=linked, named=named):
            break
        if span.unknown or span.candidates:
            named, linked, end = True, True, index + 1
        elif span.has(*_LISTS, Cue.STOP):
            linked = True
        elif not span.has(*_LINKS):
            linked = linked and not named
            end = index + 1 if span.has(Cue.IT) else end
    return end, named


def _belongs(spans: Sequence[Span], index: int, *, linked: bool, named: bool) -> bool:
    """Return whether a span is still about the allergy.

    `linked`: the span before leads on to an allergen. `named`: the allergen was named already.
    """
    span = spans[index]
    if span.candidates:
        return linked and _may_be_meant(spans[index - 1], span)
    if span.has(Cue.STOP):
        return not named and _only_names(spans[index + 1 :])
    if span.has(*_ORDERS) or (span.has(Cue.A) and named):
        return False
    return not span.has(*_LISTS) or _goes_on(spans, index, named=named)


def _only_names(spans: Sequence[Span]) -> bool:
    """Return whether a sentence only names what is not sold: "I have allergies. Tree nuts." """
    end = next((i for i, s in enumerate(spans) if s.has(Cue.STOP)), len(spans))
    sentence = [s for s in spans[:end] if not (s.filler or s.has(*_LISTS, Cue.TO))]
    return bool(sentence) and all(s.unknown for s in sentence)


def _goes_on(spans: Sequence[Span], index: int, *, named: bool) -> bool:
    """Return whether a list of allergens goes on after a comma or an "and"."""
    following = next((s for s in spans[index + 1 :] if not s.filler and not s.has(*_LISTS)), None)
    if following is None:
        return False
    return following.unknown or bool(following.candidates and (named or not _is_item(following)))


def _may_be_meant(before: Span, span: Span) -> bool:
    """Return whether something on the menu may be the allergen; after a comma, an item is not."""
    return not (before.has(Cue.COMMA) and _is_item(span))


def _is_item(span: Span) -> bool:
    return span.candidates[0].kind == "item" and span.candidates[0].match >= FULL


def _start(spans: Sequence[Span], first: int, done: int) -> int:
    """Return where the words begin that say who has the allergy: "my neighbour is allergic"."""
    start = first
    while start > done:
        span = spans[start - 1]
        if span.candidates or not (span.filler or span.unknown or span.has(Cue.TALK, Cue.THE)):
            break
        start -= 1
    return start


def _context(spans: Sequence[Span], start: int) -> int:
    """Return where the clause before begins, which names the allergen: "no nuts, I'm allergic"."""
    index = start
    while index > 0 and spans[index - 1].has(*PUNCTUATION):
        index -= 1
    while index > 0 and not spans[index - 1].has(*PUNCTUATION):
        index -= 1
    return index


def _stop(span: Span) -> Span:
    """Return a stop in the place of what was taken out, with the words of `span`."""
    stop = frozenset({Cue.STOP})
    return Span(span.start, span.end, ".", (), stop, None, span.words)


def _trimmed(spans: Sequence[Span]) -> tuple[Span, ...]:
    """Drop stops at either end, and links that now lead nowhere."""
    kept: list[Span] = []
    for span in spans:
        if span.has(Cue.STOP):
            _drop(kept, Cue.AND, Cue.BUT, Cue.ALSO, Cue.COMMA)
        if kept or not span.has(Cue.STOP):
            kept.append(span)
    _drop(kept, Cue.STOP)
    return tuple(kept)


def _drop(spans: list[Span], *cues: Cue) -> None:
    while spans and not spans[-1].candidates and spans[-1].has(*cues):
        spans.pop()


def _once(asides: Sequence[Aside]) -> tuple[Aside, ...]:
    """Drop asides that another one says as well."""
    return tuple(a for a in asides if not any(_within(a, b) for b in asides))


def _within(aside: Aside, other: Aside) -> bool:
    return aside.code == other.code and aside.text != other.text and aside.text in other.text
