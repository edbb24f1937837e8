"""A line of the order as it was said, before the menu fills in what was not."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from voice_service.ordering.acts import ItemRequest, ModifierRequest, Modify, Target


@dataclass(frozen=True)
class Line:
    """One line. `size` and `quantity` are None where the guest said nothing.

    `confidence` is 0 to 1. `joined`: it accompanies the line before it. A part of a combo has the
    id of the combo's line in `part_of`, and `chosen` if the guest named it.
    """

    id: str
    item: str
    quantity: int | None
    size: str | None
    mods: tuple[ModifierRequest, ...]
    confidence: float
    plain: bool = False
    joined: bool = False
    part_of: str | None = None
    slot: str | None = None
    chosen: bool = False

    @property
    def count(self) -> int:
        return self.quantity or 1


def line_of(line_id: str, group: ItemRequest, confidence: float) -> Line:
    """A new line with what was said of an item."""
    return Line(
        line_id,
        group.item,
        group.quantity,
        group.size,
        distinct(group.mods),
        confidence,
        group.plain,
        group.coordination.accompanies,
    )


def replaced(
    old: Line,
    group: ItemRequest,
    confidence: float,
    sizes: Collection[str],
    carried: Collection[ModifierRequest] = (),
    *,
    anew: bool = False,
    single: Collection[str] = (),
) -> Line:
    """A new item in the old line; what was not said anew is kept where it fits.

    `sizes`: those that the new item comes in. `carried`: what of another item stays. `anew`: it
    was said once more with choices, in the place of those of their kind. `single`: groups that
    take one modifier, where that is so in any case.
    """
    same = old.item == group.item
    chosen = {m.group for m in group.mods if not m.negated and (anew or m.group in single)}
    kept = {(m.id, m.group): m for m in old.mods if same and m.group not in chosen}
    kept |= {(m.id, m.group): m for m in (*carried, *group.mods)}
    return replace(
        old,
        item=group.item,
        quantity=group.quantity if group.quantity is not None else old.quantity,
        size=group.size or (old.size if old.size in sizes else None),
        mods=tuple(kept.values()),
        plain=group.plain or (old.plain and same),
        confidence=confidence,
    )


def modified(
    line: Line,
    act: Modify,
    defaults: Collection[str],
    confidence: float,
    single: Collection[str] = (),
) -> Line:
    """A line as an act changes it. `defaults`: the modifiers that its item comes with.

    `single`: groups that take one modifier, so that another one takes its place.
    """
    mods = distinct(act.mods)
    said = {(m.id, m.group) for m in mods}
    chosen = {m.group for m in mods if not m.negated and m.group in single}
    kept = [m for m in line.mods if (m.id, m.group) not in said and m.group not in chosen]
    added = {(m.id, m.group) for m in line.mods if not m.negated and m.id not in defaults}
    other = {m.group for m in (*kept, *mods) if not m.negated and m.group in single}
    # A "without" may only take back what the guest had added, or what was given up before.
    put = [m for m in mods if not m.negated or not ((m.id, m.group) in added or m.group in other)]
    return replace(
        line,
        quantity=act.quantity or line.quantity,
        size=act.size or line.size,
        mods=(*kept, *put),
        plain=line.plain or act.plain,
        confidence=min(line.confidence, confidence),
    )


def distinct(mods: Sequence[ModifierRequest]) -> tuple[ModifierRequest, ...]:
    """What was said last of each modifier: nothing is both with and without it."""
    last = {(m.id, m.group): m for m in mods}
    return tuple(m for m in mods if last[m.id, m.group] is m)


def targets(lines: Sequence[Line], last: str | None, target: Target) -> list[Line]:
    """The lines that are meant, the one talked about last (`last` is its id) at the end.

    Parts of combos only where their item is named.
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
    """The latest line of one of `items` (empty: of any), of a size if that is given."""
    fitting = [
        line
        for line in lines
        if line.part_of is None and (not items or line.item in items) and size in (None, line.size)
    ]
    ordered = _last_at_the_end(fitting, last)
    return ordered[-1] if ordered else None


def _last_at_the_end(lines: list[Line], last: str | None) -> list[Line]:
    return sorted(lines, key=lambda line: line.id == last)
