"""Items with their sizes, quantities and modifiers, from a stretch that orders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate, pairwise

from voice_service.ordering.acts import (
    Act,
    Add,
    Group,
    Problem,
    Remove,
    Target,
)
from voice_service.ordering.attach import Attacher
from voice_service.ordering.bounds import start_of
from voice_service.ordering.language import Cue
from voice_service.ordering.lexicon import Sense
from voice_service.ordering.loose import CartView, loose
from voice_service.ordering.menu import CompiledMenu
from voice_service.ordering.parts import Part, Role
from voice_service.ordering.said import (
    Reader,
    Said,
    SaidBreak,
    SaidItem,
    SaidModifier,
    SaidSize,
)
from voice_service.ordering.text import key_of, plain

_ANSWER = 0.9
_COUNTING = (Cue.MORE, Cue.VAGUE, Cue.NO, Cue.BOTH)
_WHOLE = 0.9  # from here on a name is said in full
_POINTED_AT = 0.6  # certainty that "the pizza" is one more, when there is one already
_WHOSE_SIZE = 0.6  # certainty of an item of which only the size was said, before a bare name
_SIDE_OF_WHAT = 0.75  # certainty of "on the side" before an item is named
_LISTED_PART = 0.6  # certainty left of half a name among modifiers: "with peppers"


def assemble(parts: Sequence[Part], menu: CompiledMenu, cart: CartView) -> list[Act]:
    """The acts of a stretch without commands, in the order of speaking."""
    parts = [_in_order(parts, i, menu, cart) for i in range(len(parts))]
    parts = [_carrier(parts, i, menu) for i in range(len(parts))]
    heads = [i for i, p in enumerate(parts) if p.role is Role.ITEM and not _points(parts, i, cart)]
    if not heads:
        return loose(Reader(parts).read(), menu, cart, Attacher(menu, cart.items))
    attacher = Attacher(menu, cart.items)
    starts = [start_of(parts, h, p, menu) for h, p in zip(heads, [-1, *heads], strict=False)]
    ends = [*starts[1:], len(parts)]
    acts: list[Act] = []
    lead: list[Act] = []
    before = Reader(parts[: starts[0]]).read()
    for number, (start, head, end) in enumerate(zip(starts, heads, ends, strict=True)):
        part = parts[head]
        if _negated(parts, start, head):
            acts.append(Remove(Target(part.items), asked=False, text=part.span.text))
            after = Reader(parts[head + 1 : end]).read()
            if attacher.groups:
                attacher.put(after, attacher.groups[-1])
            else:
                acts += loose(after, menu, cart, attacher)
            continue
        if _not_on(parts, head):
            acts.append(Problem("not_understood", f"{parts[head - 3].span.text} {part.span.text}"))
            continue
        group = _group(parts[start:head], part)
        group.linked = start > 0 and parts[start - 1].cue(Cue.WITH)
        since = heads[number - 1] + 1 if number else 0
        group.shared = any(p.cue(Cue.BOTH) for p in (*parts[since:start], *parts[head + 1 : end]))
        again = group.quantity is None and any(g.item == group.item for g in attacher.groups)
        if (part.senses[0].quality < _WHOLE or again) and _in_list(parts, start):
            group.quality *= _LISTED_PART
        if attacher.groups and attacher.groups[-1].implied and group.quantity is None:
            # "A large and diet coke": whose size is it?
            attacher.groups[-1].quality *= _WHOSE_SIZE
        if group.quantity is None and _same_one(parts, [*heads[:number], head], start):
            group.quality *= _POINTED_AT
        if not group.linked and _plural_of_one(parts[start:head], part, menu):
            group.vague = True
        chosen = tuple(i for i in group.candidates if i in cart.choices)
        if len(chosen) == 1:
            # It answers a question, so less of its name is enough.
            group.item, group.candidates = chosen[0], ()
            group.quality = max(group.quality, _ANSWER)
        before_it = attacher.groups[-1] if attacher.groups else None
        attacher.groups.append(group)
        if number == 0 and before:
            lead = _leading(before, group, parts, start, menu, cart, attacher)
        attacher.put(_inner(parts[start:head]), group)
        named = [m.group for m in group.mods]
        attacher.put(Reader(parts[head + 1 : end]).read(), group, named)
        if number and _accompanies(parts, heads[number - 1], head, menu):
            _join(attacher.groups, part)
        elif _put_on(group, before_it, start == head) and _alike(parts, heads, number, menu):
            # "An italian with ham": one more, or what is put on it?
            group.quality *= _LISTED_PART
    _take_out_heading(attacher.groups, parts, heads)
    if _of_one_size(before, attacher.groups, menu):
        lead = []
    added = [_added(group, menu) for group in attacher.groups]
    added += [
        Problem("ambiguous_quantity", menu.item_name(g.item)) for g in attacher.groups if g.vague
    ]
    return [*lead, *added, *acts, *attacher.acts]


def _added(group: Group, menu: CompiledMenu) -> Act:
    if len(group.candidates) < 2:
        return Add(group)
    fitting = [c for c in group.candidates if _takes(menu, c, group)]
    if len(fitting) == 1:
        group.item, group.candidates = fitting[0], ()
        return Add(group)
    names = tuple(menu.item_name(c) for c in (fitting or group.candidates))
    return Problem("ambiguous_item", "", names, group)


def _takes(menu: CompiledMenu, item: str, group: Group) -> bool:
    sized = group.size is None or group.size in menu.items[item].prices
    return sized and all(menu.takes(item, m.group) for m in group.mods)


def _group(inner: Sequence[Part], head: Part) -> Group:
    group = Group(head.items[0], quality=head.senses[0].certainty, candidates=head.items)
    group.words.update(head.span.words)
    for part in inner:
        if part.role is Role.NUMBER:
            group.quantity = part.span.value
            group.words.update(part.span.words)
            break
        if part.cue(Cue.A):
            group.quantity = 1
            break
        if part.cue(Cue.MORE):
            group.quantity, group.more = 1, True
            break
    for part, following in zip(inner, [*inner, head][1:], strict=True):
        # "two more colas", but not "two more cheese pizzas"
        more = part.cue(Cue.ADDITIONAL) and following.role is not Role.MODIFIER
        group.more = group.more or more
    group.vague = any(p.cue(Cue.VAGUE) for p in inner)
    return group


def _same_one(parts: Sequence[Part], heads: Sequence[int], start: int) -> bool:
    """Whether the last of `heads` may be one named before it: one of the two is "the" item.

    `start`: where the words of the last begin.
    """
    head = heads[-1]
    before = [h for h in heads[:-1] if parts[h].items[0] in parts[head].items]
    definite = any(part.cue(Cue.THE) for part in parts[start:head])
    return bool(before) and (definite or any(parts[h - 1].cue(Cue.THE) for h in before if h))


def _in_list(parts: Sequence[Part], start: int) -> bool:
    """Whether an item without "a" or a number stands where a modifier would."""
    before = [p for p in parts[max(start - 2, 0) : start] if not p.idle]
    if not before:
        return False
    after_modifier = len(before) > 1 and before[-2].role is Role.MODIFIER
    if before[-1].role is Role.MODIFIER:
        return True
    return before[-1].cue(Cue.WITH) or (before[-1].cue(Cue.AND, Cue.COMMA) and after_modifier)


def _plural_of_one(inner: Sequence[Part], head: Part, menu: CompiledMenu) -> bool:
    """Whether several are wanted without a number: "cokes", but not "fries"."""
    if any(p.role is Role.NUMBER or p.cue(*_COUNTING) for p in inner):
        return False
    name, said = plain(menu.item_name(head.items[0])), head.span.text
    last, word = name.split()[-1], said.split()[-1]
    alike = key_of(last, menu.language) == key_of(word, menu.language) and len(word) > len(last)
    return (alike or menu.lexicon.plural(said)) and not menu.lexicon.plural(name)


def _inner(parts: Sequence[Part]) -> list[Said]:
    """What is said before the name; its number counts the item and nothing else."""
    rest = [
        p
        for p, following in zip(parts, [*parts, None][1:], strict=True)
        if p.role is not Role.NUMBER
        and not p.cue(Cue.A, Cue.MORE, Cue.THE)
        and not (p.cue(Cue.ADDITIONAL) and (following is None or following.role is Role.SIZE))
    ]
    return Reader(rest).read()


def _negated(parts: Sequence[Part], start: int, head: int) -> bool:
    """Whether the guest says that this item is not wanted: "no fries"."""
    for index in range(head - 1, -1, -1):
        part = parts[index]
        if part.cue(Cue.NO):
            following = parts[index + 1]
            return index + 1 == head or not following.cue(Cue.COMMA)
        if not (part.idle or part.cue(Cue.A, Cue.THE, Cue.MEASURE, Cue.EXTRA)):
            return False
    return False


def _not_on(parts: Sequence[Part], head: int) -> bool:
    """ "But not on the fries": what is not on them is for a person."""
    before = parts[max(head - 3, 0) : head]
    cues = (Cue.NO, Cue.ON, Cue.THE)
    return len(before) == len(cues) and all(p.cue(c) for p, c in zip(before, cues, strict=True))


def _in_order(parts: Sequence[Part], index: int, menu: CompiledMenu, cart: CartView) -> Part:
    """ "On the burger", where the only burger ordered is a cheeseburger: that is meant."""
    part = parts[index]
    if part.role is not Role.ITEM or set(part.items) & set(cart.items):
        return part
    before = [p for p in parts[max(0, index - 2) : index] if not p.idle or p.cue(Cue.THE)]
    if len(before) < 2 or not before[-1].cue(Cue.THE) or not before[-2].cue(Cue.ON, Cue.TO):
        return part
    said = [i for p in parts[:index] if p.role is Role.ITEM for i in p.items[:1]]
    ordered = [*cart.items, *said][::-1]
    if set(part.items) & set(said):
        return part
    headings = {s.id for s in part.span.senses if s.kind == "category"}
    meant = next((i for i in ordered if menu.headings(i) & headings), None)
    return part if meant is None else replace(part, senses=(Sense("item", meant, None),))


def _carrier(parts: Sequence[Part], index: int, menu: CompiledMenu) -> Part:
    """ "Egg and cheese on an everything bagel": the bagel only carries what was ordered.

    What is said of it has to be a choice of the item before, which says it in full.
    """
    part = parts[index]
    start = index
    while start and (parts[start - 1].role is Role.MODIFIER or parts[start - 1].cue(Cue.A)):
        start -= 1
    said = [p for p in parts[start:index] if p.role is Role.MODIFIER]
    if part.role is not Role.ITEM or not said or not start or not parts[start - 1].cue(Cue.ON):
        return part
    host = next((p.items[0] for p in parts[start - 1 :: -1] if p.role is Role.ITEM), None)
    if host is None or host in part.items:
        return part
    if not all(any(menu.allows(host, s) for s in p.senses) for p in said):
        return part
    return Part(replace(part.span, senses=(), cues=frozenset({Cue.FILLER})), Role.CUE)


def _points(parts: Sequence[Part], index: int, cart: CartView) -> bool:
    """Whether the item at `index` is one already ordered: "on the burger"."""
    choices = parts[index].items
    known = any(i in choices for i in cart.items) or any(
        p.role is Role.ITEM and set(p.items) & set(choices) for p in parts[:index]
    )
    if not known:
        return False
    before = index - 1
    definite = False
    while before >= 0 and (
        parts[before].cue(Cue.THE, Cue.BOTH, Cue.MEASURE) or parts[before].role is Role.SIZE
    ):
        definite = definite or parts[before].cue(Cue.THE)
        before -= 1
    return definite and before >= 0 and parts[before].cue(Cue.ON, Cue.TO, Cue.FOR)


def _leading(
    said: list[Said],
    group: Group,
    parts: Sequence[Part],
    start: int,
    menu: CompiledMenu,
    cart: CartView,
    attacher: Attacher,
) -> list[Act]:
    """What stands before the first item: about the cart's last item, else about this one."""
    siblings = _of_other_sizes(said, group, parts, start, menu)
    if siblings:
        attacher.groups[:0] = siblings
        return []
    headless = next((s for s in said if isinstance(s, SaidSize) and s.count is not None), None)
    linked = start > 0 and parts[start - 1].cue(Cue.WITH, Cue.ON)
    holds = start > 0 and parts[start - 1].cue(Cue.ON)
    if headless is not None and linked and (group.quantity is None or holds):
        # "a single scoop of vanilla in a cone": the item comes after its size.
        group.quantity, headless.numbered = headless.count, False
        attacher.put(said, group)
        return []
    if headless is not None and not cart.items:
        # "a large with vanilla and a latte": what the first is was not said.
        return loose(said, menu, cart, Attacher(menu, ()))
    mods = [s for s in said if isinstance(s, SaidModifier)]
    fits_last = bool(cart.items) and all(attacher.resolve(m, cart.items[-1]) for m in mods)
    if not mods or (not linked and fits_last) or any(isinstance(s, SaidItem) for s in said):
        return loose(said, menu, cart, Attacher(menu, cart.items))
    for mod in mods:
        if mod.qualifier == "on_the_side":
            # "Salsa on the side with chips": the salsa, or all of it?
            mod.certainty *= _SIDE_OF_WHAT
    attacher.put(said, group)
    return []


