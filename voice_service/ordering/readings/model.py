"""The log-linear model of readings: named features, fitted weights.

The weights are data (`weights.json`, with where they come from), made by
`benchmarks/fit_ordering.py`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
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


@cache
def fitted() -> LogLinear:
    """Return the model with the weights that come with us."""
    text = resources.files(__package__).joinpath("weights.json").read_text("utf-8")
    return LogLinear(json.loads(text)["readings"])
