"""Measure how far word confidences can be trusted: judge words, compute errors, fit calibrations.

Pure: lists in, figures out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from voice_service.asr.calibration import Calibration

Floats = NDArray[np.float64]
Normalise = Callable[[str], str]

BINS: Final = 10
_ROUNDS: Final = 50
_EDGE: Final = 1e-6
"""Logarithms are of numbers at least so far from 0 and 1."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A word that was heard, its confidence, whether it was said, and where.

    `kind` is "final" or "partial".
    """

    text: str
    probability: float
    right: bool
    kind: str
    set: str
    speaker: str
    condition: str


def judge(words: Sequence[str], reference: str, normalise: Normalise) -> list[bool | None]:
    """Return whether each word was said; None for those that normalising removes ("um").

    Both texts are normalised and aligned by edit distance, as for a word error rate. Words that
    normalising joins ("twenty one" is "21") are right together or not at all.
    """
    heard = normalise(" ".join(words)).split()
    said = _found(heard, normalise(reference).split())
    pieces = [(token, i) for i, word in enumerate(words) for token in normalise(word).split()]
    verdicts: list[bool | None] = [None] * len(words)
    joined = SequenceMatcher(None, [token for token, _ in pieces], heard, autojunk=False)
    for tag, first, last, start, stop in joined.get_opcodes():
        for place, (_, owner) in enumerate(pieces[first:last], start):
            places = [place] if tag == "equal" else range(start, stop)
            right = bool(places) and said.issuperset(places)
            verdicts[owner] = right and verdicts[owner] is not False
    return verdicts


def _found(heard: Sequence[str], said: Sequence[str]) -> set[int]:
    """Return the places in what was heard that the alignment finds in what was said."""
    return {
        i
        for block in Levenshtein.opcodes(heard, said)
        if block.tag == "equal"
        for i in range(block.src_start, block.src_end)
    }


def judge_slots(
    words: Sequence[str], slots: Collection[str], vocabulary: Collection[str], normalise: Normalise
) -> list[bool | None]:
    """Return whether each word of any slot's vocabulary is in this recording's slots.

    Needs no transcript: a speaker asked for a latte has said "latte". None for other words.
    """
    verdicts: list[bool | None] = []
    for word in words:
        token = normalise(word)
        verdicts.append(token in slots if token in vocabulary else None)
    return verdicts


@dataclass(frozen=True, slots=True)
class Bin:
    """Words of about the same confidence; `right` is the share of right ones."""

    words: int
    confidence: float
    right: float


def reliability(confidences: Floats, right: Floats, *, equal_mass: bool = False) -> list[Bin]:
    """Return ten bins of equal width, or of equally many words, without empty ones."""
    if equal_mass:
        parts = np.array_split(np.argsort(confidences, kind="stable"), BINS)
    else:
        places = np.minimum((confidences * BINS).astype(int), BINS - 1)
        parts = [np.flatnonzero(places == i) for i in range(BINS)]
    return [
        Bin(len(p), float(confidences[p].mean()), float(right[p].mean())) for p in parts if len(p)
    ]


@dataclass(frozen=True, slots=True)
class Errors:
    """Expected calibration errors, Brier score and negative log likelihood; 0 is best."""

    width: float
    mass: float
    brier: float
    nll: float


def errors(confidences: Floats, right: Floats) -> Errors:
    """Return how far confidences are from the truth."""
    inner = np.clip(confidences, _EDGE, 1 - _EDGE)
    return Errors(
        width=_ece(reliability(confidences, right)),
        mass=_ece(reliability(confidences, right, equal_mass=True)),
        brier=float(np.mean((confidences - right) ** 2)),
        nll=float(-np.mean(right * np.log(inner) + (1 - right) * np.log(1 - inner))),
    )


def _ece(bins: Sequence[Bin]) -> float:
    return sum(b.words * abs(b.confidence - b.right) for b in bins) / sum(b.words for b in bins)


def fit(words: Sequence[Judged]) -> Calibration:
    """Return the slope and offset under which these words are most likely (Newton's method).

    Raises ValueError if more confident words are not right more often.
    """
    probabilities = np.clip([w.probability for w in words], _EDGE, 1 - _EDGE)
    inputs = np.column_stack([np.log(probabilities / (1 - probabilities)), np.ones(len(words))])
    right = np.array([w.right for w in words], float)
    parameters = np.zeros(2)
    for _ in range(_ROUNDS):
        told = 1 / (1 + np.exp(-inputs @ parameters))
        weight = told * (1 - told)
        curvature = (inputs * weight[:, None]).T @ inputs + 1e-6 * np.eye(2)
        parameters += np.linalg.solve(curvature, inputs.T @ (right - told))
    slope, offset = map(float, parameters)
    if slope <= 0:
        raise ValueError(
            f"of {len(words)} words the surer ones are not right more often: "
            "there are too few, or their texts are wrong"
        )
    return Calibration(slope=round(slope, 3), offset=round(offset, 3))


def applied(calibration: Calibration, words: Sequence[Judged]) -> tuple[Floats, Floats]:
    """Return calibrated confidences, and 1 where the word is right."""
    confidences = np.array([calibration(w.probability) for w in words])
    return confidences, np.array([w.right for w in words], float)


def held_out(words: Sequence[Judged], part_of: Callable[[Judged], str]) -> tuple[Floats, Floats]:
    """Return the same, each word by a fit without the words of its own part."""
    confidences = np.zeros(len(words))
    parts = [part_of(word) for word in words]
    for part in sorted(set(parts)):
        calibration = fit([w for w, p in zip(words, parts, strict=True) if p != part])
        for i in (i for i, p in enumerate(parts) if p == part):
            confidences[i] = calibration(words[i].probability)
    return confidences, np.array([w.right for w in words], float)


def speaker_folds(words: Sequence[Judged], folds: int) -> dict[str, str]:
    """Return each speaker's fold: `folds` of about as many speakers each."""
    speakers = sorted({w.speaker for w in words})
    return {speaker: str(i % folds) for i, speaker in enumerate(speakers)}
