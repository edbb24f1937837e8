"""A session's order at the real hub: who may change it, and what the guest's words do then."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from order_events.domain.audit_records import SessionStart
from order_events.domain.drafts import ItemDraft
from order_events.domain.models import (
    Attention,
    OrderChange,
    OrderDraft,
    OrderStatus,
    Source,
)
from order_events.metrics import HubMetrics
from order_events.protocol.errors import SessionLost, StoreUnavailable
from order_events.service import OrderEvents
from order_events.storage.transaction import Tx
from voice_service.ordering import (
    CartUpdate,
    CompiledMenu,
    Conversation,
    Heard,
    Reason,
    Status,
)
from voice_service.server import demo_menu
from voice_service.sessions.hub import patience
from voice_service.sessions.hub.order_sync import OrderSync
from voice_service.settings import VoiceSettings


def cart(*items: str, status: Status = "listening") -> CartUpdate:
    """Return a cart with one of each item."""
    drafts = tuple(ItemDraft(id=str(i), menu_item_id=item) for i, item in enumerate(items, start=1))
    return CartUpdate(drafts, status, (), "", changed=True)


@pytest.fixture
async def events(tmp_path: Path) -> AsyncIterator[OrderEvents]:
    """Run a hub with the demo restaurant."""
    hub = OrderEvents(VoiceSettings(data_dir=tmp_path), HubMetrics())
    await hub.open()
    await hub.put_menu("demo", demo_menu(), "test")
    yield hub
    await hub.close()


def order_sync(events: OrderEvents, session_id: str = "s1") -> OrderSync:
    return OrderSync(events, "demo", "lane-1", Source(session_id=session_id, lane="1"), None)


async def test_what_staff_have_changed_is_not_undone_by_the_guest(events: OrderEvents) -> None:
    """The manager's correction stands, and the guest's next words go to a person."""
    lane = order_sync(events)
    order, _ = await lane.place(cart("hamburger"))
    assert order is not None
    corrected = (ItemDraft(menu_item_id="hamburger", quantity=3),)
    await events.revise_order("demo", order.id, corrected, actor="manager")
    for _ in range(2):
        shown, update = await lane.place(cart("hamburger", "cheeseburger"))
        assert update.status == "needs_staff"
        assert update.reasons[-1].code == "changed_by_staff"
        assert shown is not None
    kept = await events.order("demo", order.id)
    assert kept is not None
    assert [(i.menu_item_id, i.quantity) for i in kept.items] == [("hamburger", 3)]


async def test_a_status_set_by_staff_does_not_stop_the_order(events: OrderEvents) -> None:
    """Staff who confirm early have not taken over the items."""
    lane = order_sync(events)
    order, _ = await lane.place(cart("hamburger"))
    assert order is not None
    await events.set_status("demo", order.id, OrderStatus.CONFIRMED, actor="manager")
    shown, update = await lane.place(cart("hamburger", "cheeseburger"))
    assert update.status == "listening"
    assert shown is not None
    assert [i.menu_item_id for i in shown.items] == ["hamburger", "cheeseburger"]


async def test_an_order_that_the_kitchen_has_begun_is_not_changed(events: OrderEvents) -> None:
    """Food in preparation can only be changed by people talking to each other."""
    lane = order_sync(events)
    order, _ = await lane.place(cart("hamburger", status="confirmed"))
    assert order is not None
    await events.set_status("demo", order.id, OrderStatus.PREPARING, actor="cook")
    _, update = await lane.place(cart("hamburger", "cheeseburger"))
    assert update.status == "needs_staff"
    again, update = await lane.place(cart("hamburger", "cheeseburger"))
    assert update.reasons[-1].code == "order_under_way"
    assert again is not None
    assert [i.menu_item_id for i in again.items] == ["hamburger"]


async def test_a_session_id_used_again_never_touches_the_earlier_order(
    events: OrderEvents,
) -> None:
    """Creations are keyed by session id, but a second guest must not be lost unseen."""
    first, _ = await order_sync(events).place(cart("hamburger", status="confirmed"))
    assert first is not None
    _, update = await order_sync(events).place(cart("cheeseburger"))
    assert update.status == "needs_staff"
    assert update.reasons[-1].code == "session_id_reused"
    kept = await events.order("demo", first.id)
    assert kept is not None
    assert [i.menu_item_id for i in kept.items] == ["hamburger"]


async def test_a_session_heard_again_after_a_restart_goes_on_with_its_order(
    events: OrderEvents,
) -> None:
    """The client sends the whole recording again; the order is the same one, not a second."""
    first, _ = await order_sync(events).place(cart("hamburger"))
    again = order_sync(events)
    second, update = await again.place(cart("cheeseburger"))
    assert update.status == "listening"
    third, _ = await again.place(cart("cheeseburger", "hamburger"))
    assert first is not None
    assert second is not None
    assert third is not None
    assert first.id == second.id == third.id
    assert [i.menu_item_id for i in third.items] == ["cheeseburger", "hamburger"]


async def test_an_item_the_hub_refuses_goes_to_staff(events: OrderEvents) -> None:
    """An item has been sold out since the menu was compiled: the order is kept and shown to a
    person.
    """
    lane = order_sync(events)
    await events.sell_out("demo", "cheeseburger", True, actor="manager")
    order, update = await lane.place(cart("cheeseburger"))
    assert order is None
    assert update.status == "needs_staff"
    assert update.reasons[-1].code == "sold_out"
    assert update.items


async def test_an_allergy_is_on_the_order_and_staffs_own_notes_stay(events: OrderEvents) -> None:
    """Even if it is said after the items, or after staff have written a note."""
    lane = order_sync(events)
    order, _ = await lane.place(cart("hamburger"))
    assert order is not None
    await events.change_order("demo", order.id, OrderChange(notes="red car"), actor="manager")
    told = replace(cart("hamburger"), notes="ALLERGY: nuts", status="needs_staff")
    for _ in range(2):
        shown, _ = await lane.place(told)
    assert shown is not None
    assert (shown.version, shown.notes) == (3, "ALLERGY: nuts\nred car")


async def test_an_allergy_said_first_comes_with_the_order(events: OrderEvents) -> None:
    """The kitchen never sees the order without it."""
    order, _ = await order_sync(events).place(replace(cart("hamburger"), notes="ALLERGY: nuts"))
    assert order is not None
    assert (order.version, order.notes) == (1, "ALLERGY: nuts")


async def test_a_combo_from_the_lane_is_stored_with_its_parts(events: OrderEvents) -> None:
    """The hub charges what the guest was told, and every part is a line."""
    conversation = Conversation(CompiledMenu(demo_menu()))
    update = conversation.hear(Heard(1, "a large number two with a sprite and no onions", 0.95))
    order, _ = await order_sync(events).place(update)
    assert order is not None
    assert [(i.menu_item_id, i.part_of, i.subtotal) for i in order.items] == [
        ("cheeseburger_combo", None, 1019),
        ("cheeseburger", "1", 0),
        ("french_fries", "1", 0),
        ("sprite", "1", 0),
    ]
    assert "$10.19" in update.readback
    assert update.status == "listening"


async def test_long_notes_of_staff_never_cut_an_allergy_off(events: OrderEvents) -> None:
    """The allergy comes first and is written once."""
    lane = order_sync(events)
    order, _ = await lane.place(cart("hamburger"))
    assert order is not None
    await events.change_order("demo", order.id, OrderChange(notes="x" * 500), actor="manager")
    for _ in range(3):
        shown, _ = await lane.place(replace(cart("hamburger"), notes="ALLERGY: nuts"))
    assert shown is not None
    assert shown.notes == "ALLERGY: nuts\n" + "x" * 486
    assert shown.version == 3


@pytest.mark.parametrize("state", ["held", "taken", "preparing", "refused"])
async def test_an_allergy_reaches_an_order_that_is_not_the_guests_to_change(
    events: OrderEvents, state: str
) -> None:
    """Whoever holds the order, and whatever else is wrong, the allergy is in the notes."""
    lane = order_sync(events)
    order, _ = await lane.place(cart("hamburger", status="confirmed"))
    assert order is not None
    wanted = cart("hamburger", "cheeseburger")
    match state:
        case "held":
            await lane.hold()
        case "taken":
            theirs = (ItemDraft(menu_item_id="hamburger", quantity=3),)
            await events.revise_order("demo", order.id, theirs, actor="manager")
        case "preparing":
            await events.set_status("demo", order.id, OrderStatus.PREPARING, actor="kitchen")
        case _:
            await events.sell_out("demo", "cheeseburger", True, actor="manager")
    before = await events.order("demo", order.id)
    for _ in range(2):
        _, update = await lane.place(replace(wanted, notes="ALLERGY: nuts"))
        assert update.status == "needs_staff"
    noted = await events.order("demo", order.id)
    assert before is not None
    assert noted is not None
    assert noted.notes == "ALLERGY: nuts"
    assert (noted.version, noted.items) == (before.version + 1, before.items)


async def test_an_allergy_reaches_the_order_that_staff_have_made_themselves(
    events: OrderEvents,
) -> None:
    """They took over before anything was ordered; the session says which order is theirs."""
    lane = order_sync(events)
    await events.ledger.begin("demo", SessionStart(session_id="s1", lane="1"), "lane-1")
    await lane.hold()
    draft = OrderDraft(
        type="drive-thru",
        source=Source(session_id="s1"),
        items=(ItemDraft(menu_item_id="hamburger"),),
    )
    order = await events.create_order("demo", draft, actor="manager", idempotency_key="k")
    await lane.place(replace(cart(), notes="ALLERGY: nuts"))
    noted = await events.order("demo", order.id)
    assert noted is not None
    assert noted.notes == "ALLERGY: nuts"


async def test_an_allergy_never_gets_onto_another_guests_order(events: OrderEvents) -> None:
    """Two guests under one session id: the earlier order stays as it is."""
    first, _ = await order_sync(events).place(cart("hamburger", status="confirmed"))
    assert first is not None
    _, update = await order_sync(events).place(replace(cart("cheeseburger"), notes="ALLERGY: nuts"))
    assert update.reasons[-1].code == "session_id_reused"
    kept = await events.order("demo", first.id)
    assert kept == first


async def test_a_confirmed_order_stays_until_a_change_of_it_is_complete(
    events: OrderEvents,
) -> None:
    """A salad without its dressing is on no ticket; with it, it is."""
    conversation, lane = Conversation(CompiledMenu(demo_menu())), order_sync(events)
    at_the_hub = []
    for number, text in enumerate(["a coke", "that's all", "a side salad", "ranch please"], 1):
        order, update = await lane.place(conversation.hear(Heard(number, text, 0.95)))
        assert order is not None
        at_the_hub.append([i.menu_item_id for i in order.items])
        assert (update.status == "clarify") is (number == 3)
    assert at_the_hub == [["coca_cola"]] * 3 + [["coca_cola", "side_salad"]]


@pytest.mark.parametrize("change", ["start over", "cancel the hamburger", "make it a lobster roll"])
async def test_a_confirmed_order_is_never_emptied(events: OrderEvents, change: str) -> None:
    """Only staff may cancel what the kitchen may be making; the guest can order again."""
    conversation, lane = Conversation(CompiledMenu(demo_menu())), order_sync(events)
    for number, text in enumerate(["a hamburger", "that's all", change], 1):
        order, update = await lane.place(conversation.hear(Heard(number, text, 0.95)))
    assert order is not None
    assert [i.menu_item_id for i in order.items] == ["hamburger"]
    assert update.status in ("needs_staff", "clarify")


async def test_words_from_before_the_order_was_handed_back_undo_nothing_of_staff(
    events: OrderEvents,
) -> None:
    """A complete update waited for a slow hub while staff changed the order."""
    lane = order_sync(events)
    order, _ = await lane.place(cart("hamburger"))
    assert order is not None
    await lane.hold()
    corrected = (ItemDraft(menu_item_id="hamburger", quantity=3),)
    theirs = await events.revise_order("demo", order.id, corrected, actor="manager")
    lane.resume(await lane.order_to_hand_back(None), ())
    shown, update = await lane.place(cart("hamburger", "cheeseburger", status="confirmed"), turn=0)
    assert [reason.code for reason in update.reasons] == ["staff_took_over"]
    assert shown == theirs
    shown, update = await lane.place(cart("cheeseburger"), turn=1)
    assert update.reasons == ()
    assert shown is not None
    assert [item.menu_item_id for item in shown.items] == ["cheeseburger"]


async def test_for_whom_the_order_is_comes_with_it(events: OrderEvents) -> None:
    """A name said with or before the first item is on the order from the beginning."""
    conversation = Conversation(CompiledMenu(demo_menu()))
    lane = order_sync(events)
    await lane.place(conversation.hear(Heard(1, "hi, my name is Jessica", 0.95)))
    order, update = await lane.place(conversation.hear(Heard(2, "a cheeseburger please", 0.95)))
    assert order is not None
    assert (order.customer_name, order.version) == ("Jessica", 1)
    assert update.status == "listening"


async def test_a_name_said_later_changes_the_order_once(events: OrderEvents) -> None:
    """Also after it was confirmed; nothing else about the order changes."""
    conversation = Conversation(CompiledMenu(demo_menu()))
    lane = order_sync(events)
    await lane.place(conversation.hear(Heard(1, "a cheeseburger, that's all", 0.95)))
    for number, text in enumerate(("it's for Sam", "thank you"), start=2):
        order, update = await lane.place(conversation.hear(Heard(number, text, 0.95)))
        assert update.status == "confirmed"
    assert order is not None
    assert (order.customer_name, order.status) == ("Sam", OrderStatus.CONFIRMED)
    assert order.version == 3
    assert [(i.menu_item_id, i.quantity) for i in order.items] == [("cheeseburger", 1)]


async def test_a_name_that_staff_have_written_stays(events: OrderEvents) -> None:
    """What the guest says then is not theirs to undo; the guest's own correction is."""
    lane = order_sync(events)
    await lane.place(replace(cart("hamburger"), customer_name="Jon"))
    order, _ = await lane.place(replace(cart("hamburger"), customer_name="John"))
    assert order is not None
    assert order.customer_name == "John"
    change = OrderChange(customer_name="John Smith")
    await events.change_order("demo", order.id, change, actor="manager")
    told = replace(cart("hamburger", "cheeseburger"), customer_name="Johnny")
    order, update = await lane.place(told)
    assert update.status == "listening"
    assert order is not None
    assert order.customer_name == "John Smith"
    assert len(order.items) == 2


