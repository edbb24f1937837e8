"""Several of one item told apart, in whichever words: "two lattes. I'd like one with oat milk".

What leads to each part ("make one", "the other to have") says nothing but that it is one, and is
left out; the word that points at the part is marked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from voice_service.ordering.cart.lines import Line
from voice_service.ordering.language.cue_sets import DESCRIBES, LISTS, PUNCTUATION
from voice_service.ordering.language.pack import Cue, Entities
from voice_service.ordering.mentions.mention import Apart, Mention, MentionType
from voice_service.ordering.mentions.segmentation import Span
from voice_service.ordering.menu.compiled import CompiledMenu

_BRIDGES = (*PUNCTUATION, Cue.AND, Cue.BUT, Cue.REQUEST, Cue.MAKE, Cue.FOR, Cue.TO, Cue.WITH)
"""May lead to a part: ". Could I get one", "and make the other"."""
_LEADS = (Cue.REQUEST, Cue.MAKE, Cue.TO, Cue.KEEP)
"""May stand between a part and its difference: "one to have oat milk"."""
_POINTS = (Cue.OTHER, Cue.ORDINAL, Cue.MORE)


@dataclass(frozen=True, slots=True)
class _Several:
    """So many of an item, whose name ends before `end`."""

    item: str
    count: int
    end: int


@dataclass(frozen=True, slots=True)
class _Part:
    """Mentions from `start` on that lead to a part, which is pointed at from `pointer` to `said`.

    What is true of it begins at `said`. `count`: how many it has; None for all the others.
    """

    start: int
    pointer: int
    said: int
    count: int | None


def tell_apart(mentions: list[Mention], menu: CompiledMenu, lines: Sequence[Line]) -> list[Mention]:
    """Mark the words that point at the parts of several, and leave out what leads to them."""
    for several in reversed(_all_several(mentions, lines)):
        parts = _Parts(mentions, menu, several)
        kind = parts.kind()
        if kind is not None:
            mentions = _rewritten(mentions, parts.found, kind)
    return mentions


def _all_several(mentions: Sequence[Mention], lines: Sequence[Line]) -> list[_Several]:
    """Return the items that are counted, or those of the order that words without one may mean."""
    heads = [i for i, p in enumerate(mentions) if p.role is MentionType.ITEM]
    if not heads:
        return [_Several(line.item, line.count, 0) for line in lines[-1:]]
    counts = [_count_before(mentions, head) for head in heads]
    return [
        _Several(mentions[head].items[0], count, head + 1)
        for head, count in zip(heads, counts, strict=True)
        if count
    ]


def _count_before(mentions: Sequence[Mention], head: int) -> int | None:
    """Return how many of an item its name has before it."""
    named = (MentionType.MODIFIER, MentionType.SIZE)
    for mention in reversed(mentions[:head]):
        if mention.role is MentionType.NUMBER:
            return mention.span.value
        if mention.cue(Cue.A, Cue.MORE):
            return 1
        if not (mention.role in named or mention.idle or mention.cue(Cue.MEASURE, Cue.PLAIN)):
            return None
    return None


class _Parts:
    """The parts that the words behind an item tell apart."""

    def __init__(self, mentions: Sequence[Mention], menu: CompiledMenu, several: _Several) -> None:
        self._mentions = mentions
        self._menu = menu
        self._several = several
        self.found: list[_Part] = []
        index = several.end
        while index < len(mentions) and mentions[index].role is not MentionType.ITEM:
            part = self._part(index)
            if part is not None:
                self.found.append(part)
            index = index + 1 if part is None else part.said

    def kind(self) -> Apart | None:
        """Return what the parts are: some of those counted, or more; None if they are none."""
        count, parts = self._several.count, self.found
        if not parts or (self._counts_toppings() and not self._pointed()):
            return None
        total = sum(part.count or 1 for part in parts)
        if count > 1 and total <= count and (len(parts) > 1 or self._is_aside(parts[0])):
            return Apart.SOME
        adds = self._several.end and all(self._is_more(part) for part in parts)
        return Apart.MORE if adds and count == 1 else None

    def _is_aside(self, part: _Part) -> bool:
        """Return whether one part alone is one of those counted: "two lattes, one decaf"."""
        lead = self._mentions[part.start : part.pointer]
        behind_name = part.start == self._several.end > 0
        return (
            behind_name and part.count is not None and all(p.idle or p.cue(Cue.COMMA) for p in lead)
        )

    def _pointed(self) -> bool:
        return any(self._mentions[part.pointer].cue(*_POINTS) for part in self.found)

    def _counts_toppings(self) -> bool:
        """Return whether the numbers may count what follows a "with": "with one sugar"."""
        first = self.found[0]
        if any(self._somebody(part.pointer, part.said) for part in self.found):
            return False
        after_with = any(p.cue(Cue.WITH) for p in self._mentions[self._several.end : first.pointer])
        return after_with and any(
            self._mentions[part.said].role is MentionType.MODIFIER and not self._single(part)
            for part in self.found
        )

    def _single(self, part: _Part) -> bool:
        """Return whether its difference is a choice of which an item takes only one."""
        said = self._mentions[part.said]
        return said.role is MentionType.MODIFIER and self._menu.single(
            self._several.item, said.candidates
        )

    def _is_more(self, part: _Part) -> bool:
        """Return whether a part is more than what was counted: "and another", "and one decaf"."""
        lead = self._mentions[part.start : part.pointer]
        pointer = self._mentions[part.pointer]
        links = (Cue.AND,) if pointer.cue(Cue.OWN) else LISTS
        if not any(p.cue(*links) for p in lead) or pointer.cue(Cue.OTHER):
            return False
        if self._somebody(part.pointer, part.said):
            return True
        said = self._mentions[part.said]
        one_of_them = part.said - part.pointer > 1
        ordinary = said.role is MentionType.CUE and not said.cue(*DESCRIBES)
        return (
            pointer.cue(Cue.MORE, Cue.ORDINAL)
            or self._like(part.pointer + 1)
            or self._single(part)
            or ordinary
            or (said.cue(*DESCRIBES) and not one_of_them)
        )

    def _part(self, index: int) -> _Part | None:
        """Return the part that is pointed at from `index` on, if there is one."""
        mentions = self._mentions
        found = self._pointer(index)
        if found is None:
            return None
        pointer, count = found
        start, said = index, pointer + 1
        while start > self._several.end and _bridges(mentions[start - 1]):
            start -= 1
        while said < len(mentions) and (
            mentions[said].cue(*_LEADS, Cue.FOR)
            or self._idle(mentions[said])
            or (mentions[said].cue(Cue.THE) and mentions[said - 1].cue(Cue.FOR))
        ):
            said += 1
        whose = self._somebody(pointer, said)
        return _Part(start, pointer, said, count) if whose or self._differs(said) else None

    def _somebody(self, pointer: int, said: int) -> bool:
        """Return whether a part is somebody's: "one for my wife"."""
        named = any(p.role is not MentionType.CUE for p in self._mentions[said : said + 1])
        lead = self._mentions[pointer + 1 : said]
        return any(p.span.filler or (p.cue(Cue.FOR) and not named) for p in lead)

    def _pointer(self, index: int) -> tuple[int, int | None] | None:
        """Return where the word is that points at a part, and how many that has."""
        first, following = self._mentions[index], self._mentions[index + 1 : index + 2]
        most = self._several.count
        if first.role is MentionType.NUMBER:
            value = first.span.value or 1
            return (index, value) if value <= most else None
        if first.cue(Cue.A):
            if any(p.cue(Cue.ORDINAL) for p in following):
                return index + 1, 1  # "a second one"
            sized = most > 1 and any(p.role is MentionType.SIZE for p in following)
            return (index, 1) if sized or self._like(index + 1) else None
        if first.cue(Cue.OWN) and any(p.cue(*DESCRIBES) for p in following):
            return index, 1
        if first.cue(*_POINTS):
            return index, None if first.cue(Cue.OTHER) else 1
        last = bool(self.found) and first.cue(Cue.IT) and not first.cue(Cue.FILLER, Cue.THE)
        return (index, 1) if last else None

    def _like(self, index: int) -> bool:
        """Return whether a description and "one" stand there: "a regular one"."""
        said = list(takewhile(self._describes, self._mentions[index:]))
        end = index + len(said)
        return bool(said) and any(p.cue(Cue.ONE) for p in self._mentions[end : end + 1])

    def _describes(self, mention: Mention) -> bool:
        named = mention.role in (MentionType.MODIFIER, MentionType.SIZE)
        return named or mention.cue(Cue.PLAIN) or self._ordinary(mention)

    def _idle(self, mention: Mention) -> bool:
        return mention.idle and not self._ordinary(mention)

    def _ordinary(self, mention: Mention) -> bool:
        return (
            mention.role is MentionType.CUE
            and mention.span.text in self._menu.language.names.ordinary_words
        )

    def _differs(self, index: int) -> bool:
        """Return whether something is said there that is no other item's."""
        rest = self._mentions[index:]
        said = list(takewhile(lambda p: not p.cue(*LISTS, *PUNCTUATION), rest))
        if not said or any(p.role in (MentionType.ITEM, MentionType.UNKNOWN) for p in said):
            return False
        first = said[0]
        if first.cue(Cue.WITH, Cue.MEASURE) and len(said) > 1:
            first = said[1]
        return (
            first.role in (MentionType.MODIFIER, MentionType.SIZE)
            or first.cue(*DESCRIBES)
            or self._ordinary(first)
        )


