"""What an utterance changes, said back; and the limits of what is accepted without a person."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ordering_kit import codes, demo_menu, said

from voice_service.ordering import CompiledMenu, Conversation, Heard, Thresholds
from voice_service.settings import VoiceSettings


def changes(menu: CompiledMenu, *utterances: str) -> list[str]:
    """What is said of each utterance's change."""
    conversation = Conversation(menu)
    return [conversation.hear(Heard(n, text, 0.95)).change for n, text in enumerate(utterances)]


def test_each_change_is_said_with_its_price(demo: CompiledMenu) -> None:
    """Added, changed, removed, nothing."""
    assert changes(
        demo,
        "two chocolate chip cookies and a large coke",
        "make the coke small",
        "do you have onion rings?",
        "remove the cookies",
    ) == [
        "Added 2 Chocolate Chip Cookies, $2.98. Added 1 Large Coca-Cola, $2.59.",
        "Changed to 1 Small Coca-Cola, $1.79.",
        "",
        "Removed 2 Chocolate Chip Cookies.",
    ]


def test_a_combo_is_said_with_its_parts_and_their_upcharges(demo: CompiledMenu) -> None:
    """Once it is complete, and again when a part of it changes."""
    assert changes(demo, "a large number two", "sprite", "onion rings instead of the fries") == [
        "",
        "Added 1 Large Cheeseburger Combo with Cheeseburger, Large French Fries and Large Sprite,"
        " $10.19.",
        "Changed to 1 Large Cheeseburger Combo with Cheeseburger, Large Onion Rings and"
        " Large Sprite, $10.69.",
    ]


def test_read_back_and_the_hub_agree_on_every_price() -> None:
    """What the guest hears is what the server charges, combos with upcharges included."""
    from order_events import orders

    menu = demo_menu()
    update = said(
        menu,
        "a number three with a spicy chicken sandwich, a large coke and onion rings",
        "two cheeseburgers with extra cheese and no onions",
    )
    priced = orders.price_items(update.items, menu.menu, already=())
    total = sum(item.subtotal for item in priced)
    assert f"${total // 100}.{total % 100:02d} plus tax" in update.readback


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
    """Accepted at the limit, handed to a person beyond it."""
    thresholds = replace(Thresholds(), **limit)

    def ordered(text: str) -> set[str]:
        conversation = Conversation(demo, thresholds)
        conversation.hear(Heard(1, text, 0.95))
        return codes(conversation.end())

    assert code not in ordered(f"three {words}")
    assert code in ordered(f"four {words}")


def test_every_threshold_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its own name, and with the default that the measurements were made with."""
    assert VoiceSettings().ordering() == Thresholds()
    for name, value in (("MOST_OF_ITEM", "5"), ("ITEM_CONFIDENCE", "0.7"), ("MOST_TOTAL", "99")):
        monkeypatch.setenv(f"VOICE_{name}", value)
    ordering = VoiceSettings().ordering()
    assert (ordering.most_of_item, ordering.item_confidence, ordering.most_total) == (5, 0.7, 99)


def test_an_allergy_is_noted_once_and_stays(demo: CompiledMenu) -> None:
    """Whatever becomes of the items."""
    update = said(demo, "i'm allergic to peanuts", "a coke", "start over", "a hamburger")
    assert update.notes == "ALLERGY: i am allergic to peanuts"
    assert said(demo, "a coke").notes is None
