"""The prefix on which successive hypotheses of an utterance agree.

LocalAgreement (Liu, Spanakis and Niehues, Interspeech 2020; Macháček, Dabre and Bojar, 2023): words
on which the latest hypotheses agree are taken to be final. The newest words are excluded, since a
recogniser guesses at words of which it has heard only half.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

_PUNCTUATION = ".,!?;:…\"'“”()-" + "\u2018\u2019\u2013\u2014"


def normalise(word: str) -> str:
    """Return a word's form for comparison, without case and outer punctuation."""
    return word.strip(_PUNCTUATION).casefold()


def _stem(word: str) -> str:
    """Return a word without closing punctuation; a lone dash is unchanged."""
    return word.rstrip(_PUNCTUATION) or word


def same_words(left: Sequence[str], right: Sequence[str]) -> bool:
    """Return whether both are the same words, apart from case and punctuation."""
    return [normalise(w) for w in left] == [normalise(w) for w in right]


@dataclass(slots=True)
class StablePrefix:
    """The words of an utterance that will not change any more.

    A word becomes stable when it is at the same place in `agreeing` successive hypotheses, each
    with a confidence of at least `sure` (0 to 1) and with at least `guard` words after it. The
    defaults cost finals less than they gain elsewhere: ADR 2.
    """

    agreeing: int = 3
    guard: int = 2
    sure: float = 0.7
    words: list[str] = field(default_factory=list)
    """The stable words as shown. Words are only ever appended."""
    _recent: list[list[str]] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Return the stable words. The last has no closing punctuation, which may still change."""
        if not self.words:
            return ""
        return " ".join([*self.words[:-1], _stem(self.words[-1])])

    def extend(self, words: Sequence[str], confidence: float) -> list[str]:
        """Add a hypothesis; return its words, with the stable ones as first shown.

        Only a hypothesis that begins with the stable words can make further words stable.
        """
        shown = self.merge(words)
        fits = confidence >= self.sure and same_words(words[: len(self.words)], self.words)
        self._recent = [*self._recent, list(words)][-self.agreeing :] if fits else []
        if len(self._recent) == self.agreeing:
            limit = min(len(h) for h in self._recent) - self.guard
            place = len(self.words)
            while place < limit and len({normalise(h[place]) for h in self._recent}) == 1:
                # The previous word is no longer the last one, so its punctuation is now fixed.
                self.words[max(0, place - 1) : place] = shown[max(0, place - 1) : place]
                self.words.append(words[place])
                place += 1
        return shown

    def merge(self, words: Sequence[str]) -> list[str]:
        """Return the words of a hypothesis, with the stable ones in place of their counterparts."""
        if not self.words:
            return list(words)
        behind = matching_prefix(self.words, words)
        stem = _stem(self.words[-1])
        tail = ""
        if behind and normalise(words[behind - 1]) == normalise(stem):
            newest = words[behind - 1]
            tail = newest[len(_stem(newest)) :]
        return [*self.words[:-1], stem + tail, *words[behind:]]


def matching_prefix(stable: Sequence[str], words: Sequence[str]) -> int:
    """Return how many leading `words` correspond to `stable`: the prefix of least edit distance.

    Of several, prefer one that ends with the same word ("two hot burgers" for "two burgers"), then
    the one whose length is closest to that of `stable`.
    """
    target = [normalise(w) for w in stable]
    row = list(range(len(target) + 1))
    distances = [row[-1]]
    for count, word in enumerate(words, start=1):
        above, row = row, [count]
        same = normalise(word)
        for i, expected in enumerate(target, start=1):
            row.append(min(above[i] + 1, row[i - 1] + 1, above[i - 1] + (same != expected)))
        distances.append(row[-1])

    def other_end(n: int) -> bool:
        return not (n and target and normalise(words[n - 1]) == target[-1])

    return min(
        range(len(words) + 1), key=lambda n: (distances[n], other_end(n), abs(n - len(target)))
    )
