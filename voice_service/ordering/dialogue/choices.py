"""What becomes of a request once the guest has chosen which item is meant."""

from __future__ import annotations

from dataclasses import replace

from voice_service.ordering.acts import ItemRequest
from voice_service.ordering.menu.compiled import CompiledMenu


def as_asked(
    request: ItemRequest, asked: ItemRequest, menu: CompiledMenu, *, alone: bool
) -> ItemRequest:
    """Return the request with what was said before it was clear which item is meant.

    `alone`: no other one of those asked about was chosen.
    """
    asked = next((r for r in asked.ambiguity.options if r.item == request.item), asked)
    mods = {(m.id, m.group): m for m in (*asked.mods, *request.mods)}
    fitting = [m for m in mods.values() if menu.has_group(request.item, m.group)]
    size = request.size or asked.size
    additional = request.counting.additional or asked.counting.additional
    return replace(
        request,
        counting=replace(request.counting, additional=additional),
        quantity=asked.quantity if alone and request.count == 1 else request.quantity,
        size=size if size in menu.items[request.item].prices else None,
        mods=fitting,
    )
