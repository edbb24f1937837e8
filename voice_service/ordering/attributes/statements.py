"""What may be said about an item, whichever item it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from order_events.domain.drafts import Qualifier
from voice_service.ordering.mentions.mention import Mention
from voice_service.ordering.menu.lexicon import Candidate
from voice_service.ordering.references.pointers import (
    AllOf,
    Demonstrative,
    Described,
    Ordinal,
    Partition,
)

Link = Literal["", "and", "or", ","]


@dataclass
class ModifierStatement:
    """A modifier, said as `text` with the number `quantity` before it.

    `carried`: it follows a "without" across this link, and may or may not be meant so.
    `certainty` that it is meant as said. `apart`: its number does not follow a "with", so it may
    count items: "two shakes, one vanilla". `counted`: its number or article after an "and".
    `linked`: it follows an "and", `after_with`: a "with" since the last number.
    """

    candidates: tuple[Candidate, ...]
    text: str
    words: tuple[int, ...]
    negated: bool = False
    carried: Link | None = None
    qualifier: Qualifier | None = None
    quantity: int | None = None
    apart: bool = False
    certainty: float = 1.0
    counted: int | None = None
    linked: bool = False
    after_with: bool = False


@dataclass
class AlternativesStatement:
    """Modifiers of which one is wanted: "with ranch or honey mustard"."""

    choices: tuple[ModifierStatement, ...]

    @property
    def text(self) -> str:
        """What they were called."""
        return ", ".join(choice.text for choice in self.choices)


@dataclass
class SizeStatement:
    """A size. `count` is the number or article before it: "a large" may be one more item.

    `soft`: the word may as well describe without choosing ("regular"). `linked`: after "and".
    `numbered`: the count was a number, no article.
    """

    candidates: tuple[Candidate, ...]
    also: tuple[Candidate, ...]
    text: str
    words: tuple[int, ...]
    count: int | None = None
    more: bool = False
    soft: bool = False
    linked: bool = False
    numbered: bool = False


@dataclass
class CountStatement:
    """A number that counts no modifier and no size. `wanted`: it was asked for in words."""

    value: int
    words: tuple[int, ...]
    wanted: bool = False


@dataclass
class GroupStatement:
    """The name of a whole modifier group: "no toppings"; `every`: "all the toppings".

    `named`: the modifiers that are called the same.
    """

    id: str
    text: str
    negated: bool
    wanted: bool
    every: bool = False
    named: tuple[Candidate, ...] = ()


@dataclass
class CategoryStatement:
    """The name of a category: a label of what follows, or a wish that is not complete.

    `further`: said after an "and" with a number, so that it is no label of what was named before.
    """

    id: str
    text: str
    negated: bool
    wanted: bool
    count: int | None = None
    further: bool = False


@dataclass
class Times:
    """So many of all that was said."""

    value: int


@dataclass
class ItemStatement:
    """An item already ordered that is pointed at: what stands before it belongs to it."""

    mention: Mention


@dataclass
class PlainStatement:
    """Nothing on it but what is named."""


@dataclass
class UnknownWords:
    """Words that explain nothing. `wanted`: they stand where an item would be named."""

    text: str
    wanted: bool


@dataclass
class ClauseBreak:
    """A new thought: what follows no longer hangs on what came before."""


Statement = (
    ModifierStatement
    | AlternativesStatement
    | SizeStatement
    | CountStatement
    | GroupStatement
    | CategoryStatement
    | Partition
    | Ordinal
    | Described
    | Demonstrative
    | Times
    | ItemStatement
    | PlainStatement
    | AllOf
    | UnknownWords
    | ClauseBreak
)
