"""Names that fit several items."""

from __future__ import annotations

from support.conversations import codes, said

from voice_service.ordering import CompiledMenu


def test_a_shared_word_does_not_choose_an_item(demo: CompiledMenu) -> None:
    """ "sandwich" is part of two names: the guest is asked, no item is taken."""
    update = said(demo, "a sandwich")
    assert update.items == ()
    assert "ambiguous_item" in codes(update)
