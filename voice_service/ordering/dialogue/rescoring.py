"""Choosing a recogniser's hypothesis: the likeliest one that the menu can explain.

What was measured, and what else was tried: docs/adr/0010-hypotheses-against-the-menu.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from voice_service.ordering.acts import Aside, Problem
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

    def __call__(self, texts: Sequence[str]) -> int:
        """Return the index of the text to take, of texts that begin with the likeliest.

        It is the first, unless that orders something and has a hole, and another orders without
        one. What names nothing on the menu is left as it is: small talk must not be bent into an
        order.
        """
        first = self._parse(texts[0])
        if not _has_hole(first) or not any(part.candidates for part in first.mentions):
            return 0
        for index, text in enumerate(texts[1:], start=1):
            other = self._parse(text)
            if not _has_hole(other) and _orders(other):
                return index
        return 0

    def _parse(self, text: str) -> Parsed:
        return self.parser.parse(f"{self.waiting} {text}".strip(), self.cart)


def _has_hole(parsed: Parsed) -> bool:
    """Return whether words were left over, or something is missing that they need."""
    return any(isinstance(act, Problem) for act in parsed.acts)


def _orders(parsed: Parsed) -> bool:
    return any(not isinstance(act, Aside) for act in parsed.acts)
