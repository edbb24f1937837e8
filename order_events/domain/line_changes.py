"""Changes of an order's lines that its kitchen has not acknowledged yet. Pure.

They are kept from when the kitchen has the order, so that nothing is made from an outdated ticket.
"""

from __future__ import annotations

from collections.abc import Sequence

from order_events.domain.models import LineChange, OrderItem


def same(one: OrderItem, other: OrderItem) -> bool:
    """Return whether the kitchen makes the same of two lines, whatever they cost."""
    return _asked(one) == _asked(other)


def keeping_status(before: Sequence[OrderItem], after: Sequence[OrderItem]) -> list[OrderItem]:
    """Return the lines after a change; a line that is as it was keeps its status."""
    old = {item.id: item for item in before}
    return [
        item.model_copy(update={"status": old[item.id].status})
        if item.id in old and same(old[item.id], item)
        else item
        for item in after
    ]


def added_to(
    known: Sequence[LineChange],
    before: Sequence[OrderItem],
    after: Sequence[OrderItem],
    *,
    by: str,
    at: str,
) -> tuple[LineChange, ...]:
    """Return the changes that are to be acknowledged, with those from `before` to `after`.

    Of a line that changed twice there is one change, from what was acknowledged last to what it is
    now; a line that came and went is none.
    """
    changes = {change.item_id: change for change in known}
    old, new = {item.id: item for item in before}, {item.id: item for item in after}
    for id_ in dict.fromkeys((*old, *new)):
        was, now = old.get(id_), new.get(id_)
        if was is not None and now is not None and same(was, now):
            continue
        first = changes.pop(id_).before if id_ in changes else was
        if (first is None and now is None) or (first and now and same(first, now)):
            continue
        kind = "added" if first is None else "voided" if now is None else "changed"
        changes[id_] = LineChange(item_id=id_, change=kind, before=first, after=now, by=by, at=at)
    return tuple(changes.values())


def _asked(item: OrderItem) -> tuple[object, ...]:
    return (
        item.menu_item_id,
        item.quantity,
        item.size,
        item.special_instructions,
        item.slot,
        *((m.group, m.id, m.negated, m.qualifier, m.quantity) for m in item.modifiers),
    )
