"""What an utterance asks for, before it is applied to the cart."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum, auto

from order_events.domain.drafts import Qualifier
from voice_service.ordering.doubt import Doubts
from voice_service.ordering.reasons import ReasonCode


@dataclass
class ModifierRequest:
    """A modifier as a guest asks for it. `doubts`: of its being meant; `words`: which words say it.

    `negated`: it is to be left off. `every`: it was not named, but is one of "all the toppings".
    """

    id: str
    group: str
    qualifier: Qualifier | None = None
    negated: bool = False
    quantity: int = 1
    doubts: Doubts = ()
    words: tuple[int, ...] = ()
    every: bool = False


@dataclass(frozen=True, slots=True)
class Counting:
    """How the quantity of an item is meant.

    `additional`: so many more of the same ("two more colas"). `vague`: several, but nobody can say
    how many ("cokes"). `shared`: one for each of those before it ("both with fries"). `combos`: for
    so many of the combos ordered ("one with a sprite").
    """

    additional: bool = False
    vague: bool = False
    shared: bool = False
    combos: int | None = None


@dataclass(frozen=True, slots=True)
class Coordination:
    """How an item is joined to what was said before it.

    `accompanies`: the two are one dish ("chips and salsa"). `after_with`: a "with" stood right
    before it.
    """

    accompanies: bool = False
    after_with: bool = False


@dataclass(frozen=True, slots=True)
class Elided:
    """What was left out because the guest has said it before.

    `item`: only its size or a modifier was said ("and a large"). `choices`: what has to be chosen
    for it is as for the last of its kind ("one more with cheese").
    """

    item: bool = False
    choices: bool = False


@dataclass(frozen=True, slots=True)
class Ambiguity:
    """Which items may be meant, and what happens to the one that the guest then chooses.

    `options`: what was said of each candidate, where they were named ("a coke or a tea").
    `replaces`: whose place it takes. `removes`: it is the one to go.
    """

    candidates: tuple[str, ...] = ()
    options: tuple[ItemRequest, ...] = ()
    replaces: Target | None = None
    removes: bool = False


@dataclass
class ItemRequest:
    """An item with what was said about it. `quantity` and `size` are None where nothing was said.

    `plain`: without its default modifiers, except those named. `doubts`: of the item being
    meant. `words`: which words named it, by their index.
    """

    item: str
    quantity: int | None = None
    size: str | None = None
    mods: list[ModifierRequest] = field(default_factory=list)
    plain: bool = False
    doubts: Doubts = ()
    words: set[int] = field(default_factory=set)
    counting: Counting = Counting()
    coordination: Coordination = Coordination()
    elided: Elided = Elided()
    ambiguity: Ambiguity = Ambiguity()

    @property
    def candidates(self) -> tuple[str, ...]:
        """The items that may be meant, where the words fit several."""
        return self.ambiguity.candidates

    @property
    def count(self) -> int:
        """How many there are to be, at least."""
        return self.quantity or 1

    def settle(self, item: str) -> None:
        """Decide for one of the candidates."""
        self.item, self.ambiguity = item, replace(self.ambiguity, candidates=())

    def put(self, mod: ModifierRequest) -> None:
        """Add a modifier; it replaces the same one said before."""
        self.mods = [m for m in self.mods if (m.id, m.group) != (mod.id, mod.group)] + [mod]


class ReferenceKind(Enum):
    """How a guest says which of the lines are meant."""

    SOME = auto()  # so many of several: "one of them"
    BUT = auto()  # all but so many: "all but one"
    EACH = auto()  # so many of each line: "one of each"
    HALF = auto()  # every second one of several: "half of them"
    BOTH = auto()  # the two that there are
    ALL = auto()  # every line that the words fit: "all of them"
    OTHER = auto()  # the line not talked about last: "the other one"
    OF_OTHERS = auto()  # so many of that line: "one of the others"
    PLACE = auto()  # so many from a place on, as they were said: "the first two"
    THESE = auto()  # the line talked about last, if it is so many
    LAST = auto()  # the line talked about last: "that one"
    SUCH = auto()  # those that a description is true of: "the small ones"


@dataclass(frozen=True)
class Description:
    """A description, all of which is true of each line that is meant.

    `sizes`: the line has one of these. `on`, `off`: it comes with or without each of these
    modifiers, where each is the set of (group, id) pairs that the words may mean. `plain`: nothing
    was changed on it. `several`: the words are about more than one ("the small ones").
    """

    items: tuple[str, ...] = ()
    sizes: tuple[str, ...] = ()
    on: tuple[frozenset[tuple[str, str]], ...] = ()
    off: tuple[frozenset[tuple[str, str]], ...] = ()
    plain: bool = False
    several: bool = False


@dataclass(frozen=True)
class Reference:
    """Lines that a guest points at instead of naming them, in the words `text`.

    `place` counts from 1, or from the end if it is negative. `items` narrows the reference to
    lines of these. `such`: how the lines are described.
    """

    which: ReferenceKind
    count: int = 1
    place: int = 0
    items: tuple[str, ...] = ()
    text: str = ""
    such: Description | None = None


@dataclass(frozen=True)
class Target:
    """The lines that an act is about: those of `items`, or if that is empty, the last one.

    `all_lines`: every line. `size` narrows the target to lines of that size. `ref`: the lines that
    the guest points at.
    """

    items: tuple[str, ...] = ()
    size: str | None = None
    all_lines: bool = False
    ref: Reference | None = None


@dataclass(frozen=True)
class Add:
    """Put an item into the order."""

    request: ItemRequest


@dataclass(frozen=True)
class Modify:
    """Change lines in place.

    `only`: so many of a line that has more; the others stay. `adds`: the modifiers come on top of
    what there is, and replace nothing. `bare`: the guest only named them, in no words that ask for
    a change.
    """

    target: Target
    mods: tuple[ModifierRequest, ...] = ()
    size: str | None = None
    quantity: int | None = None
    plain: bool = False
    text: str = ""
    only: int | None = None
    adds: bool = False
    bare: bool = False


@dataclass(frozen=True)
class ModifyReferenced:
    """Change the lines that `ref` means. `changes`: one for each item that the words fit."""

    ref: Reference
    changes: tuple[Modify, ...]


@dataclass(frozen=True)
class Replace:
    """Put `request` where the target was; what it leaves open stays as it was, where that fits.

    `alike`: only if the target is of the same category; if not, the request is added. `only`: so
    many of a line that has more. `anew`: its choices take the place of those of their group.
    """

    target: Target
    request: ItemRequest
    alike: bool = False
    only: int | None = None
    anew: bool = False


@dataclass(frozen=True)
class Remove:
    """Take lines out, or `quantity` of them.

    `asked`: it is a problem if there is nothing to remove. `inherit`: what was added last takes
    their place and their quantity. `others`: remove all lines but these.
    """

    target: Target
    quantity: int | None = None
    asked: bool = True
    inherit: bool = False
    text: str = ""
    others: bool = False


@dataclass(frozen=True)
class Repeat:
    """Order the last line once more.

    `bare`: the guest did not say what, so it is unclear if several lines were talked about.
    """

    quantity: int = 1
    bare: bool = False


@dataclass(frozen=True)
class Undo:
    """Take back the last change, or as many as the guest counts ("undo that twice").

    `item`: only if that change put an item into the order ("cancel that one"). `unclear`: the words
    may be about all that was ordered at once ("forget it").
    """

    item: bool = False
    text: str = ""
    unclear: bool = False
    times: int | None = None


@dataclass(frozen=True)
class Keep:
    """Put back what was just taken out, of `items` if any are named: "leave the fries in".

    `restores`: also what was left off the last item. `unclear`: if nothing was taken out, the words
    may mean the opposite ("leave it").
    """

    items: tuple[str, ...] = ()
    text: str = ""
    restores: bool = False
    unclear: bool = False


@dataclass(frozen=True)
class Restart:
    """Start over: take back everything."""


@dataclass(frozen=True)
class Done:
    """The guest says that the order is complete."""


@dataclass(frozen=True)
class Agree:
    """Answer yes to what was asked."""


@dataclass(frozen=True)
class Deny:
    """Answer no to what was asked."""


@dataclass(frozen=True)
class Dismiss:
    """Drop what was asked, in the words `text`: "never mind"."""

    text: str = ""


@dataclass(frozen=True)
class Problem:
    """Words that cannot be put into the order as they are; `code` says why."""

    code: ReasonCode
    text: str
    choices: tuple[str, ...] = ()
    request: ItemRequest | None = None


@dataclass(frozen=True)
class Aside:
    """Words that order nothing: a question, talk with somebody else. `code` says which."""

    code: ReasonCode
    text: str


def not_understood(text: str) -> Problem:
    """Return the reason for words that make no sense as they were said, or more than one."""
    return Problem(ReasonCode.NOT_UNDERSTOOD, text)


Act = (
    Add
    | Modify
    | ModifyReferenced
    | Replace
    | Remove
    | Repeat
    | Undo
    | Keep
    | Restart
    | Done
    | Agree
    | Deny
    | Dismiss
    | Problem
    | Aside
)
