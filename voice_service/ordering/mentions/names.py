"""Names of guests, told from names of dishes by how they are introduced and what they look like.

After "my name is" almost anything is a name; after "for" only what is nothing else, or a given
name; after "it is" only a given name. A dish's name always wins: "for Sam's Club sandwich".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from voice_service.ordering.language.pack import Entities
from voice_service.ordering.mentions.scanning import Scan

_LONGEST_NAME = 3
_SPELT = 3
"""So many single letters in a row spell something."""


@dataclass(frozen=True, slots=True)
class GuestName:
    """A name from token `first` to `last`, in words that end at `end`.

    `own`: it is said to be the guest's or the order's. Without a word, it is somebody else's.
    """

    first: int
    last: int
    end: int
    own: bool


class NameReader:
    """Finds names in one utterance. Pure."""

    def __init__(self, scan: Scan) -> None:
        self._scan = scan
        self._words: Entities = scan.words.language.entities

    def at(self, start: int) -> Iterator[GuestName]:
        """Yield what may be the name that begins, or is introduced, at a token."""
        yield from self._introduced(start)
        yield from self._owned(start)
        yield from self._for_whom(start)
        yield from self._presented(start)
        yield from self._alone(start)

    def _introduced(self, start: int) -> Iterator[GuestName]:
        """ "My name is John", "last name Pepper"."""
        after = self._scan.phrase(start, self._words.introductions)
        if after > start:
            first = self._titled(after)
            if self._word(first) and (self._given(first) or not self._everyday(first)):
                last = self._further(first, own=True)
                yield GuestName(first, last, self._spelt(last), own=True)

    def _owned(self, start: int) -> Iterator[GuestName]:
        """ "Ginger's my name", "Sam here"."""
        if not self._word(start) or (self._everyday(start) and not self._given(start)):
            return
        end = self._scan.phrase(start + 1, self._words.introduced_before)
        possessive = self._scan.bare(start) != self._scan.tokens[start].text
        named = end > start + 1 and (self._given(start) or possessive)
        if named and not self._scan.is_name(start, end):
            yield GuestName(start, start + 1, end, own=True)
        wants = self._scan.phrase(start + 1, self._words.wishes)
        if wants > start + 1 and self._given(start) and not self._scan.on_menu(start):
            yield GuestName(start, start + 1, start + 1, own=False)

    def _for_whom(self, start: int) -> Iterator[GuestName]:
        """ "For Jessica", "this is for my daughter Cherry"."""
        after = self._scan.phrase(start, self._words.for_whom)
        if after == start:
            return
        whose = self._scan.phrase(after, self._words.relations)
        first = self._titled(whose)
        if not self._word(first):
            return
        titled = first > whose and not self._scan.is_name(whose, first + 1)
        if titled or self._named(first) or (whose > after and not self._scan.known(first)):
            pass
        elif self._scan.known(first) or not self._strange(start, first):
            return
        last = self._further(first)
        known = first if self._awaited(start) else last
        yield GuestName(first, known, self._spelt(last), own=False)

    def _awaited(self, start: int) -> bool:
        """Return whether "for" only leads to somebody's name: "we are waiting for Tom"."""
        before = self._scan.tokens[start - 1].text if start else ""
        return before.endswith(self._words.verb_endings) and not self._scan.requested(start)

    def _named(self, first: int) -> bool:
        """Return whether a given name stands at a token, and no dish begins with it."""
        return self._given(first) and not self._scan.is_name(first, first + 2)

    def _presented(self, start: int) -> Iterator[GuestName]:
        """ "Hi, it's Jack": said after a greeting, or a given name that the menu does not have."""
        after = self._scan.phrase(start, self._words.presentations)
        if after == start or not self._word(after):
            return
        first = self._titled(after)
        if not self._word(first):
            return
        greets = self._greeted(start)
        named = self._named(first) and (greets or not self._scan.on_menu(first))
        if named or (greets and not self._scan.known(first) and self._scan.closes(first + 1)):
            last = self._further(first)
            yield GuestName(first, last, self._spelt(last), own=True)

    def _alone(self, start: int) -> Iterator[GuestName]:
        """ "Jessica", and nothing else: the answer to a question of the staff's."""
        if start:
            return
        end = self._spelt(0)
        last = end
        if not end and self._word(0) and self._given(0) and not self._scan.known(0):
            last = self._further(0)
            end = self._spelt(last)
        if not end or self._scan.is_name(0, end):
            return
        if all(self._scan.ends(i) for i in range(end, len(self._scan.tokens))):
            yield GuestName(0, last, end, own=True)

    def _titled(self, start: int) -> int:
        return self._scan.phrase(start, self._words.titles)

    def _further(self, first: int, *, own: bool = False) -> int:
        """Return where a name ends: "John", "Mary Jones", "Juan de la Cruz"."""
        ends = [first + 1]
        while ends[-1] < first + _LONGEST_NAME:
            after = self._scan.phrase(ends[-1], self._words.name_links)
            if not self._word(after) or not self._surname(after, own=own):
                break
            ends.append(after + 1)
        return next((end for end in reversed(ends) if self._scan.closes(end)), first + 1)

    def _surname(self, index: int, *, own: bool) -> bool:
        """Return whether a word goes on a name: one that nothing explains, and no dish misspelt.

        At the end of "my name is Jack Daniels" it may also be a word of the menu.
        """
        if self._scan.is_name(index, index + 1) or self._everyday(index):
            return False
        if self._given(index) or (own and self._scan.ends(index + 1)):
            return True
        dish = self._scan.known(index) or self._scan.misspelt(index) or self._scan.several(index)
        return not dish

    def _spelt(self, end: int) -> int:
        """Return where letters end that spell the name: "Dee, D E E"."""
        tokens = self._scan.tokens
        first = end + 1 if end < len(tokens) and not tokens[end].key else end
        last = first
        while last < len(tokens) and len(tokens[last].key) == 1 and tokens[last].key.isalpha():
            last += 1
        return last if last - first >= _SPELT else end

    def _strange(self, start: int, first: int) -> bool:
        """Return whether a word after "for" is a person's: nothing that is counted or misspelt."""
        if self._scan.tokens[first].text.endswith(self._words.verb_endings):
            return False
        opens = not start and not self._scan.ends(first + 1)
        counted = opens or self._scan.requested(start) or self._scan.several(first)
        return not counted and not self._scan.misspelt(first)

    def _greeted(self, start: int) -> bool:
        """Return whether a greeting stands right before: "hey it's Jack"."""
        before = start - 1
        while before >= 0 and not self._scan.tokens[before].key:
            before -= 1
        return before >= 0 and any(
            self._scan.phrase(first, self._words.greetings) == before + 1
            for first in range(max(0, before - 1), before + 1)
        )

    def _word(self, index: int) -> bool:
        return index < len(self._scan.tokens) and self._scan.tokens[index].key.isalpha()

    def _given(self, index: int) -> bool:
        given = self._words.given_names
        return self._scan.tokens[index].text in given or self._scan.bare(index) in given

    def _everyday(self, index: int) -> bool:
        return self._scan.tokens[index].text in self._scan.words.everyday
