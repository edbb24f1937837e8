"""What was said of an item so far, and which of it the words behind it are about."""

from __future__ import annotations

from dataclasses import replace

from order_events.domain.drafts import Qualifier
from voice_service.ordering.attributes.statements import (
    AlternativesStatement,
    ClauseBreak,
    ModifierStatement,
    PlainStatement,
    SizeStatement,
    Statement,
    UnknownWords,
)
from voice_service.ordering.doubt import Doubt
from voice_service.ordering.references.pointers import AllOf, Partition, Pointer


class StatementCollector(list[Statement]):
    """Everything said, in order."""

    def __init__(self) -> None:
        super().__init__()
        self._clause = 0  # where the last comma or the like was
        self._settled: int | None = None  # where the last words ended that said on which

    def comma(self) -> None:
        """A clause ends."""
        self._clause = len(self)

    def open(self, pointer: Pointer) -> None:
        """Takes words that say on which of several all is that follows."""
        self.append(pointer)
        self._settled = None

    def complete(self) -> list[Statement]:
        """All of it, where nothing more comes."""
        if self._settled is not None:
            for one in self[self._settled :]:
                if isinstance(one, ModifierStatement):
                    one.certainty *= Doubt.AFTER_POINTER.certainty
        return self

    def run(self) -> int:
        """Where that begins which words behind it are about."""
        start = len(self)
        clause = self._clause if self._clause < start else 0  # "no onions, on both"
        while start > clause and isinstance(
            self[start - 1], ModifierStatement | SizeStatement | PlainStatement
        ):
            start -= 1
        return start

    def point_back(self, pointer: Pointer) -> None:
        """Takes words that say on which of several that is which stands before them."""
        start = self.run()
        about = [one for one in self[start:] if isinstance(one, ModifierStatement)]
        if len({one.negated for one in about}) > 1:
            for one in about:
                one.certainty *= Doubt.MIXED_ON_SOME.certainty
        self.insert(start, pointer)

    def settle(self) -> None:
        """Ends what was said on which."""
        self.append(ClauseBreak())
        self._clause = self._settled = len(self)

    def all_but(self, count: int) -> bool:
        """ "All without onions but one"; False if nothing was said of all."""
        each = [i for i, one in enumerate(self) if isinstance(one, AllOf)]
        if each:
            self[each[-1]] = Partition(count, str(count), but=True)
        return bool(each)

    def take(self, said: ModifierStatement, *, either: bool) -> None:
        """Takes a modifier; `either`: as one of two with what was said before."""
        last = self[-1] if self else None
        if either and isinstance(last, ModifierStatement) and not last.negated:
            self[-1] = AlternativesStatement((last, said))
        elif either and isinstance(last, AlternativesStatement):
            self[-1] = AlternativesStatement((*last.choices, said))
        else:
            self.append(said)

    def leave_off_those(self) -> bool:
        """ "One with onions and one without": what the first has is left off the second."""
        if not self or not isinstance(self[-1], Partition):
            return False
        said = self[:-1]
        first = max((i for i, s in enumerate(said) if isinstance(s, Partition)), default=-1)
        mods = [s for s in said[first + 1 :] if isinstance(s, ModifierStatement) and not s.negated]
        if first < 0 or not mods:
            return False
        self += [replace(m, negated=True, qualifier=None, quantity=None) for m in mods]
        return True

    def qualify(self, qualifier: Qualifier, before: str) -> bool:
        """Says how the last modifier is wanted; `before`: the words that said so already."""
        last = self[-1] if self else None
        if not isinstance(last, ModifierStatement) or last.negated:
            return False
        if qualifier == "half":
            self._halve_since_other()
        if last.qualifier is not None:
            # "Extra salsa on the side": the order can hold one of the two.
            self.append(UnknownWords(before, wanted=False))
        last.qualifier = qualifier
        return True

    def _halve_since_other(self) -> None:
        """ "Ham on half, and olives and onions on the other half": both are on the other."""
        said = self[self.run() :]
        first = max((i for i, s in enumerate(said) if _halved(s)), default=len(said))
        for one in said[first + 1 : -1]:
            if isinstance(one, ModifierStatement) and not one.negated and one.qualifier is None:
                one.qualifier = "half"

    def set_aside(self, before: str, *, before_wish: bool) -> None:
        """Puts the last modifier beside the item; `before`: the words that said how it is wanted.

        Doubtful for one of two alike ("with butter and honey on the side"), and `before_wish`, as
        it may be about what is wished ("with butter, on the side I want …").
        """
        other, last = [None, None, *self][-2:]
        if isinstance(last, ModifierStatement) and last.negated and last.carried is not None:
            last.negated, last.carried = False, None  # "no onions, mayo on the side"
        if not isinstance(last, ModifierStatement) or not self.qualify("on_the_side", before):
            return
        if before_wish or (
            last.linked and isinstance(other, ModifierStatement) and _alike(other, last)
        ):
            last.certainty *= Doubt.ASIDE_OF_LAST.certainty


def _halved(one: Statement) -> bool:
    return isinstance(one, ModifierStatement) and one.qualifier == "half"


def _alike(one: ModifierStatement, other: ModifierStatement) -> bool:
    """Whether what is said of one may hold for the other."""
    plain = not one.negated and one.qualifier is None
    return plain and one.candidates[0].group == other.candidates[0].group
