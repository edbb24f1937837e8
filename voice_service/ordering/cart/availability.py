"""What the restaurant cannot sell now, or not in that number, whoever orders it."""

from __future__ import annotations

from collections.abc import Sequence

from voice_service.ordering.acts import ItemRequest, Problem
from voice_service.ordering.cart.combos import Combos
from voice_service.ordering.cart.lines import Line
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.reasons import ReasonCode

MOST_OF_ONE = 999  # what an order line can hold; far beyond what is accepted without a person
_MOST_LINES = 60


class Stock:
    """What can be ordered at one moment; `closed` are the items not served at this hour."""

    def __init__(self, menu: CompiledMenu, closed: frozenset[str]) -> None:
        self._menu = menu
        self._closed = closed
        self.combos = Combos(menu, self.available)

    def available(self, item: str) -> bool:
        """Return whether an item can be ordered now."""
        return not self._menu.items[item].sold_out and item not in self._closed

    def refusal(self, request: ItemRequest, lines: Sequence[Line]) -> Problem | None:
        """Return why an item cannot be ordered in addition to `lines`; None if it can."""
        item = self._menu.items[request.item]
        if item.sold_out:
            return Problem(ReasonCode.SOLD_OUT, item.name)
        if item.id in self._closed:
            return Problem(ReasonCode.NOT_SERVED_NOW, item.name)
        missing = self.combos.sold_out_part(item.id)
        if missing is not None:
            return Problem(ReasonCode.SOLD_OUT, self._menu.item_name(missing))
        if request.count > MOST_OF_ONE:
            return Problem(
                ReasonCode.QUANTITY_LIMIT, self._menu.counted_name(item.id, request.count)
            )
        if len(lines) >= _MOST_LINES:
            return Problem(ReasonCode.ORDER_LIMIT, item.name)
        return None
