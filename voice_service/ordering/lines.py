"""A line of the order as it was said, before the menu fills in what was not."""

from __future__ import annotations

from dataclasses import dataclass

from voice_service.ordering.acts import Group, Mod


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
    mods: tuple[Mod, ...]
    confidence: float
    plain: bool = False
    joined: bool = False
    part_of: str | None = None
    slot: str | None = None
    chosen: bool = False

    @property
    def count(self) -> int:
        return self.quantity or 1


def line_of(line_id: str, group: Group, confidence: float) -> Line:
    """A new line with what was said of an item."""
    return Line(
        line_id,
        group.item,
        group.quantity,
        group.size,
        tuple(group.mods),
        confidence,
        group.plain,
        group.joined,
    )
