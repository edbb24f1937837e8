"""Combos in an order: a line for the combo, followed by a line for each of its parts. Pure.

The combo's line has the price. A part's line costs what its choice adds, and its modifiers. So a
screen that knows nothing of combos still shows every part with its changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from order_events.domain.drafts import ItemDraft
from order_events.menu.entries import Choice, MenuItem, Slot
from order_events.menu.menu import Menu
from order_events.protocol.errors import InvalidOrder

MAX_LINES = 1_000
"""Most lines of one order, the parts of combos included."""


def with_parts(drafts: Sequence[ItemDraft], menu: Menu) -> list[ItemDraft]:
    """Return the drafts with each combo followed by its parts, in the order of its slots.

    A slot that no draft fills gets its default. A part's quantity is its combo's. Raises
    InvalidOrder.
    """
    items = menu.index.items
    lines: list[ItemDraft] = []
    parts = [draft for draft in drafts if draft.part_of is not None]
    for draft in drafts:
        if draft.part_of is not None:
            continue
        lines.append(draft)
        item = items.get(draft.menu_item_id)
        if item is not None and item.slots:
            own = [part for part in parts if part.part_of == draft.id]
            parts = [part for part in parts if part.part_of != draft.id]
            lines += _parts(draft, item, own, menu, items)
        if len(lines) > MAX_LINES:
            raise InvalidOrder(
                f"an order has at most {MAX_LINES} lines, the parts of combos included"
            )
    if parts:
        raise InvalidOrder(f"{parts[0].menu_item_id!r} is part of no combo in this order")
    return lines


def _parts(
    combo: ItemDraft,
    item: MenuItem,
    own: list[ItemDraft],
    menu: Menu,
    items: Mapping[str, MenuItem],
) -> list[ItemDraft]:
    filled: dict[str, ItemDraft] = {}
    for part in own:
        slot = _slot_for(part, item, filled, menu, items)
        filled[slot.id] = part
    for slot in item.slots:
        if slot.id not in filled:
            if slot.default is None:
                raise InvalidOrder(f"{item.name} needs a choice of {slot.name}")
            filled[slot.id] = ItemDraft(menu_item_id=slot.default)
    return [
        filled[slot.id].model_copy(
            update={"part_of": combo.id, "slot": slot.id, "quantity": combo.quantity}
        )
        for slot in item.slots
    ]


def _slot_for(
    part: ItemDraft,
    combo: MenuItem,
    filled: Mapping[str, ItemDraft],
    menu: Menu,
    items: Mapping[str, MenuItem],
) -> Slot:
    item = items.get(part.menu_item_id)
    for slot in combo.slots:
        free = slot.id not in filled and part.slot in (None, slot.id)
        if free and item is not None and menu.filling(slot, item) is not None:
            return slot
    raise InvalidOrder(f"{combo.name} has no place for {part.menu_item_id!r}")


def part_size(
    asked: str | None, choice: Choice, combo_size: str | None, item: MenuItem
) -> str | None:
    """Return the size of a part: the one asked for, or the one the combo includes."""
    return asked or included_size(choice, combo_size, item)


def included_size(choice: Choice, combo_size: str | None, item: MenuItem) -> str | None:
    """Return the size in which a combo includes an item.

    None if the item has no sizes, or if the guest must be asked.
    """
    if choice.size is not None:
        return choice.size
    if combo_size in item.prices:
        return combo_size
    if item.default_size is None and len(item.prices) == 1:
        return next(iter(item.prices))
    return item.default_size


def part_price(size: str | None, choice: Choice, combo_size: str | None, item: MenuItem) -> int:
    """Return what a part of this size adds to its combo's price, in cents."""
    if size is None:
        return choice.upcharge
    if size in choice.size_upcharges:
        return choice.upcharge + choice.size_upcharges[size]
    included = included_size(choice, combo_size, item)
    larger = item.prices[size] - item.prices.get(included or size, 0)
    return choice.upcharge + max(0, larger)
