"""The order in words, for a screen or a voice."""

from __future__ import annotations

from collections.abc import Sequence
from string import Formatter

from order_events.domain.combos import part_price
from order_events.domain.drafts import ItemDraft, ModifierDraft
from voice_service.ordering.language.tokens import plural
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.reasons import ReasonCode


def read_back(items: Sequence[ItemDraft], menu: CompiledMenu, *, confirmed: bool) -> str:
    """Return the whole order with its subtotal (before tax)."""
    texts = menu.language.texts
    if not items:
        return texts["nothing"]
    lines = joined([_with_parts(item, items, menu) for item in items if not item.part_of], menu)
    total = money(subtotal(items, menu), menu)
    lines = lines[:1].upper() + lines[1:]
    return texts["confirmed" if confirmed else "total"].format(items=lines, subtotal=total)


def read_change(before: Sequence[ItemDraft], after: Sequence[ItemDraft], menu: CompiledMenu) -> str:
    """Return what was added, changed and removed between two states of an order, with prices."""
    texts = menu.language.texts
    old, new = _priced_lines(before, menu), _priced_lines(after, menu)
    sentences = []
    for line, (item, cents) in new.items():
        if line not in old or old[line] != (item, cents):
            text = texts["added" if line not in old else "changed"]
            sentences.append(text.format(item=item, price=money(cents, menu)))
    sentences += [texts["removed"].format(item=old[line][0]) for line in old if line not in new]
    return " ".join(sentences)


def _priced_lines(
    items: Sequence[ItemDraft], menu: CompiledMenu
) -> dict[str | None, tuple[str, int]]:
    """Return the words and the price of each line; a combo's includes its parts."""
    return {
        item.id: (
            _with_parts(item, items, menu),
            subtotal([i for i in items if item.id in (i.id, i.part_of)], menu),
        )
        for item in items
        if item.part_of is None
    }


def _with_parts(item: ItemDraft, items: Sequence[ItemDraft], menu: CompiledMenu) -> str:
    """Return a line in words; a combo with its parts, of which there are as many."""
    single = [p.model_copy(update={"quantity": 1}) for p in items if p.part_of == item.id]
    parts = [_bare(part, menu) for part in single]
    if not parts or item.part_of is not None:
        return describe(item, menu)
    return describe(item, menu) + menu.language.texts["parts"].format(names=joined(parts, menu))


def describe(item: ItemDraft, menu: CompiledMenu) -> str:
    """Return one line: "2 Large Coca-Colas with no Ice", "1 order of Fries"."""
    name = menu.item_name(item.menu_item_id)
    several = plural(name, menu.language) == name
    text = menu.language.texts["portion" if several and item.quantity == 1 else "line"]
    return text.format(quantity=item.quantity, item=_bare(item, menu))


def _bare(item: ItemDraft, menu: CompiledMenu) -> str:
    """Return a line without its number: size, name, what had to be chosen, and changes."""
    texts = menu.language.texts
    name = menu.item_name(item.menu_item_id)
    if item.quantity > 1:
        name = plural(name, menu.language)
    if item.size is not None:
        name = texts["sized"].format(size=menu.sizes[item.size].name, name=name)
    chosen = [_name(m, menu) for m in item.modifiers if _answers(m, menu)]
    if chosen:
        name = texts["chosen"].format(name=name, names=texts["list_separator"].join(chosen))
    # "No onions and bacon" would be no bacon either, so what is left off comes last.
    others = sorted(item.modifiers, key=lambda m: m.negated)
    names = [_modifier(m, menu) for m in others if not _answers(m, menu)]
    return name + (texts["with"].format(names=joined(names, menu)) if names else "")


def _answers(modifier: ModifierDraft, menu: CompiledMenu) -> bool:
    """Return whether a modifier is the one choice that its group demands: "Medium", of a burger."""
    group = menu.groups[modifier.group or ""]
    plainly = not modifier.negated and modifier.qualifier is None and modifier.quantity == 1
    return plainly and group.min == 1 == group.max


def subtotal(items: Sequence[ItemDraft], menu: CompiledMenu) -> int:
    """Return what the lines cost together, in cents before tax."""
    lines = {item.id: item for item in items}
    return sum(price(item, menu, lines.get(item.part_of)) for item in items)


def price(item: ItemDraft, menu: CompiledMenu, combo: ItemDraft | None = None) -> int:
    """Return what a line costs, in cents before tax; what it comes with is free, unless extra.

    `combo` is the line that it is a part of, if any.
    """
    known = menu.items[item.menu_item_id]
    each = known.price if known.price is not None else known.prices.get(item.size or "", 0)
    if combo is not None:
        each = _upcharge(item, combo, menu)
    for modifier in item.modifiers:
        if not modifier.negated and modifier.group is not None:
            free = modifier.id in known.defaults and modifier.qualifier != "extra"
            each += (modifier.quantity - free) * menu.modifiers[modifier.group, modifier.id].price
    return each * item.quantity


def _upcharge(item: ItemDraft, combo: ItemDraft, menu: CompiledMenu) -> int:
    slots = menu.items[combo.menu_item_id].slots
    choices = [menu.filling(slot, item.menu_item_id) for slot in slots if slot.id == item.slot]
    known = menu.items[item.menu_item_id]
    return sum(part_price(item.size, choice, combo.size, known) for choice in choices if choice)


def money(cents: int, menu: CompiledMenu) -> str:
    """Return an amount as people write it; with a dollar sign only if it is in dollars."""
    amount = f"{cents // 100}.{cents % 100:02d}"
    return f"${amount}" if menu.menu.currency == "USD" else f"{amount} {menu.menu.currency}"


def joined(names: Sequence[str], menu: CompiledMenu, *, word: str = "and") -> str:
    """Return names as a list: "a, b and c"."""
    texts = menu.language.texts
    if len(names) < 2:
        return "".join(names)
    return f"{texts['list_separator'].join(names[:-1])} {texts[word]} {names[-1]}"


def question(code: ReasonCode, menu: CompiledMenu, **fields: str) -> str | None:
    """Return what to ask the guest about a reason, or None if nothing has to be asked."""
    if not code.handling.asks:
        return None
    # A choice among many is asked for without reading them out.
    unlisted = code is ReasonCode.MISSING_CHOICE and not fields.get("choices")
    text = menu.language.texts["missing_part" if unlisted else code]
    wanted = {name for _, name, _, _ in Formatter().parse(text) if name}
    return text.format(**{name: fields.get(name, "") for name in wanted})


def _name(modifier: ModifierDraft, menu: CompiledMenu) -> str:
    return menu.modifiers[modifier.group or "", modifier.id].name


def _modifier(modifier: ModifierDraft, menu: CompiledMenu) -> str:
    texts, name = menu.language.texts, _name(modifier, menu)
    if modifier.quantity > 1:
        name = texts["times"].format(quantity=modifier.quantity, name=name)
    if modifier.negated:
        return texts["without"].format(name=name)
    if modifier.qualifier is not None:
        return texts[modifier.qualifier].format(name=name)
    return texts["added_modifier"].format(name=name)
