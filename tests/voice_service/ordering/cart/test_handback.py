"""Going on with an order as staff have left it; and what words were taken for."""

from __future__ import annotations

from collections.abc import Sequence

from support.conversations import codes, demo_menu, short

from order_events.domain.drafts import ItemDraft, ModifierDraft
from order_events.domain.models import OrderItem
from order_events.domain.orders import price_items
from voice_service.ordering import Conversation, Heard


def stored(*drafts: ItemDraft) -> Sequence[OrderItem]:
    """Lines as the hub keeps them."""
    return price_items(drafts, demo_menu().menu, already={})


def item(menu_item_id: str, quantity: int = 1, **fields: object) -> ItemDraft:
    return ItemDraft.model_validate({"menu_item_id": menu_item_id, "quantity": quantity, **fields})


def test_the_guest_goes_on_where_staff_have_left_off() -> None:
    """What was said last is the line at the end; new lines get new ids; "undo" spares staff."""
    conversation = Conversation(demo_menu())
    conversation.hear(Heard(1, "Two hamburgers please.", 0.95))
    items = stored(item("cheeseburger"), item("french_fries", size="small"))
    update, left = conversation.adopt(items)
    assert not left
    assert short(update.items) == ["1 cheeseburger", "1 french_fries/small"]
    update = conversation.hear(Heard(2, "Make that a large. And a hamburger.", 0.95))
    assert short(update.items) == ["1 cheeseburger", "1 french_fries/large", "1 hamburger"]
    assert len({line.id for line in update.items}) == 3
    for number in (3, 4, 5):
        update = conversation.hear(Heard(number, "Undo that.", 0.95))
    assert short(update.items) == ["1 cheeseburger", "1 french_fries/small"]


def test_modifiers_are_taken_over() -> None:
    """What staff took off can be said back on."""
    onions = ModifierDraft(id="onions", group="burger_toppings", negated=True)
    conversation = Conversation(demo_menu())
    group = next(
        g
        for g in demo_menu().items["cheeseburger"].modifier_groups
        if (g, "onions") in demo_menu().modifiers
    )
    items = stored(item("cheeseburger", modifiers=[onions.model_copy(update={"group": group})]))
    update, _ = conversation.adopt(items)
    assert short(update.items) == ["1 cheeseburger -onions"]


def test_what_no_guest_could_have_said_is_left_as_it_is() -> None:
    """A line with a note from staff, or off the menu; a reason names it."""
    noted = item("hamburger", special_instructions="cut in half")
    conversation = Conversation(demo_menu())
    update, left = conversation.adopt(stored(item("cheeseburger"), noted))
    assert [one.menu_item_id for one in left] == ["hamburger"]
    assert short(update.items) == ["1 cheeseburger"]
    assert codes(update) == {"left_by_staff"}
    gone = stored(item("cheeseburger"))[0].model_copy(update={"menu_item_id": "gone"})
    _, left = conversation.adopt([gone])
    assert left == (gone,)


def test_a_combo_is_taken_over_with_its_parts_or_not_at_all() -> None:
    """Its drink can be changed as before; with a note from staff, all of it stays as it is."""
    conversation = Conversation(demo_menu())
    ordered = conversation.hear(Heard(1, "A large cheeseburger combo with a Coke.", 0.95))
    items = stored(*ordered.items)
    taken, left = conversation.adopt(items)
    assert (short(taken.items), left) == (short(ordered.items), ())
    changed = conversation.hear(Heard(2, "Change the Coke to a Sprite.", 0.95))
    assert [(i.menu_item_id, i.part_of) for i in changed.items if i.slot == "drink"] == [
        ("sprite", items[0].id)
    ]
    noted = [
        i.model_copy(update={"special_instructions": "no ice"}) if i.slot == "drink" else i
        for i in items
    ]
    taken, left = conversation.adopt(noted)
    assert (taken.items, left) == ((), tuple(noted))


def test_an_order_that_was_never_begun_is_handed_back_empty() -> None:
    """Staff took over before the first item, and back before they made one."""
    conversation = Conversation(demo_menu())
    update, left = conversation.adopt(())
    assert (update.items, left) == ((), ())
    assert update.status == "listening"


def test_staff_have_settled_what_was_open() -> None:
    """A question to the guest, or a call for a person; not that there is an allergy."""
    conversation = Conversation(demo_menu())
    conversation.hear(Heard(1, "I am allergic to peanuts.", 0.95))
    asked = conversation.hear(Heard(2, "Fries, and can I talk to a person?", 0.95))
    assert {"allergy", "staff_requested"} <= codes(asked)
    update, _ = conversation.adopt(stored(item("french_fries", size="small")))
    assert codes(update) == {"allergy"}


def test_what_the_words_were_taken_for_is_told_with_them() -> None:
    """For the audit: the words, the menu's name, and how well they match."""
    conversation = Conversation(demo_menu())
    update = conversation.hear(Heard(7, "Two cheeseburgers with no onions.", 0.95))
    assert update.utterance == 7
    first, second = update.matched
    assert (first.kind, first.id, first.name) == ("item", "cheeseburger", "Cheeseburger")
    assert "cheeseburgers" in first.text
    assert (second.kind, second.id) == ("modifier", "onions")
    assert "onions" in second.text
    assert 0 < first.quality <= 1
    update = conversation.hear(Heard(8, "Take off the cheeseburgers.", 0.95))
    assert [(m.kind, m.id) for m in update.matched] == [("removed", "cheeseburger")]
    assert conversation.hear(Heard(9, "Thank you.", 0.95)).matched == ()
