"""A line of the order as it was said, before the menu fills in what was not."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from voice_service.ordering.acts import ItemRequest, ModifierRequest, Modify, Target
from voice_service.ordering.likelihood import Grounds


@dataclass(frozen=True)
class Line:
    """One line. `size` and `quantity` are None where the guest said nothing.

    `grounds`: what it rests on. `plain`: without its defaults. `joined`: it accompanies the line
    before it. A part of a combo has the id of the combo's line in `part_of`, the slot that it fills
    in `slot`, and `chosen` if the guest named it.
    """

    id: str
    item: str
    quantity: int | None
    size: str | None
    mods: tuple[ModifierRequest, ...]
    grounds: Grounds
    plain: bool = False
    joined: bool = False
    part_of: str | None = None
    slot: str | None = None
    chosen: bool = False

    @property
    def confidence(self) -> float:
        """How likely (0 to 1) the guest wants just this."""
        return self.grounds.confidence

    def doubtful(self, least: float) -> bool:
        """Return whether the guest has to be asked about it, if it has to be so sure (0 to 1)."""
        return self.grounds.by_itself.confidence < least

    @property
    def count(self) -> int:
        """How many there are; one where the guest said nothing."""
        return self.quantity or 1


def line_of(line_id: str, request: ItemRequest, grounds: Grounds) -> Line:
    """Return a new line with what was said of an item."""
    return Line(
        line_id,
        request.item,
        request.quantity,
        request.size,
        distinct(request.mods),
        grounds,
        request.plain,
        request.coordination.accompanies,
    )


def replaced(
    old: Line,
    request: ItemRequest,
    grounds: Grounds,
    sizes: Collection[str],
    carried: Collection[ModifierRequest] = (),
    exclusive: Collection[str] = (),
) -> Line:
    """Return the old line with a new item in it; what is not said anew is kept where it fits.

    `sizes`: those that the new item comes in. `carried`: what stays of another item. `exclusive`:
    the groups of which a modifier said now takes the place of those that there were.
    """
    same = old.item == request.item
    chosen = {m.group for m in request.mods if not m.negated and m.group in exclusive}
    kept = {(m.id, m.group): m for m in old.mods if same and m.group not in chosen}
    kept |= {(m.id, m.group): m for m in (*carried, *request.mods)}
    return replace(
        old,
        item=request.item,
        quantity=request.quantity if request.quantity is not None else old.quantity,
        size=request.size or (old.size if old.size in sizes else None),
        mods=tuple(kept.values()),
        plain=request.plain or (old.plain and same),
        grounds=grounds,
    )


def modified(
    line: Line,
    act: Modify,
    defaults: Collection[str],
    grounds: Grounds,
    single: Collection[str] = (),
) -> Line:
    """Return a line as an act changes it. `defaults`: the modifiers that its item comes with.

    `single`: groups that take one modifier, so that a new one takes the place of the old.
    """
    mods = distinct(act.mods)
    asked = {(m.id, m.group) for m in mods}
    chosen = {m.group for m in mods if not m.negated and m.group in single}
    kept = [m for m in line.mods if (m.id, m.group) not in asked and m.group not in chosen]
    added = {
        (m.id, m.group)
        for m in line.mods
        if not m.negated and m.id not in defaults and m.qualifier != "extra"
    }
    other = {m.group for m in (*kept, *mods) if not m.negated and m.group in single}
    # A "without" may only take back what the guest had added, or what was given up before.
    put = [
        m
        for m in mods
        if not (m.negated and (m.qualifier or (m.id, m.group) in added or m.group in other))
    ]
    return replace(
        line,
        quantity=act.quantity or line.quantity,
        size=act.size or line.size,
        mods=(*kept, *put),
        plain=line.plain or act.plain,
        grounds=line.grounds.also(grounds),
    )


def distinct(mods: Sequence[ModifierRequest]) -> tuple[ModifierRequest, ...]:
    """Keep what was said last of each modifier, so that nothing is both with and without it."""
    last = {(m.id, m.group): m for m in mods}
    return tuple(m for m in mods if last[m.id, m.group] is m)


def targets(lines: Sequence[Line], last: str | None, target: Target) -> list[Line]:
    """Return the lines that a target means, the one talked about last at the end.

    `last` is the id of that one. Parts of combos count only where their item is named.
    """
    if target.all_lines:
        return [line for line in lines if line.part_of is None]
    if not target.items:
        recent = latest(lines, last, (), target.size)
        return [recent] if recent is not None else []
    matching = [line for line in lines if line.item in target.items]
    sized = [line for line in matching if target.size in (None, line.size)]
    return _last_at_the_end(sized or matching, last)


def latest(
    lines: Sequence[Line], last: str | None, items: Sequence[str], size: str | None
) -> Line | None:
    """Return the latest line of one of `items` (if empty, of any), of a size if that is given."""
    fitting = [
        line
        for line in lines
        if line.part_of is None and (not items or line.item in items) and size in (None, line.size)
    ]
    ordered = _last_at_the_end(fitting, last)
    return ordered[-1] if ordered else None


def _last_at_the_end(lines: list[Line], last: str | None) -> list[Line]:
    return sorted(lines, key=lambda line: line.id == last)