async def test_the_table_that_a_guest_names_is_the_orders(events: OrderEvents) -> None:
    """Named with the first item or later, corrected by the guest, but not against staff."""
    conversation = Conversation(
        CompiledMenu(demo_menu().model_copy(update={"table_service": True}))
    )
    lane = order_sync(events)
    order, _ = await lane.place(conversation.hear(Heard(1, "a cheeseburger for table four", 0.95)))
    assert order is not None
    assert (order.table_number, order.type, order.version) == ("4", "dine-in", 1)
    order, _ = await lane.place(conversation.hear(Heard(2, "sorry, we're at table 12", 0.95)))
    assert order is not None
    assert (order.table_number, [i.quantity for i in order.items]) == ("12", [1])
    change = OrderChange(table_number="14")
    await events.change_order("demo", order.id, change, actor="manager")
    order, _ = await lane.place(conversation.hear(Heard(3, "a coke, table nine", 0.95)))
    assert order is not None
    assert (order.table_number, len(order.items)) == ("14", 2)


async def test_a_microphone_on_a_table_knows_it(events: OrderEvents) -> None:
    """What the guest calls the table says nothing better."""
    lane = OrderSync(events, "demo", "lane-1", Source(session_id="s1"), "t7")
    order, _ = await lane.place(replace(cart("hamburger"), table_number="4"))
    assert order is not None
    assert (order.table_id, order.table_number, order.type) == ("t7", None, "dine-in")


