"""What an utterance changes, said back; and the limits of what is accepted without a person."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.conversations import codes, demo_menu, said, short

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
    from order_events.domain import orders

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


@pytest.mark.parametrize(
    "change",
    [
        "make it caesar",
        "actually caesar",
        "sorry caesar dressing",
        "change it to caesar",
        "caesar dressing please",
        "change the ranch dressing to caesar",
        "no ranch dressing caesar dressing",
    ],
)
def test_another_choice_takes_the_place_of_the_one_before(demo: CompiledMenu, change: str) -> None:
    """Where there is one dressing, a change of mind is no second one, and the line stays."""
    update = said(demo, "a side salad with ranch", "that's all", change, "that's all")
    assert short(update.items) == ["1 side_salad +caesar_dressing"]
    assert update.status == "confirmed"


@pytest.mark.parametrize("more", ["add caesar", "and caesar", "also caesar dressing"])
def test_one_more_choice_than_there_may_be_is_asked(demo: CompiledMenu, more: str) -> None:
    """On top of the first it replaces nothing; the answer does."""
    asked = said(demo, "a side salad with ranch", more)
    assert "too_many_choices" in codes(asked)
    assert short(asked.items) == ["1 side_salad +ranch_dressing"]
    answered = said(demo, "a side salad with ranch", more, "caesar", "that's all")
    assert short(answered.items) == ["1 side_salad +caesar_dressing"]


def test_taking_off_what_was_given_up_changes_nothing(demo: CompiledMenu) -> None:
    """ "Remove the ranch", when it has become a caesar, takes nothing back."""
    update = said(demo, "a side salad with ranch", "make it caesar", "remove the ranch")
    assert short(update.items) == ["1 side_salad +caesar_dressing"]


def test_so_many_with_each_choice_are_told_apart(demo: CompiledMenu) -> None:
    """A salad has no two dressings, so the numbers count salads; more than there are is asked."""
    split = said(demo, "four side salads", "two ranch and two caesar")
    assert short(split.items) == ["2 side_salad +caesar_dressing", "2 side_salad +ranch_dressing"]
    assert "ambiguous_quantity" in codes(said(demo, "two side salads", "three ranch"))


def test_too_many_choices_leave_the_line_as_it_was(demo: CompiledMenu) -> None:
    """It is asked which of them; what was placed is not taken out meanwhile."""
    first = "nuggets with ranch ketchup buffalo sauce and honey mustard"
    before = said(demo, first)
    after = said(demo, first, "and sweet and sour")
    assert "too_many_choices" in codes(after)
    assert short(after.items) == short(before.items)


def test_nothing_is_both_with_and_without(demo: CompiledMenu) -> None:
    """The hub would refuse the whole order; what was said last counts."""
    for text in ("a hamburger with bacon and no bacon", "a hamburger no cheese with cheese"):
        for item in said(demo, text).items:
            assert len({m.id for m in item.modifiers}) == len(item.modifiers)
