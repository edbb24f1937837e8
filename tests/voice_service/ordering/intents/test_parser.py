"""Words that cannot be put into the order come back as reasons."""

from __future__ import annotations

from support.conversations import said

from voice_service.ordering import CompiledMenu


def test_an_unknown_item_does_not_vanish(demo: CompiledMenu) -> None:
    """What is not on the menu is said so, with the guest's words."""
    update = said(demo, "a lobster roll and a Coke")
    assert [(r.code, r.text) for r in update.reasons] == [("unknown_item", "lobster roll")]
    assert update.reasons[0].question
