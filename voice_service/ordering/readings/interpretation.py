"""Which reading of an utterance is taken, and what has to be asked where another comes close."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace

from voice_service.ordering.acts import Act, Add, Repeat, Replace
from voice_service.ordering.readings.features import Circumstances, features, says
from voice_service.ordering.readings.model import Ranker
from voice_service.ordering.readings.reading import Construal, Reading, readings
from voice_service.ordering.reasons import ReasonCode

CLOSE = 0.1
"""A reading this likely (0 to 1) is asked about if another one wins."""
_RESTATED = (Construal.RESTATED, Construal.RESTATED_IN_PART)
_QUESTIONS = {
    Construal.RESTATED: ReasonCode.AGAIN_OR_SAME,
    Construal.RESTATED_IN_PART: ReasonCode.AGAIN_OR_SAME,
    Construal.NOTHING_ELSE: ReasonCode.ONLY_THESE,
}


_FEW = 4
"""Features that are named as what decided about a reading."""
_SLIGHT = 0.1
"""Weights (log odds) below this decide nothing."""


@dataclass(frozen=True, slots=True)
class Sign:
    """A feature of a reading, and what it adds to its log odds: below 0, it speaks against it."""

    feature: str
    weight: float


@dataclass(frozen=True)
class Ranked:
    """A reading, how likely it is meant (0 to 1), and what decided about that."""

    reading: Reading
    probability: float
    signs: tuple[Sign, ...] = ()


@dataclass(frozen=True)
class Difference:
    """What two readings disagree about, and the `items` it is about."""

    code: ReasonCode
    items: tuple[str, ...]


@dataclass(frozen=True)
class Interpretation:
    """The readings of an utterance, the likeliest first."""

    ranked: tuple[Ranked, ...]

    @property
    def taken(self) -> Reading:
        """The reading to go by: the likeliest; in doubt, one that neither repeats nor removes."""
        best, rival = self.ranked[0].reading, self._rival
        if rival is None or best.construal in _RESTATED:
            return best
        takes_out = best.construal is Construal.NOTHING_ELSE
        return rival if takes_out or rival.construal in _RESTATED else best

    @property
    def doubt(self) -> Difference | None:
        """What has to be asked, where another reading is about as likely."""
        rival = self._rival
        if rival is None:
            return None
        for reading in sorted((self.ranked[0].reading, rival), key=_order_of_asking):
            if reading.restated:
                items = dict.fromkeys(line.item for line in reading.restated)
                return Difference(_QUESTIONS[reading.construal], tuple(items))
        named = [act.request.item for act in rival.acts if isinstance(act, Add | Replace)]
        return Difference(ReasonCode.INSTEAD_OR_ALSO, tuple(named[:1]))

    @property
    def _rival(self) -> Reading | None:
        """The likeliest of the others, if it comes close."""
        if len(self.ranked) < 2 or self.ranked[1].probability < CLOSE:
            return None
        return self.ranked[1].reading


def interpret(
    said: Circumstances, ranker: Ranker, outcome: Callable[[Sequence[Act]], Hashable]
) -> Interpretation:
    """Rank the readings of an utterance by the order before it and the words around.

    Readings with the same `outcome` are one, with the probability of all of them.
    """
    options = list(readings(said.parsed.acts, said.lines))
    if len(options) == 1:
        return Interpretation((Ranked(options[0], 1.0),))
    found = [features(option, said) for option in options]
    shares = ranker.probabilities(found)
    each = map(Ranked, options, shares, (_signs(one, ranker) for one in found))
    ranked: dict[Hashable, Ranked] = {}
    for one in sorted(each, key=lambda one: -one.probability):
        left = outcome(one.reading.acts)
        known = ranked.get(left)
        share = 0.0 if known is None else known.probability
        ranked[left] = replace(known or one, probability=share + one.probability)
    return Interpretation(tuple(sorted(ranked.values(), key=lambda one: -one.probability)))


def _signs(found: Mapping[str, float], ranker: Ranker) -> tuple[Sign, ...]:
    """Return the weightiest features of a reading, without the construal in their names."""
    signs = [
        Sign(name.partition(":")[2], round(value * ranker.weight(name), 3))
        for name, value in found.items()
    ]
    weighty = [sign for sign in signs if abs(sign.weight) >= _SLIGHT]
    return tuple(sorted(weighty, key=lambda sign: -abs(sign.weight))[:_FEW])


def means_the_same(said: Circumstances) -> bool:
    """Return whether an answer says that nothing more is wanted: "the same one"."""
    if any(isinstance(act, Add) for act in said.parsed.acts):
        return False
    same, more = said.repetition.same, said.repetition.adds | said.repetition.repeats
    return says(said.words, same) and not says(said.words, more)


def without_repeats(acts: Sequence[Act]) -> tuple[Act, ...]:
    """Return the acts without those that order something once more."""
    return tuple(act for act in acts if not isinstance(act, Repeat))


def _order_of_asking(reading: Reading) -> bool:
    """Sort key: whether the others go is asked first, since more would be lost."""
    return reading.construal is not Construal.NOTHING_ELSE
