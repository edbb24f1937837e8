"""Sizes that are said as a number, or of what is ordered already."""

from __future__ import annotations

from collections.abc import Sequence

from voice_service.ordering.acts import (
    Act,
    Add,
    ItemRequest,
    Modify,
    ModifyReferenced,
    Problem,
    Reference,
    ReferenceKind,
    Target,
    not_understood,
)
from voice_service.ordering.attributes.statements import SizeStatement
from voice_service.ordering.cart_view import CartView
from voice_service.ordering.language.tokens import keys_of, plural, several
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.reasons import ReasonCode


def size_by_number(requests: Sequence[ItemRequest], menu: CompiledMenu) -> None:
    """Read "six nuggets" as one order of them, where they come in sixes.

    Where they do not come in eights, "eight nuggets" leaves the size open.
    """
    for request in requests:
        item = menu.items[request.item]
        named = [
            (key, s) for s in item.prices for key in keys_of(menu.sizes[s].name, menu.language)
        ]
        sizes = {int(key): size for key, size in named if key.isdigit()}
        portion = plural(item.name, menu.language) == item.name
        if not sizes or not portion or request.size or (request.quantity or 0) < min(sizes):
            continue
        request.size, request.quantity = sizes.get(request.quantity or 0), None


def size_in_cart(statement: SizeStatement, menu: CompiledMenu, cart: CartView) -> Act:
    """Return what a size does to the item of the order that comes in it."""
    order = [cart.unsized] if cart.unsized else []
    order += list(reversed(cart.items))
    for item in order:
        size = next((s.id for s in statement.candidates if menu.offers(item, s)), None)
        if size is not None:
            return _size_of(item, size, statement, menu, cart)
    if cart.items:
        last = ItemRequest(cart.items[-1])
        return Problem(ReasonCode.SIZE_NOT_AVAILABLE, statement.text, request=last)
    return not_understood(statement.text)


def _size_of(
    item: str, size: str, statement: SizeStatement, menu: CompiledMenu, cart: CartView
) -> Act:
    """Return what a size does to an item that comes in it: "large", "and a large", "two large"."""
    count, text = statement.count, statement.text
    if _size_of_several(statement, menu, cart):
        return not_understood(text)
    more = statement.more or statement.linked or _outnumbers(statement, item, size, cart)
    if count is not None and more and item != cart.unsized:
        return Add(ItemRequest(item, count, size, words=set(statement.words)))
    change = Modify(Target((item,)), size=size, text=text)
    if statement.numbered and count is not None:
        return ModifyReferenced(Reference(ReferenceKind.SOME, count, text=text), (change,))
    return change


def _outnumbers(statement: SizeStatement, item: str, size: str, cart: CartView) -> bool:
    """True of "two large" after a small cola: there are not so many that could become large."""
    held = [line for line in cart.lines if line.item == item]
    other = all(line.size not in (None, size) for line in held)
    return other and bool(held) and (statement.count or 0) > sum(line.count for line in held)


def _size_of_several(statement: SizeStatement, menu: CompiledMenu, cart: CartView) -> bool:
    """True of "larges", where several lines come in that size."""
    sized = [x for x in cart.lines if any(menu.offers(x.item, s) for s in statement.candidates)]
    return statement.count is None and len(sized) > 1 and several(statement.text, menu.language)