async def test_a_name_for_an_order_under_way_is_told_to_staff(events: OrderEvents) -> None:
    """The order is no longer the guest's to change, and a name is not dropped in silence."""
    lane = order_sync(events)
    order, _ = await lane.place(cart("hamburger", status="confirmed"))
    assert order is not None
    await events.set_status("demo", order.id, OrderStatus.PREPARING, actor="cook")
    named = replace(cart("hamburger", status="confirmed"), customer_name="Sam")
    shown, update = await lane.place(named)
    assert shown is not None
    assert shown.customer_name is None
    assert update.reasons[-1].code == "order_under_way"


async def test_the_order_says_what_a_person_must_know(events: OrderEvents) -> None:
    """A question while it is open, an allergy for good; who confirms has dealt with the rest."""
    lane = order_sync(events)
    asked = Reason("missing_size", "Coke", 1, "What size?")
    order, _ = await lane.place(replace(cart("hamburger", status="clarify"), reasons=(asked,)))
    assert order is not None
    assert order.attention == (Attention(code="missing_size", text="Coke"),)
    order, _ = await lane.place(cart("hamburger"))
    assert order is not None
    assert order.attention == ()
    allergy = Reason("allergy", "nuts", 2, None)
    talk = Reason("off_topic", "lovely weather", 2, None)
    update = replace(
        cart("hamburger", status="needs_staff"), reasons=(allergy, asked, talk), notes="ALLERGY"
    )
    order, _ = await lane.place(update)
    assert order is not None
    assert [a.code for a in order.attention] == ["allergy", "missing_size"]
    version = order.version
    order, _ = await lane.place(update)
    assert order is not None
    assert order.version == version
    await events.set_status("demo", order.id, OrderStatus.CONFIRMED, actor="ann")
    kept = await events.order("demo", order.id)
    assert kept is not None
    assert kept.attention == (Attention(code="allergy", text="nuts"),)


