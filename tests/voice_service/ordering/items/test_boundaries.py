"""Which words before an item's name belong to it."""

from __future__ import annotations

import pytest
from support.conversations import order, said

from voice_service.ordering import CompiledMenu


@pytest.mark.parametrize(
    "text",
    [
        "a large, chocolate shake",
        "can I get a large, chocolate shake, please",
        "a hamburger and a large, chocolate shake",
    ],
)
def test_a_recognisers_comma_does_not_part_a_size_from_its_item(
    demo: CompiledMenu, text: str
) -> None:
    """Whisper hears a pause between the size and the name, and writes a comma."""
    assert "1 chocolate_shake/large" in order(demo, text)
    assert said(demo, text).status == "confirmed"
