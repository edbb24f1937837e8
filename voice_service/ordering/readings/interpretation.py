"""Which reading of an utterance is taken, and what has to be asked where another comes close."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from voice_service.ordering.acts import Act, Add, Repeat, Replace
from voice_service.ordering.intents.parser import Parsed
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.readings.features import Circumstances, features
from voice_service.ordering.readings.model import Ranker
from voice_service.ordering.readings.reading import Construal, Reading, readings

CLOSE = 0.2
"""A reading this likely (0 to 1) is asked about if another one wins."""
_RESTATED = (Construal.RESTATED, Construal.RESTATED_IN_PART)


@dataclass(frozen=True)
class Ranked:
    """A reading and how likely it is meant (0 to 1)."""

    reading: Reading
    probability: float


@dataclass(frozen=True)
class Difference:
    """What two readings disagree about: whether `items` are `restated`, or replace others."""

    items: tuple[str, ...]
    restated: bool


@dataclass(frozen=True)
class Interpretation:
    """The readings of an utterance, the likeliest first."""

    ranked: tuple[Ranked, ...]

    @property
    def taken(self) -> Reading:
        """The reading to go by: the likeliest; in doubt, the one that orders nothing twice."""
        rival = self._rival
        if rival is not None and rival.construal in _RESTATED:
            return rival
        return self.ranked[0].reading

    @property
    def doubt(self) -> Difference | None:
        """What has to be asked, where another reading is about as likely."""
        rival = self._rival
        if rival is None:
            return None
        pair = (self.ranked[0].reading, rival)
        restated = next((r for r in pair if r.construal in _RESTATED), None)
        if restated is not None:
            return Difference(_distinct([line.item for line in restated.restated]), restated=True)
        named = [act.request.item for act in rival.acts if isinstance(act, Add | Replace)]
        return Difference(_distinct(named[:1]), restated=False)

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
    shares = ranker.probabilities([features(option, said) for option in options])
    ranked: dict[Hashable, Ranked] = {}
    for reading, share in sorted(zip(options, shares, strict=True), key=lambda pair: -pair[1]):
        left = outcome(reading.acts)
        known = ranked.get(left, Ranked(reading, 0.0))
        ranked[left] = Ranked(known.reading, known.probability + share)
    return Interpretation(tuple(sorted(ranked.values(), key=lambda one: -one.probability)))


def means_the_same(parsed: Parsed) -> bool:
    """Return whether an answer says that nothing more is wanted: "the same one"."""
    adds = any(isinstance(act, Add) for act in parsed.acts)
    more = any(m.cue(Cue.MORE, Cue.ADD, Cue.ALSO, Cue.ADDITIONAL) for m in parsed.mentions)
    return not adds and not more and any(m.cue(Cue.SAME, Cue.ONLY) for m in parsed.mentions)


def without_repeats(acts: Sequence[Act]) -> tuple[Act, ...]:
    """Return the acts without those that order something once more."""
    return tuple(act for act in acts if not isinstance(act, Repeat))


def _distinct(items: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(items))
