"""What stands before the first item of an order: "with no ice and a cola"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from voice_service.ordering.acts import Act, Add, ItemRequest
from voice_service.ordering.attributes.linking import resolve
from voice_service.ordering.attributes.statements import (
    ItemStatement,
    ModifierStatement,
    SizeStatement,
    Statement,
)
from voice_service.ordering.cart_view import CartView
from voice_service.ordering.doubt import Doubt
from voice_service.ordering.items.attachment import AttributeAttacher
from voice_service.ordering.items.coordination import siblings_of_other_sizes
from voice_service.ordering.items.ellipsis import resolve_ellipsis
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.mentions.mention import Mention
from voice_service.ordering.menu.compiled import CompiledMenu


@dataclass(frozen=True, slots=True)
class Preamble:
    """The statements before the first item of `mentions`, whose own words begin at `start`."""

    statements: list[Statement]
    mentions: Sequence[Mention]
    start: int

    @property
    def after_with(self) -> bool:
        """Whether a "with" or "on" links the item to what stands before it."""
        return self.start > 0 and self.mentions[self.start - 1].cue(Cue.WITH, Cue.ON)

    @property
    def after_on(self) -> bool:
        """Whether an "on" stands right before the item."""
        return self.start > 0 and self.mentions[self.start - 1].cue(Cue.ON)


def attach_preamble(
    preamble: Preamble, request: ItemRequest, cart: CartView, attacher: AttributeAttacher
) -> list[Act]:
    """Put the preamble where it belongs: on the cart's last item, else on the first item itself.

    Return the acts that are about the cart.
    """
    menu, statements = attacher.menu, preamble.statements
    siblings = siblings_of_other_sizes(statements, request, preamble.mentions, preamble.start, menu)
    if siblings:
        attacher.requests[:0] = siblings
        return []
    counted = next(
        (s for s in statements if isinstance(s, SizeStatement) and s.count is not None), None
    )
    if (
        counted is not None
        and preamble.after_with
        and (request.quantity is None or preamble.after_on)
    ):
        # "A single scoop of vanilla in a cone": the item comes after its size.
        request.quantity, counted.numbered = counted.count, False
        attacher.put(statements, request)
        return []
    if counted is not None and not cart.items:
        # "A large with vanilla and a latte": it was not said what the first is.
        implied = resolve_ellipsis(statements, menu, cart, AttributeAttacher(menu, ()))
        _doubt_kind(implied, request, menu)
        return implied
    mods = [s for s in statements if isinstance(s, ModifierStatement)]
    fits_last = bool(cart.items) and all(resolve(m, cart.items[-1], menu) for m in mods)
    points = any(isinstance(s, ItemStatement) for s in statements)
    if not mods or (not preamble.after_with and fits_last) or points:
        return resolve_ellipsis(statements, menu, cart, AttributeAttacher(menu, cart.items))
    for mod in mods:
        if mod.qualifier == "on_the_side":
            # "Salsa on the side with chips": all of it, more likely.
            mod.qualifier = None
            mod.doubts += (Doubt.ASIDE_BEFORE_ITEM,)
    attacher.put(statements, request)
    return []


def _doubt_kind(implied: Sequence[Act], named: ItemRequest, menu: CompiledMenu) -> None:
    """Doubt items of which only the size was said, before one of their kind that is named."""
    kind = menu.items[named.item].category
    for act in implied:
        if isinstance(act, Add) and menu.items[act.request.item].category == kind:
            act.request.doubts += (Doubt.SIZE_BEFORE_KIND,)
