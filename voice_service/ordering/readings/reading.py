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
    Problem,
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


@dataclass(frozen=True)
class _Again:
    """A request, the act at `index`, for what `line` may be already."""

    index: int
    request: ItemRequest
    line: Line

    @property
    def detail(self) -> Modify | None:
        """What it says of the line beyond what is known, if anything."""
        if not adds_to(self.request, self.line):
            return None
        return Modify(
            Target(items=(self.request.item,)),
            mods=tuple(self.request.mods),
            size=self.request.size,
            quantity=self.request.quantity,
            plain=self.request.plain,
        )


def readings(acts: Sequence[Act], lines: Sequence[Line]) -> Iterator[Reading]:
    """Yield the readings of the acts of an utterance, the plain one first.

    `lines`: the order before it, without the parts of combos.
    """
    yield Reading(Construal.AS_SAID, tuple(acts))
    if not lines or any(isinstance(act, Restart | Problem) for act in acts):
        return  # it starts anew, or is asked about in any case
    again = [_Again(*found) for found in _said_again(acts, lines)]
    if len(again) == 1 or (again and all(one.detail is None for one in again)):
        yield _restating(acts, again, Construal.RESTATED)
        if len(again) < len(lines):
            yield _without_others(_restating(acts, again, Construal.NOTHING_ELSE))
    if 1 < len(again) <= _MOST_SINGLE:
        for one in again:
            yield _restating(acts, [one], Construal.RESTATED_IN_PART)
    first = next((i for i, act in enumerate(acts) if isinstance(act, Add)), None)
    if first is not None:
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


def _said_again(
    acts: Sequence[Act], lines: Sequence[Line]
) -> Iterator[tuple[int, ItemRequest, Line]]:
    """The requests that may say a line again: the one most like it, else the latest."""
    for index, act in enumerate(acts):
        if not isinstance(act, Add) or _is_one_more(act.request):
            continue
        request = act.request
        alike = [x for x in lines if x.item == request.item and not _other_size(request, x)]
        same = [line for line in alike if not adds_to(request, line)]
        if alike:
            yield index, request, next(iter(same), alike[-1])


def _is_one_more(request: ItemRequest) -> bool:
    """Return whether the words of a request leave no doubt that it is for something new."""
    more = request.counting.additional or request.elided.choices or request.elided.item
    return more or request.counting.combos is not None or len(request.candidates) > 1


def _other_size(request: ItemRequest, line: Line) -> bool:
    return None not in (request.size, line.size) and request.size != line.size


def _restating(acts: Sequence[Act], again: Sequence[_Again], construal: Construal) -> Reading:
    """The reading in which these are there already, so that only their details are new."""
    places = {one.index: one for one in again}
    kept: list[Act] = []
    for index, act in enumerate(acts):
        if index not in places:
            kept.append(act)
        elif (detail := places[index].detail) is not None:
            kept.append(detail)
    return Reading(construal, tuple(kept), tuple(one.line for one in again))


def _without_others(reading: Reading) -> Reading:
    """The reading, with everything else taken out first."""
    items = tuple(dict.fromkeys(line.item for line in reading.restated))
    alone = Remove(Target(items=items), others=True)
    return replace(reading, acts=(alone, *reading.acts))


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
