"""Words that are about the visit and not about the food: tables, parties, names, prices, times.

An entity takes its number with it, so that "for table four" never counts burgers. A name on the
menu always wins: "two kids meals" are meals, and "number four" is a combo.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from voice_service.ordering.language.numbers import number_at
from voice_service.ordering.language.pack import Entities, Language
from voice_service.ordering.language.tokens import Token
from voice_service.ordering.menu.lexicon import Lexicon

_PHONE_DIGITS = 5
"""So many numbers below ten in a row are read out, not counted."""
_LONGEST_PHRASE = 5
_LONGEST_NAME = 2
_EXACT = 0.9


class EntityType(Enum):
    """What an entity is about."""

    TABLE = auto()  # "table four", "booth 12"
    PLACE = auto()  # "window two", "lane 1", "spot nine"
    NUMBER = auto()  # "order number 41", a phone number
    PARTY = auto()  # "for two people", "party of six"
    MEASURE = auto()  # "five dollars", "ten minutes", "six years old"
    NAME = auto()  # "my name is John", "for Jessica"


@dataclass(frozen=True, slots=True)
class Entity:
    """Tokens `start` to `end`, said as `text`; `value` is a number or a name in lower case."""

    type: EntityType
    start: int
    end: int
    text: str
    value: int | str | None = None


class EntityReader:
    """Finds the entities of an utterance. Pure."""

    def __init__(self, lexicon: Lexicon, language: Language, everyday: frozenset[str]) -> None:
        """`everyday`: words with a meaning of their own, which are nobody's name."""
        self._lexicon = lexicon
        self._language = language
        self._words: Entities = language.entities
        self._everyday = everyday

    def read(self, tokens: Sequence[Token]) -> list[Entity]:
        """The entities in order; they do not overlap."""
        found: list[Entity] = []
        index = 0
        while index < len(tokens):
            entity = next(self._at(tokens, index), None)
            if entity is None:
                index += 1
            else:
                found.append(entity)
                index = entity.end
        return found

    def _at(self, tokens: Sequence[Token], start: int) -> Iterator[Entity]:
        """What may begin at a token, the surest first."""
        yield from self._digits(tokens, start)
        lead = max(self._phrase(tokens, start, self._words.lead_ins), start)
        for first in dict.fromkeys((lead, start)):
            yield from self._place(tokens, start, first)
            yield from self._party(tokens, start, first)
            yield from self._measure(tokens, start, first)
        yield from self._name(tokens, start)

    def _digits(self, tokens: Sequence[Token], start: int) -> Iterator[Entity]:
        """ "five five five one two three four"."""
        end = start
        while end < len(tokens) and tokens[end].key.isdigit() and len(tokens[end].key) == 1:
            end += 1
        if end - start >= _PHONE_DIGITS:
            yield self._entity(EntityType.NUMBER, tokens, start, end)

    def _place(self, tokens: Sequence[Token], start: int, first: int) -> Iterator[Entity]:
        kinds = (
            (EntityType.TABLE, self._words.tables),
            (EntityType.PLACE, self._words.places),
            (EntityType.NUMBER, self._words.numbers),
        )
        for type_, phrases in kinds:
            after = self._phrase(tokens, first, phrases)
            if after == first:
                continue
            number = self._number(tokens, self._phrase(tokens, after, self._words.numbered))
            if number is not None and not self._on_menu(tokens, first, number[1]):
                yield self._entity(type_, tokens, start, number[1], number[0])

    def _party(self, tokens: Sequence[Token], start: int, first: int) -> Iterator[Entity]:
        """ "party of six", "two people", "my two kids"."""
        after = self._phrase(tokens, first, self._words.party_of)
        number = self._number(tokens, after) if after > first else None
        if number is not None and not self._names(tokens, number[1]):
            yield self._entity(EntityType.PARTY, tokens, start, number[1], number[0])
        yield from self._counted(EntityType.PARTY, tokens, start, first, self._words.people)

    def _measure(self, tokens: Sequence[Token], start: int, first: int) -> Iterator[Entity]:
        yield from self._counted(EntityType.MEASURE, tokens, start, first, self._words.units)

    def _counted(
        self,
        type_: EntityType,
        tokens: Sequence[Token],
        start: int,
        first: int,
        nouns: frozenset[str],
    ) -> Iterator[Entity]:
        """A number and what it counts, which is nothing that is on the menu."""
        number = self._number(tokens, first)
        if number is None:
            return
        end = self._phrase(tokens, number[1], nouns)
        if end > number[1] and not self._on_menu(tokens, number[1], end):
            yield self._entity(type_, tokens, start, end, number[0])

    def _name(self, tokens: Sequence[Token], start: int) -> Iterator[Entity]:
        """ "my name is John", and behind "for" what is no word that we know."""
        after = self._phrase(tokens, start, self._words.introductions)
        if after > start:
            end = min(after + 1, len(tokens))
            if end > after and tokens[after].key.isalpha():
                while (
                    end < min(after + _LONGEST_NAME, len(tokens))
                    and self._nobody_knows(tokens[end])
                    and not self._known(tokens[after])
                ):
                    end += 1
                if self._may_be_name(tokens, after, end):
                    yield self._name_entity(tokens, start, after, end)
            return
        after = self._phrase(tokens, start, self._words.for_whom)
        if after > start and after < len(tokens) and self._nobody_knows(tokens[after]):
            end = after + 1
            ends = end == len(tokens) or not self._nobody_knows(tokens[end])
            if ends:
                yield self._name_entity(tokens, start, after, end)

    def _name_entity(self, tokens: Sequence[Token], start: int, after: int, end: int) -> Entity:
        name = " ".join(t.text for t in tokens[after:end])
        return self._entity(EntityType.NAME, tokens, start, end, name)

    def _may_be_name(self, tokens: Sequence[Token], after: int, end: int) -> bool:
        """A word of the menu is a name only if nothing is said after it that it belongs to."""
        if not self._known(tokens[after]):
            return True
        return tokens[after].text not in self._everyday and (
            end == len(tokens) or not tokens[end].key
        )

    def _nobody_knows(self, token: Token) -> bool:
        return token.key.isalpha() and not self._known(token)

    def _known(self, token: Token) -> bool:
        return token.text in self._everyday or self._lexicon.knows(token.key)

    def _number(self, tokens: Sequence[Token], start: int) -> tuple[int, int] | None:
        """The number at a token, and where it ends."""
        if start >= len(tokens) or not tokens[start].key:
            return None
        found = number_at(list(tokens), start, self._language)
        return None if found is None else (found[0], start + found[1])

    def _names(self, tokens: Sequence[Token], start: int) -> bool:
        """Whether a word of the menu follows, so that a number before it may count that."""
        return start < len(tokens) and self._lexicon.knows(tokens[start].key)

    def _on_menu(self, tokens: Sequence[Token], start: int, end: int) -> bool:
        """Whether words from `start` on are a name of the menu that reaches to `end` or further."""
        for stop in range(end, min(end + 2, len(tokens)) + 1):
            words = tokens[start:stop]
            if not all(t.key for t in words):
                return False
            key, said = "".join(t.key for t in words), " ".join(t.text for t in words)
            if any(c.match >= _EXACT for c in self._lexicon.find(key, said)):
                return True
        return False

    @staticmethod
    def _phrase(tokens: Sequence[Token], start: int, phrases: frozenset[str]) -> int:
        """Where the longest of `phrases` that stands at `start` ends; `start` if there is none."""
        for length in range(min(_LONGEST_PHRASE, len(tokens) - start), 0, -1):
            if " ".join(t.text for t in tokens[start : start + length]) in phrases:
                return start + length
        return start

    @staticmethod
    def _entity(
        type_: EntityType,
        tokens: Sequence[Token],
        start: int,
        end: int,
        value: int | str | None = None,
    ) -> Entity:
        text = " ".join(t.text for t in tokens[start:end])
        return Entity(type_, start, end, text, value)
