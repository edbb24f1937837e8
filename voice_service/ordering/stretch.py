"""Where a parse stands: the acts so far, and the words since that still have to become some."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from voice_service.ordering.acts import Act, Add, Modify, Problem, Remove, Replace, Restart, Target
from voice_service.ordering.assemble import assemble
from voice_service.ordering.language import Cue
from voice_service.ordering.loose import CartView
from voice_service.ordering.menu import CompiledMenu
from voice_service.ordering.parts import Part, Role


@dataclass
class State:
    """What an utterance has come to, part by part."""

    menu: CompiledMenu
    cart: CartView
    acts: list[Act] = field(default_factory=list)
    stretch: list[Part] = field(default_factory=list)
    instead: tuple[str, ...] = ()

    def flush(self) -> list[Act]:
        """Turns the stretch collected so far into acts and lets what follows see them."""
        acts = assemble(self.stretch, self.menu, self.cart)
        if _adds(self.stretch):
            acts = [replace(a, adds=True) if isinstance(a, Modify) else a for a in acts]
        self.stretch = []
        added = next((a for a in acts if isinstance(a, Add)), None)
        if self.instead and added is not None:
            acts.append(Remove(Target(self.instead), asked=False, inherit=True))
            self.instead = ()
        self.push(acts)
        return acts

    @property
    def has_items(self) -> bool:
        """Whether anything is in the order, or was said just now."""
        return bool(self.cart.items) or any(p.role is Role.ITEM for p in self.stretch)

    def ordered(self, part: Part) -> bool:
        """Whether an item is in the order, or was said just now."""
        said = [i for p in self.stretch if p.role is Role.ITEM for i in p.items]
        return not set(part.items).isdisjoint({*said, *self.cart.items})

    def push(self, acts: Sequence[Act]) -> None:
        """Takes acts, and what follows is about the order as they leave it."""
        self.acts += _in_its_number(acts)
        items = [a.group.item for a in acts if isinstance(a, Add | Replace)]
        if items:
            parts = [p for item in items for p in self.menu.parts_of(item)]
            self.cart = CartView((*self.cart.items, *parts, *items), None)
        if any(isinstance(a, Restart) for a in acts):
            self.cart = CartView()


def _adds(said: Sequence[Part]) -> bool:
    """Whether words ask for something on top of what there is: "add", "and also"."""
    opens = bool(said) and said[0].cue(Cue.AND)
    return opens or any(part.cue(Cue.ADD, Cue.ALSO) for part in said)


def _in_its_number(acts: Sequence[Act]) -> Sequence[Act]:
    """What takes the place of something is as many as that was; nobody needs to be asked."""
    if not any(isinstance(act, Replace) for act in acts):
        return acts
    return [a for a in acts if not (isinstance(a, Problem) and a.code == "ambiguous_quantity")]
