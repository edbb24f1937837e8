"""Numbers before modifiers that count items: "two shakes, one vanilla, one chocolate"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from voice_service.ordering.said import Said, SaidModifier, SaidSplit

HOW_MANY_IN_ALL = 0.7
"""Certainty of a number where what follows may be about more of them."""


def like_named(said: SaidModifier, named: Sequence[str]) -> bool:
    """Whether a modifier is of a kind that was `named` before the item."""
    return said.senses[0].group in named


def of_its_own(said: Said, named: Sequence[str]) -> Said:
    """ "Six plain bagels and three rye": the number after "and" counts none of the six."""
    if isinstance(said, SaidModifier) and said.counted is not None and like_named(said, named):
        return replace(said, apart=False)
    return said


def shared_out(said: Sequence[Said], quantity: int) -> list[Said]:
    """`said` with numbers before modifiers read as numbers of items, where they add up to those.

    "Two shakes, one vanilla, one chocolate", but not "a coffee with two sugars".
    """
    said = _counted_out(said, quantity)
    apart = [one for one in said if isinstance(one, SaidModifier) and one.apart]
    splits = [one.count or 0 for one in said if isinstance(one, SaidSplit)]
    total = sum(one.quantity or 0 for one in apart) + sum(splits)
    alone = len(apart) == 1 and not splits
    if not apart or total > quantity or (alone and total == quantity):
        return list(said)
    shared: list[Said] = []
    for one in said:
        if isinstance(one, SaidModifier) and one.apart:
            shared += [SaidSplit(one.quantity), replace(one, quantity=None, apart=False)]
        else:
            shared.append(one)
    return shared


def _counted_out(said: Sequence[Said], quantity: int) -> Sequence[Said]:
    """Numbers after a "with" that add up all the same: "five, with butter, three plain, two rye".

    Doubtful, as "two coffees with one sugar and one syrup" adds up as well.
    """
    counted = [one for one in said if isinstance(one, SaidModifier) and one.quantity is not None]
    groups = {one.senses[0].group for one in counted}
    fits = (
        len(counted) > 1 and len(groups) == 1 and sum(m.quantity or 0 for m in counted) == quantity
    )
    if not fits or all(one.apart for one in counted):
        return said
    return [
        replace(one, apart=True, certainty=one.certainty * HOW_MANY_IN_ALL)
        if isinstance(one, SaidModifier) and one.quantity is not None
        else one
        for one in said
    ]
