"""What the words read so far lead to: the count, degree, or negation of what comes next."""

from __future__ import annotations

from dataclasses import dataclass

from order_events.domain.drafts import Qualifier
from voice_service.ordering.attributes.collector import StatementCollector
from voice_service.ordering.attributes.statements import (
    CountStatement,
    Link,
    Negation,
    UnknownWords,
)
from voice_service.ordering.mentions.mention import Mention


@dataclass(frozen=True)
class Count:
    """A number or an article that nothing has used yet.

    `words` are those of a number; an article has none. `more`: it is "another".
    """

    value: int | None = None
    words: tuple[int, ...] = ()
    more: bool = False

    @property
    def number(self) -> int | None:
        """The value, if it was said as a number."""
        return self.value if self.words else None


@dataclass
class Clause:
    """What leads to the next mention.

    `wanted`: words such as "I want". `linked`: an "and". `either`: an "or".
    """

    wanted: bool = False
    linked: bool = False
    either: bool = False


@dataclass
class Toppings:
    """What the numbers of this stretch count.

    `listed`: toppings, as they follow a "with". `after_with`: there was a "with" since the last
    number. `parted`: several items were told apart, so that a "with" leads to what one part has.
    """

    listed: bool = False
    after_with: bool = False
    parted: bool = False


class ReadingContext:
    """What applies to the next mention. What nothing uses is added to the statements."""

    def __init__(self, statements: StatementCollector) -> None:
        self._statements = statements
        self.clause = Clause()
        self.toppings = Toppings()
        self.count = Count()
        self.negation: Negation | None = None
        self.degree: Qualifier | None = None  # how much of what follows is wanted: "extra"
        self.degree_text = ""  # the words for the last one, even if a modifier has used it

    @property
    def carried(self) -> bool:
        """True if a "without" reaches what follows over a link or another modifier."""
        return self.negation is not None and self.negation.across is not None

    def carry_negation(self, link: Link) -> None:
        """Let a "without" reach what follows over a link, if there is a "without"."""
        if self.negation is not None:
            past = self.negation.past or (link == "" and self.negation.across in ("", ","))
            self.negation = Negation(link, past)

    def begin_degree(self, qualifier: Qualifier, mention: Mention, *, keep_negation: bool) -> None:
        """Say how much of what follows is wanted; that ends a "without", unless it is kept."""
        if not keep_negation:
            self.negation = None
        self.end_degree()
        self.degree_text = mention.span.text
        self.degree = qualifier

    def end_degree(self) -> None:
        """ "Extra" what? A degree that nothing has used must not vanish."""
        if self.degree is not None:
            self._statements.append(UnknownWords(self.degree_text, wanted=False))
        self.degree = None

    def end_count(self) -> None:
        """Report a number that nothing has used; an article counts nothing."""
        number = self.count.number
        if number is not None:
            wanted = self.clause.wanted
            self._statements.append(CountStatement(number, self.count.words, wanted))
        self.count = Count()

    def end_clause(self) -> None:
        """End everything that waits for what follows, except what numbers count."""
        self.end_count()
        self.end_degree()
        self.negation = None
        self.clause = Clause()
