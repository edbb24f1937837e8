"""Words that point at what is ordered without naming it: "the first two", "all but one"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from voice_service.ordering.acts import Description, Reference, ReferenceKind
from voice_service.ordering.language.cue_sets import ENDS_CLAUSE
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.mentions.mention import Apart, Mention, MentionType

_PARTS = frozenset(
    {
        ReferenceKind.SOME,
        ReferenceKind.BUT,
        ReferenceKind.EACH,
        ReferenceKind.HALF,
        ReferenceKind.OTHER,
        ReferenceKind.OF_OTHERS,
    }
)
_TOLD_BY_COUNT = frozenset({ReferenceKind.SOME, ReferenceKind.EACH, ReferenceKind.OF_OTHERS})


@dataclass(frozen=True)
class Pointer:
    """Words that say which of several items what is said beside them is true of.

    `count`: how many, where a number is said. `text`: the words, "" where there is only a number.
    `place`, `items`, `such`: as in `Reference`. `linked`: after "and", so that it may be about more
    of them; `apart`: whether it is.
    """

    which: ReferenceKind
    count: int | None = None
    text: str = ""
    place: int = 0
    items: tuple[str, ...] = ()
    such: Description | None = None
    linked: bool = False
    apart: Apart = Apart.SOME

    @property
    def partial(self) -> bool:
        """Whether it is about some of several items: "two of them", "all but one"."""
        return self.which in _PARTS

    @property
    def all_of_them(self) -> bool:
        """Whether it is about all the items just named: "both", "all with cheese"."""
        return self.which in (ReferenceKind.ALL, ReferenceKind.BOTH)

    @property
    def leads_on(self) -> bool:
        """Whether it can be about what follows it."""
        return self.partial or self.which in (ReferenceKind.PLACE, ReferenceKind.SUCH)

    @property
    def counted(self) -> bool:
        """Whether its number alone says which items are meant."""
        return self.which in _TOLD_BY_COUNT

    def reference(self) -> Reference:
        """Return the reference for the cart to resolve."""
        text = self.text or str(self.count)
        return Reference(self.which, self.count or 1, self.place, self.items, text, self.such)


def some_of(count: int, text: str = "", *, linked: bool = False) -> Pointer:
    """Return what "two of them" points at."""
    return Pointer(ReferenceKind.SOME, count, text, linked=linked)


def all_of(mention: Mention) -> Pointer:
    """Return what "both" or "all" points at."""
    which = ReferenceKind.BOTH if mention.cue(Cue.PAIR) else ReferenceKind.ALL
    return Pointer(which, text=mention.span.text)


Found = tuple[Pointer, int]
"""What words point at, and the index behind the last of them."""


def read_pointer(mentions: Sequence[Mention], index: int, *, bare: bool = False) -> Found | None:
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
        return Pointer(ReferenceKind.SUCH, 1, mention.span.text, such=mention.such), index + 1
    for cue, read in _READERS:
        if mention.cue(cue):
            return read(mentions, index)
    return _counted(mentions, index, bare=bare)


def _part(mentions: Sequence[Mention], index: int, apart: Apart) -> Found:
    """ "One" and "another", where they tell several apart."""
    end = _past_pronouns(mentions, index + 1)
    number = mentions[index].role is MentionType.NUMBER
    count = (mentions[index].span.value or 1) if number else 1
    text = text_of(mentions[index:end])
    return Pointer(ReferenceKind.SOME, count, text, apart=apart), end


def _demonstrative(mentions: Sequence[Mention], index: int) -> Found:
    return Pointer(ReferenceKind.LAST, text=mentions[index].span.text), index + 1


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
    place = mentions[index].span.value or 1
    return Pointer(ReferenceKind.PLACE, count, text, place, items), end


def _others(mentions: Sequence[Mention], index: int) -> Found:
    return Pointer(ReferenceKind.OTHER, text=mentions[index].span.text), index + 1


def _all(mentions: Sequence[Mention], index: int) -> Found:
    """ "Both", "all of them", "all but one"."""
    end = _past_pronouns(mentions, index + 1)
    excepted = all_but(mentions, end)
    if excepted is not None:
        count, end = excepted
        return Pointer(ReferenceKind.BUT, count, text_of(mentions[index:end])), end
    return replace(all_of(mentions[index]), text=text_of(mentions[index:end])), end


def _half(mentions: Sequence[Mention], index: int) -> Found | None:
    """ "Half of them"; "half" alone is about one item."""
    end = _past_pronouns(mentions, index + 1)
    half = Pointer(ReferenceKind.HALF, text=text_of(mentions[index:end]))
    return (half, end) if end > index + 1 else None


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
    named = of_the(mentions, index)
    if named is not None:
        some = some_of(mention.span.value or 1, text_of(mentions[index : named + 1]))
        return replace(some, items=mentions[named].items), named + 1
    return _some(mentions, index, bare=bare) if number else None


def _of_several(mentions: Sequence[Mention], index: int, *, bare: bool) -> Pointer | None:
    """ "One of each", "one of the others", "one of the drinks"."""
    count, text = mentions[index].span.value or 1, text_of(mentions[index : index + 2])
    following = mentions[index + 1] if index + 1 < len(mentions) else None
    if following is not None and following.such is not None:
        return replace(some_of(count, text), such=following.such)
    if following is not None and following.cue(Cue.OTHER):
        return Pointer(ReferenceKind.OF_OTHERS, count, text)
    each = following is not None and following.cue(Cue.BOTH) and not following.cue(Cue.PAIR)
    alone = index + 2 == len(mentions) and index == 0
    return Pointer(ReferenceKind.EACH, count, text) if each and (bare or alone) else None


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
    return (some_of(count, text_of(mentions[index:end])), end) if of_them or bare else None


def all_but(mentions: Sequence[Mention], index: int) -> tuple[int, int] | None:
    """Return how many "but one" at `index` excepts, and where it ends; None without a number."""
    if index + 1 >= len(mentions) or not mentions[index].cue(Cue.BUT):
        return None
    number = mentions[index + 1]
    if number.role is not MentionType.NUMBER and not number.cue(Cue.ONE):
        return None
    end = _past_pronouns(mentions, index + 2)
    return (number.span.value or 1, end) if ends(mentions, end) else None


def _past_pronouns(mentions: Sequence[Mention], index: int) -> int:
    """Return the index behind "one", "ones" and "of them"."""
    while (
        index < len(mentions)
        and mentions[index].role is MentionType.CUE
        and mentions[index].cue(Cue.ONE)
    ):
        index += 1
    return index


def ends(mentions: Sequence[Mention], index: int) -> bool:
    """Return whether nothing more is said here about what comes before."""
    return index >= len(mentions) or mentions[index].cue(*ENDS_CLAUSE)


def text_of(mentions: Sequence[Mention]) -> str:
    """Return the words of some mentions."""
    return " ".join(mention.span.text for mention in mentions)
