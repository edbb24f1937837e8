"""Choose the language of an utterance among those that a session may be held in. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

_SWITCH: Final = 0.6
"""Share of the probability that another language than the likeliest one must have. A "sí" or a "no"
alone says little, and guests rarely change their language."""


def choose_language(candidates: Sequence[str], probabilities: Mapping[str, float]) -> str:
    """Return one of `candidates`: the first, unless another is clearly more probable."""
    total = sum(probabilities.get(code, 0.0) for code in candidates)
    best = max(candidates, key=lambda code: probabilities.get(code, 0.0))
    return best if probabilities.get(best, 0.0) > _SWITCH * total else candidates[0]
