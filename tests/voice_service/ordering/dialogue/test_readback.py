"""The order and its changes in words, with their prices."""

from __future__ import annotations

from support.conversations import demo_menu, said

from voice_service.ordering import CompiledMenu, Conversation, Heard
from voice_service.ordering.dialogue.readback import price


def changes(menu: CompiledMenu, *utterances: str) -> list[str]:
    """Return what is said of each utterance's change."""
    conversation = Conversation(menu)
    return [conversation.hear(Heard(n, text, 0.95)).change for n, text in enumerate(utterances)]


def test_read_back_of_a_whole_order(demo: CompiledMenu) -> None:
    """It has what a guest can check: quantity, size, name, changes and subtotal."""
    update = said(demo, "two cheeseburgers with no onions and extra cheese, and a large Coke")
    assert update.readback == (
        "Thank you. 2 Cheeseburgers with extra Cheese and no Onions and 1 Large Coca-Cola."
        " That's $13.77 plus tax."
    )


def test_each_change_is_said_with_its_price(demo: CompiledMenu) -> None:
    """The guest hears what was added, changed and removed, and nothing if nothing was."""
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
    """It is said once it is complete, and again when a part of it changes."""
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
    priced = orders.price_items(update.items, menu.menu, already={})
    total = sum(item.subtotal for item in priced)
    assert f"${total // 100}.{total % 100:02d} plus tax" in update.readback


def test_modifiers_are_charged(demo: CompiledMenu) -> None:
    """Bacon costs what the menu says, and comes with its group so that the hub finds its price."""
    plain = said(demo, "a hamburger").items[0]
    with_bacon = said(demo, "a hamburger with bacon").items[0]
    assert price(with_bacon, demo) == price(plain, demo) + 150
    assert with_bacon.modifiers[0].group == "toppings"


def test_no_cheese_is_no_cheese_and_free(demo: CompiledMenu) -> None:
    """ "no cheese" takes the cheese off; it neither adds nor charges any."""
    item = said(demo, "a hamburger with no cheese").items[0]
    assert [(m.id, m.negated) for m in item.modifiers] == [("cheese", True)]
    assert price(item, demo) == price(said(demo, "a hamburger").items[0], demo)
