"""Lines against the menu: what they still need, and how they go to the hub."""

from __future__ import annotations

from collections.abc import Sequence

from order_events.drafts import ItemDraft, ModifierDraft
from voice_service.ordering.acts import Mod
from voice_service.ordering.cart import Line
from voice_service.ordering.menu import CompiledMenu
from voice_service.ordering.model import Reason
from voice_service.ordering.readback import describe, joined, question
from voice_service.ordering.thresholds import DEFAULT, Thresholds


class Checks:
    """The menu's rules for lines of an order."""

    def __init__(self, menu: CompiledMenu, thresholds: Thresholds = DEFAULT) -> None:
        self._menu = menu
        self._thresholds = thresholds

    def lacking(self, lines: Sequence[Line], utterance: int) -> list[Reason]:
        """What the lines still need before they can be made."""
        reasons: list[Reason] = []
        for line in lines:
            item = self._menu.items[line.item]
            if self.unsized(line):
                sizes = [self._menu.sizes[s].name for s in item.prices]
                reasons.append(self._ask(utterance, "missing_size", item.name, sizes))
            for group_id in item.modifier_groups:
                reasons += self._group_limits(line, group_id, utterance)
            if line.count > self._thresholds.most_of_item:
                text = f"{line.count} {item.name}"
                reasons.append(self._ask(utterance, "quantity_limit", text, []))
            if line.confidence < self._thresholds.item_confidence:
                text = describe(self.draft(line), self._menu)
                reasons.append(self._ask(utterance, "low_confidence", text, []))
        if sum(line.count for line in lines) > self._thresholds.most_items:
            reasons.append(self._ask(utterance, "order_limit", "", []))
        return reasons

    def _group_limits(self, line: Line, group_id: str, utterance: int) -> list[Reason]:
        group = self._menu.groups[group_id]
        item = self._menu.items[line.item]
        chosen = _chosen_of(line, group_id)
        without = {m.id for m in line.mods if m.negated}
        present = chosen | (set(item.defaults) - without)
        count = len({m.id for m in group.modifiers} & present)
        if count < group.min:
            names = [m.name for m in group.modifiers]
            return [self._ask(utterance, "missing_choice", item.name, names, group=group.name)]
        if self._too_many(line, group_id):
            fields = {"group": group.name, "max": str(group.max)}
            return [self._ask(utterance, "too_many_choices", item.name, [], **fields)]
        return []

    def _ask(
        self, utterance: int, code: str, text: str, choices: list[str], **fields: str
    ) -> Reason:
        fields |= {"text": text, "choices": joined(choices, self._menu, word="or")}
        return Reason(code, text, utterance, question(code, self._menu, **fields))

    def complete(self, line: Line) -> bool:
        """Whether a line can be priced and made as it is."""
        item = self._menu.items[line.item]
        return not self.unsized(line) and not any(
            self._too_many(line, group) for group in item.modifier_groups
        )

    def _too_many(self, line: Line, group_id: str) -> bool:
        most = self._menu.groups[group_id].max
        return most is not None and len(_chosen_of(line, group_id)) > most

    def unsized(self, line: Line) -> bool:
        """Whether the guest has to be asked for the size."""
        item = self._menu.items[line.item]
        return bool(item.prices) and len(item.prices) > 1 and not (line.size or item.default_size)

    def draft(self, line: Line) -> ItemDraft:
        """The line as it goes to the hub, with what the menu fills in."""
        item = self._menu.items[line.item]
        size = line.size or item.default_size
        if size is None and len(item.prices) == 1:
            size = next(iter(item.prices))
        return ItemDraft(
            id=line.id,
            menu_item_id=line.item,
            quantity=line.count,
            size=size,
            modifiers=tuple(_modifier(m) for m in self._modifiers(line)),
            confidence=round(line.confidence, 3),
        )

    def _modifiers(self, line: Line) -> list[Mod]:
        """What was said, and for a plain item everything it comes with taken off."""
        item = self._menu.items[line.item]
        if not line.plain:
            return list(line.mods)
        said = {(m.group, m.id) for m in line.mods}
        name = item.name.lower()
        off = [
            Mod(default, group, negated=True)
            for default in item.defaults
            for group in item.modifier_groups
            if (group, default) in self._menu.modifiers
            and (group, default) not in said
            and self._menu.modifiers[group, default].name.lower() not in name
        ]
        return [*line.mods, *off]


def _chosen_of(line: Line, group_id: str) -> set[str]:
    return {m.id for m in line.mods if m.group == group_id and not m.negated}


def _modifier(mod: Mod) -> ModifierDraft:
    return ModifierDraft(
        id=mod.id,
        group=mod.group,
        qualifier=mod.qualifier,
        negated=mod.negated,
        quantity=min(max(mod.quantity, 1), 99),
    )
