"""What a guest may say about an item, whichever item it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from order_events.domain.drafts import Qualifier
from voice_service.ordering.doubt import Doubts
from voice_service.ordering.mentions.mention import Mention
from voice_service.ordering.menu.lexicon import Candidate
from voice_service.ordering.references.pointers import Pointer

Link = Literal["", "and", "or", ","]


@dataclass(frozen=True)
class Negation:
    """A "without" that a modifier follows.

    `across`: the link over which it reaches the modifier, "" if there is no word between. Whether
    it is meant to reach that far is open. None right behind the "without". `past`: it has reached
    another without an "and" on the way ("no beans guac and corn").
    """

    across: Link | None = None
    past: bool = False


@dataclass
class ModifierStatement:
    """A modifier, said as `text` with the number `quantity` before it.

    `counts_items`: the number may count items ("two shakes, one vanilla"), as it does not follow
    a "with". `doubts`: of the modifier being meant as it is read. `after_with`: a "with" stands
    before it, since the last number. `counted`: the number or article before it that follows an
    "and".
    """

    candidates: tuple[Candidate, ...]
    text: str
    words: tuple[int, ...]
    negation: Negation | None = None
    qualifier: Qualifier | None = None
    quantity: int | None = None
    counts_items: bool = False
    doubts: Doubts = ()
    after_with: bool = False
    counted: int | None = None

    @property
    def negated(self) -> bool:
        """True if it is to be left off."""
        return self.negation is not None


@dataclass
class AlternativesStatement:
    """Modifiers of which the guest wants one: "with ranch or honey mustard"."""

    choices: tuple[ModifierStatement, ...]

    @property
    def text(self) -> str:
        """The words for all of them."""
        return ", ".join(choice.text for choice in self.choices)


@dataclass
class SizeStatement:
    """A size. `count` is the number or article before it: "a large" may be one more item.

    `also`: the modifiers that the word may name instead. `more`: after "another". `soft`: the word
    may describe without choosing ("regular"). `linked`: after "and". `numbered`: the count is a
    number, not an article. `named`: it is no everyday word for a size ("short stack").
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
    named: bool = False


@dataclass
class CountStatement:
    """A number that counts no modifier and no size. `wanted`: after words such as "I want"."""

    value: int
    words: tuple[int, ...]
    wanted: bool = False


@dataclass
class GroupStatement:
    """The name of a whole modifier group: "no toppings".

    `wanted`: asked for in words. `every`: all of it ("all the toppings"). `named`: the modifiers
    that are called the same.
    """

    id: str
    text: str
    negated: bool
    wanted: bool
    every: bool = False
    named: tuple[Candidate, ...] = ()


@dataclass
class CategoryStatement:
    """The name of a category: a heading for what follows, or a wish that is not complete.

    `wanted`: asked for in words. `further`: after an "and" and a number, so that it is no heading
    for what was named before.
    """

    id: str
    text: str
    negated: bool
    wanted: bool
    count: int | None = None
    further: bool = False


@dataclass
class Times:
    """A number that multiplies all that was said: "times two"."""

    value: int


@dataclass
class ItemStatement:
    """An item that is ordered already and named again: what stands before it belongs to it."""

    mention: Mention


@dataclass
class PlainStatement:
    """ "Plain", "only": nothing on it but what is named."""


@dataclass
class UnknownWords:
    """Words that nothing explains. `wanted`: they stand where an item would be named."""

    text: str
    wanted: bool


@dataclass
class ClauseBreak:
    """The end of a clause: what follows no longer depends on what came before."""


Statement = (
    ModifierStatement
    | AlternativesStatement
    | SizeStatement
    | CountStatement
    | GroupStatement
    | CategoryStatement
    | Pointer
    | Times
    | ItemStatement
    | PlainStatement
    | UnknownWords
    | ClauseBreak
)
