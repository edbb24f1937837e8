"""The modifiers of one order line: found on the menu, counted and priced. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from order_events.domain.drafts import MAX_QUANTITY, ModifierDraft
from order_events.domain.models import OrderModifier
from order_events.menu.entries import MenuItem, Modifier
from order_events.menu.menu import Menu
from order_events.protocol.errors import InvalidOrder, UnknownItem


def price_modifiers(
    drafts: Sequence[ModifierDraft], item: MenuItem, menu: Menu
) -> tuple[OrderModifier, ...]:
    """Return the modifiers with names and prices from the menu; duplicates are added up.

    Raises UnknownItem or InvalidOrder.
    """
    found = [_find(draft, item, menu) for draft in drafts]
    priced = _joined(
        [_priced(*place, draft) for place, draft in zip(found, drafts, strict=True)], item
    )
    _check_with_and_without(priced, item)
    _check_most(priced, item, menu)
    return priced


def extras(modifiers: Iterable[OrderModifier], item: MenuItem) -> int:
    """Return what the modifiers add to one item, in cents.

    Of each modifier that the item comes with, one is free.
    """
    included = set(item.defaults)
    cents = 0
    for modifier in modifiers:
        if modifier.negated:
            continue
        free = modifier.id in included and modifier.qualifier != "extra"
        if free:
            included.discard(modifier.id)
        cents += modifier.price * (modifier.quantity - free)
    return cents


def _find(draft: ModifierDraft, item: MenuItem, menu: Menu) -> tuple[str, Modifier]:
    """Return the modifier, and the first of the item's groups, in menu order, that has it."""
    groups = menu.index.groups_of(item)
    for group in groups if draft.group is None else [g for g in groups if g == draft.group]:
        modifier = menu.index.modifiers[group].get(draft.id)
        if modifier is not None:
            return group, modifier
    raise UnknownItem(f"{item.name} has no modifier {draft.id!r}")


def _priced(group: str, modifier: Modifier, draft: ModifierDraft) -> OrderModifier:
    return OrderModifier(
        id=modifier.id,
        group=group,
        name=modifier.name,
        price=0 if draft.negated else modifier.price,
        qualifier=draft.qualifier,
        negated=draft.negated,
        quantity=draft.quantity,
    )


def _joined(modifiers: Sequence[OrderModifier], item: MenuItem) -> tuple[OrderModifier, ...]:
    joined: dict[tuple[str, str, str | None, bool], OrderModifier] = {}
    for modifier in modifiers:
        key = (modifier.group, modifier.id, modifier.qualifier, modifier.negated)
        earlier = joined.get(key)
        joined[key] = modifier if earlier is None else _both(earlier, modifier, item)
    return tuple(joined.values())


def _both(one: OrderModifier, other: OrderModifier, item: MenuItem) -> OrderModifier:
    if one.negated:
        # A modifier left off is left off once, however often it is repeated.
        return one
    quantity = one.quantity + other.quantity
    if quantity > MAX_QUANTITY:
        raise InvalidOrder(f"{item.name}: at most {MAX_QUANTITY} of {one.name}")
    return one.model_copy(update={"quantity": quantity})


def _check_with_and_without(modifiers: Sequence[OrderModifier], item: MenuItem) -> None:
    without = {(m.group, m.id) for m in modifiers if m.negated}
    for modifier in modifiers:
        if not modifier.negated and (modifier.group, modifier.id) in without:
            raise InvalidOrder(f"{item.name}: both with and without {modifier.name}")


def _check_most(modifiers: Sequence[OrderModifier], item: MenuItem, menu: Menu) -> None:
    chosen: dict[str, set[str]] = {}
    for modifier in modifiers:
        if not modifier.negated:
            chosen.setdefault(modifier.group, set()).add(modifier.id)
    for group_id, ids in chosen.items():
        group = menu.index.groups[group_id]
        if group.max is not None and len(ids) > group.max:
            raise InvalidOrder(f"{item.name}: at most {group.max} of {group.name}")
