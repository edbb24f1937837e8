"""The stable prefix of successive hypotheses.

LocalAgreement (Liu, Spanakis and Niehues, Interspeech 2020; Macháček, Dabre and Bojar, 2023): words
on which the last hypotheses agree are taken to be final. The newest words are left out, since a
recogniser guesses at a word that it has heard only half of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

_PUNCTUATION = ".,!?;:…\"'“”()-" + "\u2018\u2019\u2013\u2014"


def normalise(word: str) -> str:
    """What makes two words the same: case and outer punctuation do not count."""
    return word.strip(_PUNCTUATION).casefold()


def _stem(word: str) -> str:
    """A word without closing punctuation; a lone dash is itself."""
    return word.rstrip(_PUNCTUATION) or word


def same_words(left: Sequence[str], right: Sequence[str]) -> bool:
    """Whether both are the same words."""
    return [normalise(w) for w in left] == [normalise(w) for w in right]


@dataclass(slots=True)
class StablePrefix:
    """Words of an utterance that will not change any more.

    A word becomes stable when it stands at the same place in `agreeing` hypotheses in a row that
    are at least `sure` of themselves (0 to 1), with at least `guard` words behind it in each. The
    defaults cost finals less than they gain elsewhere: ADR 2.
    """

    agreeing: int = 3
    guard: int = 2
    sure: float = 0.7
    words: list[str] = field(default_factory=list)
    """The stable words as they are shown; only ever appended to."""
    _recent: list[list[str]] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The stable words. A last word's closing punctuation may still change, so it has none."""
        if not self.words:
            return ""
        return " ".join([*self.words[:-1], _stem(self.words[-1])])

    def extend(self, words: Sequence[str], confidence: float) -> list[str]:
        """Take the next hypothesis; return its words, with the stable ones as first shown.

        Only a hypothesis that begins with the stable words can make further ones stable.
        """
        shown = self.merge(words)
        fits = confidence >= self.sure and same_words(words[: len(self.words)], self.words)
        self._recent = [*self._recent, list(words)][-self.agreeing :] if fits else []
        if len(self._recent) == self.agreeing:
            limit = min(len(h) for h in self._recent) - self.guard
            place = len(self.words)
            while place < limit and len({normalise(h[place]) for h in self._recent}) == 1:
                # The word in front is no longer the last one: its punctuation stays as it is shown.
                self.words[max(0, place - 1) : place] = shown[max(0, place - 1) : place]
                self.words.append(words[place])
                place += 1
        return shown

    def merge(self, words: Sequence[str]) -> list[str]:
        """The words of a hypothesis, with the stable ones in place of those it has instead."""
        if not self.words:
            return list(words)
        behind = covered(self.words, words)
        stem = _stem(self.words[-1])
        tail = ""
        if behind and normalise(words[behind - 1]) == normalise(stem):
            newest = words[behind - 1]
            tail = newest[len(_stem(newest)) :]
        return [*self.words[:-1], stem + tail, *words[behind:]]


def covered(stable: Sequence[str], words: Sequence[str]) -> int:
    """How many leading `words` say the same as `stable`: the prefix at the least edit distance.

    Of several, one that ends with the same word ("two hot burgers" says "two burgers"), else the
    one whose length is nearest to that of `stable`.
    """
    target = [normalise(w) for w in stable]
    row = list(range(len(target) + 1))
    distances = [row[-1]]
    for count, word in enumerate(words, start=1):
        above, row = row, [count]
        same = normalise(word)
        for i, wanted in enumerate(target, start=1):
            row.append(min(above[i] + 1, row[i - 1] + 1, above[i - 1] + (same != wanted)))
        distances.append(row[-1])

    def other_end(n: int) -> bool:
        return not (n and target and normalise(words[n - 1]) == target[-1])

    return min(
        range(len(words) + 1), key=lambda n: (distances[n], other_end(n), abs(n - len(target)))
    )
