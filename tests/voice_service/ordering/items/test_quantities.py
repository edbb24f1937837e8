"""How many of an item are wanted."""

from __future__ import annotations

import pytest
from support.conversations import codes, order, said

from voice_service.ordering import CompiledMenu


@pytest.mark.parametrize(
    ("text", "quantity"),
    [
        ("can I get five hamburgers", 5),
        ("can I get a hamburger", 1),
        ("can I get 12 hamburgers", 12),
    ],
)
def test_quantity_is_a_word_not_a_letter(demo: CompiledMenu, text: str, quantity: int) -> None:
    """ "can i get five" holds an "a", and is five all the same."""
    assert order(demo, text) == [f"{quantity} hamburger"]


def test_two_and_a_half_is_no_quantity(demo: CompiledMenu) -> None:
    """Nobody can make half a burger: the guest is asked how many."""
    assert "ambiguous_quantity" in codes(said(demo, "two and a half cheeseburgers"))
