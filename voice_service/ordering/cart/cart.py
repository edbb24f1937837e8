"""The order so far: lines, and what each act does to them. Every change can be undone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from voice_service.ordering.acts import (
    Act,
    Add,
    Ambiguity,
    Counting,
    ItemRequest,
    Keep,
    ModifierRequest,
    Modify,
    ModifyReferenced,
    Problem,
    Reference,
    ReferenceKind,
    Remove,
    Repeat,
    Replace,
    Restart,
    Target,
    Undo,
    not_understood,
)
from voice_service.ordering.cart.availability import MOST_OF_ONE, Stock
from voice_service.ordering.cart.lines import Line, latest, line_of, modified, replaced, targets
from voice_service.ordering.cart.removal import Takeout
from voice_service.ordering.cart.underspecified import (
    carried,
    is_ambiguous_change,
    lines_having,
    restored,
)
from voice_service.ordering.cart.undo import History
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.reasons import ReasonCode

_WITHOUT_THE_REST = 0.75  # certainty that "another with bacon" is not without onions as the last


class Cart(Takeout):
    """The lines of one order. `apply` changes them and answers with what could not be done.

    `closed` are items that are not served at this hour.
    """

    def __init__(self, menu: CompiledMenu, closed: frozenset[str] = frozenset()) -> None:
        self._stock = Stock(menu, closed)
        super().__init__(menu, self._stock.combos)
        self._history = History()
        self._filled: set[str] = set()
        self._removing = False  # the act before took something out, in the same breath

    def begin(self) -> None:
        """A new utterance: what a combo was just said to hold is settled."""
        self._filled, self._begun = set(), set()
        self._removing = False
        self._talked.begin()

    @property
    def wanted(self) -> tuple[str, ...]:
        """The items of which one has to be chosen for a combo."""
        slots = [slot for line in self.lines for slot in self._combos.open_slots(self.lines, line)]
        return tuple(dict.fromkeys(item for slot in slots for item in self._menu.fillings(slot)))

    def apply(self, act: Act, confidence: float) -> Problem | None:
        """Carries out one act; `confidence` is that of the words behind it."""
        if isinstance(act, Undo | Keep):
            return self._take_back(act) if isinstance(act, Undo) else self._keep(act)
        before = (self.lines, self._last)
        filled = set(self._filled)
        problem = self._apply(act, confidence)
        completes = bool((self._filled - filled) & self._begun)
        # A combo and what was chosen for it in the same breath are taken back together, and so is
        # all that was taken out at once.
        joined = completes or (isinstance(act, Remove) and self._removing)
        if (self.lines, self._last) != before and not joined:
            self._history.push(before)
        self._removing = isinstance(act, Remove)
        return problem

    def adopt(self, lines: Sequence[Line]) -> None:
        """Others have changed the order: it is as they left it, and they are not undone."""
        self.lines = tuple(lines)
        self._last = lines[-1].id if lines else None
        numbers = (int(line.id) for line in lines if line.id.isdecimal())
        self._next_id = max([self._next_id, *(number + 1 for number in numbers)])
        self._history.clear()
        self.begin()

    def settle(self, confidence: float) -> None:
        """The guest has said that lines below `confidence` are right."""
        self.lines = tuple(
            replace(line, confidence=1.0) if line.confidence < confidence else line
            for line in self.lines
        )

    def withdraw(self, confidence: float) -> None:
        """The guest has said that lines below `confidence` are wrong."""
        self._take([line for line in self.lines if line.confidence < confidence], None)

    def _apply(  # noqa: PLR0911 - one for each kind of change
        self, act: Act, confidence: float
    ) -> Problem | None:
        match act:
            case Add(group):
                return self._add(group, confidence)
            case Modify():
                return self._modify(act, confidence)
            case ModifyReferenced():
                return self._among(act, confidence)
            case Replace():
                return self._replace(act, confidence)
            case Remove():
                return self._remove(act)
            case Repeat():
                return self._repeat(act)
            case Restart():
                self.lines, self._last = (), None
            case _:
                pass
        return None

    def _take_back(self, act: Undo) -> Problem | None:
        if act.item and self._history and not self._history.put_in(self.lines):
            # "Cancel the last one": what was changed on it, or the item?
            return not_understood(act.text)
        return self._undo()

    def _undo(self) -> Problem | None:
        if not self._history:
            return Problem(ReasonCode.NOTHING_TO_UNDO, "")
        self.lines, self._last = self._history.pop()
        return None

    def _keep(self, act: Keep) -> Problem | None:
        """What was just taken out comes back; what is still there only stays."""
        off = not act.items and self._history.took_off(self.lines)
        if off or self._history.took_out(self.lines, act.items):
            return self._undo()
        if act.restores:
            line = restored(latest(self.lines, self._last, (), None))
            if line is None:
                return not_understood(act.text)
            self._put(line)
            return None
        if act.unclear:
            return not_understood(act.text)
        here = not act.items or any(line.item in act.items for line in self.lines)
        return None if here else Problem(ReasonCode.NOT_IN_ORDER, act.text)

    def _add(self, group: ItemRequest, confidence: float) -> Problem | None:
        refused = self._stock.refusal(group, self.lines)
        if refused is not None:
            return refused
        if group.counting.additional and group.size is None and not group.mods:
            same = latest(self.lines, self._last, (group.item,), None)
            if same is not None:
                self._put(replace(same, quantity=same.count + (group.quantity or 1)))
                return None
        if group.elided.choices:
            group, certainty = self._like_last(group)
            confidence *= certainty
        filled = self._fill(group, confidence)
        if not filled and group.counting.combos is not None and self._has_place_for(group.item):
            # "The second one with a sprite", and all that there are have their drink.
            return not_understood(self._menu.item_name(group.item))
        if not filled:
            self._append(line_of(self._new_id(), group, confidence))
        return None

    def _has_place_for(self, item: str) -> bool:
        whole = [line.item for line in self._whole()]
        return bool(self._menu.combos_with(item, whole))

    def _like_last(self, group: ItemRequest) -> tuple[ItemRequest, float]:
        """The group with what has to be chosen for it as the last of its kind has it, and how sure.

        Whether "another with bacon" is without onions as well nobody can say.
        """
        same = latest(self.lines, self._last, (group.item,), None)
        if same is None:
            return group, 1.0
        item = self._menu.items[group.item]
        said = {mod.group for mod in group.mods if not mod.negated}
        needed = {kind for kind in item.modifier_groups if self._menu.groups[kind].min}
        mods = [mod for mod in same.mods if mod.group in needed - said]
        # "Not decaf" takes back what the last one was.
        gone = {m.id for m in group.mods if m.negated and m.id not in item.defaults}
        rest = [m for m in same.mods if m.group not in needed and m.id not in gone]
        own = [m for m in group.mods if not (m.id in gone and any(m.id == x.id for x in same.mods))]
        group = replace(group, size=group.size or same.size, mods=[*mods, *own])
        return group, _WITHOUT_THE_REST if same.plain or rest else 1.0

    def _fill(self, group: ItemRequest, confidence: float) -> bool:
        """Puts an item where a combo has a place for it; False if it is one of its own."""
        recent = {self._last, *self._filled}
        combos = group.counting.combos
        if combos is not None:
            place = self._combos.place_of(self.lines, group, combos, self._filled)
        else:
            place = self._combos.place(self.lines, group, recent, self._filled)
        if place is None:
            return False
        combo, slot, only = place
        if only is not None:
            combo = self._split_off(combo, only)
        part = line_of(self._new_id(), group, confidence)
        self.lines = self._combos.put(self.lines, combo, slot, part)
        self._filled.add(combo.id)
        self._last = combo.id
        if group.counting.shared:
            self.lines = self._combos.shared(self.lines, part, self._new_id)
        more = (group.quantity or 1) - combo.count
        if more > 0:
            self._append(replace(part, id=self._new_id(), quantity=more))
        return True

    def _modify(self, act: Modify, confidence: float) -> Problem | None:
        lines = lines_having(targets(self.lines, self._last, act.target), act, self._menu)
        if not lines:
            return Problem(ReasonCode.WHAT_FIRST, act.text or self._mod_names(act.mods))
        if {line.part_of is None for line in lines} == {True, False}:
            # "The coke": that of the combo, or the other one?
            return not_understood(act.text or self._menu.item_name(lines[0].item))
        if act.only is not None:
            some = self._meant(Reference(ReferenceKind.SOME, act.only, text=act.text), lines)
            if not some:
                return not_understood(act.text)
            lines = [line for line, _ in some]
        problems = (self._change(line, act, confidence) for line in lines)
        return next((problem for problem in problems if problem is not None), None)

    def _change(self, line: Line, act: Modify, confidence: float) -> Problem | None:
        if self._combos.is_combo(line):
            return self._modify_combo(line, act, confidence)
        return self._modify_line(line, act, confidence)

    def _among(self, act: ModifyReferenced, confidence: float) -> Problem | None:
        """Changes the lines that are pointed at, or says that nobody can tell which."""
        fitting = {change.target.items[0]: change for change in act.changes}
        changes: dict[str, Modify] = {}
        for line in self._whole():
            own = (line.item, *(part.item for part in self._combos.parts(self.lines, line)))
            found = next((fitting[item] for item in own if item in fitting), None)
            if found is not None:
                changes[line.id] = found
        fits = [line for line in self._whole() if line.id in changes]
        if act.ref.which is ReferenceKind.SOME:
            if act.ref.count > sum(line.count for line in fits):
                named = act.changes[0].target.items[0]
                return Problem(ReasonCode.AMBIGUOUS_QUANTITY, self._menu.item_name(named))
            fits = self._undecided(fits, changes) or fits
        lines = self._meant(act.ref, fits)
        for line, count in lines:
            change = replace(changes[line.id], target=Target(), only=count)
            problem = self._change(line, change, confidence)
            if problem is not None:
                return problem
            self._tell_apart(act.ref)
        return None if lines else not_understood(act.ref.text)

    def _undecided(self, lines: Sequence[Line], changes: Mapping[str, Modify]) -> list[Line]:
        """Those that still lack a choice that there is one of: "two chicken" of four tacos."""
        kinds = {m.group for change in changes.values() for m in change.mods if not m.negated}
        single = {g for line in lines for g in self._menu.single_groups(line.item)}
        return [x for x in lines if (kinds & single).isdisjoint(m.group for m in x.mods)]

    def _modify_combo(self, combo: Line, act: Modify, confidence: float) -> Problem | None:
        """Size and number are the combo's; toppings go to the part that takes them."""
        if act.only is not None and act.only < combo.count:
            combo = self._split_off(combo, act.only)
            act = replace(act, only=None)
        for said in act.mods:
            mod = self._combos.as_taken(self.lines, combo, said)
            host = self._combos.host(self.lines, combo, mod)
            if host is None:
                return Problem(
                    ReasonCode.MODIFIER_NOT_AVAILABLE, act.text or self._mod_names((mod,))
                )
            self._modify_line(host, Modify(Target(), (mod,)), confidence)
        parts = self._combos.parts(self.lines, combo)
        if act.plain and parts:
            self._put(replace(parts[0], plain=True))
        return self._modify_line(combo, replace(act, mods=(), plain=False), confidence)

    def _modify_line(self, line: Line, act: Modify, confidence: float) -> Problem | None:
        item = self._menu.items[line.item]
        if act.size is not None and act.size not in item.prices:
            return Problem(ReasonCode.SIZE_NOT_AVAILABLE, act.text, request=ItemRequest(line.item))
        foreign = tuple(m for m in act.mods if not self._menu.has_group(item.id, m.group))
        if foreign:
            return Problem(ReasonCode.MODIFIER_NOT_AVAILABLE, self._mod_names(foreign))
        if line.part_of is not None and act.quantity is not None:
            return Problem(ReasonCode.PART_OF_COMBO, item.name)
        if is_ambiguous_change(line, act, self._menu):
            return not_understood(act.text or self._mod_names(act.mods))
        if act.only is not None and act.only < line.count:
            line = self._split_off(line, act.only)
        quantity = act.quantity or line.quantity
        if (quantity or 1) > MOST_OF_ONE:
            return Problem(
                ReasonCode.QUANTITY_LIMIT, self._menu.counted_name(item.id, quantity or 1)
            )
        single = [] if act.adds else self._menu.single_groups(item.id)
        self._put(modified(line, act, item.defaults, confidence, single))
        return None

    def _replace(self, act: Replace, confidence: float) -> Problem | None:
        ref, group = act.target.ref, act.request
        if ref is not None:
            pointed = self._meant(ref, self._whole())
            for line, count in pointed:
                own = group if ref.which is ReferenceKind.THESE else replace(group, quantity=None)
                here = replace(act, request=own, only=count)
                problem = self._replace_line(line, here, confidence)
                if problem is not None:
                    return problem
                self._tell_apart(ref)
            if pointed or not act.target.items:
                return None if pointed else not_understood(ref.text)
        lines = targets(self.lines, self._last, act.target)
        if not lines:
            return self._add(group, confidence)
        return self._replace_line(lines[-1], act, confidence)

    def _replace_line(self, old: Line, act: Replace, confidence: float) -> Problem | None:
        group = act.request
        refused = self._stock.refusal(group, self.lines)
        if refused is not None:
            return refused
        if old.part_of is not None or self._combos.is_combo(old):
            if self._replace_part(old, group, confidence):
                return None
            if old.part_of is not None or self._combos.has_part(self.lines, old, group.item):
                return Problem(ReasonCode.PART_OF_COMBO, self._menu.item_name(group.item))
        if act.alike and not self._alike(old.item, group.item):
            return self._add(group, confidence)
        if act.only is not None and act.only < old.count:
            old = self._split_off(old, act.only)
        if self._menu.items[group.item].slots:
            self._make_combo(old, group, confidence)
        else:
            stays = carried(old, group, self._menu)
            single, sizes = self._menu.single_groups(group.item), self._sizes(group)
            new = replaced(old, group, confidence, sizes, stays, anew=act.anew, single=single)
            self._put(new)
            self.lines = tuple(line for line in self.lines if line.part_of != old.id)
        return None

    def _replace_part(self, old: Line, group: ItemRequest, confidence: float) -> bool:
        """Puts an item where a combo has another; False if the combo has no place for it."""
        combo = next(line for line in self.lines if line.id == (old.part_of or old.id))
        slot = self._combos.slot_for(self.lines, combo, group.item, taken=True)
        if slot is None or (old.part_of is not None and slot.id != old.slot):
            return False
        was = [part for part in self._combos.parts(self.lines, combo) if part.slot == slot.id]
        if was and was[0].item == group.item and not (group.size or group.mods):
            return False
        part = line_of(self._new_id(), group, confidence)
        new = replaced(was[0], group, confidence, self._sizes(group)) if was else part
        self.lines = self._combos.put(self.lines, combo, slot, new)
        self._last = combo.id
        return True

    def _make_combo(self, old: Line, group: ItemRequest, confidence: float) -> None:
        """A combo in the place of an item, or of another combo, that it takes over."""
        carried = [part for part in self._combos.parts(self.lines, old) if part.chosen] or [old]
        combo = replaced(old, group, confidence, self._sizes(group))
        rest = [line for line in self.lines if line.part_of != old.id]
        at = next(i for i, line in enumerate(rest) if line.id == old.id)
        rest[at : at + 1] = self._combos.with_defaults(combo, self._new_id)
        self.lines = tuple(rest)
        for part in [*carried, *self._combos.beside(self.lines, combo)]:
            slot = self._combos.slot_for(self.lines, combo, part.item, taken=True)
            if slot is not None and not self._combos.chosen(self.lines, combo, slot):
                if part.id != combo.id:
                    self._take([part], None)
                moved = replace(part, id=self._new_id())
                self.lines = self._combos.put(self.lines, combo, slot, moved)
        self._last = combo.id

    def _sizes(self, group: ItemRequest) -> Collection[str]:
        return self._menu.items[group.item].prices

    def _alike(self, one: str, other: str) -> bool:
        return self._menu.items[one].category == self._menu.items[other].category

    def _repeat(self, act: Repeat) -> Problem | None:
        line = latest(self.lines, self._last, (), None)
        if line is None:
            return Problem(ReasonCode.WHAT_FIRST, "")
        if act.bare and self._history.took_out(self.lines, ()):
            return not_understood("")  # another one, or one less?
        recent = [one.item for one in self._whole() if one.id in self._talked.recent]
        choices = tuple(dict.fromkeys(recent))
        if act.bare and len(choices) > 1:
            group = ItemRequest(
                choices[0],
                act.quantity,
                counting=Counting(additional=True),
                ambiguity=Ambiguity(choices),
            )
            names = tuple(self._menu.item_name(item) for item in choices)
            return Problem(ReasonCode.AMBIGUOUS_ITEM, "", names, group)
        self._put(replace(line, quantity=line.count + act.quantity))
        return None

    def _mod_names(self, mods: Sequence[ModifierRequest]) -> str:
        return ", ".join(self._menu.modifiers[m.group, m.id].name for m in mods)
