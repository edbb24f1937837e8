"""One guest's order from utterance to utterance: what is placed, asked and handed to staff."""

from __future__ import annotations

import pytest
from support.conversations import short

from voice_service.ordering import CompiledMenu, Conversation, Heard
from voice_service.ordering.readings.model import LogLinear


def test_read_back_asks_what_is_open(demo: CompiledMenu) -> None:
    """The question of the first open reason ends the read-back."""
    update = Conversation(demo).hear(Heard(1, "a hamburger and a vanilla shake", 0.9))
    assert update.status == "clarify"
    assert update.readback.endswith(
        "What size Vanilla Shake would you like: Small, Medium or Large?"
    )


def test_an_unpriced_line_waits_and_the_rest_is_placed(demo: CompiledMenu) -> None:
    """A shake without its size cannot be priced: it is asked for, the burger goes ahead."""
    conversation = Conversation(demo)
    first = conversation.hear(Heard(1, "a vanilla shake and a hamburger", 0.9))
    assert [item.menu_item_id for item in first.items] == ["hamburger"]
    second = conversation.hear(Heard(2, "a large one", 0.9))
    assert [item.menu_item_id for item in second.items] == ["vanilla_shake", "hamburger"]
    assert second.status == "listening"


def test_line_ids_stay_while_the_order_changes(demo: CompiledMenu) -> None:
    """A line keeps its id through every change, so that screens can follow it."""
    conversation = Conversation(demo)
    first = conversation.hear(Heard(1, "a coke and a hamburger", 0.9)).items
    second = conversation.hear(Heard(2, "make the coke a large sprite", 0.9)).items
    assert [item.id for item in first] == [item.id for item in second] == ["1", "2"]
    assert second[0].menu_item_id == "sprite"


def test_changed_says_whether_the_order_differs(demo: CompiledMenu) -> None:
    """Only an utterance that changes the cart is worth an event."""
    conversation = Conversation(demo)
    assert conversation.hear(Heard(1, "a coke", 0.9)).changed
    assert not conversation.hear(Heard(2, "how much is that?", 0.9)).changed
    assert not conversation.end().changed


def test_three_misunderstandings_in_a_row_call_staff(demo: CompiledMenu) -> None:
    """A guest we cannot follow is not asked for ever."""
    conversation = Conversation(demo)
    statuses = [conversation.hear(Heard(n, "blorfix", 0.9)).status for n in (1, 2, 3)]
    assert statuses == ["clarify", "clarify", "needs_staff"]


@pytest.mark.parametrize(
    ("text", "held", "change"),
    [
        ("a large lemonade and a small", "and a small", "Added 1 Small Lemonade, $1.99."),
        ("a small coke, a large", "a large", "Changed to 1 Large Coca-Cola, $2.59."),
        ("three hamburgers and five", "and five", "Changed to 5 Hamburgers, $22.45."),
    ],
)
def test_words_that_change_the_order_as_it_ends_are_told_and_for_staff(
    demo: CompiledMenu, text: str, held: str, change: str
) -> None:
    """Whoever breaks off may have meant a coke: nobody told the guest what it was taken for."""
    conversation = Conversation(demo)
    assert conversation.hear(Heard(1, text, 0.95)).status == "listening"
    update = conversation.end()
    assert (update.status, update.change, update.utterance) == ("needs_staff", change, 1)
    assert [(reason.code, reason.text) for reason in update.reasons] == [("low_confidence", held)]
    assert update.readback.endswith(f"Did you say {held}?")
    assert not update.settled


def test_words_held_back_compete_with_their_other_readings(demo: CompiledMenu) -> None:
    """As the order ends, too, the model decides whether one more is wanted or another one."""
    ends = []
    for weight in (-20.0, 20.0):
        ranker = LogLinear({"instead_of_all:bias": -20.0, "instead_of_last:bias": weight})
        conversation = Conversation(demo, ranker=ranker)
        conversation.hear(Heard(1, "a large lemonade and a medium", 0.95))
        ends.append(short(conversation.end().items))
    assert ends == [["1 lemonade/large", "1 lemonade/medium"], ["1 lemonade/medium"]]


def test_words_that_change_nothing_do_not_keep_an_order_from_ending(demo: CompiledMenu) -> None:
    """An "and" after the last item is no reason to call anybody."""
    conversation = Conversation(demo)
    conversation.hear(Heard(1, "a hamburger and", 0.95))
    update = conversation.end()
    assert (update.status, update.reasons, update.change) == ("confirmed", (), "")


def test_an_answer_does_not_wait_for_more(demo: CompiledMenu) -> None:
    """A number says which portion when that was asked, and a "no" before a size corrects one."""
    asked = Conversation(demo)
    asked.hear(Heard(1, "chicken nuggets with ranch", 0.95))
    assert short(asked.hear(Heard(2, "the twenty", 0.95)).items) == [
        "1 chicken_nuggets/twenty_piece +ranch"
    ]
    corrected = Conversation(demo).hear(Heard(1, "a small coke, no, a large", 0.95))
    assert short(corrected.items) == ["1 coca_cola/large"]
