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


def test_the_more_is_promised_the_surer_an_item_has_to_be() -> None:
    """What is promised decides; an item's own bound holds beside it."""
    promised = (100, 1.5, 1, 0)
    least = [Thresholds(max_wrong_in_hundred=wrong).least_confidence for wrong in promised]
    assert least == sorted(set(least))
    assert (least[0], least[-1]) == (0.0, 1.0)
    assert Thresholds(100, item_confidence=0.7).least_confidence == 0.7
    assert Thresholds(0, item_confidence=0.7).least_confidence == 1.0


def test_a_guest_whose_restaurant_promises_no_mistake_is_asked_about_every_item(
    demo: CompiledMenu,
) -> None:
    """A yes settles it."""
    conversation = Conversation(demo, Thresholds(max_wrong_in_hundred=0))
    assert codes(conversation.hear(Heard(1, "a hamburger", 1.0))) == {"low_confidence"}
    assert codes(conversation.hear(Heard(2, "yes", 1.0))) == set()


def test_every_threshold_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is set by its own name, and defaults to what the measurements were made with."""
    assert VoiceSettings().ordering() == Thresholds()
    said = {"MOST_OF_ITEM": "5", "ITEM_CONFIDENCE": "0.7", "MAX_WRONG_IN_HUNDRED": "3"}
    for name, value in said.items():
        monkeypatch.setenv(f"VOICE_{name}", value)
    ordering = VoiceSettings().ordering()
    assert (ordering.most_of_item, ordering.item_confidence) == (5, 0.7)
    assert ordering.max_wrong_in_hundred == 3