async def test_of_an_order_that_staff_hold_only_an_allergy_is_news(events: OrderEvents) -> None:
    """What the guest still says must not change what staff see, except where it can harm."""
    lane = order_sync(events)
    order, _ = await lane.place(cart("hamburger"))
    assert order is not None
    await lane.hold()
    reasons = (Reason("missing_size", "Coke", 2, "What size?"), Reason("allergy", "nuts", 2, None))
    await lane.place(replace(cart("hamburger"), reasons=reasons))
    kept = await events.order("demo", order.id)
    assert kept is not None
    assert [a.code for a in kept.attention] == ["allergy"]


async def test_an_order_on_trial_is_never_confirmed_here(events: OrderEvents) -> None:
    """It says what it would be otherwise, and calls for a person only where it ends."""
    await events.put_menu("demo", demo_menu(), "test", trial_orders=1)
    lane = order_sync(events)
    _, update = await lane.place(cart("hamburger"))
    assert (update.status, update.status_without_trial) == ("listening", "listening")
    assert update.reasons == ()
    order, update = await lane.place(cart("hamburger", status="confirmed"))
    assert (update.status, update.status_without_trial) == ("needs_staff", "confirmed")
    assert [reason.code for reason in update.reasons] == ["menu_on_trial"]
    assert order is not None
    assert order.status is OrderStatus.PENDING
    assert [a.code for a in order.attention] == ["menu_on_trial"]
    again = order_sync(events)
    _, update = await again.place(cart("hamburger", status="confirmed"))
    assert update.status == "needs_staff"
    await events.set_status("demo", order.id, OrderStatus.CONFIRMED, actor="manager")
    _, update = await again.place(cart("hamburger", status="needs_staff"))
    assert (update.status, update.status_without_trial) == ("needs_staff", "needs_staff")


