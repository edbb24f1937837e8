"""What an utterance asks for, before it is applied to the cart."""

from __future__ import annotations

from dataclasses import dataclass, field

from order_events.drafts import Qualifier


@dataclass
class Mod:
    """A modifier as said. `quality`: how well the words match its name; `words`: which words.

    `every`: it was not named, but is one of "all the toppings".
    """

    id: str
    group: str
    qualifier: Qualifier | None = None
    negated: bool = False
    quantity: int = 1
    quality: float = 1.0
    words: tuple[int, ...] = ()
    every: bool = False


@dataclass
class Group:
    """An item with what was said about it. `quantity` and `size` are None where nothing was said.

    `plain`: without its default modifiers, except those named. `more`: one more of the same.
    `joined`: it was said as an accompaniment of the group before ("chips and salsa").
    `vague`: several, but nobody can say how many. `linked`: a "with" stood right before it.
    `implied`: only its size was said. `shared`: it is for all of those before it ("both").
    `options`: what was said of each of its candidates, where they were named ("a coke or a tea").
    """

    item: str
    quantity: int | None = None
    size: str | None = None
    mods: list[Mod] = field(default_factory=list)
    plain: bool = False
    more: bool = False
    joined: bool = False
    vague: bool = False
    linked: bool = False
    shared: bool = False
    quality: float = 1.0
    implied: bool = False
    words: set[int] = field(default_factory=set)
    candidates: tuple[str, ...] = ()
    options: tuple[Group, ...] = ()

    def put(self, mod: Mod) -> None:
        """Takes a modifier; the same one said before is replaced."""
        self.mods = [m for m in self.mods if (m.id, m.group) != (mod.id, mod.group)] + [mod]


@dataclass(frozen=True)
class Target:
    """Which lines are meant: those of `items`, or if empty the last one; `all_lines`: every one.

    `size` narrows to lines of that size.
    """

    items: tuple[str, ...] = ()
    size: str | None = None
    all_lines: bool = False


@dataclass(frozen=True)
class Add:
    """Put a new line into the cart."""

    group: Group


@dataclass(frozen=True)
class Modify:
    """Change lines in place.

    `only`: so many of a line that has more, the others stay; 0: those not told apart so far.
    `adds`: it was asked for on top of what there is, so that it replaces nothing.
    """

    target: Target
    mods: tuple[Mod, ...] = ()
    size: str | None = None
    quantity: int | None = None
    plain: bool = False
    text: str = ""
    only: int | None = None
    adds: bool = False


@dataclass(frozen=True)
class Replace:
    """Put `group` where the target was; what it does not say is kept where it fits.

    `alike`: only if the target is of the same category, else the group is added. `only`: so many of
    a line that has more. `anew`: its choices take the place of those of their kind.
    """

    target: Target
    group: Group
    alike: bool = False
    only: int | None = None
    anew: bool = False


@dataclass(frozen=True)
class Remove:
    """Take lines out, or `quantity` of them. `asked`: say so if there is nothing to remove.

    `inherit`: what was added last takes their place and their quantity.
    """

    target: Target
    quantity: int | None = None
    asked: bool = True
    inherit: bool = False
    text: str = ""


@dataclass(frozen=True)
class Repeat:
    """The last line once more."""

    quantity: int = 1


@dataclass(frozen=True)
class Undo:
    """Take back the last change."""


@dataclass(frozen=True)
class Keep:
    """Put back what was just taken out, of `items` if there are any: "leave the fries in"."""

    items: tuple[str, ...] = ()
    text: str = ""


@dataclass(frozen=True)
class Restart:
    """Take back everything."""


@dataclass(frozen=True)
class Done:
    """The guest says that the order is complete."""


@dataclass(frozen=True)
class Agree:
    """A yes to what was asked."""


@dataclass(frozen=True)
class Deny:
    """A no to what was asked."""


@dataclass(frozen=True)
class Dismiss:
    """The guest lets go of what was asked, in the words `text`."""

    text: str = ""


@dataclass(frozen=True)
class Problem:
    """Words that cannot be put into the order as they are, and why (a reason's code)."""

    code: str
    text: str
    choices: tuple[str, ...] = ()
    group: Group | None = None


@dataclass(frozen=True)
class Aside:
    """Words that order nothing: a question, talk with somebody else. `code` says which."""

    code: str
    text: str


Act = (
    Add
    | Modify
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