def for_somebody(spans: Sequence[Span], index: int, names: Entities) -> bool:
    """True of "for my wife" behind a number alone: it tells one from the others."""
    counted = index > 0 and spans[index - 1].has(Cue.NUMBER) and not spans[index - 1].candidates
    text = spans[index].text
    return counted and any(text.startswith(f"{phrase} ") for phrase in names.for_whom.said)


def _bridges(mention: Mention) -> bool:
    return mention.idle or mention.cue(*_BRIDGES)


def _rewritten(mentions: list[Mention], parts: Sequence[_Part], kind: Apart) -> list[Mention]:
    """Return the mentions with pointers marked, and without what only leads to the parts."""
    kept = mentions[: parts[0].start]
    for part, after in zip(parts, [*parts[1:], None], strict=True):
        pronouns = takewhile(
            lambda p: p.cue(Cue.ONE) and p.role is MentionType.CUE,
            mentions[part.pointer + 1 : part.said],
        )
        end = len(mentions) if after is None else after.start
        pointer = mentions[part.pointer]
        like = kind is Apart.MORE and pointer.cue(Cue.MORE, Cue.ORDINAL)
        pointer = replace(pointer, apart=Apart.ANOTHER if like else kind)
        kept += [pointer, *pronouns, *mentions[part.said : end]]
    return kept