async def begun(events: OrderEvents, lane: OrderSync) -> None:
    """Begin the session at a node, in a new term."""
    _, lane.fence = await events.ledger.begin("demo", SessionStart(session_id="s1"), "lane-1")


async def test_a_session_that_goes_on_elsewhere_changes_nothing_here(events: OrderEvents) -> None:
    """The node that had it was stopped or cut off, and comes back."""
    before, after = order_sync(events), order_sync(events)
    await begun(events, before)
    order, _ = await before.place(cart("hamburger"))
    assert order is not None
    await begun(events, after)
    for update in (cart("hamburger", "cheeseburger"), cart("hamburger", status="confirmed")):
        with pytest.raises(SessionLost):
            await before.place(update)
    assert await events.order("demo", order.id) == order
    continued, _ = await after.place(cart("hamburger", "cheeseburger"))
    assert continued is not None
    assert (continued.id, len(continued.items)) == (order.id, 2)


async def test_a_session_that_staff_hold_elsewhere_changes_no_items(events: OrderEvents) -> None:
    """The database knows, before anybody tells this node. An allergy is told all the same."""
    lane = order_sync(events)
    await begun(events, lane)
    order, _ = await lane.place(cart("hamburger"))
    assert order is not None
    await events.ledger.hold("demo", "s1", actor="ann", version=None)
    more = replace(cart("hamburger", "cheeseburger"), notes="ALLERGY: nuts")
    shown, update = await lane.place(more)
    assert (update.status, update.reasons[-1].code) == ("needs_staff", "staff_took_over")
    assert shown is not None
    assert ([i.menu_item_id for i in shown.items], shown.notes) == (["hamburger"], "ALLERGY: nuts")


