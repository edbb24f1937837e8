"""What stands before the first item of an order: "with no ice and a cola"."""

from __future__ import annotations

from collections.abc import Sequence

from voice_service.ordering.acts import Act, ItemRequest
from voice_service.ordering.attributes.linking import resolve
from voice_service.ordering.attributes.statements import (
    ItemStatement,
    ModifierStatement,
    SizeStatement,
    Statement,
)
from voice_service.ordering.cart_view import CartView
from voice_service.ordering.items.attachment import AttributeAttacher
from voice_service.ordering.items.coordination import siblings_of_other_sizes
from voice_service.ordering.items.ellipsis import resolve_ellipsis
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.mentions.mention import Mention


def attach_preamble(
    statements: list[Statement],
    mentions: Sequence[Mention],
    start: int,
    request: ItemRequest,
    cart: CartView,
    attacher: AttributeAttacher,
) -> list[Act]:
    """Put what was said before the first item on the cart's last item, or else on the first.

    `start`: where the words of the first item begin. Return the acts that are about the cart.
    """
    menu = attacher.menu
    siblings = siblings_of_other_sizes(statements, request, mentions, start, menu)
    if siblings:
        attacher.requests[:0] = siblings
        return []
    after_on = start > 0 and mentions[start - 1].cue(Cue.ON)
    after_with = after_on or (start > 0 and mentions[start - 1].cue(Cue.WITH))
    counted = next(
        (s for s in statements if isinstance(s, SizeStatement) and s.count is not None), None
    )
    if counted is not None and after_with and (request.quantity is None or after_on):
        # "A single scoop of vanilla in a cone": the item comes after its size.
        request.quantity, counted.numbered = counted.count, False
        attacher.put(statements, request)
        return []
    if counted is not None and not cart.items:
        # "A large with vanilla and a latte": it was not said what the first is.
        return resolve_ellipsis(statements, menu, cart, AttributeAttacher(menu, ()))
    mods = [s for s in statements if isinstance(s, ModifierStatement)]
    fits_last = bool(cart.items) and all(resolve(m, cart.items[-1], menu) for m in mods)
    points = any(isinstance(s, ItemStatement) for s in statements)
    if not mods or (not after_with and fits_last) or points:
        return resolve_ellipsis(statements, menu, cart, AttributeAttacher(menu, cart.items))
    for mod in mods:
        if mod.qualifier == "on_the_side":
            mod.qualifier = None  # "salsa on the side with chips": all of it, more likely
    attacher.put(statements, request)
    return []
