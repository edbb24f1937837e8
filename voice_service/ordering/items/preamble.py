"""What stands before the first item of a stretch, and which item it is about."""

from __future__ import annotations

from collections.abc import Sequence

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
from voice_service.ordering.items.coordination import of_other_sizes
from voice_service.ordering.items.ellipsis import resolve_ellipsis
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.mentions.mention import Mention
from voice_service.ordering.menu.compiled import CompiledMenu


def attach_preamble(
    said: list[Statement],
    group: ItemRequest,
    mentions: Sequence[Mention],
    start: int,
    menu: CompiledMenu,
    cart: CartView,
    attacher: AttributeAttacher,
) -> list[Act]:
    """What stands before the first item: about the cart's last item, else about this one."""
    siblings = of_other_sizes(said, group, mentions, start, menu)
    if siblings:
        attacher.groups[:0] = siblings
        return []
    headless = next((s for s in said if isinstance(s, SizeStatement) and s.count is not None), None)
    linked = start > 0 and mentions[start - 1].cue(Cue.WITH, Cue.ON)
    holds = start > 0 and mentions[start - 1].cue(Cue.ON)
    if headless is not None and linked and (group.quantity is None or holds):
        # "a single scoop of vanilla in a cone": the item comes after its size.
        group.quantity, headless.numbered = headless.count, False
        attacher.put(said, group)
        return []
    if headless is not None and not cart.items:
        # "a large with vanilla and a latte": what the first is was not said.
        implied = resolve_ellipsis(said, menu, cart, AttributeAttacher(menu, ()))
        _doubt_kind(implied, group, menu)
        return implied
    mods = [s for s in said if isinstance(s, ModifierStatement)]
    fits_last = bool(cart.items) and all(resolve(m, cart.items[-1], menu) for m in mods)
    if not mods or (not linked and fits_last) or any(isinstance(s, ItemStatement) for s in said):
        return resolve_ellipsis(said, menu, cart, AttributeAttacher(menu, cart.items))
    for mod in mods:
        if mod.qualifier == "on_the_side":
            # "Salsa on the side with chips": all of it, more likely.
            mod.qualifier = None
            mod.certainty *= Doubt.ASIDE_BEFORE_ITEM.certainty
    attacher.put(said, group)
    return []


def _doubt_kind(implied: Sequence[Act], named: ItemRequest, menu: CompiledMenu) -> None:
    """Lowers the quality of items that were not named, before one of their kind that is."""
    kind = menu.items[named.item].category
    for act in implied:
        if isinstance(act, Add) and menu.items[act.request.item].category == kind:
            act.request.quality *= Doubt.SIZE_BEFORE_KIND.certainty
