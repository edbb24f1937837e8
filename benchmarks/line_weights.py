"""Fits how likely a line of an order is right, and what accepting orders by that comes to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence

from carts import percent, wilson
from line_examples import Understood
from log_linear import fit_logistic, probability

from voice_service.ordering.doubt import Doubt
from voice_service.ordering.likelihood import BIAS, LOST, MENDED, PASSED_OVER, RIVALS, Grounds

L2 = 1.0
HEARING = {PASSED_OVER: -9.6, RIVALS: -2.5, LOST: -0.9}
"""Of what only recordings tell, as `fit_hearing.py` fits it: text leaves these as they are."""
PRIOR = {BIAS: 4.0, MENDED: -0.5, **dict.fromkeys((doubt.name for doubt in Doubt), -2.5), **HEARING}
"""Where the weights start: a doubt nobody has seen makes of 98 in a hundred right ones 82.

A word with a good fifth of its letters mended is as doubtful.
"""
FOLDS = 5
_THRESHOLDS = (0.0, 0.5, 0.6, 0.7, 0.75, *(n / 100 for n in range(80, 98)))
_STRESSED = 0.5
"""How much a line counts of an order that was made hard, beside one as it was said."""
_CONVERSATIONS = 2.0


def fit_lines(orders: Sequence[Understood]) -> dict[str, float]:
    """The weights of what lines rest on."""
    judged = [(order, grounds, right) for order in orders for grounds, right in order.lines]
    return fit_logistic(
        [grounds.features for _, grounds, _ in judged],
        [right for *_, right in judged],
        L2,
        PRIOR,
        [_mass(order) for order, *_ in judged],
    )


def held_out(orders: Sequence[Understood]) -> list[float]:
    """How likely each order's least likely line is right, with weights fitted on other folds."""
    by_fold = [
        fit_lines([order for order in orders if fold(order.scenario) != number])
        for number in range(FOLDS)
    ]
    return [least(order.grounds, by_fold[fold(order.scenario)]) for order in orders]


def least(grounds: Sequence[Grounds], weights: Mapping[str, float]) -> float:
    """How likely the least likely line is right by itself; 0 without lines."""
    return min((probability(one.by_itself.features, weights) for one in grounds), default=0.0)


def fold(scenario: str) -> int:
    """The fold that a scenario belongs to."""
    return int(hashlib.sha256(scenario.encode()).hexdigest(), 16) // 3 % FOLDS


def as_said(order: Understood) -> bool:
    """Return whether an order is one that nothing was done to, and of a menu as it is."""
    return order.set == "orders " or not order.set.startswith("orders ")


def accepted(
    orders: Sequence[Understood], likelihoods: Sequence[float]
) -> Iterator[tuple[float, float, float]]:
    """For each threshold: how many in a hundred are accepted, and are wrong of those.

    The second is the upper end of Wilson's interval at two and a half standard deviations: the
    rules of understanding were written with the same sets in view, so that these flatter it.
    """
    for threshold in _THRESHOLDS:
        taken = [
            order
            for order, likelihood in zip(orders, likelihoods, strict=True)
            if order.grounds and not order.asked and likelihood >= threshold
        ]
        wrong = sum(not order.right for order in taken)
        yield threshold, 100 * len(taken) / len(orders), wilson(wrong, len(taken), 2.5)[1]


def print_trade_off(orders: Sequence[Understood], likelihoods: Sequence[float]) -> None:
    """Print what each threshold comes to, set by set: accepted and, at most, wrong of those."""
    sets = sorted({order.set for order in orders})
    print("| threshold | " + " | ".join(sets) + " |")
    print("|---" * (len(sets) + 1) + "|")
    rows = []
    for name in sets:
        own = [(o, p) for o, p in zip(orders, likelihoods, strict=True) if o.set == name]
        rows.append(list(accepted([o for o, _ in own], [p for _, p in own])))
    for columns in zip(*rows, strict=True):
        cells = (f"{share:.1f} / {wrong:.1f}" for _, share, wrong in columns)
        print(f"| {columns[0][0]} | " + " | ".join(cells) + " |")


def print_reliability(orders: Sequence[Understood], weights: Mapping[str, float]) -> None:
    """Print each doubt: its weight, and how many lines with it were right."""
    lines = [pair for order in orders for pair in order.lines]
    print("| doubt | weight | lines | right |\n|---|---|---|---|")
    for doubt in sorted(Doubt, key=lambda one: weights[one.name]):
        held = [right for grounds, right in lines if doubt in grounds.doubts]
        share = percent(sum(held), len(held))
        print(f"| {doubt.name} | {weights[doubt.name]:.2f} | {len(held)} | {share} |")


def _mass(order: Understood) -> float:
    if not order.set.startswith("orders "):
        return _CONVERSATIONS
    return 1.0 if as_said(order) else _STRESSED
