"""Lines that a guest describes: "the small one", "the one without ice", "the drinks"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from voice_service.ordering.acts import Description
from voice_service.ordering.cart.lines import Line
from voice_service.ordering.cart.resolution import matches_description
from voice_service.ordering.language.cue_sets import DESCRIBES, WITH_OR_WITHOUT
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.language.tokens import key_of, keys_of
from voice_service.ordering.mentions.mention import Mention, MentionType, candidates_of
from voice_service.ordering.menu.compiled import CompiledMenu

_PAIR = 2
_ABOUT = (
    Cue.REMOVE,
    Cue.CHANGE,
    Cue.MAKE,
    Cue.SUBSTITUTE,
    Cue.ON,
    Cue.FOR,
    Cue.TAKE,
    Cue.INSTEAD_OF,
)
"""What follows these is in the order already, if it may be."""

_Found = tuple[Description, int]
"""A description, and the index behind the last of its words."""


def fold_descriptions(
    mentions: Sequence[Mention], lines: Sequence[Line], menu: CompiledMenu, *, answers: bool
) -> list[Mention]:
    """Fold each description of some of the `lines` into one mention that points at them.

    `answers`: a size was asked for, so that a size that ends the utterance is the answer.
    """
    folded: list[Mention] = []
    index = 0
    while index < len(mentions):
        found = _description(mentions, index, lines, menu)
        if found is None or (answers and found[1] == len(mentions)):
            folded.append(mentions[index])
            index += 1
        else:
            such, end = found
            folded.append(_pointer(mentions[index:end], such))
            index = end
    return folded


def _description(
    mentions: Sequence[Mention], index: int, lines: Sequence[Line], menu: CompiledMenu
) -> _Found | None:
    """Return what the words at `index` say of some of the lines, and where they end."""
    kind = _kind(mentions, index, lines, menu)
    if kind is not None or not mentions[index].cue(Cue.THE):
        return kind
    such, end = _adjectives(mentions, index + 1)
    head = mentions[end] if end < len(mentions) else None
    about = index > 0 and mentions[index - 1].cue(*_ABOUT)
    if head is not None and head.cue(Cue.ONE):
        several = head.span.text not in menu.language.numbers.words
        return _which(mentions, end + 1, replace(such, several=several), lines, menu)
    if head is not None and not about and end == index + 1:
        related = _relative(mentions, end, lines, menu)
        if related is not None:
            return related
    if head is not None and head.role is MentionType.ITEM and about:
        removed = mentions[index - 1].cue(Cue.REMOVE)
        said = replace(such, several=head.plural)
        named, wider = _of_the_name(mentions, end, said, removed=removed)
        return (
            _telling(named, lines, menu)
            or _telling(wider, lines, menu)
            or (named if removed and named[0].on and not _true_of(wider[0], lines, menu) else None)
        )
    led = end == index + 1 and not mentions[index].cue(Cue.ONE)
    if head is not None and head.cue(*WITH_OR_WITHOUT) and led:
        such, end = _with_or_without(mentions, end, such)  # "la que lleva queso"
        described = bool(such.on or such.off) and _true_of(such, lines, menu)
        return (such, end) if described else None
    carried = index > 0 and mentions[index - 1].cue(Cue.ON, Cue.FOR)
    bare = bool(such.sizes or (such.on and carried)) and not such.plain and _ends(mentions, end)
    return (such, end) if bare and _true_of(such, lines, menu) else None


def _which(
    mentions: Sequence[Mention],
    end: int,
    such: Description,
    lines: Sequence[Line],
    menu: CompiledMenu,
) -> _Found | None:
    """Return what is true of a line: "the large one without ice", or else "the large one".

    Where neither is, and there are several, nobody knows which one is meant.
    """
    full, full_end = _with_or_without(mentions, end, such)
    for found in ((full, full_end), (such, end)):
        if _says_something(found[0]) and _true_of(found[0], lines, menu):
            return found
    fitting = [line.count for line in lines if _may_become(line, such, menu)]
    new = any(p.role is MentionType.ITEM for p in mentions)
    return (such, end) if _says_something(such) and sum(fitting) > 1 and not new else None


def _may_become(line: Line, such: Description, menu: CompiledMenu) -> bool:
    """Return whether a description can be made true of a line."""
    sized = not such.sizes or any(size in menu.items[line.item].prices for size in such.sizes)
    return sized and all(any(menu.has_group(line.item, group) for group, _ in m) for m in such.on)


def _of_the_name(
    mentions: Sequence[Mention], head: int, such: Description, *, removed: bool
) -> tuple[_Found, _Found]:
    """Return "the iced latte" as a latte, and as anything that has "latte" in its name.

    `removed`: what follows the name describes it too: "remove the latte iced".
    """
    named, end = _with_or_without(mentions, head + 1, such)
    if removed:
        after, end = _adjectives(mentions, end)
        named = replace(named, sizes=named.sizes or after.sizes, on=(*named.on, *after.on))
    item = mentions[head]
    wider = tuple(s.id for s in candidates_of(item.span, "item"))
    return (replace(named, items=item.items), end), (replace(named, items=wider), end)


def _relative(
    mentions: Sequence[Mention], head: int, lines: Sequence[Line], menu: CompiledMenu
) -> _Found | None:
    """Return "the burger that's got the mushrooms", if that is true of one that is ordered."""
    relates = any(p.cue(*WITH_OR_WITHOUT) and " " in p.span.text for p in mentions[head + 1 :][:1])
    if not relates or mentions[head].role not in (MentionType.ITEM, MentionType.CATEGORY):
        return None
    such, end = _with_or_without(mentions, head + 1, Description())
    of_kind = list(dict.fromkeys(line.item for line in _of_kind(mentions[head], lines, menu)))
    for item in of_kind if such.on else ():
        # "Mushroom Swiss Burger": what is in the name need not be among its modifiers.
        named = set(keys_of(menu.item_name(item), menu.language))
        said = [p for p in mentions[head + 2 : end] if p.role is MentionType.MODIFIER]
        other = [p for p in said if not set(keys_of(p.span.text, menu.language)) <= named]
        alone = replace(such, items=(item,), on=tuple(map(_meant, other)))
        if len(other) < len(said) and _true_of(alone, lines, menu):
            return alone, end
    such = replace(such, items=tuple(of_kind))
    return (
        (such, end) if of_kind and (such.on or such.off) and _true_of(such, lines, menu) else None
    )


def _of_kind(named: Mention, lines: Sequence[Line], menu: CompiledMenu) -> list[Line]:
    """Return the lines of an item, or of the category that a word also names."""
    ids = {s.id for s in candidates_of(named.span, "category")}
    items = named.items if named.role is MentionType.ITEM else ()
    return [x for x in lines if menu.items[x.item].category in ids or x.item in items]


def _telling(found: _Found, lines: Sequence[Line], menu: CompiledMenu) -> _Found | None:
    """Return a description if it is true of some of the lines of its items, and not of all."""
    alike = [line for line in lines if line.item in found[0].items]
    true = [line for line in alike if matches_description(found[0], line, menu)]
    return found if 0 < len(true) < len(alike) else None


def _kind(
    mentions: Sequence[Mention], index: int, lines: Sequence[Line], menu: CompiledMenu
) -> _Found | None:
    """Read "the drinks", "any burger", "every cola": each line of a kind."""
    each = mentions[index].cue(Cue.BOTH) and not mentions[index].cue(Cue.NO)
    end = index + 1 if each or mentions[index].cue(Cue.THE) else index
    end += each and any(p.cue(Cue.THE) for p in mentions[end : end + 1])
    named = mentions[end] if end < len(mentions) else None
    if named is None or named.role not in (MentionType.ITEM, MentionType.CATEGORY):
        return None
    ids = {s.id for s in candidates_of(named.span, "category")}
    of_kind = _of_kind(named, lines, menu)
    counted = sum(x.count for x in of_kind)
    about = index > 0 and (mentions[index - 1].cue(*_ABOUT) or _some_of(mentions, index, end + 1))
    plural = key_of(named.span.text, menu.language) != named.span.text
    if not each and (not ids or not plural or (end == index and not _sized(mentions, end + 1))):
        return None
    if not counted or (not each and (counted == 1 or not (about or _sized(mentions, end + 1)))):
        return None
    pair = mentions[index].cue(Cue.PAIR) and counted != _PAIR
    if (each and not (about or _ends(mentions, end + 1) or _sized(mentions, end + 1))) or pair:
        return None
    return Description(tuple(dict.fromkeys(x.item for x in of_kind)), several=True), end + 1


def _some_of(mentions: Sequence[Mention], the: int, following: int) -> bool:
    """True of "on one of the burgers", and of "one of the burgers without onions"."""
    number, on = mentions[the - 1], mentions[max(the - 2, 0)]
    told = any(p.cue(*DESCRIBES, Cue.ON) for p in mentions[following : following + 1])
    return number.role is MentionType.NUMBER and (on.cue(Cue.ON) or (the == 1 and told))


def _sized(mentions: Sequence[Mention], index: int) -> bool:
    """Return whether a size follows, and nothing after it."""
    return [p.role for p in mentions[index:] if not p.idle] == [MentionType.SIZE]


def _adjectives(mentions: Sequence[Mention], index: int) -> tuple[Description, int]:
    """Read the adjectives from `index` on; return where they end."""
    such = Description()
    while index < len(mentions):
        mention = mentions[index]
        if mention.role is MentionType.SIZE and not such.sizes:
            such = replace(such, sizes=tuple(s.id for s in mention.candidates))
        elif mention.role is MentionType.MODIFIER:
            such = replace(such, on=(*such.on, _meant(mention)))
        elif mention.cue(Cue.PLAIN):
            such = replace(such, plain=True)
        else:
            break
        index += 1
    return such, index


def _with_or_without(
    mentions: Sequence[Mention], index: int, such: Description
) -> tuple[Description, int]:
    """Add "with cheese" or "without ice" from `index` on; return where that ends."""
    link = mentions[index] if index < len(mentions) else None
    if link is None or not link.cue(*WITH_OR_WITHOUT):
        return such, index
    end = index + 1
    mods: list[frozenset[tuple[str, str]]] = []
    while end < len(mentions) and (_names(mentions, end) or _links(mentions, end)):
        if _names(mentions, end):
            mods.append(_meant(mentions[end]))
        end += 1
    if not mods:
        return such, index
    if link.cue(Cue.NO):
        return replace(such, off=(*such.off, *mods)), end
    return replace(such, on=(*such.on, *mods)), end


def _names(mentions: Sequence[Mention], index: int) -> bool:
    return index < len(mentions) and mentions[index].role is MentionType.MODIFIER


def _links(mentions: Sequence[Mention], index: int) -> bool:
    return mentions[index].cue(Cue.AND, Cue.THE) and _names(mentions, index + 1)


def _meant(mention: Mention) -> frozenset[tuple[str, str]]:
    best = mention.candidates[0].match
    return frozenset((s.group or "", s.id) for s in mention.candidates if s.match == best)


def _says_something(such: Description) -> bool:
    return bool(such.sizes or such.on or such.off or such.plain)


def _true_of(such: Description, lines: Sequence[Line], menu: CompiledMenu) -> bool:
    return any(matches_description(such, line, menu) for line in lines)


def _ends(mentions: Sequence[Mention], index: int) -> bool:
    """Return whether "the small" stands for an item, as no name follows it."""
    following = mentions[index] if index < len(mentions) else None
    return following is None or following.cue(Cue.NO, Cue.WITH, Cue.COMMA, Cue.STOP, Cue.A, Cue.TO)


def _pointer(mentions: Sequence[Mention], such: Description) -> Mention:
    """Return one mention in the place of those that describe; it acts like "the first one"."""
    first, last = mentions[0].span, mentions[-1].span
    span = replace(
        first,
        end=last.end,
        text=" ".join(p.span.text for p in mentions),
        candidates=(),
        cues=frozenset({Cue.ORDINAL}),
        value=None,
        words=tuple(w for p in mentions for w in p.span.words),
    )
    return Mention(span, MentionType.CUE, such=such)
