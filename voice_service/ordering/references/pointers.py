"""Words that point at what is ordered without naming it: "the first two", "all but one"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from voice_service.ordering.acts import Description, Reference, ReferenceKind
from voice_service.ordering.language.cue_sets import DESCRIBES, ENDS_CLAUSE
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.mentions.mention import Apart, Mention, MentionType


@dataclass(frozen=True)
class Partition:
    """Some of several items: the words beside it are true of these alone.

    `count`: how many, where a number is said. `text`: the words, "" where there is only a number.
    """

    kind: ClassVar[ReferenceKind]

    count: int | None
    text: str = ""

    def reference(self) -> Reference:
        """Return the reference for the cart to resolve."""
        return Reference(self.kind, self.count or 1, text=self.text or str(self.count))


@dataclass(frozen=True)
class SomeOf(Partition):
    """So many of several: "two with cheese", "one of them".

    `linked`: after "and", so that it may be about more of them; `apart`: whether it is. `items`: of
    those of that name; `such`: of those that a description is true of.
    """

    kind: ClassVar[ReferenceKind] = ReferenceKind.SOME

    count: int
    linked: bool = False
    apart: Apart = Apart.SOME
    items: tuple[str, ...] = ()
    such: Description | None = None

    def reference(self) -> Reference:
        """Return the reference for the cart to resolve."""
        return replace(super().reference(), items=self.items, such=self.such)


@dataclass(frozen=True)
class AllBut(Partition):
    """All of several but so many: "all but one"."""

    kind: ClassVar[ReferenceKind] = ReferenceKind.BUT

    count: int


@dataclass(frozen=True)
class SomeOfEach(Partition):
    """So many of each line: "one of each"."""

    kind: ClassVar[ReferenceKind] = ReferenceKind.EACH


@dataclass(frozen=True)
class SomeOfTheOthers(Partition):
    """So many of those not talked about last: "one of the others"."""

    kind: ClassVar[ReferenceKind] = ReferenceKind.OF_OTHERS


@dataclass(frozen=True)
class TheOthers(Partition):
    """The rest of several: "the other one"."""

    kind: ClassVar[ReferenceKind] = ReferenceKind.OTHER

    count: None = field(default=None, init=False)


@dataclass(frozen=True)
class HalfOf(Partition):
    """Every second one of several: "half of them"."""

    kind: ClassVar[ReferenceKind] = ReferenceKind.HALF

    count: None = field(default=None, init=False)


@dataclass(frozen=True)
class Ordinal:
    """So many items from a place on, in the order in which they were said: "the first two".

    `place` counts from 1, or from the end if it is negative. `items`: of those of that name.
    """

    place: int
    count: int = 1
    text: str = ""
    items: tuple[str, ...] = ()

    def reference(self) -> Reference:
        """Return the reference for the cart to resolve."""
        return Reference(ReferenceKind.PLACE, self.count, self.place, self.items, self.text)


@dataclass(frozen=True)
class Demonstrative:
    """The one talked about last: "on that one"."""

    text: str = ""

    def reference(self) -> Reference:
        """Return the reference for the cart to resolve."""
        return Reference(ReferenceKind.LAST, text=self.text)


@dataclass(frozen=True)
class Described:
    """Those that a description is true of: "the small one"."""

    such: Description
    text: str = ""

    def reference(self) -> Reference:
        """Return the reference for the cart to resolve."""
        return Reference(ReferenceKind.SUCH, text=self.text, such=self.such)


@dataclass(frozen=True)
class AllOf:
    """All the items just named: "all with cheese". `pair`: there are two of them, as in "both"."""

    pair: bool = False
    text: str = ""

    def reference(self) -> Reference:
        """Return the reference for the cart to resolve."""
        which = ReferenceKind.BOTH if self.pair else ReferenceKind.ALL
        return Reference(which, text=self.text)


Pointer = Partition | AllOf | Ordinal | Described | Demonstrative

Found = tuple[Pointer, int]
"""What words point at, and the index behind the last of them."""


def read_pointer(
    mentions: Sequence[Mention], index: int, *, bare: bool = False
) -> tuple[Pointer, int] | None:
    """Return what the words at `index` point at, and where they end; None if they do not point.

    `bare`: they stand where even a number alone points, as in "on one".
    """
    if index >= len(mentions):
        return None
    mention = mentions[index]
    if mention.apart is Apart.ANOTHER or (
        mention.apart is not None and not mention.cue(Cue.ORDINAL, Cue.OTHER)
    ):
        return _part(mentions, index, mention.apart)
    if mention.such is not None:
        return Described(mention.such, mention.span.text), index + 1
    for cue, read in _READERS:
        if mention.cue(cue):
            return read(mentions, index)
    return _counted(mentions, index, bare=bare)


def _part(mentions: Sequence[Mention], index: int, apart: Apart) -> Found:
    """ "One" and "another", where they tell several apart."""
    end = _past_pronouns(mentions, index + 1)
    number = mentions[index].role is MentionType.NUMBER
    count = (mentions[index].span.value or 1) if number else 1
    return SomeOf(count, text_of(mentions[index:end]), apart=apart), end


def _demonstrative(mentions: Sequence[Mention], index: int) -> Found:
    return Demonstrative(mentions[index].span.text), index + 1


def _ordinal(mentions: Sequence[Mention], index: int) -> Found:
    """ "The first one", "the last two colas"."""
    end, count = index + 1, 1
    if end < len(mentions) and mentions[end].role is MentionType.NUMBER:
        count, end = mentions[end].span.value or 1, end + 1
    end = _past_pronouns(mentions, end)
    items: tuple[str, ...] = ()
    if end < len(mentions) and mentions[end].role is MentionType.ITEM:
        items, end = mentions[end].items, end + 1
    text = text_of(mentions[index:end])
    return Ordinal(mentions[index].span.value or 1, count, text, items), end


def _others(mentions: Sequence[Mention], index: int) -> Found:
    return TheOthers(mentions[index].span.text), index + 1


def _all(mentions: Sequence[Mention], index: int) -> Found:
    """ "Both", "all of them", "all but one"."""
    end = _past_pronouns(mentions, index + 1)
    excepted = all_but(mentions, end)
    if excepted is not None:
        count, end = excepted
        return AllBut(count, text_of(mentions[index:end])), end
    pair = mentions[index].cue(Cue.PAIR)
    return AllOf(pair, text_of(mentions[index:end])), end


def _half(mentions: Sequence[Mention], index: int) -> Found | None:
    """ "Half of them"; "half" alone is about one item."""
    end = _past_pronouns(mentions, index + 1)
    return (HalfOf(text_of(mentions[index:end])), end) if end > index + 1 else None


_READERS: tuple[tuple[Cue, Callable[[Sequence[Mention], int], Found | None]], ...] = (
    (Cue.THAT_ONE, _demonstrative),
    (Cue.ORDINAL, _ordinal),
    (Cue.OTHER, _others),
    (Cue.BOTH, _all),
    (Cue.HALF, _half),
)
"""The first of these cues that a word has decides how it points."""


def _counted(mentions: Sequence[Mention], index: int, *, bare: bool) -> Found | None:
    """ "One of each", "two of the colas", "one of them"."""
    mention = mentions[index]
    number = mention.role is MentionType.NUMBER or (bare and mention.cue(Cue.ONE))
    part = _of_several(mentions, index, bare=bare) if number else None
    if part is not None:
        return part, index + 2
    if bare and mention.cue(Cue.EVERYTHING) and index and mentions[index - 1].cue(Cue.ON):
        return AllOf(text=mention.span.text), index + 1
    named = of_the(mentions, index)
    if named is not None:
        text = text_of(mentions[index : named + 1])
        return SomeOf(mention.span.value or 1, text, items=mentions[named].items), named + 1
    return _some(mentions, index, bare=bare) if number else None


def _of_several(mentions: Sequence[Mention], index: int, *, bare: bool) -> Partition | None:
    """ "One of each", "one of the others", "one of the drinks"."""
    count, text = mentions[index].span.value or 1, text_of(mentions[index : index + 2])
    following = mentions[index + 1] if index + 1 < len(mentions) else None
    if following is not None and following.such is not None:
        return SomeOf(count, text, such=following.such)
    if following is not None and following.cue(Cue.OTHER):
        return SomeOfTheOthers(count, text)
    each = following is not None and following.cue(Cue.BOTH) and not following.cue(Cue.PAIR)
    alone = index + 2 == len(mentions) and index == 0
    return SomeOfEach(count, text) if each and (bare or alone) else None


def of_the(mentions: Sequence[Mention], index: int) -> int | None:
    """Return where the item of "one of the colas" is named."""
    if mentions[index].role is not MentionType.NUMBER and not mentions[index].cue(Cue.ONE):
        return None
    end = index + 1
    while end < len(mentions) and mentions[end].cue(Cue.MEASURE) and not mentions[end].cue(Cue.THE):
        end += 1
    named = mentions[end : end + 2]
    linked = end > index + 1 or mentions[index].role is MentionType.NUMBER
    found = len(named) > 1 and named[0].cue(Cue.THE) and named[1].role is MentionType.ITEM
    return end + 1 if linked and found else None


def _some(mentions: Sequence[Mention], index: int, *, bare: bool) -> Found | None:
    count = mentions[index].span.value or 1
    end = _past_pronouns(mentions, index + 1)
    of_them = end > index + 1 and " " in mentions[index + 1].span.text
    return (SomeOf(count, text_of(mentions[index:end])), end) if of_them or bare else None


def all_but(mentions: Sequence[Mention], index: int) -> tuple[int, int] | None:
    """Return how many "but one" at `index` excepts, and where it ends; None without a number."""
    if index + 1 >= len(mentions) or not mentions[index].cue(Cue.BUT):
        return None
    number = mentions[index + 1]
    if number.role is not MentionType.NUMBER and not number.cue(Cue.ONE):
        return None
    end = _past_pronouns(mentions, index + 2)
    complete = ends(mentions, end) or _is_described(mentions[end])
    return (number.span.value or 1, end) if complete else None


def _is_described(mention: Mention) -> bool:
    return mention.cue(*DESCRIBES) or mention.role in (MentionType.MODIFIER, MentionType.SIZE)


def _past_pronouns(mentions: Sequence[Mention], index: int) -> int:
    """Return the index behind "one", "ones" and "of them"."""
    while (
        index < len(mentions)
        and mentions[index].role is MentionType.CUE
        and mentions[index].cue(Cue.ONE)
    ):
        index += 1
    return index


def leads_on(pointer: Pointer, *, bare_number: bool) -> bool:
    """Return whether a pointer is about what follows it, and is no bare number as in "on two"."""
    match pointer:
        case TheOthers() | HalfOf() | AllBut() | Ordinal() | Described():
            return True
        case Partition():
            return not bare_number
        case _:
            return False


def ends(mentions: Sequence[Mention], index: int) -> bool:
    """Return whether nothing more is said here about what comes before."""
    return index >= len(mentions) or mentions[index].cue(*ENDS_CLAUSE)


def text_of(mentions: Sequence[Mention]) -> str:
    """Return the words of some mentions."""
    return " ".join(mention.span.text for mention in mentions)
