"""Fitting the log-linear models of order understanding.

Pure: feature mappings in, weights out. Two objectives:

- `fit_ranker`: of the readings of an utterance, those that lead to the right cart should have most
  of the probability. The right reading is latent, only the cart is known, so the likelihood is that
  of all right readings together (as in Liang, Jordan and Klein, "Learning dependency-based
  compositional semantics", 2011).
- `fit_logistic`: whether a line of an order is right (logistic regression).

Both have an L2 penalty and are solved by Newton's method, so that a fit is the same on any machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Features = Mapping[str, float]
Floats = NDArray[np.float64]

_ROUNDS = 60
_ENOUGH = 1e-9


@dataclass(frozen=True)
class Choice:
    """The readings of one utterance, and which of them lead to the right cart."""

    readings: Sequence[Features]
    right: Sequence[bool]
    weight: float = 1.0


def fit_logistic(
    rows: Sequence[Features],
    right: Sequence[bool],
    l2: float,
    prior: Features | None = None,
    masses: Sequence[float] | None = None,
) -> dict[str, float]:
    """The weights of a logistic regression, drawn towards `prior`, the feature "bias" hardly.

    `masses`: how much each row counts.
    """
    prior = prior or {}
    names = sorted({name for row in rows for name in row} | set(prior))
    x = _matrix(rows, names)
    y = np.asarray(right, np.float64)
    mass = np.ones(len(y)) if masses is None else np.asarray(masses, np.float64)
    penalty = np.asarray([1e-6 if name == "bias" else l2 for name in names])
    centre = np.asarray([prior.get(name, 0.0) for name in names])
    w = centre.copy()
    for _ in range(_ROUNDS):
        p = _sigmoid(x @ w)
        gradient = x.T @ (mass * (y - p)) - penalty * (w - centre)
        hessian = (x * (mass * p * (1 - p))[:, None]).T @ x + np.diag(penalty)
        step = np.linalg.solve(hessian, gradient)
        w += step
        if float(np.abs(step).max()) < _ENOUGH:
            break
    return dict(zip(names, w.tolist(), strict=True))


def fit_ranker(
    choices: Sequence[Choice], l2: float, prior: Features | None = None
) -> dict[str, float]:
    """The weights under which right readings win; they are drawn towards `prior`.

    Choices without a right reading, or with no wrong one, say nothing and are left out.
    """
    told = [c for c in choices if any(c.right) and not all(c.right)]
    names = sorted({n for c in told for r in c.readings for n in r} | set(prior or {}))
    centre = np.asarray([(prior or {}).get(name, 0.0) for name in names])
    tables = [_matrix(c.readings, names) for c in told]
    rights = [np.asarray(c.right) for c in told]
    w = centre.copy()
    for _ in range(_ROUNDS):
        gradient = -l2 * (w - centre)
        hessian = l2 * np.eye(len(names))
        for choice, x, right in zip(told, tables, rights, strict=True):
            scores = x @ w
            everyone = _softmax(scores)
            among_right = np.where(right, _softmax(np.where(right, scores, -np.inf)), 0.0)
            mean = everyone @ x
            gradient += choice.weight * (among_right @ x - mean)
            spread = x - mean
            # The part of the Hessian that is certainly positive (Gauss-Newton).
            hessian += choice.weight * (spread * everyone[:, None]).T @ spread
        step = np.linalg.solve(hessian, gradient)
        w += step
        if float(np.abs(step).max()) < 1e-6:
            break
    return dict(zip(names, w.tolist(), strict=True))


def score(features: Features, weights: Features) -> float:
    """The dot product."""
    return sum(value * weights.get(name, 0.0) for name, value in features.items())


def probability(features: Features, weights: Features) -> float:
    """What a logistic regression says of a row."""
    return float(_sigmoid(np.asarray(score(features, weights))))


def _matrix(rows: Sequence[Features], names: Sequence[str]) -> Floats:
    place = {name: column for column, name in enumerate(names)}
    x = np.zeros((len(rows), len(names)))
    for line, row in enumerate(rows):
        for name, value in row.items():
            x[line, place[name]] = value
    return x


def _sigmoid(z: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(z, -35, 35))), np.float64)


def _softmax(scores: Floats) -> Floats:
    top = np.max(scores)
    mass = np.exp(scores - top)
    return np.asarray(mass / mass.sum(), np.float64)
