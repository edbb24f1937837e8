"""Words that order nothing."""

from __future__ import annotations

import pytest
from support.conversations import order, said

from voice_service.ordering import CompiledMenu


@pytest.mark.parametrize(
    "text", ["do you have onion rings?", "how much is a shake?", "What's in the chicken wrap?"]
)
def test_questions_order_nothing(demo: CompiledMenu, text: str) -> None:
    """A question about an item is not a wish for it."""
    update = said(demo, text)
    assert update.items == ()
    assert update.status == "listening"


def test_no_one_is_not_number_one(demo: CompiledMenu) -> None:
    """ "no one wants that" orders nothing, removes nothing and counts nothing."""
    assert order(demo, "a hamburger", "no one wants that") == ["1 hamburger"]
