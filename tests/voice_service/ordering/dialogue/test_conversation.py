"""One guest's order from utterance to utterance: what is placed, asked and handed to staff."""

from __future__ import annotations

from voice_service.ordering import CompiledMenu, Conversation, Heard


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
