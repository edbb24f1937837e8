"""How likely a line is right: a logistic model over what it rests on, with fitted weights."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from voice_service.ordering.doubt import SHORTENED, Doubt
from voice_service.ordering.weights import fitted

BIAS = "bias"
MENDED = "mended"
PASSED_OVER = "passed over"
RIVALS = "rivals"
LOST = "lost"
_MOST_LOST = 4
"""Words; more say no more."""


@dataclass(frozen=True, slots=True)
class Grounds:
    """What speaks for a line being what the guest wants, and against it.

    `mended`: by how many tenths of its letters the word that was mended most differs from the
    menu's. `heard`: how likely (0 to 1) its words were heard right. `passed_over`: how doubtful
    (0 to 1) the least sure word is that stands amid its words and that nothing uses. `rivals`: how
    likely (0 to 1) the recogniser holds it that something else was ordered. `lost`: so many words
    were shown and are not in the final. `settled`: the guest has said that it is right, or staff
    have.
    """

    doubts: frozenset[Doubt] = frozenset()
    mended: float = 0.0
    heard: float = 1.0
    passed_over: float = 0.0
    rivals: float = 0.0
    lost: int = 0
    settled: bool = False

    @property
    def features(self) -> dict[str, float]:
        """The features that the model weighs, by name.

        One letter off says next to nothing. Who shortens one name shortens others: of that, only
        the worst counts.
        """
        shortened = [doubt for doubt in SHORTENED if doubt in self.doubts]
        counted = self.doubts.difference(shortened[:-1])
        return {
            BIAS: 1.0,
            MENDED: self.mended**2,
            PASSED_OVER: self.passed_over,
            RIVALS: self.rivals,
            LOST: float(min(self.lost, _MOST_LOST)),
            **{doubt.name: 1.0 for doubt in counted},
        }

    @property
    def confidence(self) -> float:
        """The probability that the line is right.

        Only the greater doubt counts: a match with half a name confirms what was heard as well.
        """
        if self.settled:
            return 1.0
        return min(self.heard * _likelihood({BIAS: 1.0}), _likelihood(self.features))

    @property
    def by_itself(self) -> Grounds:
        """The grounds without the words around that nothing explains: those are asked about."""
        return replace(self, doubts=self.doubts - {Doubt.SOME_UNEXPLAINED})

    def doubted(self, doubt: Doubt) -> Grounds:
        """Return the grounds with one doubt more."""
        return replace(self, doubts=self.doubts | {doubt})

    def also(self, other: Grounds) -> Grounds:
        """Return the grounds of a line that rests on the other ones as well."""
        return Grounds(
            self.doubts | other.doubts,
            max(self.mended, other.mended),
            min(self.heard, other.heard),
            max(self.passed_over, other.passed_over),
            max(self.rivals, other.rivals),
            max(self.lost, other.lost),
        )


SETTLED = Grounds(settled=True)


def clarity(doubts: Iterable[Doubt]) -> float:
    """Return how likely (0 to 1) words with these doubts mean what they were taken for."""
    return Grounds(frozenset(doubts)).confidence


def _likelihood(features: dict[str, float]) -> float:
    weights = fitted().lines
    score = sum(value * weights.get(name, 0.0) for name, value in features.items())
    return 1.0 / (1.0 + math.exp(-score))
