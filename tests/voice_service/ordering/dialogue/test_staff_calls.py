"""What staff are told, whatever becomes of the items."""

from __future__ import annotations

from support.conversations import said

from voice_service.ordering import CompiledMenu


def test_an_allergy_is_noted_once_and_stays(demo: CompiledMenu) -> None:
    """The note stays on the order whatever becomes of the items."""
    update = said(demo, "i'm allergic to peanuts", "a coke", "start over", "a hamburger")
    assert update.notes == "ALLERGY: i am allergic to peanuts"
    assert said(demo, "a coke").notes is None
