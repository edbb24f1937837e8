"""Numbers before modifiers that count items: "two shakes, one vanilla, one chocolate"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import takewhile

from voice_service.ordering.attributes.statements import ModifierStatement, Statement
from voice_service.ordering.doubt import Doubt
from voice_service.ordering.references.pointers import AllOf, Partition

_SEVERAL = 2


def like_named(said: ModifierStatement, named: Sequence[str]) -> bool:
    """Whether a modifier is of a kind that was `named` before the item."""
    return said.candidates[0].group in named


def of_its_own(said: Statement, named: Sequence[str]) -> Statement:
    """ "Six plain bagels and three rye": the number after "and" counts none of the six."""
    if isinstance(said, ModifierStatement) and said.counted is not None and like_named(said, named):
        return replace(said, apart=False)
    return said


def halved(
    said: Sequence[Statement], quantity: int, chosen: Callable[[ModifierStatement], bool]
) -> list[Statement]:
    """ "Four tacos, half steak, half pork": two of each, if a taco has only one meat.

    `chosen`: whether there is only one of a modifier's kind.
    """
    mods = [one for one in said if isinstance(one, ModifierStatement)]
    halves = [one for one in mods if one.qualifier == "half" and chosen(one)]
    if len(halves) != _SEVERAL or halves != mods or quantity % _SEVERAL:
        return list(said)
    each = quantity // _SEVERAL
    shared: list[Statement] = []
    for one in said:
        if isinstance(one, ModifierStatement):
            shared += [Partition(each), replace(one, qualifier=None)]
        else:
            shared.append(one)
    return shared


def shared_out(said: Sequence[Statement], quantity: int) -> list[Statement]:
    """`said` with numbers before modifiers read as numbers of items, where they add up to those.

    "Two shakes, one vanilla, one chocolate", but not "a coffee with two sugars".
    """
    said = _counted_out(said, quantity)
    apart = [one for one in said if isinstance(one, ModifierStatement) and one.apart]
    splits = [one.count or 0 for one in said if isinstance(one, Partition)]
    total = sum(one.quantity or 0 for one in apart) + sum(splits)
    alone = len(apart) == 1 and not splits
    if len(apart) > 1 and total > quantity and len({m.candidates[0].group for m in apart}) == 1:
        # "Ten wings, five hot and five mild" is no five times hot.
        return [_doubted(one) if one in apart else one for one in said]
    if not apart or total > quantity or (alone and total == quantity):
        return _for_all(said, quantity)
    shared: list[Statement] = []
    for one in said:
        if isinstance(one, ModifierStatement) and one.apart:
            shared += [Partition(one.quantity), replace(one, quantity=None, apart=False)]
        else:
            shared.append(one)
    return _for_all(shared, quantity)


def _for_all(said: Sequence[Statement], quantity: int) -> list[Statement]:
    """ "Four tacos, two steak and two pork with onions": the onions are on all, more likely."""
    starts = [i for i, one in enumerate(said) if isinstance(one, Partition)]
    counts = [one.count or 0 for one in said if isinstance(one, Partition)]
    if len(starts) < _SEVERAL or sum(counts) != quantity or counts[-1] < _SEVERAL:
        return list(said)
    last = said[starts[-1] + 1 :]
    bare = list(
        takewhile(lambda one: isinstance(one, ModifierStatement) and not one.after_with, last)
    )
    rest = last[len(bare) :]
    if not bare or not rest or not _plain_lists(said[starts[0] : starts[-1]], rest):
        return list(said)
    return [*said[: starts[-1] + 1], *bare, AllOf(), *map(_doubted, rest)]


def _doubted(said: Statement) -> Statement:
    if not isinstance(said, ModifierStatement):
        return said
    return replace(said, certainty=said.certainty * Doubt.HOW_MANY_IN_ALL.certainty)


def _plain_lists(told: Sequence[Statement], rest: Sequence[Statement]) -> bool:
    """Whether the others are told apart without a "with", and the rest follows one."""
    mods = [one for one in told if isinstance(one, ModifierStatement)]
    with_it = isinstance(rest[0], ModifierStatement) and rest[0].after_with
    return with_it and bool(mods) and not any(one.after_with for one in mods)


def _counted_out(said: Sequence[Statement], quantity: int) -> Sequence[Statement]:
    """Numbers after a "with" that add up all the same: "five, with butter, three plain, two rye".

    Doubtful, as "two coffees with one sugar and one syrup" adds up as well.
    """
    counted = [
        one for one in said if isinstance(one, ModifierStatement) and one.quantity is not None
    ]
    groups = {one.candidates[0].group for one in counted}
    fits = (
        len(counted) > 1 and len(groups) == 1 and sum(m.quantity or 0 for m in counted) == quantity
    )
    if not fits or all(one.apart for one in counted):
        return said
    return [
        replace(one, apart=True, certainty=one.certainty * Doubt.HOW_MANY_IN_ALL.certainty)
        if isinstance(one, ModifierStatement) and one.quantity is not None
        else one
        for one in said
    ]
