"""Which lines of the order a guest points at: "the first two", "one of them", "both"."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from voice_service.ordering.acts import Description, Reference, ReferenceKind
from voice_service.ordering.cart.focus import Focus
from voice_service.ordering.cart.lines import Line
from voice_service.ordering.menu.compiled import CompiledMenu

Meant = list[tuple[Line, int]]
"""Lines, and how many of each."""

_PAIR = 2


@dataclass(frozen=True, slots=True)
class _Antecedents:
    """What a reference may point at.

    `lines`: the order as it was said. `fits`: those of which the words beside it can be true.
    """

    lines: Sequence[Line]
    fits: Sequence[Line]
    focus: Focus


def resolve_reference(
    ref: Reference, lines: Sequence[Line], fits: Sequence[Line], focus: Focus
) -> Meant:
    """Return the lines that `ref` means, of `lines` in the order said; none where it is unclear.

    `fits`: those of which what the guest says can be true.
    """
    if ref.items:
        fits = [line for line in fits if line.item in ref.items]
    return _RESOLVERS[ref.which](ref, _Antecedents(lines, fits, focus))


def _all(_: Reference, antecedents: _Antecedents) -> Meant:
    """ "All of them"."""
    return _whole(antecedents.fits)


def _all_but(ref: Reference, antecedents: _Antecedents) -> Meant:
    """ "All but one", of a line that has more."""
    fits = antecedents.fits
    if len(fits) != 1 or fits[0].count <= ref.count:
        return []
    return [(fits[0], fits[0].count - ref.count)]


def _both(_: Reference, antecedents: _Antecedents) -> Meant:
    """ "Both": the two that there are, or the two just talked about."""
    fits, recent = antecedents.fits, antecedents.focus.recent
    for choice in (fits, [line for line in fits if line.id in recent]):
        if len(choice) == _PAIR or (len(choice) == 1 and choice[0].count == _PAIR):
            return _whole(choice)
    return []


def _each(ref: Reference, antecedents: _Antecedents) -> Meant:
    """ "One of each"."""
    fits = antecedents.fits
    enough = len(fits) > 1 and all(line.count >= ref.count for line in fits)
    return [(line, ref.count) for line in fits] if enough else []


def _half(_: Reference, antecedents: _Antecedents) -> Meant:
    """ "Half of them", of a line with an even number."""
    fits = antecedents.fits
    halves = len(fits) == 1 and fits[0].count % 2 == 0
    return [(fits[0], fits[0].count // 2)] if halves else []


def _last(_: Reference, antecedents: _Antecedents) -> Meant:
    """ "That one"."""
    fits = antecedents.fits
    last = [line for line in fits if line.id == antecedents.focus.last] or fits
    return _whole(last) if len(last) == 1 == last[0].count else []


def _other(ref: Reference, antecedents: _Antecedents) -> Meant:
    """ "The other one", or so many of the others."""
    fits, focus = antecedents.fits, antecedents.focus
    if focus.distinguished:
        others = _not_told_apart(fits, focus.distinguished)
    else:
        others = [line for line in fits if line.id != focus.last]
    if ref.which is ReferenceKind.OF_OTHERS:
        others = [line for line in others if line.count > ref.count]
        return [(others[0], ref.count)] if len(others) == 1 else []
    return _whole(others) if len(others) == 1 else []


def _place(ref: Reference, antecedents: _Antecedents) -> Meant:
    """ "The second one", if that is the same whether lines or the items in them are counted."""
    lines = [line for line in antecedents.lines if not ref.items or line.item in ref.items]
    units = _units(lines)
    if ref.place < 0:
        start, first_unit = len(lines) - ref.count, len(units) - ref.count
    else:
        start = first_unit = ref.place - 1
    found = lines[start : start + ref.count]
    meant = units[first_unit : first_unit + ref.count]
    unfit = any(line not in antecedents.fits for line in meant)
    if first_unit < 0 or len(meant) < ref.count or unfit:
        return []
    if len(lines) == 1:
        return [(lines[0], ref.count)]
    return _whole(found) if start >= 0 and _units(found) == meant else []


def _some(ref: Reference, antecedents: _Antecedents) -> Meant:
    """ "Two of them": of the line talked about last, if it makes no difference which."""
    count, fits, focus = ref.count, antecedents.fits, antecedents.focus
    candidates = [
        line for line in _not_told_apart(fits, focus.distinguished) if line.count >= count
    ]
    recent = [line for line in candidates if line.id in focus.recent]
    several = sum(line.count for line in recent) > count
    choice = recent if several or focus.distinguished else candidates
    alone = count == 1 == sum(line.count for line in fits) and not focus.distinguished
    if not choice or alone or not all(_alike(line, choice[-1]) for line in choice):
        return []
    return [(choice[-1], count)]


def _such(ref: Reference, antecedents: _Antecedents) -> Meant:
    """ "The small one", "the drinks": `fits` are what the description is true of."""
    fits = antecedents.fits
    singular = ref.such is not None and not ref.such.several
    return [] if singular and sum(line.count for line in fits) != 1 else _whole(fits)


def _these(ref: Reference, antecedents: _Antecedents) -> Meant:
    """ "These two": the line talked about last, if it is so many."""
    last = antecedents.focus.last
    return _whole(
        [line for line in antecedents.fits if line.id == last and line.count == ref.count]
    )


_RESOLVERS: Mapping[ReferenceKind, Callable[[Reference, _Antecedents], Meant]] = {
    ReferenceKind.ALL: _all,
    ReferenceKind.BOTH: _both,
    ReferenceKind.BUT: _all_but,
    ReferenceKind.EACH: _each,
    ReferenceKind.HALF: _half,
    ReferenceKind.LAST: _last,
    ReferenceKind.OF_OTHERS: _other,
    ReferenceKind.OTHER: _other,
    ReferenceKind.PLACE: _place,
    ReferenceKind.SOME: _some,
    ReferenceKind.SUCH: _such,
    ReferenceKind.THESE: _these,
}


def _not_told_apart(fits: Sequence[Line], distinguished: Collection[str]) -> list[Line]:
    """Return the lines not told apart so far, of the items of which others were if there are."""
    items = {line.item for line in fits if line.id in distinguished}
    rest = [line for line in fits if line.id not in distinguished]
    return [line for line in rest if line.item in items] or rest


def _units(lines: Sequence[Line]) -> list[Line]:
    """Return each line as often as it has items."""
    return [line for line in lines for _ in range(line.count)]


def _whole(lines: Sequence[Line]) -> Meant:
    return [(line, line.count) for line in lines]


def _alike(line: Line, other: Line) -> bool:
    """Return whether two lines differ in nothing that a guest said, except for their number."""
    return _as_said(line) == _as_said(other)


def _as_said(line: Line) -> object:
    mods = frozenset((m.group, m.id, m.negated, m.qualifier, m.quantity) for m in line.mods)
    return line.item, line.size, line.plain, mods


def matches_description(such: Description, line: Line, menu: CompiledMenu) -> bool:
    """Return whether a description is true of a line, with the defaults of its item."""
    item = menu.items[line.item]
    if such.items and line.item not in such.items:
        return False
    if such.sizes and (line.size or item.default_size) not in such.sizes:
        return False
    if such.plain and (not item.modifier_groups or line.mods):
        return False
    could_have = all(any(menu.has_group(line.item, group) for group, _ in mod) for mod in such.off)
    has = all(has_modifier(line, mod, menu) for mod in such.on)
    return could_have and has and not any(has_modifier(line, mod, menu) for mod in such.off)


def has_modifier(line: Line, modifier: frozenset[tuple[str, str]], menu: CompiledMenu) -> bool:
    """Return whether a line comes with a modifier, which may be any of these (group, id) pairs."""
    off = {(m.group, m.id) for m in line.mods if m.negated}
    on = {(m.group, m.id) for m in line.mods if not m.negated}
    defaults = () if line.plain else menu.items[line.item].defaults
    return any(
        key in on or (key[1] in defaults and menu.has_group(line.item, key[0]) and key not in off)
        for key in modifier
    )
