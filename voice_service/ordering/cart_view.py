"""What the parser may know of the cart."""

from __future__ import annotations

from dataclasses import dataclass

from voice_service.ordering.cart.lines import Line
from voice_service.ordering.menu.lexicon import Candidate


@dataclass(frozen=True)
class CartView:
    """What the parser may know of the cart: its items in order, and which one lacks a size.

    `choices`: the guest was asked which of these items is meant. `about`: the items that the guest
    has just asked about. `single`: the items of which there is just one. `lines`: those that can be
    pointed at by what they are like. `offered`: `choices` as they were read out.
    """

    items: tuple[str, ...] = ()
    unsized: str | None = None
    choices: tuple[str, ...] = ()
    about: tuple[Candidate, ...] = ()
    single: frozenset[str] = frozenset()
    lines: tuple[Line, ...] = ()
    offered: tuple[str, ...] = ()
