"""What the parser knows of the cart."""

from __future__ import annotations

from dataclasses import dataclass

from voice_service.ordering.cart.lines import Line
from voice_service.ordering.menu.lexicon import Candidate


@dataclass(frozen=True)
class CartView:
    """What the parser knows of the cart: its `items` in the order said.

    `unsized`: the item that lacks a size. `choices`: the items of which the guest was asked to
    choose one. `about`: the items that the guest has just asked about. `lines`: those that a
    description can be true of. `offered`: `choices` as they were read out.
    """

    items: tuple[str, ...] = ()
    unsized: str | None = None
    choices: tuple[str, ...] = ()
    about: tuple[Candidate, ...] = ()
    lines: tuple[Line, ...] = ()
    offered: tuple[str, ...] = ()