def _of_other_sizes(
    said: Sequence[Said], group: Group, parts: Sequence[Part], start: int, menu: CompiledMenu
) -> list[Group]:
    """The items of "two large and" in "two large and one small fries"."""
    sizes = [s for s in said if isinstance(s, SaidSize) and s.count is not None]
    sized = group.quantity is not None and parts[start + 1].role is Role.SIZE
    if len(sizes) != len(said) or not sized or not parts[start - 1].cue(Cue.AND, Cue.COMMA):
        return []
    groups: list[Group] = []
    for size in sizes:
        fitting = [s for s in size.senses if menu.allows(group.item, s)]
        if not fitting:
            return []
        other = Group(group.item, size.count, fitting[0].id, quality=group.quality)
        other.words.update(size.words)
        groups.append(other)
    return groups


def _accompanies(parts: Sequence[Part], first: int, second: int, menu: CompiledMenu) -> bool:
    """Whether two items are said as one dish: "chips and salsa", but not "fries and a shake"."""
    one, other = menu.items[parts[first].items[0]], menu.items[parts[second].items[0]]
    if one.category != other.category or not one.modifier_groups or one.id == other.id:
        return False
    if any(p.role is Role.NUMBER for p in parts[max(first - 3, 0) : first]):
        return False
    if parts[first].plural == parts[second].plural:
        return False
    dip = parts[first if parts[second].plural else second]
    if " " in dip.span.text:
        return False
    between = parts[first + 1 : second]
    return any(p.cue(Cue.AND, Cue.WITH) for p in between) and all(
        p.idle or p.cue(Cue.AND, Cue.WITH, Cue.ASIDE, Cue.ON) for p in between
    )


