"""What an order contains, whatever it costs: to compare it, and to write it anew. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from order_events.domain.drafts import ItemDraft, ModifierDraft
from order_events.domain.models import OrderItem

_NOTES = 500
"""Maximum length of an order's notes, in characters."""


def with_note(notes: str | None, note: str | None) -> str | None:
    """Return an order's notes with the lines of `note` first, where truncation cannot lose them.

    None means no change: the notes have all of these lines.
    """
    lines = [] if note is None else note.splitlines()
    there = [] if notes is None else notes.splitlines()
    if set(lines) <= set(there):
        return None
    return "\n".join([*lines, *(line for line in there if line not in lines)])[:_NOTES]


def draft_of(item: OrderItem) -> ItemDraft:
    """Return a draft of the same item."""
    return ItemDraft.model_validate(
        item.model_dump(include=set(ItemDraft.model_fields))
        | {
            "modifiers": [
                m.model_dump(include=set(ModifierDraft.model_fields)) for m in item.modifiers
            ]
        }
    )


def essence(items: Sequence[ItemDraft] | Sequence[OrderItem]) -> list[tuple[object, ...]]:
    """Return what makes two lists of items the same order, whatever they cost."""
    return [
        (
            item.menu_item_id,
            item.quantity,
            item.size,
            item.special_instructions,
            item.slot,
            *((m.id, m.negated, m.qualifier, m.quantity) for m in item.modifiers),
        )
        for item in items
    ]
