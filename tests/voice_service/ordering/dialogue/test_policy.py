"""The thresholds beyond which a person takes over, and the settings they come from."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.conversations import codes

from voice_service.ordering import CompiledMenu, Conversation, Heard, Thresholds
from voice_service.settings import VoiceSettings


@pytest.mark.parametrize(
    ("limit", "words", "code"),
    [
        ({"most_of_item": 3}, "cokes", "quantity_limit"),
        ({"most_items": 3}, "cokes", "order_limit"),
        ({"most_total": 3 * 219}, "cokes", "total_limit"),
    ],
)
def test_limits_come_from_the_settings(
    demo: CompiledMenu, limit: dict[str, int], words: str, code: str
) -> None:
    """An order is accepted at the limit and handed to a person beyond it."""
    thresholds = replace(Thresholds(), **limit)

    def ordered(text: str) -> set[str]:
        conversation = Conversation(demo, thresholds)
        conversation.hear(Heard(1, text, 0.95))
        return codes(conversation.end())

    assert code not in ordered(f"three {words}")
    assert code in ordered(f"four {words}")


def test_every_threshold_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is set by its own name, and defaults to what the measurements were made with."""
    assert VoiceSettings().ordering() == Thresholds()
    for name, value in (("MOST_OF_ITEM", "5"), ("ITEM_CONFIDENCE", "0.7"), ("MOST_TOTAL", "99")):
        monkeypatch.setenv(f"VOICE_{name}", value)
    ordering = VoiceSettings().ordering()
    assert (ordering.most_of_item, ordering.item_confidence, ordering.most_total) == (5, 0.7, 99)
