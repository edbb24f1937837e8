"""Words that point at what is ordered without naming it: "the first two", "all but one"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from voice_service.ordering.acts import Description, Reference, ReferenceKind
from voice_service.ordering.language.cue_sets import DESCRIBES, ENDS_CLAUSE
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.mentions.mention import Mention, MentionType


@dataclass
class Partition:
    """What follows is true of `count` of several, or (None) of the others, said as `text`.

    `half`: of every second one. `but`: of all but so many. `linked`: after "and", so that it may
    be about more of them. `items`: of those of that name; `such`: of those that it is true of.
    `each`: so many of each line. `others`: of those not talked about last.
    """

    count: int | None
    text: str = ""
    but: bool = False
    linked: bool = False
    items: tuple[str, ...] = ()
    half: bool = False
    each: bool = False
    such: Description | None = None
    others: bool = False


@dataclass
class Ordinal:
    """What follows is true of `count` from this place on, in the order in which they were said.

    `place` counts from 1, or from the end if it is negative. `items`: of those of that name.
    """

    place: int
    count: int = 1
    text: str = ""
    items: tuple[str, ...] = ()


@dataclass
class Demonstrative:
    """What is said is true of the one talked about last."""

    text: str = ""


@dataclass
class Described:
    """What follows is true of those that a description is true of."""

    such: Description
    text: str = ""


@dataclass
class AllOf:
    """What follows is true of all the items named; `pair`: of two."""

    pair: bool = False
    text: str = ""


Pointer = Partition | AllOf | Ordinal | Described | Demonstrative


def read_pointer(  # noqa: PLR0911 - one for each way to point
    mentions: Sequence[Mention], index: int, *, bare: bool = False
) -> tuple[Pointer, int] | None:
    """What the words at `index` point at, and where they end; None if they do not point.

    `bare`: they stand where even a number alone points, as in "on one".
    """
    if index >= len(mentions):
        return None
    mention = mentions[index]
    if mention.such is not None:
        return Described(mention.such, mention.span.text), index + 1
    if mention.cue(Cue.THAT_ONE):
        return Demonstrative(mention.span.text), index + 1
    if mention.cue(Cue.ORDINAL):
        return _place(mentions, index)
    if mention.cue(Cue.OTHER):
        return Partition(None, mention.span.text), index + 1
    if mention.cue(Cue.BOTH):
        return _each(mentions, index)
    if mention.cue(Cue.HALF):
        end = _past_pronouns(mentions, index + 1)
        text = text_of(mentions[index:end])
        return (Partition(None, text, half=True), end) if end > index + 1 else None
    if mention.role is MentionType.NUMBER or (bare and mention.cue(Cue.ONE)):
        found = _of_several(mentions, index, bare=bare)
        if found is not None:
            return found, index + 2
    if bare and mention.cue(Cue.EVERYTHING) and index and mentions[index - 1].cue(Cue.ON):
        return AllOf(text=mention.span.text), index + 1
    named = of_the(mentions, index)
    if named is not None:
        text = text_of(mentions[index : named + 1])
        return Partition(mention.span.value or 1, text, items=mentions[named].items), named + 1
    if mention.role is MentionType.NUMBER or (bare and mention.cue(Cue.ONE)):
        return _some(mentions, index, bare=bare)
    return None


def _of_several(mentions: Sequence[Mention], index: int, *, bare: bool) -> Partition | None:
    """ "One of each", "one of the drinks"."""
    count, text = mentions[index].span.value or 1, text_of(mentions[index : index + 2])
    following = mentions[index + 1] if index + 1 < len(mentions) else None
    if following is not None and following.such is not None:
        return Partition(count, text, such=following.such)
    if following is not None and following.cue(Cue.OTHER):
        return Partition(count, text, others=True)
    each = following is not None and following.cue(Cue.BOTH) and not following.cue(Cue.PAIR)
    alone = index + 2 == len(mentions) and index == 0
    if each and (bare or alone):
        return Partition(count, text, each=True)
    return None


def of_the(mentions: Sequence[Mention], index: int) -> int | None:
    """Where the item of "one of the colas" is named."""
    if mentions[index].role is not MentionType.NUMBER and not mentions[index].cue(Cue.ONE):
        return None
    end = index + 1
    while end < len(mentions) and mentions[end].cue(Cue.MEASURE) and not mentions[end].cue(Cue.THE):
        end += 1
    named = mentions[end : end + 2]
    linked = end > index + 1 or mentions[index].role is MentionType.NUMBER
    found = len(named) > 1 and named[0].cue(Cue.THE) and named[1].role is MentionType.ITEM
    return end + 1 if linked and found else None


def _some(mentions: Sequence[Mention], index: int, *, bare: bool) -> tuple[Pointer, int] | None:
    count = mentions[index].span.value or 1
    end = _past_pronouns(mentions, index + 1)
    of_them = end > index + 1 and " " in mentions[index + 1].span.text
    return (Partition(count, text_of(mentions[index:end])), end) if of_them or bare else None


def _place(mentions: Sequence[Mention], index: int) -> tuple[Pointer, int]:
    end, count = index + 1, 1
    if end < len(mentions) and mentions[end].role is MentionType.NUMBER:
        count, end = mentions[end].span.value or 1, end + 1
    end = _past_pronouns(mentions, end)
    items: tuple[str, ...] = ()
    if end < len(mentions) and mentions[end].role is MentionType.ITEM:
        items, end = mentions[end].items, end + 1
    text = text_of(mentions[index:end])
    return Ordinal(mentions[index].span.value or 1, count, text, items), end


def _each(mentions: Sequence[Mention], index: int) -> tuple[Pointer, int]:
    end = _past_pronouns(mentions, index + 1)
    excepted = all_but(mentions, end)
    if excepted is not None:
        count, end = excepted
        return Partition(count, text_of(mentions[index:end]), but=True), end
    both = AllOf(pair=mentions[index].cue(Cue.PAIR), text=text_of(mentions[index:end]))
    return both, end


def all_but(mentions: Sequence[Mention], index: int) -> tuple[int, int] | None:
    """How many "but one" at `index` excepts, and where it ends."""
    if index + 1 >= len(mentions) or not mentions[index].cue(Cue.BUT):
        return None
    number = mentions[index + 1]
    if number.role is not MentionType.NUMBER and not number.cue(Cue.ONE):
        return None
    end = _past_pronouns(mentions, index + 2)
    return (number.span.value or 1, end) if ends(mentions, end) or _goes_on(mentions[end]) else None


def _goes_on(mention: Mention) -> bool:
    return mention.cue(*DESCRIBES) or mention.role in (
        MentionType.MODIFIER,
        MentionType.SIZE,
    )


def _past_pronouns(mentions: Sequence[Mention], index: int) -> int:
    while (
        index < len(mentions)
        and mentions[index].role is MentionType.CUE
        and mentions[index].cue(Cue.ONE)
    ):
        index += 1
    return index


def ends(mentions: Sequence[Mention], index: int) -> bool:
    """Whether nothing more is said here about what comes before."""
    return index >= len(mentions) or mentions[index].cue(*ENDS_CLAUSE)


def ref_of(said: Pointer) -> Reference:  # noqa: PLR0911 - one for each way to point
    """What is pointed at, for the cart."""
    match said:
        case Ordinal(place, count, text, items):
            return Reference(ReferenceKind.PLACE, count, place, items, text)
        case Described(such, text):
            return Reference(ReferenceKind.SUCH, text=text, such=such)
        case AllOf(pair, text):
            return Reference(ReferenceKind.BOTH if pair else ReferenceKind.ALL, text=text)
        case Demonstrative(text):
            return Reference(ReferenceKind.LAST, text=text)
        case Partition(half=True, text=text):
            return Reference(ReferenceKind.HALF, text=text)
        case Partition(None, text):
            return Reference(ReferenceKind.OTHER, text=text)
        case Partition(count, text, others=True):
            return Reference(ReferenceKind.OF_OTHERS, count or 1, text=text)
        case Partition(count, text, but, items=items):
            which = (
                ReferenceKind.BUT
                if but
                else ReferenceKind.EACH
                if said.each
                else ReferenceKind.SOME
            )
            return Reference(
                which, count or 1, items=items, text=text or str(count), such=said.such
            )


def text_of(mentions: Sequence[Mention]) -> str:
    """The words of some parts."""
    return " ".join(p.span.text for p in mentions)
