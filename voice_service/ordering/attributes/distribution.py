"""Numbers before modifiers that count items: "two shakes, one vanilla, one chocolate"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import takewhile

from voice_service.ordering.attributes.statements import ModifierStatement, Statement
from voice_service.ordering.doubt import Doubt
from voice_service.ordering.references.pointers import AllOf, Partition, SomeOf

_SEVERAL = 2


def like_named(modifier: ModifierStatement, named: Sequence[str]) -> bool:
    """Return whether a modifier is of a group that was `named` before the item."""
    return modifier.candidates[0].group in named


def of_its_own(statement: Statement, named: Sequence[str]) -> Statement:
    """ "Six plain bagels and three rye": the number after "and" counts none of the six."""
    if (
        isinstance(statement, ModifierStatement)
        and statement.before.counted is not None
        and like_named(statement, named)
    ):
        return replace(statement, counts_items=False)
    return statement


def with_counts(
    statements: Sequence[Statement], again: Callable[[Statement], bool]
) -> list[Statement]:
    """Read "and one" before a modifier as its number, if that is chosen `again` and no addition."""
    counted: list[Statement] = []
    for one in statements:
        part = counted[-1] if counted else None
        linked = isinstance(part, SomeOf) and part.linked and not part.text
        if linked and isinstance(one, ModifierStatement) and again(one):
            count = part.count if isinstance(part, SomeOf) else None
            before = replace(one.before, linked=True, counted=count)
            counted[-1:] = [replace(one, quantity=count, before=before)]
        else:
            counted.append(one)
    return counted


def halved(
    statements: Sequence[Statement], quantity: int, single: Callable[[ModifierStatement], bool]
) -> list[Statement]:
    """ "Four tacos, half steak, half pork": two of each, if a taco has only one meat.

    `single`: whether an item has only one modifier of that kind.
    """
    modifiers = _modifiers(statements)
    halves = [m for m in modifiers if m.qualifier == "half" and single(m)]
    if len(halves) != _SEVERAL or halves != modifiers or quantity % _SEVERAL:
        return list(statements)
    each = quantity // _SEVERAL
    distributed: list[Statement] = []
    for statement in statements:
        if isinstance(statement, ModifierStatement):
            distributed += [SomeOf(each), replace(statement, qualifier=None)]
        else:
            distributed.append(statement)
    return distributed


def shared_out(statements: Sequence[Statement], quantity: int) -> list[Statement]:
    """Read numbers before modifiers as numbers of items, where they add up to the `quantity`.

    "Two shakes, one vanilla, one chocolate", but not "a coffee with two sugars".
    """
    statements = _with_numbers_after_with(statements, quantity)
    apart = [m for m in _modifiers(statements) if m.counts_items]
    parts = [s.count or 0 for s in statements if isinstance(s, Partition)]
    total = sum(modifier.quantity or 0 for modifier in apart) + sum(parts)
    alone = len(apart) == 1 and not parts
    if len(apart) > 1 and total > quantity and len(_groups(apart)) == 1:
        # "Ten wings, five hot and five mild" is no five times hot.
        return [_doubted(s) if s in apart else s for s in statements]
    if not apart or total > quantity or (alone and total == quantity):
        return _with_rest_for_all(statements, quantity)
    distributed: list[Statement] = []
    for statement in statements:
        if isinstance(statement, ModifierStatement) and statement.counts_items:
            bare = replace(statement, quantity=None, counts_items=False)
            distributed += [SomeOf(statement.quantity or 1), bare]
        else:
            distributed.append(statement)
    return _with_rest_for_all(distributed, quantity)


def _with_rest_for_all(statements: Sequence[Statement], quantity: int) -> list[Statement]:
    """ "Four tacos, two steak and two pork with onions": the onions are on all, more likely."""
    starts = [i for i, s in enumerate(statements) if isinstance(s, Partition)]
    counts = [s.count or 0 for s in statements if isinstance(s, Partition)]
    if len(starts) < _SEVERAL or sum(counts) != quantity or counts[-1] < _SEVERAL:
        return list(statements)
    last = statements[starts[-1] + 1 :]
    own = list(
        takewhile(lambda s: isinstance(s, ModifierStatement) and not s.before.after_with, last)
    )
    rest = last[len(own) :]
    if not own or not rest or not _plain_lists(statements[starts[0] : starts[-1]], rest):
        return list(statements)
    return [*statements[: starts[-1] + 1], *own, AllOf(), *map(_doubted, rest)]


def _doubted(statement: Statement) -> Statement:
    if not isinstance(statement, ModifierStatement):
        return statement
    certainty = statement.certainty * Doubt.HOW_MANY_IN_ALL.certainty
    return replace(statement, certainty=certainty)


def _plain_lists(others: Sequence[Statement], rest: Sequence[Statement]) -> bool:
    """Return whether the others are told apart without a "with", and the rest follows one."""
    modifiers = _modifiers(others)
    with_rest = isinstance(rest[0], ModifierStatement) and rest[0].before.after_with
    return with_rest and bool(modifiers) and not any(m.before.after_with for m in modifiers)


def _with_numbers_after_with(statements: Sequence[Statement], quantity: int) -> Sequence[Statement]:
    """Let numbers after a "with" count items too, where they add up.

    "Five, with butter, three plain, two rye". This is doubtful, as "two coffees with one sugar and
    one syrup" adds up as well.
    """
    counted = [m for m in _modifiers(statements) if m.quantity is not None]
    total = sum(modifier.quantity or 0 for modifier in counted)
    fits = len(counted) > 1 and len(_groups(counted)) == 1 and total == quantity
    if not fits or all(modifier.counts_items for modifier in counted):
        return statements
    certainty = Doubt.HOW_MANY_IN_ALL.certainty
    return [
        replace(s, counts_items=True, certainty=s.certainty * certainty)
        if isinstance(s, ModifierStatement) and s.quantity is not None
        else s
        for s in statements
    ]


def _modifiers(statements: Sequence[Statement]) -> list[ModifierStatement]:
    return [s for s in statements if isinstance(s, ModifierStatement)]


def _groups(modifiers: Sequence[ModifierStatement]) -> set[str | None]:
    return {modifier.candidates[0].group for modifier in modifiers}
