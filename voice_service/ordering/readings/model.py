"""The log-linear model of readings: named features, fitted weights."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


class Ranker(Protocol):
    """Says how likely each of several readings is meant."""

    def probabilities(self, readings: Sequence[Mapping[str, float]]) -> Sequence[float]:
        """Return the probability of each reading, given its features; they add up to 1."""

    def weight(self, feature: str) -> float:
        """Return what a feature adds to the log odds of a reading that has it."""


@dataclass(frozen=True)
class LogLinear:
    """A softmax over the dot products of features and weights."""

    weights: Mapping[str, float]

    def probabilities(self, readings: Sequence[Mapping[str, float]]) -> Sequence[float]:
        """Return the probability of each reading."""
        scores = [
            sum(value * self.weights.get(name, 0.0) for name, value in features.items())
            for features in readings
        ]
        best = max(scores)
        shares = [math.exp(score - best) for score in scores]
        return [share / sum(shares) for share in shares]

    def weight(self, feature: str) -> float:
        """Return the fitted weight; 0 for a feature without one."""
        return self.weights.get(feature, 0.0)