def _of_one_size(before: Sequence[Said], groups: Sequence[Group], menu: CompiledMenu) -> bool:
    """Gives the size of "three footlongs" to the three that are named after it, if they add up."""
    sizes = [s for s in before if isinstance(s, SaidSize)]
    if len(sizes) != 1 or any(not isinstance(s, SaidSize | SaidBreak) for s in before):
        return False
    counts = list(accumulate(group.quantity or 0 for group in groups))
    if (sizes[0].count or 0) < len(counts[:2]) or sizes[0].count not in counts:
        return False
    named = groups[: counts.index(sizes[0].count) + 1]
    fitting = [{s.id for s in sizes[0].senses if menu.allows(g.item, s)} for g in named]
    common = set.intersection(*fitting)
    if not common or any(g.quantity is None or g.size for g in named):
        return False
    for group in named:
        group.size = min(common)
        group.words.update(sizes[0].words)
    return True


def _put_on(group: Group, before: Group | None, bare: bool) -> bool:
    """Whether a bare name follows "with", after an item that does not do so itself."""
    return bare and group.linked and before is not None and not before.linked


def _alike(parts: Sequence[Part], heads: Sequence[int], number: int, menu: CompiledMenu) -> bool:
    """Whether an item and the one before it are of one category."""
    one, other = (menu.items[parts[h].items[0]] for h in heads[number - 1 : number + 1])
    return one.category == other.category


def _take_out_heading(groups: list[Group], parts: Sequence[Part], heads: Sequence[int]) -> None:
    """ "Two kebabs, one doner, one shish": two in all, if a name for all is what one is called."""
    if len(groups) != len(heads):
        return
    for first, (head, following) in enumerate(pairwise(heads)):
        if any(p.cue(Cue.AND, Cue.WITH, Cue.ALSO) for p in parts[head:following]):
            continue
        counts = list(accumulate(g.quantity or 0 for g in groups[first + 1 :]))
        if groups[first].quantity not in counts[1:]:
            continue
        listed = groups[first + 1 : first + 2 + counts.index(groups[first].quantity)]
        if groups[first].item in {g.item for g in listed} and all(g.quantity for g in listed):
            del groups[first]
            return


def _join(groups: list[Group], second: Part) -> None:
    """Marks the accompaniment; what it goes with is put before it."""
    if second.plural and len(groups) > 1:
        groups[-2], groups[-1] = groups[-1], groups[-2]
    groups[-1].joined = True
