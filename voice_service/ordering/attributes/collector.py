"""What was said of an item so far, and which of it later words are about."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeGuard

from order_events.domain.drafts import Qualifier
from voice_service.ordering.acts import ReferenceKind
from voice_service.ordering.attributes.statements import (
    AlternativesStatement,
    ClauseBreak,
    ModifierStatement,
    Negation,
    PlainStatement,
    SizeStatement,
    Statement,
    UnknownWords,
)
from voice_service.ordering.doubt import Doubt
from voice_service.ordering.references.pointers import Pointer


class StatementCollector(list[Statement]):
    """Everything said, in order."""

    def __init__(self) -> None:
        super().__init__()
        self._clause = 0  # where the last clause ended, as at a comma

    def comma(self) -> None:
        """End a clause."""
        self._clause = len(self)

    def run(self) -> int:
        """Return where the statements begin that words after them are about."""
        start = len(self)
        clause = self._clause if self._clause < start else 0  # "no onions, on both"
        while start > clause and isinstance(
            self[start - 1], ModifierStatement | SizeStatement | PlainStatement
        ):
            start -= 1
        return start

    def point_back(self, pointer: Pointer) -> None:
        """Add words that say which of several items the statements before them are about."""
        start = self.run()
        about = [s for s in self[start:] if isinstance(s, ModifierStatement)]
        if len({modifier.negated for modifier in about}) > 1:
            for modifier in about:
                modifier.doubts += (Doubt.MIXED_ON_SOME,)
        self.insert(start, pointer)

    def settle(self) -> None:
        """End what is said about the items pointed at."""
        self.append(ClauseBreak())
        self._clause = len(self)

    def all_but(self, count: int) -> bool:
        """ "All without onions but one"; return False if nothing was said of all."""
        each = [i for i, s in enumerate(self) if isinstance(s, Pointer) and s.all_of_them]
        if each:
            self[each[-1]] = Pointer(ReferenceKind.BUT, count, str(count))
        return bool(each)

    def take(self, modifier: ModifierStatement, *, either: bool) -> None:
        """Add a modifier; if `either`, as an alternative to what was said before."""
        last = self[-1] if self else None
        if either and isinstance(last, ModifierStatement) and not last.negated:
            self[-1] = AlternativesStatement((last, modifier))
        elif either and isinstance(last, AlternativesStatement):
            self[-1] = AlternativesStatement((*last.choices, modifier))
        else:
            self.append(modifier)

    def leave_off_those(self) -> bool:
        """ "One with onions and one without": leave off the second what the first has."""
        parts = [i for i, s in enumerate(self) if isinstance(s, Pointer) and s.partial]
        if parts[-1:] != [len(self) - 1]:
            return False
        between = self[parts[-2] + 1 : -1] if len(parts) > 1 else []
        modifiers = [s for s in between if isinstance(s, ModifierStatement) and not s.negated]
        if not modifiers:
            return False
        self += [replace(m, negation=Negation(), qualifier=None, quantity=None) for m in modifiers]
        return True

    def qualify(self, qualifier: Qualifier, before: str) -> bool:
        """Say how the last modifier is wanted; `before`: the words that said so already."""
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
        statements = self[self.run() :]
        first = max((i for i, s in enumerate(statements) if _halved(s)), default=len(statements))
        for statement in statements[first + 1 : -1]:
            if _unqualified(statement):
                statement.qualifier = "half"

    def set_aside(self, before: str) -> None:
        """Put the last modifier beside the item; `before`: the words that said how it is wanted."""
        last = self[-1] if self else None
        if isinstance(last, ModifierStatement) and _reached_over_link(last):
            last.negation = None  # "no onions, mayo on the side"
        self.qualify("on_the_side", before)


def _halved(statement: Statement) -> bool:
    return isinstance(statement, ModifierStatement) and statement.qualifier == "half"


def _unqualified(statement: Statement) -> TypeGuard[ModifierStatement]:
    return (
        isinstance(statement, ModifierStatement)
        and not statement.negated
        and statement.qualifier is None
    )


def _reached_over_link(modifier: ModifierStatement) -> bool:
    return modifier.negation is not None and modifier.negation.across is not None
