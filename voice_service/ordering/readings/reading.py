"""The readings of an utterance: what its acts mean once the order so far is in view.

The parser reads an utterance by itself. Whether "a cheeseburger" is one more or the one that is
there already depends on the order, on the words around it and on what was asked. Each way to take
it is a reading; one model scores them all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from voice_service.ordering.acts import (
    Act,
    Add,
    ItemRequest,
    Modify,
    Remove,
    Replace,
    Restart,
    Target,
)
from voice_service.ordering.cart.lines import Line

_MOST_SINGLE = 4
"""Of so many repeated items each may be meant as restated while the others are ordered again."""


class Construal(StrEnum):
    """How the acts of an utterance are taken."""

    AS_SAID = "as_said"  # each item named is one more
    RESTATED = "restated"  # "yes, a cheeseburger and fries": what is there already
    RESTATED_IN_PART = "restated_in_part"  # "the cheeseburger, and another coke"
    NOTHING_ELSE = "nothing_else"  # "just the cannoli": the others go
    INSTEAD_OF_LAST = "instead_of_last"  # "I'd rather have soup"
    INSTEAD_OF_ALL = "instead_of_all"  # "no, my order is two salads"
    ON_TOP = "on_top"  # "no wait, also a lassi": nothing goes


@dataclass(frozen=True)
class Reading:
    """One way to take an utterance. `restated`: the lines that it only says again."""

    construal: Construal
    acts: tuple[Act, ...]
    restated: tuple[Line, ...] = ()


def readings(acts: Sequence[Act], lines: Sequence[Line]) -> Iterator[Reading]:
    """Yield the readings of the acts of an utterance, the plain one first.

    `lines`: the order before it, without the parts of combos.
    """
    yield Reading(Construal.AS_SAID, tuple(acts))
    if any(isinstance(act, Restart) for act in acts):
        return
    again = {
        index: line
        for index, act in enumerate(acts)
        if isinstance(act, Add) and (line := _said_before(act.request, lines)) is not None
    }
    if again:
        yield _restating(acts, again, Construal.RESTATED)
        if len(again) < len(lines):
            kept = tuple(dict.fromkeys(line.item for line in again.values()))
            alone = Remove(Target(items=kept), others=True)
            restated = _restating(acts, again, Construal.NOTHING_ELSE)
            yield replace(restated, acts=(alone, *restated.acts))
    if 1 < len(again) <= _MOST_SINGLE:
        for index, line in again.items():
            yield _restating(acts, {index: line}, Construal.RESTATED_IN_PART)
    first = next((i for i, act in enumerate(acts) if isinstance(act, Add)), None)
    if lines and first is not None:
        yield Reading(Construal.INSTEAD_OF_LAST, _swapped(acts, {first}))
        yield Reading(Construal.INSTEAD_OF_ALL, (Restart(), *acts))
    replaced = [i for i, act in enumerate(acts) if isinstance(act, Replace)]
    if replaced:
        yield Reading(Construal.ON_TOP, _swapped(acts, replaced))


def adds_to(request: ItemRequest, line: Line) -> bool:
    """Return whether a request says anything that the line does not have."""
    known = {(m.group, m.id, m.negated, m.qualifier) for m in line.mods}
    new = any((m.group, m.id, m.negated, m.qualifier) not in known for m in request.mods)
    sized = request.size is not None and request.size != line.size
    counted = request.quantity is not None and request.quantity != line.count
    return new or sized or counted


def _said_before(request: ItemRequest, lines: Sequence[Line]) -> Line | None:
    """The line that a request may say again: the one most like it, else the latest."""
    explicitly_more = request.counting.additional or request.elided.choices or request.elided.item
    if explicitly_more or request.counting.combos is not None or len(request.candidates) > 1:
        return None
    alike = [line for line in lines if line.item == request.item]
    same = [line for line in alike if not adds_to(request, line)]
    return next(iter(same), alike[-1] if alike else None)


def _restating(acts: Sequence[Act], again: dict[int, Line], construal: Construal) -> Reading:
    """The reading in which the items at these places are there already."""
    kept: list[Act] = []
    for index, act in enumerate(acts):
        line = again.get(index)
        if line is None:
            kept.append(act)
        elif isinstance(act, Add) and adds_to(act.request, line):
            kept.append(_detail(act.request))
    return Reading(construal, tuple(kept), tuple(again.values()))


def _detail(request: ItemRequest) -> Modify:
    """What a request says of the item that is there already."""
    return Modify(
        Target(items=(request.item,)),
        mods=tuple(request.mods),
        size=request.size,
        quantity=request.quantity,
        plain=request.plain,
    )


def _swapped(acts: Sequence[Act], places: Collection[int]) -> tuple[Act, ...]:
    """The acts with each addition at one of the places as a replacement, and the reverse."""
    swapped: list[Act] = []
    for index, act in enumerate(acts):
        match act:
            case Add(request) if index in places:
                swapped.append(Replace(Target(), request))
            case Replace(request=request) if index in places:
                swapped.append(Add(request))
            case _:
                swapped.append(act)
    return tuple(swapped)
