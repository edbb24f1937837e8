"""Lines that a guest describes: "the small one", "the one without ice", "the drinks"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from voice_service.ordering.acts import Description
from voice_service.ordering.cart.lines import Line
from voice_service.ordering.cart.resolution import matches_description
from voice_service.ordering.language.cue_sets import WITH_OR_WITHOUT
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.language.tokens import key_of
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
) -> tuple[Description, int] | None:
    """Return what the words at `index` say of some of the lines, and where they end."""
    kind = _kind(mentions, index, lines, menu)
    if kind is not None or not mentions[index].cue(Cue.THE):
        return kind
    such, end = _adjectives(mentions, index + 1)
    head = mentions[end] if end < len(mentions) else None
    about = index > 0 and mentions[index - 1].cue(*_ABOUT)
    if head is not None and head.cue(Cue.ONE):
        several = head.span.text not in menu.language.numbers.words
        such, end = _with_or_without(mentions, end + 1, replace(such, several=several))
        return (such, end) if _true_of(such, lines, menu) and _says_something(such) else None
    if head is not None and head.role is MentionType.ITEM and about:
        named = replace(such, items=head.items, several=head.plural)
        named, end = _with_or_without(mentions, end + 1, named)
        alike = [line for line in lines if line.item in named.items]
        distinguishes = _true_of(named, alike, menu) and not all(
            matches_description(named, x, menu) for x in alike
        )
        return (named, end) if distinguishes else None
    led = end == index + 1 and not mentions[index].cue(Cue.ONE)
    if head is not None and head.cue(*WITH_OR_WITHOUT) and led:
        such, end = _with_or_without(mentions, end, such)  # "la que lleva queso"
        described = bool(such.on or such.off) and _true_of(such, lines, menu)
        return (such, end) if described else None
    carried = index > 0 and mentions[index - 1].cue(Cue.ON, Cue.FOR)
    bare = bool(such.sizes or (such.on and carried)) and not such.plain and _ends(mentions, end)
    return (such, end) if bare and _true_of(such, lines, menu) else None


def _kind(
    mentions: Sequence[Mention], index: int, lines: Sequence[Line], menu: CompiledMenu
) -> tuple[Description, int] | None:
    """Read "the drinks", "any burger", "every cola": each line of a kind."""
    each = mentions[index].cue(Cue.BOTH) and not mentions[index].cue(Cue.NO)
    end = index + 1 if each or mentions[index].cue(Cue.THE) else index
    end += each and any(p.cue(Cue.THE) for p in mentions[end : end + 1])
    named = mentions[end] if end < len(mentions) else None
    if named is None or named.role not in (MentionType.ITEM, MentionType.CATEGORY):
        return None
    ids = {s.id for s in candidates_of(named.span, "category")}
    of_kind = [x for x in lines if menu.items[x.item].category in ids or x.item in named.items]
    counted = sum(x.count for x in of_kind)
    about = index > 0 and mentions[index - 1].cue(*_ABOUT)
    plural = key_of(named.span.text, menu.language) != named.span.text
    if not each and (not ids or not plural or (end == index and not _sized(mentions, end + 1))):
        return None
    if not counted or (not each and (counted == 1 or not (about or _sized(mentions, end + 1)))):
        return None
    pair = mentions[index].cue(Cue.PAIR) and counted != _PAIR
    if (each and not (about or _ends(mentions, end + 1) or _sized(mentions, end + 1))) or pair:
        return None
    return Description(tuple(dict.fromkeys(x.item for x in of_kind)), several=True), end + 1


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
