"""An utterance's tokens, and what may stand at each of them: a phrase, a number, a name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from voice_service.ordering.language.numbers import number_at
from voice_service.ordering.language.pack import Cue, Language, Phrases
from voice_service.ordering.language.tokens import Token, several
from voice_service.ordering.menu.lexicon import Lexicon

_EXACT = 0.9
_EDGES = re.compile(r"^\W+|\W+$")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What words mean in one language at one restaurant.

    `everyday` words have a meaning of their own; `measuring` phrases are counted: "cups of".
    """

    lexicon: Lexicon
    language: Language
    everyday: frozenset[str]
    measuring: Phrases


@dataclass(frozen=True, slots=True)
class Number:
    """A number and the token where it ends."""

    value: int
    end: int


@dataclass(frozen=True, slots=True)
class Scan:
    """The tokens of an utterance, with its words as they are written."""

    tokens: Sequence[Token]
    written: Sequence[str]
    words: Vocabulary

    def phrase(self, start: int, phrases: Phrases) -> int:
        """Return where the longest of `phrases` at `start` ends; `start` if there is none."""
        if start < len(self.tokens) and self.tokens[start].text in phrases.first:
            for length in range(min(phrases.longest, len(self.tokens) - start), 0, -1):
                if self.text(start, start + length) in phrases.said:
                    return start + length
        return start

    def number(self, start: int) -> Number | None:
        """Return the number at a token."""
        if start >= len(self.tokens) or not self.tokens[start].key:
            return None
        found = number_at(self.tokens, start, self.words.language)
        if found is None:
            return None
        return Number(found[0], start + found[1])

    def numbers(self, start: int) -> list[Number]:
        """Return the numbers in a row, without the last if it counts what follows.

        "Four" in "table four two cokes", and "twenty" in "table twenty two cokes".
        """
        run = self.read_out(start)
        if not run or not self.countable(end := run[-1].end):
            return run
        if len(run) > 1:
            return run[:-1]
        ten = self.number_words(start, end)
        return [Number(run[0].value // 10 * 10, start + 1)] if ten and self.several(end) else run

    def read_out(self, start: int) -> list[Number]:
        """Return the numbers in a row: "five five five oh one"."""
        run: list[Number] = []
        end = start
        while (found := self.number(end) or self._zero(end)) is not None:
            run.append(found)
            end = found.end
        return run

    def number_words(self, start: int, end: int) -> bool:
        """Return whether a number is a ten and its unit, which may be two numbers."""
        return end - start == 2 and self.tokens[start].text in self.words.language.numbers.tens

    def _zero(self, start: int) -> Number | None:
        """Return the nought in the middle of a number that is read out: "three oh two"."""
        inside = 0 < start < len(self.tokens)
        zeros = self.words.language.entities.zeros
        return Number(0, start + 1) if inside and self.tokens[start].text in zeros else None

    def several(self, start: int) -> bool:
        """Return whether a plural stands at a token."""
        return start < len(self.tokens) and several(self.tokens[start].text, self.words.language)

    def on_menu(self, start: int) -> bool:
        """Return whether a word of the menu stands at a token."""
        return start < len(self.tokens) and self.words.lexicon.knows(self.tokens[start].key)

    def countable(self, start: int) -> bool:
        """Return whether what stands at a token may be counted: "cokes", "orders of fries"."""
        return self.on_menu(start) or self.phrase(start, self.words.measuring) > start

    def known(self, start: int) -> bool:
        """Return whether the word at a token means something, on the menu or in the language."""
        return self.tokens[start].text in self.words.everyday or self.on_menu(start)

    def requested(self, start: int) -> bool:
        """Return whether the word before asks for what follows: "can I get"."""
        cues = self.words.language.cues
        before = start - 1
        while before > 0 and self.tokens[before].text in cues[Cue.A]:
            before -= 1
        return before >= 0 and self.tokens[before].text in cues[Cue.REQUEST]

    def definite(self, end: int) -> bool:
        """Return whether "the" and one word end there: "the table"."""
        cues = self.words.language.cues
        return end > 1 and self.tokens[end - 2].text in cues[Cue.THE]

    def closes(self, start: int) -> bool:
        """Return whether nothing follows that a number before it could count."""
        if self.ends(start):
            return True
        return self.tokens[start].text in self.words.everyday and not self.countable(start)

    def misspelt(self, start: int) -> bool:
        """Return whether a word that nothing explains is near to one of the menu."""
        token, lexicon = self.tokens[start], self.words.lexicon
        slip = lexicon.slips.find(token.text)
        near = slip is not None and slip.word not in self.words.everyday
        return near or bool(lexicon.find_misspelt(token.key))

    def ends(self, start: int) -> bool:
        """Return whether the utterance ends here, or a punctuation mark stands here."""
        return start >= len(self.tokens) or not self.tokens[start].key

    def is_name(self, start: int, end: int) -> bool:
        """Return whether a name of the menu begins at `start` and reaches to `end` or further."""
        lexicon = self.words.lexicon
        for stop in range(end, min(start + lexicon.longest, len(self.tokens)) + 1):
            part = self.tokens[start:stop]
            if not all(token.key for token in part):
                return False
            key = "".join(token.key for token in part)
            if any(c.match >= _EXACT for c in lexicon.find(key, self.text(start, stop))):
                return True
        return False

    def in_name(self, start: int, end: int) -> bool:
        """Return whether the tokens from `start` to `end` end inside a name of the menu."""
        first = max(0, start - self.words.lexicon.longest)
        # "Six" alone may be short for a size, and is no name here.
        return any(
            self.is_name(begin, end + (begin == end - 1 and self.tokens[begin].key.isdigit()))
            for begin in range(first, end)
        )

    def text(self, start: int, end: int) -> str:
        """Return the tokens from `start` to `end` in lower case."""
        return " ".join(token.text for token in self.tokens[start:end])

    def spoken(self, start: int, end: int) -> str:
        """Return a name as it is written: "for jessica" and "for Jessica" are Jessica's."""
        names = []
        for index in range(start, end):
            raw, text = _EDGES.sub("", self.written[self.tokens[index].word]), self.bare(index)
            name = raw if len(raw) == len(text) else text
            names.append(name if name[:1].isupper() else name.capitalize())
        return " ".join(names)

    def bare(self, index: int) -> str:
        """Return a word without what makes it a possessive: "ginger's"."""
        text = self.tokens[index].text
        return text[:-2] if text[-2:-1] == "'" else text
