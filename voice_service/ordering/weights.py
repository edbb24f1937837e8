"""The fitted weights of order understanding: data, with where they come from.

`weights.json` is made by `benchmarks/fit_ordering.py`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True)
class Weights:
    """The weights of features, by name.

    `readings`: of the readings of an utterance. `lines`: of what speaks for a line being right.
    `accepted`: pairs (threshold, wrong), ascending, of a line's least likelihood with which an
    order is accepted, and how many in a hundred accepted orders were wrong on conversations that
    the weights were not fitted on.
    """

    readings: Mapping[str, float]
    lines: Mapping[str, float]
    accepted: Sequence[tuple[float, float]]


@cache
def fitted() -> Weights:
    """Return the weights that come with us."""
    data = json.loads(resources.files(__package__).joinpath("weights.json").read_text("utf-8"))
    accepted = tuple((threshold, wrong) for threshold, wrong in data["accepted"])
    return Weights(data["readings"], data["lines"], accepted)
