"""Cuts an utterance into phrases, in the cheapest way that explains all of its words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from voice_service.ordering.language.cue_sets import ARTICLES, COUNTABLE, DESCRIBES
from voice_service.ordering.language.numbers import number_at
from voice_service.ordering.language.pack import Cue, Language, Phrases
from voice_service.ordering.language.tokens import Token, key_of, tokenize, undiminished
from voice_service.ordering.mentions.entities import Entity, EntityReader
from voice_service.ordering.mentions.misheard import Amid, Misheard
from voice_service.ordering.mentions.remarks import RemarkReader
from voice_service.ordering.mentions.scanning import Vocabulary
from voice_service.ordering.menu.lexicon import Candidate, Lexicon
from voice_service.ordering.menu.match import FULL

_LONGEST_UTTERANCE = 400  # words; those beyond are reported, not read
_MARKS = {",": Cue.COMMA, ".": Cue.STOP, "?": Cue.QUESTION_MARK}
_SWITCH = 0.3  # from one language to another; words that both have stay in the one before
_SPAN = 1.0  # every phrase costs this, so that longer ones win
_UNKNOWN = 3.0
_SLIP = 1.0
_AMID = 0.4
_NEVER = float("inf")
_NO_CUES: frozenset[Cue] = frozenset()
_MENU_BONUS = 0.1
_LEADING = (*DESCRIBES, *ARTICLES, Cue.MEASURE)


@dataclass(frozen=True, slots=True)
class Span:
    """A phrase: tokens `start` to `end`, what it may name, and what it may do.

    `value`: the number that it says. `words`: the indexes of its words in the text. `nearness` is
    below 1 where a word was corrected. `by_sound`: it is read as a word that sounds the same.
    `entity`: it is about the visit, and orders nothing.
    """

    start: int
    end: int
    text: str
    candidates: tuple[Candidate, ...]
    cues: frozenset[Cue]
    value: int | None
    words: tuple[int, ...]
    nearness: float = 1.0
    by_sound: bool = False
    entity: Entity | None = None

    @property
    def unknown(self) -> bool:
        """True if nothing explains the phrase."""
        return not self.candidates and not self.cues

    @property
    def filler(self) -> bool:
        """True if the phrase only fills the sentence."""
        return not self.candidates and self.cues == {Cue.FILLER}

    def has(self, *cues: Cue) -> bool:
        """Return whether the phrase may act as one of `cues`."""
        return not self.cues.isdisjoint(cues)


class Segmenter:
    """Cuts utterances for one menu and one language."""

    def __init__(self, lexicon: Lexicon, language: Language) -> None:
        self._lexicon = lexicon
        self._language = language
        self._cues, _ = _cue_table(language)
        self._hesitations = frozenset(language.cues[Cue.HESITATION])
        self._tongues = [(pack, *_cue_table(pack)) for pack in language.packs]
        self._numbering = {key_of(p, language) for p in language.cues[Cue.NUMBERED]}
        self._measuring = {w for p in language.cues[Cue.MEASURE] for w in p.split()}
        self._misheard = Misheard(lexicon, language, self._cues)
        self._entities = EntityReader(self._vocabulary())
        self._remarks = RemarkReader(lexicon, language, self._cues)

    def segment(self, text: str) -> list[Span]:
        """Return spans that cover every token of `text` except hesitations, in order."""
        tokens = [t for t in tokenize(text, self._language) if t.text not in self._hesitations]
        tokens = self._fluent(tokens)
        rest = tokens[_LONGEST_UTTERANCE:]
        tokens = tokens[:_LONGEST_UTTERANCE]
        remarks, tokens = _cut(
            tokens,
            [
                _span(tokens, r.start, r.end, (), frozenset({r.cue}), None)
                for r in self._remarks.read(tokens)
            ],
        )
        entities, tokens = _cut(
            tokens, [_entity_span(tokens, entity) for entity in self._entities.read(tokens, text)]
        )
        spans = self._phrases(tokens)
        if remarks or entities:
            spans = sorted([*spans, *remarks, *entities], key=lambda span: span.words)
        if rest:
            spans.append(_span(rest, 0, len(rest), (), frozenset(), None))
        return spans

    def _vocabulary(self) -> Vocabulary:
        everyday = {w for phrase in self._cues for w in phrase.split()}
        everyday |= self._language.names.contrast_words
        measuring = Phrases.of(p for cue in COUNTABLE for p in self._language.cues[cue])
        return Vocabulary(self._lexicon, self._language, frozenset(everyday), measuring)

    def _fluent(self, tokens: list[Token]) -> list[Token]:
        """Return the tokens without those that only begin the word after them: "b b bacon"."""
        fluent: list[Token] = []
        for token in reversed(tokens):
            following = fluent[-1].text if fluent else ""
            begins = token.text != following and following.startswith(token.text)
            if not begins or self._means_something(token):
                fluent.append(token)
        return fluent[::-1]

    def _means_something(self, token: Token) -> bool:
        counts = not token.key or token.key.isdigit()
        return counts or token.text in self._cues or self._lexicon.knows(token.key)

    def _phrases(self, tokens: list[Token]) -> list[Span]:
        """Return the phrases of tokens that may be about the order."""
        spans = self._cheapest(tokens)
        unknown = {i for span in spans if span.unknown for i in range(span.start, span.end)}
        tokens = [self._plainly(t) if i in unknown else t for i, t in enumerate(tokens)]
        tokens, nearness = self._put_right(tokens, spans)
        if any(span.unknown for span in spans):
            spans = self._cheapest(tokens, misspelt=True)
        filler = [s for s in spans if s.filler and not self._completes(tokens[s.start : s.end])]
        if filler and len(filler) < len(spans):
            # "A large like vanilla shake": without the filler, names come together again.
            idle = {i for s in filler for i in range(s.start, s.end)}
            spoken = [t for i, t in enumerate(tokens) if i not in idle]
            spans = sorted([*self._cheapest(spoken, misspelt=True), *filler], key=lambda s: s.words)
        if nearness:
            spans = [_with_nearness(span, nearness) for span in spans]
        return spans

    def _plainly(self, token: Token) -> Token:
        """Return the word of this menu that a diminutive stands for, if it does."""
        words = (word for pack in self._language.packs for word in undiminished(token, pack))
        return next((word for word in words if self._lexicon.knows(word.key)), token)

    def _put_right(
        self, tokens: list[Token], spans: list[Span]
    ) -> tuple[list[Token], Mapping[int, float]]:
        """Return the tokens with slips corrected, and how near each of these is to what was heard.

        Slips are corrected only beside words that are certain: other talk stays as it is.
        """
        mended, nearness = list(tokens), dict[int, float]()
        if not any(_orders(span) for span in spans):
            return mended, nearness
        named = {i for s in spans if s.candidates or s.unknown for i in (s.start - 1, s.end)}
        for before, span in pairwise([None, *spans]):
            if span is None or not span.unknown:
                continue
            for index in range(span.start, span.end):
                if tokens[index].text in self._language.numbers.sounds:
                    continue
                slip = self._lexicon.slips.find(tokens[index].text)
                led = before is not None and before.has(*_LEADING)
                if slip is not None and self._misheard.mends(slip, led=led, beside=index in named):
                    key = key_of(slip.word, self._language)
                    mended[index] = replace(tokens[index], text=slip.word, key=key)
                    nearness[tokens[index].word] = slip.nearness
        return mended, nearness

    def _cheapest(self, tokens: list[Token], *, misspelt: bool = False) -> list[Span]:
        """Return the phrases that cost least, each in one of the languages that guests mix."""
        readings = [self._as_said_in(pack, tokens) for pack, *_ in self._tongues]
        best: list[list[_Step]] = [[_Step(0.0 if t == 0 else _NEVER) for t in range(len(readings))]]
        best += [[_Step(_NEVER)] * len(readings) for _ in tokens]
        for start in range(len(tokens)):
            for tongue, said in enumerate(readings):
                before = _reached(best[start], tongue)
                for span, cost in self._spans_at(said, start, tongue, misspelt=misspelt):
                    total = best[start][before].cost + cost + (_SWITCH if before != tongue else 0.0)
                    if total < best[span.end][tongue].cost - 1e-9:
                        best[span.end][tongue] = _Step(total, span, before)
        spans: list[Span] = []
        end = len(tokens)
        tongue = min(range(len(readings)), key=lambda t: best[end][t].cost)
        while end > 0:
            step = best[end][tongue]
            assert step.span is not None  # noqa: S101 - every single token has a span
            spans.append(step.span)
            end, tongue = step.span.start, step.before
        spans.reverse()
        return spans

    def _as_said_in(self, language: Language, tokens: list[Token]) -> list[Token]:
        """Return the tokens with the keys that they have in one of the languages."""
        if language is self._language:
            return tokens
        return [replace(t, key=key_of(t.text, language)) if t.key else t for t in tokens]

    def _spans_at(
        self, tokens: list[Token], start: int, tongue: int, *, misspelt: bool
    ) -> list[tuple[Span, float]]:
        language, known_cues, longest_cue = self._tongues[tongue]
        token = tokens[start]
        if not token.key:
            return [(_span(tokens, start, start + 1, (), frozenset({_MARKS[token.text]}), None), 0)]
        found: list[tuple[Span, float]] = []
        counts = number_at(tokens, start, language)
        longest = max(self._lexicon.longest, longest_cue)
        key = text = read = ""  # `read`: the key with a number of several words in digits
        for end in range(start + 1, min(start + longest, len(tokens)) + 1):
            last = tokens[end - 1]
            if not last.key:
                break
            key += last.key
            read += last.key
            if counts is not None and end == start + counts[1]:
                read = str(counts[0])
            text += f" {last.text}" if text else last.text
            candidates = self._lexicon.find(key, text, language)
            if not candidates and counts is not None and end > start + counts[1]:
                candidates = self._lexicon.find(read, text, language)  # "twenty five percent sugar"
            candidates = () if self._numbers_several(tokens[start:end]) else candidates
            cues = known_cues.get(text, _NO_CUES)
            if (
                Cue.VAGUE in cues
                and self._chooses(tokens[start:end])
                and not _counted(tokens, start)
            ):
                cues = _NO_CUES
            value = language.numbers.ordinals.get(text)
            # "Two thousand island dressings" are two, where there is such a dressing.
            number = number_at(tokens[start:end], 0, language) if counts is not None else None
            whole = number is not None and number[1] == end - start
            if number is not None and whole and not self._chooses(tokens[start:end]):
                value, cues = number[0], cues | {Cue.NUMBER}
            cost = _cost(candidates, cues)
            if cost is None and misspelt:
                candidates = self._misheard.misspelt(tokens[start:end], language)
                cost = _SLIP + 2 * (1.0 - candidates[0].match) if candidates else None
            amid = None
            if cost is None and end > start + 1:
                amid = self._misheard.amid(tokens[start:end], language, idle=not misspelt)
                cost = None if amid is None else _AMID + 2 * (1.0 - amid.nearness)
            if cost is None and end == start + 1:
                cost = 0.0 if text in language.allergies.allergens else _UNKNOWN
            if cost is not None:
                span = _span(tokens, start, end, candidates, cues, value)
                found.append((_mended(span, amid) if amid else span, _SPAN + cost))
        return found

    def _completes(self, filler: list[Token]) -> bool:
        """Return whether idle words may belong to a name or a measure: "seven, um, up"."""
        return any(t.text in self._measuring or self._lexicon.knows(t.key) for t in filler)

    def _numbers_several(self, part: list[Token]) -> bool:
        """Return whether "combos one" would be read as a number on the board."""
        first, last = part[0], part[-1]
        several = first.text not in self._cues and first.text != first.key
        return several and len(part) > 1 and last.key.isdigit() and first.key in self._numbering

    def _chooses(self, part: list[Token]) -> bool:
        """Return whether a phrase for a number ends in a choice of this menu: "a single"."""
        last = part[-1]
        candidates = self._lexicon.find(last.key, last.text) if len(part) > 1 else ()
        return any(candidate.kind in ("size", "modifier") for candidate in candidates)


def _mended(span: Span, amid: Amid) -> Span:
    """Return a phrase as the name that it was meant for."""
    return replace(span, text=amid.text, candidates=amid.candidates, nearness=amid.nearness)


@dataclass(frozen=True, slots=True)
class _Step:
    """The cheapest way to a place in one language: the last phrase, and the language before it."""

    cost: float
    span: Span | None = None
    before: int = 0


def _reached(steps: Sequence[_Step], tongue: int) -> int:
    """Return the language from which the next phrase in `tongue` costs least."""
    return min(range(len(steps)), key=lambda t: steps[t].cost + (_SWITCH if t != tongue else 0.0))


def _counted(tokens: list[Token], start: int) -> bool:
    """Return whether a number stands before: "two and a half", not "a soup and a half salad"."""
    return start > 0 and tokens[start - 1].key.isdigit()


def _cost(candidates: tuple[Candidate, ...], cues: frozenset[Cue]) -> float | None:
    """Return what a phrase costs beyond the price of any phrase; None if it means nothing."""
    if candidates:
        return 1.0 - candidates[0].match - _MENU_BONUS
    return 0.0 if cues else None


def _orders(span: Span) -> bool:
    """Return whether a phrase shows that something is ordered: a name, or "I want"."""
    named = bool(span.candidates) and span.candidates[0].match >= FULL
    return named or (span.has(Cue.REQUEST) and span.end - span.start > 1)


def _with_nearness(span: Span, nearness: Mapping[int, float]) -> Span:
    least = min((nearness.get(word, 1.0) for word in span.words), default=1.0)
    return span if least == 1.0 else replace(span, nearness=least)


def _span(
    tokens: list[Token],
    start: int,
    end: int,
    candidates: tuple[Candidate, ...],
    cues: frozenset[Cue],
    value: int | None,
) -> Span:
    part = tokens[start:end]
    words = tuple(dict.fromkeys(t.word for t in part))
    text = " ".join(t.text for t in part)
    return Span(start, end, text, candidates, cues, value, words)


def _cut(tokens: list[Token], spans: list[Span]) -> tuple[list[Span], list[Token]]:
    """The spans, and the tokens that none of them covers."""
    covered = {i for span in spans for i in range(span.start, span.end)}
    return spans, [token for index, token in enumerate(tokens) if index not in covered]


def _entity_span(tokens: list[Token], entity: Entity) -> Span:
    """The entity as a phrase that carries nothing for the order."""
    filler = frozenset({Cue.FILLER})
    return replace(_span(tokens, entity.start, entity.end, (), filler, None), entity=entity)


_TABLES: dict[Language, tuple[Mapping[str, frozenset[Cue]], int]] = {}


def _cue_table(language: Language) -> tuple[Mapping[str, frozenset[Cue]], int]:
    if language not in _TABLES:
        table: dict[str, set[Cue]] = {}
        for cue, phrases in language.cues.items():
            for phrase in phrases:
                words = " ".join(t.text for t in tokenize(phrase, language) if t.key)
                table.setdefault(words, set()).add(cue)
        longest = max(len(phrase.split()) for phrase in table)
        _TABLES[language] = ({p: frozenset(c) for p, c in table.items()}, longest)
    return _TABLES[language]
