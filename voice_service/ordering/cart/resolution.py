"""Which lines of the order a guest points at: "the first two", "one of them", "both"."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from voice_service.ordering.acts import Description, Reference, ReferenceKind
from voice_service.ordering.cart.lines import Line
from voice_service.ordering.menu.compiled import CompiledMenu

Meant = list[tuple[Line, int]]
"""Lines, and how many of each."""

_PAIR = 2


@dataclass
class Focus:
    """What was talked about: the last line, those told apart, and those of the last utterance."""

    last: str | None = None
    distinguished: set[str] = field(default_factory=set)
    current: set[str] = field(default_factory=set)
    previous: set[str] = field(default_factory=set)

    def begin(self) -> None:
        """A new utterance."""
        self.previous = self.current or self.previous
        self.current, self.distinguished = set(), set()

    @property
    def recent(self) -> set[str]:
        """The lines that this utterance was about so far, or else the one before."""
        return self.current or self.previous


def resolve_reference(  # noqa: PLR0911 - one for each way to point
    ref: Reference, lines: Sequence[Line], fits: Sequence[Line], talked: Focus
) -> Meant:
    """The lines that `ref` means, of `lines` in the order said; none where nobody can say.

    `fits`: those that what is said of them can be true of.
    """
    if ref.items:
        fits = [x for x in fits if x.item in ref.items]
    match ref.which:
        case ReferenceKind.SOME:
            return _some(ref.count, fits, talked)
        case ReferenceKind.BUT:
            return _all_but(ref.count, fits)
        case ReferenceKind.BOTH:
            return _both(fits, talked.recent)
        case ReferenceKind.ALL:
            return _whole(fits)
        case ReferenceKind.OTHER | ReferenceKind.OF_OTHERS:
            return _other(ref, fits, talked)
        case ReferenceKind.PLACE:
            return _at(ref, lines, fits)
        case ReferenceKind.EACH:
            enough = len(fits) > 1 and all(x.count >= ref.count for x in fits)
            return [(x, ref.count) for x in fits] if enough else []
        case ReferenceKind.HALF:
            halves = len(fits) == 1 and fits[0].count % 2 == 0
            return [(fits[0], fits[0].count // 2)] if halves else []
        case ReferenceKind.LAST:
            last = [x for x in fits if x.id == talked.last] or fits
            return _whole(last) if len(last) == 1 == last[0].count else []
        case ReferenceKind.SUCH:
            singular = ref.such is not None and not ref.such.several
            return [] if singular and sum(x.count for x in fits) != 1 else _whole(fits)
        case ReferenceKind.THESE:
            return _whole([x for x in fits if x.id == talked.last and x.count == ref.count])


def _some(count: int, fits: Sequence[Line], talked: Focus) -> Meant:
    untold = [x for x in _of_those_told(fits, talked.distinguished) if x.count >= count]
    narrow = [x for x in untold if x.id in talked.recent]
    several = sum(x.count for x in narrow) > count
    choice = narrow if several or talked.distinguished else untold
    alone = count == 1 == sum(x.count for x in fits)
    if not choice or alone or not all(_alike(x, choice[-1]) for x in choice):
        return []
    return [(choice[-1], count)]


def _of_those_told(fits: Sequence[Line], told: Collection[str]) -> list[Line]:
    """Those not told apart so far, of the items of which some were."""
    items = {x.item for x in fits if x.id in told}
    untold = [x for x in fits if x.id not in told]
    return [x for x in untold if x.item in items] or untold


def _all_but(count: int, fits: Sequence[Line]) -> Meant:
    if len(fits) != 1 or fits[0].count <= count:
        return []
    return [(fits[0], fits[0].count - count)]


def _both(fits: Sequence[Line], recent: Collection[str]) -> Meant:
    for choice in (fits, [x for x in fits if x.id in recent]):
        if len(choice) == _PAIR or (len(choice) == 1 and choice[0].count == _PAIR):
            return _whole(choice)
    return []


def _other(ref: Reference, fits: Sequence[Line], talked: Focus) -> Meant:
    if talked.distinguished:
        others = _of_those_told(fits, talked.distinguished)
    else:
        others = [x for x in fits if x.id != talked.last]
    if ref.which is ReferenceKind.OF_OTHERS:
        others = [x for x in others if x.count > ref.count]
        return [(others[0], ref.count)] if len(others) == 1 else []
    return _whole(others) if len(others) == 1 else []


def _at(ref: Reference, lines: Sequence[Line], fits: Sequence[Line]) -> Meant:
    """Lines by their place, where it is the same whether lines are counted or what is on them."""
    lines = [x for x in lines if not ref.items or x.item in ref.items]
    each = [x for x in lines for _ in range(x.count)]
    if ref.place < 0:
        start, start_each = len(lines) - ref.count, len(each) - ref.count
    else:
        start = start_each = ref.place - 1
    found, units = lines[start : start + ref.count], each[start_each : start_each + ref.count]
    if start_each < 0 or len(units) < ref.count or any(x not in fits for x in units):
        return []
    if len(lines) == 1:
        return [(lines[0], ref.count)]
    return _whole(found) if start >= 0 and _counted(found) == units else []


def _counted(lines: Sequence[Line]) -> list[Line]:
    return [x for x in lines for _ in range(x.count)]


def _whole(lines: Sequence[Line]) -> Meant:
    return [(x, x.count) for x in lines]


def _alike(one: Line, other: Line) -> bool:
    """Whether two lines differ in nothing that a guest said, but for their number."""
    return _said_of(one) == _said_of(other)


def _said_of(line: Line) -> object:
    mods = frozenset((m.group, m.id, m.negated, m.qualifier, m.quantity) for m in line.mods)
    return line.item, line.size, line.plain, mods


def matches_description(such: Description, line: Line, menu: CompiledMenu) -> bool:
    """Whether a description is true of a line, with what it comes with."""
    item = menu.items[line.item]
    if such.items and line.item not in such.items:
        return False
    if such.sizes and (line.size or item.default_size) not in such.sizes:
        return False
    if such.plain and (not item.modifier_groups or line.mods):
        return False
    takes = all(any(menu.has_group(line.item, group) for group, _ in one) for one in such.off)
    there = all(has_modifier(line, one, menu) for one in such.on)
    return takes and there and not any(has_modifier(line, one, menu) for one in such.off)


def has_modifier(line: Line, modifier: frozenset[tuple[str, str]], menu: CompiledMenu) -> bool:
    """Whether a line comes with a modifier, which may be any of these (group, id) pairs."""
    off = {(m.group, m.id) for m in line.mods if m.negated}
    on = {(m.group, m.id) for m in line.mods if not m.negated}
    defaults = () if line.plain else menu.items[line.item].defaults
    return any(
        key in on or (key[1] in defaults and menu.has_group(line.item, key[0]) and key not in off)
        for key in modifier
    )
