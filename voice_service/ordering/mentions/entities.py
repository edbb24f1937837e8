"""Words that are about the visit and not about the food: tables, parties, names, prices, times.

An entity takes its number with it, so that "for table four" never counts burgers. A name on the
menu always wins: "two kids meals" are meals, and "number four" is a combo.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from voice_service.ordering.language.pack import Cue, Entities, Phrases
from voice_service.ordering.language.tokens import Token
from voice_service.ordering.mentions.names import NameReader
from voice_service.ordering.mentions.scanning import Number, Scan, Vocabulary

_DIGITS = 5
"""So many numbers below ten in a row are read out, and so long a number is no quantity."""
_READ_OUT = 3
_PRICE = range(10, 100)
"""The second of two numbers that are a price or a time: "four ninety nine", "six thirty"."""
_PARTY = range(2, 31)
_AMOUNT = re.compile(r"([$€£¥₹]?)\d+([.:]\d\d)?\D*")
"""A price or a time as it is written: "$5", "4.99", "6:30"."""


class EntityType(Enum):
    """What an entity is about."""

    TABLE = auto()  # "table four", "booth 12"
    PLACE = auto()  # "window two", "lane 1", "the second window"
    NUMBER = auto()  # "order number 41", a phone number
    PARTY = auto()  # "for two people", "party of six"
    MEASURE = auto()  # "five dollars", "at six thirty", "she is six"
    OCCASION = auto()  # "for the office"
    NAME = auto()  # "my name is John"
    PERSON = auto()  # "for Jessica"


@dataclass(frozen=True, slots=True)
class Entity:
    """Tokens `start` to `end`; `value` is a number, or a name as it is written."""

    type: EntityType
    start: int
    end: int
    value: int | str | None = None


class EntityReader:
    """Finds the entities of an utterance. Pure."""

    def __init__(self, words: Vocabulary) -> None:
        self._vocabulary = words
        self._words: Entities = words.language.entities
        entities = words.language.entities
        self._ordinals = Phrases.of(words.language.numbers.ordinals)
        self._begins = _beginnings(words)
        self._kinds = (
            (EntityType.TABLE, entities.tables),
            (EntityType.PLACE, entities.places),
            (EntityType.NUMBER, entities.numbers),
        )

    def read(self, tokens: Sequence[Token], text: str) -> list[Entity]:
        """Return the entities of `text` in order; they do not overlap."""
        scan = Scan(tokens, text.split(), self._vocabulary)
        names = NameReader(scan)
        found: list[Entity] = []
        index = 0
        while index < len(tokens):
            begins = not index or self._may_begin(tokens[index])
            entity = next(self._at(scan, names, index), None) if begins else None
            if entity is None:
                index += 1
            else:
                found.append(entity)
                index = entity.end
        return found

    def _may_begin(self, token: Token) -> bool:
        return token.text in self._begins or token.key.isdigit() or not token.text.isalpha()

    def _at(self, scan: Scan, names: NameReader, start: int) -> Iterator[Entity]:
        """Yield what may begin at a token, the surest first."""
        if not scan.tokens[start].key:
            return
        lead = scan.phrase(start, self._words.lead_ins)
        for first in dict.fromkeys((lead, start)):
            yield from self._place(scan, start, first)
        for entity in self._amounts(scan, start, lead):
            if not scan.in_name(entity.start, entity.end):
                yield entity
        end = scan.phrase(start, self._words.occasions)
        if end > start and scan.closes(end):
            yield Entity(EntityType.OCCASION, start, end)
        for name in names.at(start):
            type_ = EntityType.NAME if name.own else EntityType.PERSON
            yield Entity(type_, start, name.end, scan.spoken(name.first, name.last) or None)

    def _amounts(self, scan: Scan, start: int, lead: int) -> Iterator[Entity]:
        yield from self._read_out(scan, start)
        for first in dict.fromkeys((lead, start)):
            yield from self._party(scan, start, first)
            yield from self._measure(scan, start, first)

    def _read_out(self, scan: Scan, start: int) -> Iterator[Entity]:
        """ "five five five one two three four", "four ninety nine", "$5"."""
        run = scan.read_out(start)
        if (
            len(run) == 2
            and run[0].value < 100
            and run[1].value in _PRICE
            and self._price(scan, start, run)
        ):
            yield Entity(EntityType.MEASURE, start, run[1].end)
        if run and scan.countable(run[-1].end):
            run.pop()
        if not run:
            return
        end = run[-1].end
        digits = (token.text for token in scan.tokens[start:end] if token.text.isdigit())
        long = scan.closes(end) and any(len(text) >= _DIGITS for text in digits)
        if len(run) >= _DIGITS or (len(run) >= _READ_OUT and scan.closes(end)) or long:
            yield Entity(EntityType.NUMBER, start, end)

    def _price(self, scan: Scan, start: int, run: Sequence[Number]) -> bool:
        """Return whether two numbers are a price: "the four ninety nine", not "two, twenty"."""
        the = scan.words.language.cues[Cue.THE]
        definite = start > 0 and scan.tokens[start - 1].text in the
        return definite or scan.closes(run[1].end)

    def _place(self, scan: Scan, start: int, first: int) -> Iterator[Entity]:
        """ "table four", "the second window"."""
        ordinal = scan.phrase(first, self._ordinals)
        for type_, phrases in self._kinds:
            if ordinal > first:
                end = scan.phrase(ordinal, phrases)
                if end > ordinal and not scan.is_name(first, end):
                    yield Entity(type_, start, end)
            after = scan.phrase(first, phrases)
            if after == first:
                continue
            run = scan.numbers(scan.phrase(after, self._words.numbered))
            if run and scan.several(run[-1].end) and scan.definite(after):
                run = []  # "for the table four waters"
            end = run[-1].end if run else after
            if run and not scan.is_name(first, end):
                yield Entity(type_, start, end, run[0].value)

    def _party(self, scan: Scan, start: int, first: int) -> Iterator[Entity]:
        """ "party of six", "two hungry people", "a pizza for two"."""
        after = scan.phrase(first, self._words.party_of)
        number = scan.number(after) if after > first else None
        if number is not None and scan.closes(number.end):
            yield Entity(EntityType.PARTY, start, number.end, number.value)
        yield from self._counted(EntityType.PARTY, scan, start, first, self._words.people)
        after = scan.phrase(start, self._words.for_whom)
        number = scan.number(after) if after > start else None
        if number is not None and scan.ends(number.end) and self._dine(scan, start, after, number):
            yield Entity(EntityType.PARTY, start, number.end, number.value)

    @staticmethod
    def _dine(scan: Scan, start: int, after: int, number: Number) -> bool:
        """Return whether "for two" is for two people: "it is for two", "a pizza for two"."""
        said = scan.tokens[:start]
        named = after > start + 1 or any(scan.on_menu(index) for index in range(start))
        makes = any(token.text in scan.words.language.cues[Cue.MAKE] for token in said)
        return named and not makes and number.value in _PARTY

    def _measure(self, scan: Scan, start: int, first: int) -> Iterator[Entity]:
        """ "five dollars", "at six", "she is four", "$5", "6:30"."""
        yield from self._counted(EntityType.MEASURE, scan, start, first, self._words.units)
        if not scan.requested(start):
            yield from self._counted(EntityType.MEASURE, scan, start, first, self._words.money)
        after = scan.phrase(first, self._words.measures)
        number = scan.number(after) if after > first else None
        if number is not None and scan.closes(number.end):
            yield Entity(EntityType.MEASURE, start, number.end, number.value)
        if first < len(scan.tokens):
            yield from self._written(scan, start, first)

    def _written(self, scan: Scan, start: int, first: int) -> Iterator[Entity]:
        """ "$4.99", "6:30": what is written as an amount."""
        word = scan.tokens[first].word
        amount = _AMOUNT.fullmatch(scan.written[word])
        if amount is None or not any(amount.groups()):
            return
        end = first
        while end < len(scan.tokens) and scan.tokens[end].word == word:
            end += 1
        while not scan.tokens[end - 1].key:
            end -= 1
        yield Entity(EntityType.MEASURE, start, scan.phrase(end, self._words.hours))

    def _counted(
        self, type_: EntityType, scan: Scan, start: int, first: int, nouns: Phrases
    ) -> Iterator[Entity]:
        """Yield a number and what it counts, which is nothing that is on the menu."""
        number = scan.number(first)
        if number is None:
            return
        noun = scan.phrase(number.end, self._words.describing)
        end = scan.phrase(noun, nouns)
        if end > noun and not (scan.countable(end) and self._article(scan, start, first)):
            yield Entity(type_, start, end, number.value)

    @staticmethod
    def _article(scan: Scan, start: int, first: int) -> bool:
        """Return whether no more than an article leads in: "a five dollar box"."""
        cues = scan.words.language.cues
        return first == start or scan.text(start, first) in {*cues[Cue.A], *cues[Cue.THE]}


def _beginnings(words: Vocabulary) -> frozenset[str]:
    """Return the words that an entity may begin with, numbers and written amounts apart."""
    entities, numbers = words.language.entities, words.language.numbers
    amounts = (entities.lead_ins, entities.party_of, entities.measures)
    places = (entities.tables, entities.places, entities.numbers)
    names = (entities.introductions, entities.for_whom, entities.presentations)
    counts = (Phrases.of(numbers.phrases), Phrases.of(numbers.ordinals))
    phrases = (entities.occasions, *amounts, *places, *names, *counts)
    first = (group.first for group in phrases)
    return frozenset({*numbers.scales, *entities.given_names}.union(*first))
