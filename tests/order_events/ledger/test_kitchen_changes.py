"""What kitchens do besides the next step, on a real server: recall, items, acknowledgement."""

from __future__ import annotations

from typing import Any

import pytest

from order_events.auth.tokens import Role
from order_events.domain.audit_records import SessionStart

STEPS = ("confirmed", "preparing", "ready", "picked-up", "completed")


class Order:
    """An order of a burger and a cola, and what is asked about it."""

    def __init__(self, server: Any, id_: str) -> None:
        self._server = server
        self.path = f"/v1/orders/{id_}"
        self.id = id_

    async def post(self, action: str, **body: Any) -> Any:
        """Ask as the kitchen; return the order, or the code of the refusal."""
        status, answer = await self._server.call(
            "POST", f"{self.path}/{action}", body, role=Role.KITCHEN, user="cook"
        )
        return answer["order"] if status == 200 else answer["error"]["code"]

    async def take(self, *steps: str) -> None:
        for step in steps:
            assert (await self.post("status", status=step))["status"] == step

    async def change(self, *items: dict[str, Any]) -> Any:
        return await self.patch(items=items)

    async def patch(self, **change: Any) -> Any:
        status, answer = await self._server.call("PATCH", self.path, change)
        assert status == 200, answer
        return answer["order"]


BURGER = {"id": "1", "menu_item_id": "burger"}
COLA = {"id": "2", "menu_item_id": "cola"}


@pytest.fixture
async def order(server: Any) -> Order:
    """An order that was just made."""
    _, made = await server.call("POST", "/v1/orders", {"items": [BURGER, COLA]})
    return Order(server, made["order"]["id"])


async def test_each_step_can_be_taken_back(order: Order) -> None:
    """One at a time; its time goes, and what came before is as it was."""
    await order.take(*STEPS)
    for back in (*STEPS[-2::-1], "pending"):
        recalled = await order.post("recall")
        assert recalled["status"] == back
        assert max(recalled["status_times"], key=["pending", *STEPS].index) == back
    assert await order.post("recall") == "ILLEGAL_TRANSITION"


async def test_a_cancelled_order_comes_back_where_it_was(order: Order) -> None:
    """With nothing voided; a stale press changes nothing."""
    await order.take("confirmed", "preparing")
    cancelled = await order.post("status", status="cancelled", reason="drove off")
    assert cancelled["status_reason"] == "drove off"
    assert [c["change"] for c in cancelled["changes"]] == ["voided", "voided"]
    assert await order.post("recall", version=1) == "STALE_VERSION"
    back = await order.post("recall", version=cancelled["version"])
    assert (back["status"], back["changes"], back["status_reason"]) == ("preparing", [], None)


async def test_a_recall_puts_back_what_the_step_took_off(order: Order) -> None:
    """Changes that nobody had acknowledged, and what a person had to know before confirming."""
    asks = [{"code": "missing_size", "text": "Coke"}, {"code": "allergy", "text": "nuts"}]
    await order.patch(attention=asks)
    await order.take("confirmed")
    changed = (await order.change({**BURGER, "quantity": 2}, COLA))["changes"]
    assert [c["change"] for c in changed] == ["changed"]
    await order.take("preparing", "cancelled")
    back = await order.post("recall")
    assert (back["status"], back["changes"]) == ("preparing", changed)
    await order.post("recall")
    back = await order.post("recall")
    assert back["status"] == "pending"
    assert sorted(a["code"] for a in back["attention"]) == ["allergy", "missing_size"]
    assert back["set_aside"] == {"attention": [], "changes": []}


async def test_an_order_without_its_words_does_not_come_back(server: Any) -> None:
    """The kitchen would not know of the allergy any more; one that had none comes back."""
    for session, notes, back in (("s1", "nuts", "ILLEGAL_TRANSITION"), ("s2", None, "ready")):
        await server.events.ledger.begin("r1", SessionStart(session_id=session), "lane-1")
        draft = {"items": [BURGER], "notes": notes, "source": {"session_id": session}}
        _, made = await server.call("POST", "/v1/orders", draft)
        order = Order(server, made["order"]["id"])
        await order.take("confirmed", "preparing", "ready", "completed")
        assert (await server.call("DELETE", f"/v1/sessions/{session}"))[0] == 200
        answer = await order.post("recall")
        assert back == (answer if isinstance(answer, str) else answer["status"])


async def test_a_step_long_ago_stands(start: Any) -> None:
    """As one taken before the time that is set."""
    server = await start(recall_minutes=1e-9)
    _, made = await server.call("POST", "/v1/orders", {"items": [BURGER]})
    order = Order(server, made["order"]["id"])
    await order.take("confirmed")
    assert await order.post("recall") == "ILLEGAL_TRANSITION"


async def test_where_money_has_moved_nothing_is_taken_back(server: Any, order: Order) -> None:
    """A paid order stays confirmed, a refunded one cancelled."""
    await order.take("confirmed")
    paid = {"order_id": order.id, "amount": 100, "method": "card"}
    await server.call("POST", "/v1/payments", paid)
    assert await order.post("recall") == "ILLEGAL_TRANSITION"
    await order.take("cancelled")
    await server.call("POST", "/v1/payments", {**paid, "status": "refunded"})
    assert await order.post("recall") == "ILLEGAL_TRANSITION"


async def test_screens_hear_of_a_recall_and_of_a_line(server: Any, order: Order) -> None:
    """A connection that never subscribed hears of the recall, as of any status, but of no line."""
    asked = await server.connect(role=Role.KITCHEN)
    await asked.send(type="subscribe", events=["order:item_status", "order:status"])
    await asked.until("subscribed")
    old = await server.connect(role=Role.KITCHEN)
    await order.take("confirmed")
    await order.post("items/1/status", status="done")
    await order.post("recall")
    assert (await asked.until("order:status"))["data"]["recalled"] is False
    line = (await asked.until("order:item_status"))["data"]
    assert (line["item_id"], line["status"], line["actor"]) == ("1", "done", "cook")
    back = (await asked.until("order:status"))["data"]
    assert (back["status"], back["previous_status"], back["recalled"]) == (
        "pending",
        "confirmed",
        True,
    )
    heard = []
    while heard.count("order:status") < 2:
        heard.append((await old.receive())["type"])
    assert "order:item_status" not in heard


async def test_lines_are_done_one_by_one(order: Order) -> None:
    """Only once the kitchen has the order; a line that is changed then is open again."""
    assert await order.post("items/1/status", status="done") == "ILLEGAL_TRANSITION"
    await order.take("confirmed")
    assert await order.post("items/9/status", status="done") == "NOT_FOUND"
    done = await order.post("items/1/status", status="done")
    again = await order.post("items/1/status", status="done")
    assert again["version"] == done["version"]
    await order.post("items/2/status", status="done")
    changed = await order.change({**BURGER, "quantity": 2}, COLA)
    assert [item["status"] for item in changed["items"]] == ["open", "done"]


async def test_a_change_is_marked_until_it_is_acknowledged(order: Order) -> None:
    """From when the kitchen has the order; before that, it is still being said."""
    assert (await order.change(BURGER))["changes"] == []
    await order.take("confirmed")
    changed = await order.change({**BURGER, "quantity": 2}, COLA)
    assert [(c["item_id"], c["change"], c["by"]) for c in changed["changes"]] == [
        ("1", "changed", "u1"),
        ("2", "added", "u1"),
    ]
    assert changed["changes"][0]["before"]["quantity"] == 1
    seen = await order.post("acknowledge", version=changed["version"])
    assert seen["changes"] == []
    assert (await order.post("acknowledge"))["version"] == seen["version"]
