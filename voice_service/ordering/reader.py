"""What is said about an item, read off the words beside it, whichever item it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from order_events.drafts import Qualifier
from voice_service.ordering.doubts import certainty
from voice_service.ordering.language import Cue
from voice_service.ordering.parts import Part, Role, senses_of
from voice_service.ordering.pointing import Pointer, all_but, ends, pointed
from voice_service.ordering.said import (
    Link,
    Said,
    SaidBoth,
    SaidBreak,
    SaidCategory,
    SaidEither,
    SaidGroup,
    SaidItem,
    SaidModifier,
    SaidNumber,
    SaidPlace,
    SaidPlain,
    SaidSize,
    SaidSplit,
    SaidSuch,
    SaidTimes,
    SaidUnknown,
)

_MIXED = 0.75  # that both in "bacon and no onions on one" are on one
_AFTERWARDS = 0.6  # that what follows "no onions on one" without a word for which is on the same


@dataclass
class Reader:
    """Reads a stretch of parts without items into what they say, in order."""

    parts: Sequence[Part]
    said: list[Said] = field(default_factory=list)
    _negated: bool = False
    _carried: Link | None = None
    _qualifier: Qualifier | None = None
    _count: int | None = None
    _count_words: tuple[int, ...] = ()
    _more: bool = False
    _wanted: bool = False
    _all: bool = False
    _linked: bool = False
    _either: bool = False
    _qualifier_text: str = ""
    _listed: bool = False
    _split: bool = False
    _clause: int = 0  # where in `said` the last comma or the like was
    _settled: int | None = None  # where in `said` the last words ended that said on which

    def read(self) -> list[Said]:
        """Everything said, in order."""
        index = 0
        while index < len(self.parts):
            end = self._points(index)
            if end is None:
                self._one(index, self.parts[index])
            index = end or index + 1
        self._reset()
        self._doubt_the_rest()
        return self.said

    def _points(self, index: int) -> int | None:  # noqa: PLR0911 - one for each way to point
        """Takes words that say on which of several; returns where they end, None if there are none.

        They stand behind what they are about ("no onions on one") or before it.
        """
        part = self.parts[index]
        if self._times(index):
            return index + 2
        if part.cue(Cue.NO) and part.cue(Cue.BOTH):  # "neither with"
            self.said.append(SaidBoth(part.cue(Cue.PAIR), part.span.text))
            return None
        excepted = all_but(self.parts, index)
        if excepted is not None:
            return self._except(*excepted)
        start = index + 1 if part.cue(Cue.ON, Cue.FOR, Cue.TO) else index
        found = pointed(self.parts, start, bare=start > index)
        if found is None:
            return None
        said, end = found
        goes_on = start == index and any(p.cue(Cue.NO) for p in self.parts[end : end + 1])
        if ends(self.parts, end) and not goes_on and self._run() < len(self.said):
            self._behind(said)
            return end
        has = end < len(self.parts) and self.parts[end].cue(Cue.REQUEST)
        if isinstance(said, SaidBoth) and has and self._role_follows(end, Role.MODIFIER):
            self.said.append(said)
            return end + 1
        if not self._leads(said, start, end):
            return None
        self._count_stands_alone()
        if isinstance(said, SaidSplit):
            said.linked = index > 0 and self.parts[index - 1].cue(Cue.AND)
        self.said.append(said)
        self._settled, self._split = None, True
        return end + has

    def _times(self, index: int) -> bool:
        """Takes "times two" or "two times"."""
        pair = self.parts[index : index + 2]
        number = next((p for p in pair if p.role is Role.NUMBER), None)
        if len(pair) < 2 or number is None or not any(p.cue(Cue.TIMES) for p in pair):
            return False
        self.said.append(SaidTimes(number.span.value or 1))
        return True

    def _leads(self, said: Pointer, start: int, end: int) -> bool:
        """Whether it is said of what follows, and no bare number like that in "on two"."""
        match said:
            case SaidSplit(count, _, but):
                return count is None or but or end > start + 1
            case _:
                return isinstance(said, SaidPlace | SaidSuch)

    def _except(self, count: int, end: int) -> int | None:
        """ "All without onions but one"."""
        each = [i for i, one in enumerate(self.said) if isinstance(one, SaidBoth)]
        if not each:
            return None
        self.said[each[-1]] = SaidSplit(count, str(count), but=True)
        return end

    def _run(self) -> int:
        """Where in `said` that begins which words behind it are about."""
        start = len(self.said)
        clause = self._clause if self._clause < start else 0  # "no onions, on both"
        while start > clause and isinstance(
            self.said[start - 1], SaidModifier | SaidSize | SaidPlain
        ):
            start -= 1
        return start

    def _behind(self, pointer: Pointer) -> None:
        start = self._run()
        about = [one for one in self.said[start:] if isinstance(one, SaidModifier)]
        if len({one.negated for one in about}) > 1:
            for one in about:
                one.certainty *= _MIXED
        self.said.insert(start, pointer)
        self._reset()
        self.said.append(SaidBreak())
        self._clause = self._settled = len(self.said)

    def _doubt_the_rest(self) -> None:
        if self._settled is not None:
            for one in self.said[self._settled :]:
                if isinstance(one, SaidModifier):
                    one.certainty *= _AFTERWARDS

    def _one(self, index: int, part: Part) -> None:
        self._all = any(p.cue(Cue.BOTH) for p in self._just_before(index))
        match part.role:
            case Role.MODIFIER:
                self._modifier(index, part)
            case Role.SIZE:
                self.said.append(
                    SaidSize(
                        part.senses,
                        part.also,
                        part.span.text,
                        part.span.words + self._count_words,
                        self._count,
                        self._more,
                        part.span.has(Cue.SOFT),
                        self._linked,
                        bool(self._count_words),
                    )
                )
                self._forget_count()
            case Role.NUMBER:
                self._number(index, part)
            case Role.GROUP | Role.CATEGORY:
                self._heading(part)
            case Role.ITEM:
                self.said.append(SaidItem(part))
                self._reset()
            case Role.UNKNOWN:
                self._unknown(part)
            case Role.CUE:
                self._cue(index, part)

    def _modifier(self, index: int, part: Part) -> None:
        said = SaidModifier(part.senses, part.span.text, part.span.words + self._count_words)
        said.negated, said.carried = self._negated, self._carried
        said.qualifier, said.quantity = self._qualifier, self._number_said()
        said.apart = said.quantity is not None and not self._listed
        said.counted = self._count if self._linked and not self._negated else None
        said.certainty = certainty(
            self.parts, index, self.said, carried=self._carried, negated=self._negated
        )
        self._put(said)
        if self._negated or self._carried is not None:
            self._carried = ""
        self._qualifier = None
        self._forget_count()

    def _put(self, said: SaidModifier) -> None:
        """Takes a modifier, as one of two after an "or" that denies nothing."""
        last = self.said[-1] if self.said else None
        either, self._either = self._either and not self._negated, False
        if either and isinstance(last, SaidModifier) and not last.negated:
            self.said[-1] = SaidEither((last, said))
        elif either and isinstance(last, SaidEither):
            self.said[-1] = SaidEither((*last.choices, said))
        else:
            self.said.append(said)

    def _number(self, index: int, part: Part) -> None:
        self._count_stands_alone()
        if self._next_is(index, Cue.WITH, Cue.NO, Cue.PLAIN, Cue.ONLY, Cue.ON):
            linked = index > 0 and self.parts[index - 1].cue(Cue.AND)
            self.said.append(SaidSplit(part.span.value, linked=linked))
            self._split, self._settled = True, None
            return
        self._count, self._count_words = part.span.value, part.span.words

    def _heading(self, part: Part) -> None:
        sense = part.senses[0]
        wanted = self._wanted or self._count is not None or self._all or self._linked
        if part.role is Role.GROUP:
            said = SaidGroup(sense.id, part.span.text, self._negated, wanted, self._all)
            said.named = senses_of(part.span, "modifier")
            self.said.append(said)
        else:
            count = self._count
            further = self._linked and count is not None
            self.said.append(
                SaidCategory(sense.id, part.span.text, self._negated, wanted, count, further)
            )
        self._forget_count()

    def _unknown(self, part: Part) -> None:
        last = self.said[-1] if self.said else None
        if isinstance(last, SaidUnknown) and self._count is None:
            last.text += " " + part.span.text
            return
        if isinstance(last, SaidSize) and last.count is not None and self._count is None:
            # "A medium sprite", where there is no Sprite: the size is none of another item's.
            self.said[-1] = SaidUnknown(f"{last.text} {part.span.text}", wanted=True)
            return
        self.said.append(SaidUnknown(part.span.text, self._wanted or self._count is not None))
        self._forget_count()

    def _cue(self, index: int, part: Part) -> None:  # noqa: PLR0912, PLR0915 - a branch per cue
        if part.cue(Cue.NO):
            if self._without_those(index):
                return
            if self._next_is(index, Cue.AND, Cue.WITH, Cue.OR, Cue.ADD):
                # Without what? It must not vanish.
                self.said.append(SaidUnknown(part.span.text, wanted=False))
            self._unused_qualifier()
            self._negated, self._carried = True, None
            self._forget_count()
        elif part.cue(Cue.EXTRA):
            self._emphasis("extra", part, keep_negation=not self._carried_over())
        elif part.cue(Cue.LIGHT):
            self._emphasis("light", part, keep_negation=False)
        elif part.cue(Cue.SIZE_WORD):
            self.said.append(SaidSize((), (), part.span.text, part.span.words, self._count))
            self._forget_count()
        elif part.cue(Cue.ASIDE):
            self._last_modifier("on_the_side")
        elif part.cue(Cue.HALF):
            if self._role_follows(index, Role.MODIFIER) or self._half_with(index):
                self._emphasis("half", part, keep_negation=False)
            elif self._role_follows(index, Role.UNKNOWN) or not self._last_modifier("half"):
                self.said.append(SaidUnknown(part.span.text, wanted=False))
        elif part.cue(Cue.BOTH) and (
            self._next_is(index, Cue.WITH, Cue.NO, Cue.EXTRA, Cue.PLAIN, Cue.ONLY, Cue.ON)
            or self._role_follows(index, Role.SIZE)
            or self._role_follows(index, Role.MODIFIER)
        ):
            self.said.append(SaidBoth(part.cue(Cue.PAIR), part.span.text))
            self._settled = None
        elif part.cue(Cue.ONLY) and any(
            p.cue(Cue.ONE, Cue.NUMBER) for p in self.parts[index + 1 :][:1]
        ):
            pass  # "only one"
        elif part.cue(Cue.PLAIN, Cue.ONLY):
            self.said.append(SaidPlain())
        elif part.cue(Cue.EVERYTHING) and index and self.parts[index - 1].cue(Cue.NO):
            # "Hold the everything": plain, or a joke?
            self.said.append(SaidUnknown(part.span.text, wanted=False))
        elif part.cue(Cue.AND, Cue.OR, Cue.COMMA):
            self._link(part)
        elif part.cue(Cue.ONE) and part.cue(Cue.A, Cue.MORE) and self._told_apart(index):
            self._count_stands_alone()
            self.said.append(SaidSplit(1, linked=index > 0 and self.parts[index - 1].cue(Cue.AND)))
            self._settled = None
        elif part.cue(Cue.MORE):
            self._count, self._more = 1, True
            self._wanted = True
        elif part.cue(Cue.A):
            self._count_stands_alone()
            self._count, self._count_words, self._wanted = 1, (), True
        elif part.cue(Cue.ADD) and index and self.parts[index - 1].cue(Cue.NO):
            pass  # "without adding ham"
        elif part.cue(Cue.BUT) and index and self.parts[index - 1].span.has(Cue.EVERYTHING):
            self._unused_qualifier()
            self._negated, self._carried = True, None  # "everything but onions"
        elif part.cue(Cue.WITH) and index and self._half_with(index - 1):
            pass  # "half with cheese"
        elif part.cue(Cue.WITH, Cue.ADD, Cue.BUT):
            either = self._either
            self._reset()
            self._either = either
            self._wanted, self._listed = True, not self._split
        elif part.cue(Cue.FOR) and any(p.role is Role.ITEM for p in self.parts[index + 1 :][:2]):
            pass  # "large for the fries"
        elif part.cue(Cue.REQUEST, Cue.ALSO, Cue.STOP, Cue.QUESTION_MARK, Cue.FOR):
            self._reset()
            self._wanted = part.cue(Cue.REQUEST)
            self._listed = self._split = False
            self.said.append(SaidBreak())

    def _without_those(self, index: int) -> bool:
        """ "One with onions and one without": what the first has is left off the second."""
        following = self.parts[index + 1 : index + 2]
        ends = not following or following[0].cue(Cue.AND, Cue.STOP, Cue.COMMA)
        if not ends or not self.said or not isinstance(self.said[-1], SaidSplit):
            return False
        said = self.said[:-1]
        first = max((i for i, s in enumerate(said) if isinstance(s, SaidSplit)), default=-1)
        mods = [s for s in said[first + 1 :] if isinstance(s, SaidModifier) and not s.negated]
        if first < 0 or not mods:
            return False
        self.said += [replace(m, negated=True, qualifier=None, quantity=None) for m in mods]
        return True

    def _emphasis(self, qualifier: Qualifier, part: Part, *, keep_negation: bool) -> None:
        if not keep_negation:
            self._negated, self._carried = False, None
        self._unused_qualifier()
        self._qualifier, self._qualifier_text = qualifier, part.span.text

    def _unused_qualifier(self) -> None:
        """ "Extra" what? It must not vanish."""
        if self._qualifier is not None:
            self.said.append(SaidUnknown(self._qualifier_text, wanted=False))
        self._qualifier = None

    def _carried_over(self) -> bool:
        return self._carried is not None

    def _last_modifier(self, qualifier: Qualifier) -> bool:
        last = self.said[-1] if self.said else None
        fits = isinstance(last, SaidModifier) and not last.negated
        if isinstance(last, SaidModifier) and fits:
            if last.qualifier is not None:
                # "Extra salsa on the side": the order can hold one of the two.
                self.said.append(SaidUnknown(self._qualifier_text, wanted=False))
            last.qualifier = qualifier
        return fits

    def _link(self, part: Part) -> None:
        self._linked = part.cue(Cue.AND)
        self._either = part.cue(Cue.OR) or (self._either and part.cue(Cue.COMMA))
        if part.cue(Cue.COMMA):
            self._clause = len(self.said)
        if self._carried is not None:
            links: dict[Cue, Link] = {Cue.OR: "or", Cue.AND: "and"}
            self._carried = next((w for c, w in links.items() if part.cue(c)), self._carried or ",")

    def _just_before(self, index: int) -> Sequence[Part]:
        """The part before, and the one before that if only an article comes between."""
        start = index - 2 if index > 1 and self.parts[index - 1].cue(Cue.THE) else index - 1
        return self.parts[max(start, 0) : index]

    def _role_follows(self, index: int, role: Role) -> bool:
        following = self.parts[index + 1 : index + 2]
        return bool(following) and following[0].role is role

    def _told_apart(self, index: int) -> bool:
        """Whether what follows is true of one of those just named."""
        return self._next_is(index, Cue.WITH, Cue.NO, Cue.PLAIN, Cue.ONLY, Cue.EXTRA, Cue.ON)

    def _half_with(self, index: int) -> bool:
        return (
            self.parts[index].cue(Cue.HALF)
            and index + 1 < len(self.parts)
            and self.parts[index + 1].cue(Cue.WITH)
            and self._role_follows(index + 1, Role.MODIFIER)
        )

    def _next_is(self, index: int, *cues: Cue) -> bool:
        for part in self.parts[index + 1 :]:
            if part.cue(*cues):
                return True
            if not part.idle and not part.cue(Cue.ONE, Cue.COMMA):
                return False
        return False

    def _count_stands_alone(self) -> None:
        if self._count is not None and self._count_words:
            self.said.append(SaidNumber(self._count, self._count_words, self._wanted))
        self._forget_count()

    def _number_said(self) -> int | None:
        return self._count if self._count_words else None

    def _forget_count(self) -> None:
        self._count, self._count_words, self._more = None, (), False

    def _reset(self) -> None:
        self._count_stands_alone()
        self._unused_qualifier()
        self._negated, self._carried = False, None
        self._wanted = self._linked = self._either = False
