"""Choosing a recogniser's hypothesis: the likeliest one that the menu can explain.

What was measured, and what else was tried: docs/adr/0010-hypotheses-against-the-menu.md. How far
the others contradict it: docs/adr/0026-what-sound-says-of-an-order.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from voice_service.ordering.acts import Act, Add, Aside, ItemRequest, Modify, Problem, Replace
from voice_service.ordering.cart_view import CartView
from voice_service.ordering.intents.parser import Parsed, Parser


@dataclass(frozen=True, slots=True)
class HypothesisChooser:
    """Chooses for one moment of a conversation. Pure; any thread may call it.

    `waiting` are words held back from the utterance before.
    """

    parser: Parser
    cart: CartView
    waiting: str = ""

    def __call__(self, texts: Sequence[str], shares: Sequence[float]) -> tuple[int, float]:
        """Return the index of the text to take, and the share of the texts that order the same.

        The texts begin with the likeliest; `shares` are how likely each of them is, 1 together.
        It is the first, unless that orders something and has a hole, and another orders without
        one. What names nothing on the menu is left as it is: small talk must not be bent into an
        order.
        """
        first = self._parse(texts[0])
        if not any(part.candidates for part in first.mentions):
            return 0, 1.0
        parsed = [first, *map(self._parse, texts[1:])]
        whole = (i for i, other in enumerate(parsed) if not _has_hole(other) and _orders(other))
        index = next(whole, 0) if _has_hole(first) else 0
        taken = _wishes(parsed[index])
        agreeing = (n for other, n in zip(parsed, shares, strict=True) if _wishes(other) == taken)
        return index, min(1.0, sum(agreeing))

    def _parse(self, text: str) -> Parsed:
        return self.parser.parse(f"{self.waiting} {text}".strip(), self.cart)


def _has_hole(parsed: Parsed) -> bool:
    """Return whether words were left over, or something is missing that they need."""
    return any(isinstance(act, Problem) for act in parsed.acts)


def _orders(parsed: Parsed) -> bool:
    return any(not isinstance(act, Aside) for act in parsed.acts)


def _wishes(parsed: Parsed) -> list[object]:
    """Return what is ordered or changed, in a form that is equal however it was said."""
    return [_wish(act) for act in parsed.acts if not isinstance(act, Aside | Problem)]


def _wish(act: Act) -> object:
    match act:
        case Add(request):
            return Add, _item(request)
        case Replace(target, request):
            return Replace, target, _item(request)
        case Modify(target, mods, size, quantity):
            changes = [(m.group, m.id, m.qualifier, m.negated, m.quantity) for m in mods]
            return Modify, target, sorted(changes, key=repr), size, quantity
        case _:
            return type(act)


def _item(request: ItemRequest) -> object:
    mods = [(m.group, m.id, m.qualifier, m.negated, m.quantity) for m in request.mods]
    return request.item, request.count, request.size, sorted(mods, key=repr)
