"""Items that are ordered by their size or a modifier alone: "a large", "small with ham"."""

from __future__ import annotations

from collections.abc import Sequence

from voice_service.ordering.acts import ItemRequest
from voice_service.ordering.attributes.statements import (
    ModifierStatement,
    SizeStatement,
    Statement,
)
from voice_service.ordering.cart_view import CartView
from voice_service.ordering.doubt import Doubt
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.menu.lexicon import Candidate

_SIGNS = 2  # of three: it is counted, something goes onto it, there is nothing else yet


def implied_item(
    statements: Sequence[Statement], menu: CompiledMenu, cart: CartView
) -> ItemRequest | None:
    """Return the one item that "a large with ham" can order, if it orders anything.

    It comes in that size and takes all that is said.
    """
    sizes = [s for s in statements if isinstance(s, SizeStatement)]
    mods = [s for s in statements if isinstance(s, ModifierStatement) and not s.negated]
    listed = len(sizes) > 1 and any(s.count is None for s in sizes)
    if not sizes or listed or cart.unsized is not None:
        return None
    signs = (sizes[0].count is not None, bool(mods), not cart.items)
    taken = any(menu.offers(item, s) for item in cart.items for s in sizes[0].candidates)
    if sum(signs) < _SIGNS and (taken or not sizes[0].named):
        return None
    item = _only_item_fitting([*(s.candidates for s in sizes), *(m.candidates for m in mods)], menu)
    if item is None:
        return None
    request = ItemRequest(item, sizes[0].count, doubts=(Doubt.ONLY_ONE_FITS,))
    request.words.update(sizes[0].words)
    return request


def _only_item_fitting(attributes: Sequence[Sequence[Candidate]], menu: CompiledMenu) -> str | None:
    """Return the item that can have all that was said.

    Of several in one category, it is the one that is called like the category.
    """
    fitting = [
        item.id
        for item in menu.menu.items
        if all(any(menu.offers(item.id, c) for c in candidates) for candidates in attributes)
    ]
    kinds = {menu.items[item].category for item in fitting}
    if len(fitting) < 2 or len(kinds) != 1:
        return fitting[0] if len(fitting) == 1 else None
    named = [item for item in fitting if menu.is_general(item)]
    return named[0] if len(named) == 1 else None
