"""Lines against the menu: what they still need, and how they go to the hub."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from order_events.domain.combos import included_size
from order_events.domain.drafts import ItemDraft, ModifierDraft
from order_events.menu.entries import Slot
from voice_service.ordering.acts import ModifierRequest
from voice_service.ordering.cart.lines import Line
from voice_service.ordering.dialogue.policy import DEFAULT, Thresholds
from voice_service.ordering.dialogue.readback import describe, joined, question, subtotal
from voice_service.ordering.dialogue.turns import Reason
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.reasons import ReasonCode

_MOST_NAMED = 6  # more choices than these are not read out


class LineChecks:
    """Checks the lines of an order against the menu's rules."""

    def __init__(self, menu: CompiledMenu, thresholds: Thresholds = DEFAULT) -> None:
        self._menu = menu
        self._thresholds = thresholds
        self._least = thresholds.least_confidence

    def lacking(self, lines: Sequence[Line], utterance: int) -> list[Reason]:
        """Return what the lines still need before they can be made."""
        reasons: list[Reason] = []
        for line in lines:
            item = self._menu.items[line.item]
            if self.unsized(line, lines):
                sizes = [self._menu.sizes[s].name for s in item.prices]
                reasons.append(self._ask(utterance, ReasonCode.MISSING_SIZE, item.name, sizes))
            reasons += self._missing_parts(line, lines, utterance)
            for group_id in item.modifier_groups:
                reasons += self._group_limits(line, group_id, utterance)
            if line.doubtful(self._least):
                text = describe(self.draft(line, lines), self._menu)
                reasons.append(self._ask(utterance, ReasonCode.LOW_CONFIDENCE, text, []))
        return [*reasons, *self._limits(lines, utterance)]

    def _limits(self, lines: Sequence[Line], utterance: int) -> list[Reason]:
        """Return what is more than anybody orders without a person looking at it."""
        counts: Counter[str] = Counter()
        for line in lines:
            counts[line.item] += self._count(line, lines)
        reasons = [
            self._ask(utterance, ReasonCode.QUANTITY_LIMIT, self._menu.counted_name(item, n), [])
            for item, n in counts.items()
            if n > self._thresholds.most_of_item
        ]
        reasons += [
            self._ask(
                utterance, ReasonCode.QUANTITY_LIMIT, self._menu.modifiers[m.group, m.id].name, []
            )
            for line in lines
            for m in line.mods
            if m.quantity > self._thresholds.most_of_item
        ]
        if sum(line.count for line in lines if line.part_of is None) > self._thresholds.most_items:
            reasons.append(self._ask(utterance, ReasonCode.ORDER_LIMIT, "", []))
        placed = [self.draft(line, lines) for line in lines if self.complete(line, lines)]
        if subtotal(placed, self._menu) > self._thresholds.most_total:
            reasons.append(self._ask(utterance, ReasonCode.TOTAL_LIMIT, "", []))
        return reasons

    def _missing_parts(self, line: Line, lines: Sequence[Line], utterance: int) -> list[Reason]:
        """Return the open slots of a combo, and what was said of it and fits no part."""
        item = self._menu.items[line.item]
        reasons = []
        for slot in self._open_slots(line, lines):
            names = [self._menu.item_name(i) for i in self._menu.fillings(slot)]
            few = names if len(names) <= _MOST_NAMED else []
            reasons.append(
                self._ask(
                    utterance, ReasonCode.MISSING_CHOICE, item.name, few, names, group=slot.name
                )
            )
        if item.slots and line.mods and not reasons:
            names = [self._menu.modifiers[m.group, m.id].name for m in line.mods]
            text = joined(names, self._menu)
            reasons.append(self._ask(utterance, ReasonCode.MODIFIER_NOT_AVAILABLE, text, []))
        return reasons

    def _group_limits(self, line: Line, group_id: str, utterance: int) -> list[Reason]:
        """Return whether too few or too many of a modifier group were chosen, as a reason."""
        group = self._menu.groups[group_id]
        item = self._menu.items[line.item]
        chosen = _chosen_of(line, group_id)
        without = {m.id for m in line.mods if m.negated}
        present = chosen | (set(item.defaults) - without)
        count = len({m.id for m in group.modifiers} & present)
        if count < group.min:
            names = [m.name for m in group.modifiers]
            return [
                self._ask(utterance, ReasonCode.MISSING_CHOICE, item.name, names, group=group.name)
            ]
        if self._too_many(line, group_id):
            fields = {"group": group.name, "max": str(group.max)}
            return [self._ask(utterance, ReasonCode.TOO_MANY_CHOICES, item.name, [], **fields)]
        return []

    def _ask(
        self,
        utterance: int,
        code: ReasonCode,
        text: str,
        choices: Sequence[str],
        offered: Sequence[str] = (),
        **fields: str,
    ) -> Reason:
        """Return the reason with its question; `offered` are choices that are not read out."""
        fields |= {"text": text, "choices": joined(choices, self._menu, word="or")}
        offered = offered or choices
        if code is ReasonCode.LOW_CONFIDENCE:
            offered = [self._menu.language.texts[answer] for answer in ("yes", "no")]
        asked = question(code, self._menu, **fields)
        return Reason(code, text, utterance, asked, tuple(offered))

    def complete(self, line: Line, lines: Sequence[Line]) -> bool:
        """Return whether a line can be priced and made as it is; a combo only as a whole."""
        combo = _combo_of(line, lines) or line
        return self._fits(combo, lines) and all(
            self._fits(part, lines) for part in lines if part.part_of == combo.id
        )

    def _fits(self, line: Line, lines: Sequence[Line]) -> bool:
        item = self._menu.items[line.item]
        return (
            not self.unsized(line, lines)
            and not self._open_slots(line, lines)
            and not any(self._too_many(line, group) for group in item.modifier_groups)
        )

    def _too_many(self, line: Line, group_id: str) -> bool:
        most = self._menu.groups[group_id].max
        return most is not None and len(_chosen_of(line, group_id)) > most

    def _open_slots(self, line: Line, lines: Sequence[Line]) -> list[Slot]:
        filled = {part.slot for part in lines if part.part_of == line.id}
        return [slot for slot in self._menu.items[line.item].slots if slot.id not in filled]

    def unsized(self, line: Line, lines: Sequence[Line]) -> bool:
        """Return whether the guest has to be asked for the size."""
        item = self._menu.items[line.item]
        return len(item.prices) > 1 and self._size(line, lines) is None

    def draft(self, line: Line, lines: Sequence[Line]) -> ItemDraft:
        """Return the line as it goes to the hub, with what the menu fills in."""
        return ItemDraft(
            id=line.id,
            menu_item_id=line.item,
            quantity=self._count(line, lines),
            size=self._size(line, lines),
            modifiers=tuple(_modifier(m) for m in self._modifiers(line)),
            confidence=round(line.confidence, 3),
            part_of=line.part_of,
            slot=line.slot,
        )

    def _count(self, line: Line, lines: Sequence[Line]) -> int:
        combo = _combo_of(line, lines)
        return (combo or line).count

    def _size(self, line: Line, lines: Sequence[Line]) -> str | None:
        """Return the size said, or the one that the combo or the menu gives."""
        item = self._menu.items[line.item]
        combo = _combo_of(line, lines)
        if line.size is not None:
            return line.size
        if combo is not None:
            whole = self._menu.items[combo.item]
            slot = next(slot for slot in whole.slots if slot.id == line.slot)
            choice = self._menu.filling(slot, line.item)
            if choice is not None:
                return included_size(choice, combo.size or whole.default_size, item)
        if item.default_size is None and len(item.prices) == 1:
            return next(iter(item.prices))
        return item.default_size

    def _modifiers(self, line: Line) -> list[ModifierRequest]:
        """Return what was said; a plain item has everything put onto it taken off.

        What is chosen rather than put on, such as hot or iced, stays.
        """
        item = self._menu.items[line.item]
        if item.slots:
            return []
        if not line.plain:
            return list(line.mods)
        named = {(m.group, m.id) for m in line.mods}
        chosen = self._menu.single_groups(item.id)
        name = item.name.lower()
        off = [
            ModifierRequest(default, group, negated=True)
            for default in item.defaults
            for group in item.modifier_groups
            if (group, default) in self._menu.modifiers
            and group not in chosen
            and (group, default) not in named
            and self._menu.modifiers[group, default].name.lower() not in name
        ]
        return [*line.mods, *off]


def _combo_of(line: Line, lines: Sequence[Line]) -> Line | None:
    return next((one for one in lines if one.id == line.part_of), None)


def _chosen_of(line: Line, group_id: str) -> set[str]:
    return {m.id for m in line.mods if m.group == group_id and not m.negated}


def _modifier(mod: ModifierRequest) -> ModifierDraft:
    return ModifierDraft(
        id=mod.id,
        group=mod.group,
        qualifier=mod.qualifier,
        negated=mod.negated,
        quantity=min(max(mod.quantity, 1), 99),
    )
