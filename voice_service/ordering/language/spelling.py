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
_MOST_REMEMBERED = 5_000


@dataclass(frozen=True, slots=True)
class Slip:
    """The word that was probably meant, and how near it is to what was heard (0 to 1)."""

    word: str
    nearness: float


class Slips:
    """Finds the word that was meant, among the words of a menu and of its language."""

    def __init__(self, words: Iterable[str], language: Language) -> None:
        self._language = language
        self._words = sorted({w for w in words if len(w) > 1 and w.isalpha()})
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
        ranked = sorted(
            ((self._nearness(heard, word, edits), word) for word, edits, _ in near),
            key=lambda pair: (-pair[0], pair[1]),
        )
        if not ranked or ranked[0][0] < _NEAR:
            return None
        best, word = ranked[0]
        meant = key_of(word, self._language)
        others = (n for n, w in ranked[1:] if key_of(w, self._language) != meant)
        return Slip(word, best) if best - next(others, 0.0) >= _MARGIN else None

    def _nearness(self, heard: str, word: str, edits: int) -> float:
        """Return how near two words are in spelling, or in spelling and sound together."""
        alike = 1.0 - edits / max(len(heard), len(word))
        sounds = Levenshtein.normalized_similarity(
            sound_of(heard, self._language), sound_of(word, self._language)
        )
        return max(alike, (alike + sounds) / 2)