async def test_an_order_waits_for_a_database_that_is_away(
    events: OrderEvents, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For as long as the settings say; then a person is called."""
    monkeypatch.setattr(patience, "PAUSE_S", 0.01)
    source = Source(session_id="s1", lane="1")
    lane = OrderSync(events, "demo", "lane-1", source, None, patience_s=60)
    write, failures = events.store.write, 3

    async def failing(run: Callable[[Tx], Any], restaurant_id: str = "") -> Any:
        nonlocal failures
        failures -= 1
        if failures >= 0:
            raise StoreUnavailable("away")
        return await write(run, restaurant_id)

    monkeypatch.setattr(events.store, "write", failing)
    order, update = await lane.place(cart("hamburger"))
    assert order is not None
    assert update.status == "listening"
    assert failures < 0
    failures = 1_000
    hasty = OrderSync(events, "demo", "lane-1", Source(session_id="s2"), None, patience_s=0.05)
    nothing, update = await hasty.place(cart("hamburger"))
    assert (nothing, update.status, update.reasons[-1].code) == (None, "needs_staff", "unavailable")


async def test_a_change_whose_answer_was_lost_is_found_and_not_made_again(
    events: OrderEvents, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is nobody else's change, so it calls nobody."""
    monkeypatch.setattr(patience, "PAUSE_S", 0.01)
    lane = OrderSync(events, "demo", "lane-1", Source(session_id="s1"), None, patience_s=60)
    await lane.place(cart("hamburger"))
    change_order, lost = events.change_order, 1

    async def losing(*arguments: Any, **named: Any) -> Any:
        nonlocal lost
        order = await change_order(*arguments, **named)
        lost -= 1
        if lost >= 0:
            raise StoreUnavailable("the answer was lost")
        return order

    monkeypatch.setattr(events, "change_order", losing)
    order, update = await lane.place(cart("hamburger", "cheeseburger", status="confirmed"))
    assert order is not None
    assert (order.status, len(order.items), update.reasons) == ("confirmed", 2, ())
