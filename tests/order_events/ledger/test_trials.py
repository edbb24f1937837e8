"""A menu on trial: whose orders count, until when, and what the analytics make of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from order_events.domain.audit_records import SessionStart
from order_events.domain.models import OrderDraft, Source
from order_events.ledger import trials
from order_events.menu.menu import Menu
from order_events.protocol.errors import SoldOut


def spoken(session: str, item: str = "burger") -> OrderDraft:
    """Return what a guest orders in a session."""
    draft = OrderDraft.model_validate({"items": [{"menu_item_id": item}]})
    return draft.model_copy(update={"source": Source(session_id=session)})


async def guest(server: Any, session: str, *, status: str = "confirmed") -> Any:
    """Let a guest order a burger: the order, and the `voice:order` in the end."""
    await server.events.ledger.begin("r1", SessionStart(session_id=session), "lane-1")
    order = await server.events.create_order(
        "r1", spoken(session), actor="lane-1", idempotency_key=session, spoken=True
    )
    understood = {
        "session_id": session,
        "order": None,
        "readback": "",
        "status": "needs_staff" if order.on_trial else status,
        "reasons": [],
        "after_utterance": 1,
        "matched": [],
        "status_without_trial": status if order.on_trial else None,
    }
    await server.events.publish("r1", "voice:order", understood, tags={"session_id": session})
    return order


async def put_menu(server: Any, menu: Menu, query: str = "") -> tuple[int, dict[str, Any]]:
    answer: tuple[int, dict[str, Any]] = await server.call(
        "PUT", f"/v1/menu{query}", json.loads(menu.model_dump_json())
    )
    return answer


async def trial_of(server: Any) -> dict[str, int] | None:
    _, answer = await server.call("GET", "/v1/menu")
    trial: dict[str, int] | None = answer["trial"]
    return trial


async def test_the_first_orders_of_guests_are_on_trial(
    start: Any, menu: Menu, burger: dict[str, Any]
) -> None:
    """A till's order counts for nothing, a repeated one once, and a restart changes nothing."""
    server = await start()
    assert await trial_of(server) is None
    assert (await put_menu(server, menu, "?trial_orders=2"))[0] == 200
    assert await trial_of(server) == {"orders": 2, "left": 2}
    _, till = await server.call("POST", "/v1/orders", burger)
    assert till["order"]["on_trial"] is False
    assert (await guest(server, "s1")).on_trial
    assert (await guest(server, "s1")).on_trial
    await server.call("PATCH", "/v1/menu/items/soup", {"sold_out": False})
    assert await trial_of(server) == {"orders": 2, "left": 1}
    await server.stop()
    server = await start(menu=False)
    assert (await guest(server, "s2")).on_trial
    assert not (await guest(server, "s3")).on_trial
    assert await trial_of(server) == {"orders": 2, "left": 0}
    await put_menu(server, menu)
    assert await trial_of(server) is None


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("trial_orders=0", "trial_orders: must be at least 1"),
        ("trial_orders=10001", "trial_orders: must be at most 10000"),
        ("trial_orders=some", "trial_orders: "),
        ("trial_orders=", "trial_orders: "),
        ("trial_orders=1&trial_orders=2", "trial_orders: is given twice"),
        ("trial=5", "trial: is not known here"),
    ],
)
async def test_a_trial_that_makes_no_sense_changes_nothing(
    server: Any, menu: Menu, query: str, message: str
) -> None:
    """The answer names the parameter, and the menu stays as it was."""
    status, answer = await put_menu(server, menu, f"?{query}")
    assert (status, answer["error"]["code"]) == (400, "INVALID_MESSAGE")
    assert answer["error"]["message"].startswith(message)
    assert (await server.call("GET", "/v1/menu"))[1]["version"] == 1


async def test_analytics_say_what_would_have_been_accepted_and_was_changed(
    server: Any, menu: Menu
) -> None:
    """Of four orders three would have been accepted; of these one was changed, one cancelled."""
    await put_menu(server, menu, "?trial_orders=4")
    _, second, third, fourth, _ = [
        await guest(server, session, status=status)
        for session, status in [
            ("kept", "confirmed"),
            ("changed", "confirmed"),
            ("cancelled", "confirmed"),
            ("asked", "clarify"),
            ("after the trial", "confirmed"),
        ]
    ]
    items = [{"id": "1", "menu_item_id": "burger", "quantity": 2}, {"menu_item_id": "cola"}]
    for order in (second, fourth):
        await server.call("PATCH", f"/v1/orders/{order.id}", {"items": items})
    await server.call("POST", f"/v1/orders/{third.id}/status", {"status": "cancelled"})
    _, answer = await server.call("GET", "/v1/analytics")
    trial = answer["trial"]
    changed = trial.pop("changes")
    assert trial == {"orders": 4, "accepted": 3, "accepted_changed": 1, "accepted_cancelled": 1}
    assert changed == [
        {
            "menu_item_id": "burger",
            "name": "Burger",
            "change": "changed",
            "fields": ["quantity"],
            "count": 1,
        },
        {
            "menu_item_id": "cola",
            "name": "Cola",
            "change": "added",
            "fields": [],
            "count": 1,
        },
    ]


async def test_a_damaged_audit_entry_is_left_out(server: Any, menu: Menu) -> None:
    """The rest of the figures is still true."""
    await put_menu(server, menu, "?trial_orders=1")
    order = await guest(server, "s1")
    items = [{"id": "1", "menu_item_id": "burger", "quantity": 2}]
    await server.call("PATCH", f"/v1/orders/{order.id}", {"items": items})
    await server.events.store.write(
        lambda tx: tx.db.execute("UPDATE audit SET body = 'x' WHERE kind = 'order'").rowcount
    )
    status, answer = await server.call("GET", "/v1/analytics")
    assert (status, answer["trial"]["accepted_changed"], answer["trial"]["changes"]) == (200, 1, [])


async def test_a_cancellation_that_is_taken_back_is_none(server: Any, menu: Menu) -> None:
    """The order counts as it is now."""
    await put_menu(server, menu, "?trial_orders=1")
    order = await guest(server, "s1")
    await server.call("POST", f"/v1/orders/{order.id}/status", {"status": "cancelled"})
    assert (await server.call("POST", f"/v1/orders/{order.id}/recall", {}))[0] == 200
    _, answer = await server.call("GET", "/v1/analytics")
    assert answer["trial"]["accepted_cancelled"] == 0


def test_a_line_is_compared_in_what_was_asked_for() -> None:
    """Another size and other toppings are two respects; a line that is gone has none."""
    line = {"menu_item_id": "cola", "name": "Cola", "quantity": 1, "size": "s", "modifiers": []}
    other = {**line, "size": "l", "modifiers": [{"id": "lemon"}]}
    assert trials.line_change(line, other).fields == ("size", "modifiers")
    assert trials.line_change(line, None).change == "removed"


async def test_an_order_that_is_refused_is_not_counted(server: Any, menu: Menu) -> None:
    """The count is part of the order's own transaction."""
    await put_menu(server, menu, "?trial_orders=1")
    with pytest.raises(SoldOut):
        await server.events.create_order("r1", spoken("s1", "soup"), actor="lane-1", spoken=True)
    assert await trial_of(server) == {"orders": 1, "left": 1}
