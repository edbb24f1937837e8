"""The order in words, for a screen or a voice."""

from __future__ import annotations

from collections.abc import Sequence
from string import Formatter

from order_events.drafts import ItemDraft, ModifierDraft
from voice_service.ordering.menu import CompiledMenu


def read_back(items: Sequence[ItemDraft], menu: CompiledMenu, *, confirmed: bool) -> str:
    """The whole order with its subtotal (before tax)."""
    texts = menu.language.texts
    if not items:
        return texts["nothing"]
    lines = joined([describe(item, menu) for item in items], menu)
    total = money(sum(price(item, menu) for item in items), menu)
    lines = lines[:1].upper() + lines[1:]
    return texts["confirmed" if confirmed else "total"].format(items=lines, subtotal=total)


def describe(item: ItemDraft, menu: CompiledMenu) -> str:
    """One line: "2 Large Coca-Cola with no Ice"."""
    texts = menu.language.texts
    size = f"{menu.sizes[item.size].name} " if item.size is not None else ""
    names = [_modifier(m, menu) for m in item.modifiers]
    modifiers = texts["with"].format(names=joined(names, menu)) if names else ""
    return texts["line"].format(
        quantity=item.quantity,
        size=size,
        name=menu.item_name(item.menu_item_id),
        modifiers=modifiers,
    )


def price(item: ItemDraft, menu: CompiledMenu) -> int:
    """What a line costs, in cents before tax; what it comes with is free, unless extra."""
    known = menu.items[item.menu_item_id]
    each = known.price if known.price is not None else known.prices.get(item.size or "", 0)
    for modifier in item.modifiers:
        if not modifier.negated and modifier.group is not None:
            free = modifier.id in known.defaults and modifier.qualifier != "extra"
            each += (modifier.quantity - free) * menu.modifiers[modifier.group, modifier.id].price
    return each * item.quantity


def money(cents: int, menu: CompiledMenu) -> str:
    """An amount as people write it; the dollar sign only where it is dollars."""
    amount = f"{cents // 100}.{cents % 100:02d}"
    return f"${amount}" if menu.menu.currency == "USD" else f"{amount} {menu.menu.currency}"


def joined(names: Sequence[str], menu: CompiledMenu, *, word: str = "and") -> str:
    """Names as a list: "a, b and c"."""
    texts = menu.language.texts
    if len(names) < 2:
        return "".join(names)
    return f"{texts['list_separator'].join(names[:-1])} {texts[word]} {names[-1]}"


def question(code: str, menu: CompiledMenu, **fields: str) -> str | None:
    """What to ask for a reason of this code, or None."""
    text = menu.language.texts.get(code)
    if text is None:
        return None
    wanted = {name for _, name, _, _ in Formatter().parse(text) if name}
    return text.format(**{name: fields.get(name, "") for name in wanted})


def _modifier(modifier: ModifierDraft, menu: CompiledMenu) -> str:
    texts = menu.language.texts
    name = menu.modifiers[modifier.group or "", modifier.id].name
    if modifier.quantity > 1:
        name = texts["times"].format(quantity=modifier.quantity, name=name)
    if modifier.negated:
        return texts["without"].format(name=name)
    if modifier.qualifier is not None:
        return texts[modifier.qualifier].format(name=name)
    return name
