"""Whether a guest who pauses has finished an order or is in the middle of it."""

from __future__ import annotations

import pytest
from support.conversations import demo_menu

from voice_service.ordering import CompiledMenu, Conversation, Heard
from voice_service.utterances.turn_end import TurnEnd

WHOLE = [
    "Can I get a double cheeseburger, please?",
    "two hamburgers and a large coke",
    "a cheeseburger with no onions",
    "a large coffee with cream and sugar.",
    "fries, large",
    "that's all",
    "a cheeseburger, um, with bacon",
]
OPEN = [
    "a cheeseburger and",
    "a cheeseburger with",
    "a cheeseburger with no",
    "can I get",
    "I'd like to order",
    "a cheeseburger and a large",
    "a cheeseburger and two",
    "a hamburger, um",
    "a hamburger, uh...",
    "a hamburger,",
    "a hamburger and, let me think",
    "make the",
    "instead of the",
    "a cheeseburger and a.",
]
UNDECIDED = ["", "hello", "a lobster roll", "what a lovely day", "do you have onion rings?", "yes"]


def ending(menu: CompiledMenu, text: str, before: str = "") -> TurnEnd:
    """Return how an order stands after `text`, said after the utterance `before`."""
    conversation = Conversation(menu)
    if before:
        conversation.hear(Heard(1, before, 0.95))
    return conversation.ending(text)


@pytest.mark.parametrize("text", WHOLE)
def test_an_order_whose_words_the_menu_explains_is_finished(demo: CompiledMenu, text: str) -> None:
    """Nothing is left over and nothing has begun."""
    assert ending(demo, text) is TurnEnd.FINISHED


@pytest.mark.parametrize("text", OPEN)
def test_words_that_need_others_are_open(demo: CompiledMenu, text: str) -> None:
    """They are open whatever mark the recogniser puts behind them."""
    assert ending(demo, text) is TurnEnd.OPEN


@pytest.mark.parametrize("text", UNDECIDED)
def test_what_orders_nothing_is_not_decided(demo: CompiledMenu, text: str) -> None:
    """After talk, a question or what is not on the menu, the guest may go on or not."""
    assert ending(demo, text) is TurnEnd.UNKNOWN


def test_an_item_whose_size_must_be_named_is_not_finished() -> None:
    """ "A milkshake …" is waited for as usual: the size may come."""
    menu = demo_menu().menu
    items = tuple(i.model_copy(update={"default_size": None}) for i in menu.items)
    sized = CompiledMenu(menu.model_copy(update={"items": items}))
    assert ending(sized, "a coke") is TurnEnd.UNKNOWN
    assert ending(sized, "a large coke") is TurnEnd.FINISHED
    assert ending(sized, "a large", before="a coke") is TurnEnd.FINISHED


def test_what_was_held_back_belongs_to_what_is_judged(demo: CompiledMenu) -> None:
    """The rest of an order that a pause has cut makes it whole."""
    assert ending(demo, "fries", before="a cheeseburger and a large") is TurnEnd.FINISHED


def test_what_was_ordered_before_counts(demo: CompiledMenu) -> None:
    """ "No onions" is whole where there is a burger; alone it has a hole."""
    assert ending(demo, "with no onions", before="a cheeseburger") is TurnEnd.FINISHED
    assert ending(demo, "with no onions") is not TurnEnd.FINISHED


@pytest.mark.parametrize(
    ("text", "stands"),
    [
        ("una hamburguesa con queso, por favor", TurnEnd.FINISHED),
        ("una hamburguesa con queso y", TurnEnd.OPEN),
        ("quisiera", TurnEnd.OPEN),
        ("una hamburguesa sin", TurnEnd.OPEN),
    ],
)
def test_it_is_judged_by_the_words_of_the_language(text: str, stands: TurnEnd) -> None:
    """The words come from the language's pack; none is in the code."""
    assert ending(demo_menu("es"), text) is stands


def test_judging_changes_nothing(demo: CompiledMenu) -> None:
    """What is only judged has not been said: only finals change the order."""
    judged, other = Conversation(demo), Conversation(demo)
    for conversation in (judged, other):
        conversation.hear(Heard(1, "a cheeseburger and a large", 0.95))
    for text in (*WHOLE, *OPEN, "start over", "cancel my order"):
        judged.ending(text)
    assert judged.hear(Heard(2, "coke", 0.95)) == other.hear(Heard(2, "coke", 0.95))
