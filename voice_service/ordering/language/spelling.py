"""Corrects words that were misheard or mistyped, where only one word comes near."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from voice_service.ordering.language.pack import Language
from voice_service.ordering.language.tokens import key_of, sound_of

_NEAR = 0.75  # a word this near may be meant: one letter in four differs, or it sounds alike
_MARGIN = 0.06  # it has to be nearer than any other word by this much
_LETTERS_PER_EDIT = 5  # one edit in up to five letters, two in up to ten
_MOST_CANDIDATES = 12
_SHORTEST = 3  # letters; two are near to too many words
_SHORTEST_STEERING = 5  # of words that steer an order, as "drop" is near to everything
_NEAR_STEERING = 0.8
_MOST_REMEMBERED = 5_000


@dataclass(frozen=True, slots=True)
class Slip:
    """The word that was probably meant, and how near it is to what was heard (0 to 1).

    Unless it is `sure`, it depends on the words around it: "drip" may be "drop", but not of coffee.
    """

    word: str
    nearness: float
    sure: bool = True


class Slips:
    """Finds the word that was meant, among the words of a menu and of its language.

    Words of the `language` that `steer` an order, and name nothing, have to be nearer to be sure
    than those that are `named`: "adn" is "and".
    """

    def __init__(self, named: Iterable[str], language: Language, steer: Iterable[str] = ()) -> None:
        self._language = language
        self._named = frozenset(named)
        self._words = sorted(w for w in self._named.union(steer) if len(w) > 1 and w.isalpha())
        # Shared by conversations on several threads, so a cache that is safe there.
        self._remembered = lru_cache(maxsize=_MOST_REMEMBERED)(self._nearest)

    def find(self, heard: str) -> Slip | None:
        """Return the one word near `heard`; None if there is none, or several are as near."""
        if len(heard) < _SHORTEST or not heard.isalpha():
            return None
        return self._remembered(heard)

    def _nearest(self, heard: str) -> Slip | None:
        near = process.extract(
            heard,
            self._words,
            scorer=Levenshtein.distance,
            score_cutoff=1 + (len(heard) - 1) // _LETTERS_PER_EDIT,
            limit=_MOST_CANDIDATES,
        )
        slips = [
            Slip(word, self.nearness(heard, word), self._surely(heard, word)) for word, *_ in near
        ]
        return self._only([s for s in slips if s.sure]) or self._only(slips)

    def _only(self, slips: list[Slip]) -> Slip | None:
        """Return the slip that is nearest, if no other is as near."""
        ranked = sorted(slips, key=lambda slip: (-slip.nearness, slip.word))
        if not ranked or ranked[0].nearness < _NEAR:
            return None
        best = ranked[0]
        meant = key_of(best.word, self._language)
        others = (s.nearness for s in ranked[1:] if key_of(s.word, self._language) != meant)
        return best if best.nearness - next(others, 0.0) >= _MARGIN else None

    def _surely(self, heard: str, word: str) -> bool:
        """Return whether a word is on the menu, or the slip is plain: "adn", "withot"."""
        if word in self._named or sorted(heard) == sorted(word):
            return True
        long = min(len(heard), len(word)) >= _SHORTEST_STEERING
        return long and self.nearness(heard, word) >= _NEAR_STEERING

    def nearness(self, heard: str, word: str) -> float:
        """Return how near two words are in spelling, or in spelling and sound together."""
        alike = Levenshtein.normalized_similarity(heard, word)
        sounds = Levenshtein.normalized_similarity(
            sound_of(heard, self._language), sound_of(word, self._language)
        )
        return max(alike, (alike + sounds) / 2)
