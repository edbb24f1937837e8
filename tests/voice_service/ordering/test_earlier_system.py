"""What the earlier system got wrong, each by name."""

from __future__ import annotations

import pytest
from support.conversations import codes, order, said

from voice_service.ordering import CompiledMenu, Conversation
from voice_service.ordering.dialogue.policy import Thresholds
from voice_service.ordering.dialogue.readback import price
from voice_service.ordering.dialogue.turns import Heard


@pytest.mark.parametrize(
    ("text", "quantity"),
    [
        ("can I get five hamburgers", 5),
        ("can I get a hamburger", 1),
        ("can I get 12 hamburgers", 12),
    ],
)
def test_quantity_is_a_word_not_a_letter(demo: CompiledMenu, text: str, quantity: int) -> None:
    """ "can i get five" holds an "a", and is five all the same."""
    assert order(demo, text) == [f"{quantity} hamburger"]


def test_a_shared_word_does_not_choose_an_item(demo: CompiledMenu) -> None:
    """ "sandwich" is part of two names: the guest is asked, no item is taken."""
    update = said(demo, "a sandwich")
    assert update.items == ()
    assert "ambiguous_item" in codes(update)


def test_an_unknown_item_does_not_vanish(demo: CompiledMenu) -> None:
    """What is not on the menu is said so, with the guest's words."""
    update = said(demo, "a lobster roll and a Coke")
    assert [(r.code, r.text) for r in update.reasons] == [("unknown_item", "lobster roll")]
    assert update.reasons[0].question


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


def test_no_one_is_not_number_one(demo: CompiledMenu) -> None:
    """ "no one wants that" orders nothing, removes nothing and counts nothing."""
    assert order(demo, "a hamburger", "no one wants that") == ["1 hamburger"]


def test_confidence_is_not_a_constant(demo: CompiledMenu) -> None:
    """An item is as sure as its words were heard and as well as they match its name."""
    sure = said(demo, "a hamburger", confidence=0.97).items[0].confidence
    unsure = said(demo, "a hamburger", confidence=0.2).items[0].confidence
    shortened = said(demo, "ten piece nuggets", confidence=0.97).items[0].confidence
    assert sure is not None
    assert unsure is not None
    assert shortened is not None
    assert sure > shortened > unsure


@pytest.mark.parametrize(("menu_doubt", "odds"), [(1.0, 1.0), (0.25, 4.0)])
def test_a_word_of_the_menu_is_likelier_right_than_it_was_heard(
    demo: CompiledMenu, menu_doubt: float, odds: float
) -> None:
    """Heard at even odds, it is right at odds that the setting says."""
    conversation = Conversation(demo, Thresholds(menu_doubt=menu_doubt))
    [item] = conversation.hear(Heard(1, "a hamburger", 0.5)).items
    assert item.confidence is not None
    assert item.confidence == pytest.approx(0.985 * odds / (1 + odds), abs=0.001)


def test_a_badly_heard_item_is_asked_about(demo: CompiledMenu) -> None:
    """Words that the recogniser doubts are not accepted without a question; a yes settles it."""
    update = said(demo, "a hamburger", confidence=0.05)
    assert "low_confidence" in codes(update)
    assert update.status != "confirmed"
    assert said(demo, "a hamburger", "yes", confidence=0.05).status == "confirmed"
    assert said(demo, "a hamburger", "no", confidence=0.05).items == ()


def test_two_and_a_half_is_no_quantity(demo: CompiledMenu) -> None:
    """Nobody can make half a burger: the guest is asked how many."""
    assert "ambiguous_quantity" in codes(said(demo, "two and a half cheeseburgers"))


@pytest.mark.parametrize(
    "text", ["do you have onion rings?", "how much is a shake?", "What's in the chicken wrap?"]
)
def test_questions_order_nothing(demo: CompiledMenu, text: str) -> None:
    """A question about an item is not a wish for it."""
    update = said(demo, text)
    assert update.items == ()
    assert update.status == "listening"


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
