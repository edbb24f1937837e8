"""Numbers before modifiers that count items: "two shakes, one vanilla, one chocolate"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import takewhile

from voice_service.ordering.acts import ReferenceKind
from voice_service.ordering.attributes.statements import ModifierStatement, Statement
from voice_service.ordering.doubt import Doubt
from voice_service.ordering.references.pointers import Pointer, some_of

_SEVERAL = 2


def like_named(modifier: ModifierStatement, named: Sequence[str]) -> bool:
    """Return whether a modifier is of a group that was `named` before the item."""
    return modifier.candidates[0].group in named


def with_counts(
    statements: Sequence[Statement], again: Callable[[Statement], bool]
) -> list[Statement]:
    """Read "and one" before a modifier as its number, if that is chosen `again` and no addition."""
    counted: list[Statement] = []
    for one in statements:
        part = counted[-1] if counted else None
        linked = isinstance(part, Pointer) and part.linked and not part.text
        if linked and isinstance(one, ModifierStatement) and again(one):
            count = part.count if isinstance(part, Pointer) else None
            counted[-1:] = [replace(one, quantity=count, counted=count)]
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
            distributed += [some_of(each), replace(statement, qualifier=None)]
        else:
            distributed.append(statement)
    return distributed


def shared_out(statements: Sequence[Statement], quantity: int) -> list[Statement]:
    """Doubt numbers before modifiers that may count the items, and put the rest onto all.

    "Two coffees with one sugar and one syrup", or "ten wings, six hot and five mild".
    """
    counted = [m for m in _modifiers(statements) if m.quantity is not None]
    total = sum(modifier.quantity or 0 for modifier in counted)
    too_many = total > quantity and all(modifier.counts_items for modifier in counted)
    if len(counted) > 1 and len(_groups(counted)) == 1 and (total == quantity or too_many):
        return [_doubted(s) if s in counted else s for s in statements]
    return _with_rest_for_all(statements, quantity)


def _with_rest_for_all(statements: Sequence[Statement], quantity: int) -> list[Statement]:
    """ "Four tacos, two steak and two pork with onions": the onions are on all, more likely."""
    parts = {i: s for i, s in enumerate(statements) if isinstance(s, Pointer) and s.partial}
    starts, counts = [*parts], [part.count or 0 for part in parts.values()]
    if len(starts) < _SEVERAL or sum(counts) != quantity or counts[-1] < _SEVERAL:
        return list(statements)
    last = statements[starts[-1] + 1 :]
    own = list(takewhile(lambda s: isinstance(s, ModifierStatement) and not s.after_with, last))
    rest = last[len(own) :]
    if not own or not rest or not _plain_lists(statements[starts[0] : starts[-1]], rest):
        return list(statements)
    return [*statements[: starts[-1] + 1], *own, Pointer(ReferenceKind.ALL), *map(_doubted, rest)]


def _doubted(statement: Statement) -> Statement:
    if not isinstance(statement, ModifierStatement):
        return statement
    return replace(statement, doubts=(*statement.doubts, Doubt.HOW_MANY_IN_ALL))


def _plain_lists(others: Sequence[Statement], rest: Sequence[Statement]) -> bool:
    """Return whether the others are told apart without a "with", and the rest follows one."""
    modifiers = _modifiers(others)
    with_rest = isinstance(rest[0], ModifierStatement) and rest[0].after_with
    return with_rest and bool(modifiers) and not any(m.after_with for m in modifiers)


def _modifiers(statements: Sequence[Statement]) -> list[ModifierStatement]:
    return [s for s in statements if isinstance(s, ModifierStatement)]


def _groups(modifiers: Sequence[ModifierStatement]) -> set[str | None]:
    return {modifier.candidates[0].group for modifier in modifiers}
