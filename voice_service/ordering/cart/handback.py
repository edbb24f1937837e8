"""An order as staff have left it, turned into lines that a conversation can go on with."""

from __future__ import annotations

from collections.abc import Sequence

from order_events.domain.models import OrderItem, OrderModifier
from voice_service.ordering.acts import ModifierRequest
from voice_service.ordering.cart.lines import Line
from voice_service.ordering.likelihood import SETTLED, Grounds
from voice_service.ordering.menu.compiled import CompiledMenu


def lines_of(
    items: Sequence[OrderItem], menu: CompiledMenu
) -> tuple[tuple[Line, ...], tuple[OrderItem, ...]]:
    """Return the lines, and the items that no line can stand for, which stay as they are.

    A combo and its parts stay together.
    """
    unspoken = {_combo(item) for item in items if not _speakable(item, menu)}
    left = tuple(item for item in items if _combo(item) in unspoken)
    return tuple(_line(item) for item in items if _combo(item) not in unspoken), left


def _combo(item: OrderItem) -> str:
    """Return the id of the line that an item belongs to: its combo's, or its own."""
    return item.part_of or item.id


def _speakable(item: OrderItem, menu: CompiledMenu) -> bool:
    """Return whether a guest could have ordered exactly this: all of it is on the menu."""
    known = menu.items.get(item.menu_item_id)
    if known is None or item.special_instructions is not None:
        return False
    if item.size is not None and item.size not in known.prices:
        return False
    return all(
        m.group in known.modifier_groups and (m.group, m.id) in menu.modifiers
        for m in item.modifiers
    )


def _line(item: OrderItem) -> Line:
    return Line(
        item.id,
        item.menu_item_id,
        item.quantity,
        item.size,
        tuple(map(_mod, item.modifiers)),
        SETTLED if item.confidence is None else Grounds(heard=item.confidence),
        part_of=item.part_of,
        slot=item.slot,
        chosen=item.part_of is not None,
    )


def _mod(modifier: OrderModifier) -> ModifierRequest:
    return ModifierRequest(
        modifier.id, modifier.group, modifier.qualifier, modifier.negated, modifier.quantity
    )
