"""The table of roles, and what it lets a connection see."""

from __future__ import annotations

from typing import Any

from support.refusals import refused

from order_events.auth.roles import RIGHTS, Action, may, visible
from order_events.auth.tokens import (
    Role,
)
from order_events.protocol import filters


def test_the_roles_table_says_what_the_documentation_says() -> None:
    """Every role has rights, and the sensitive ones are where they belong."""
    assert set(RIGHTS) == set(Role)
    for action in Action:
        assert may(Role.MANAGER, action)
    for_staff = {Action.READ_STAFF, Action.SIGN_IN}
    assert RIGHTS[Role.DEVICE].actions == {Action.VOICE, Action.READ_MENU} | for_staff
    assert visible(Role.DEVICE) == frozenset()
    assert filters.PAYMENT_PROCESSED not in visible(Role.KITCHEN)
    assert filters.VOICE_TRANSCRIPT not in visible(Role.KITCHEN)
    assert not may(Role.KITCHEN, Action.CREATE_ORDERS)
    assert not may(Role.SERVER, Action.TAKE_PAYMENTS)
    assert not may(Role.CASHIER, Action.CHANGE_MENU)


async def test_a_microphone_may_not_open_the_root_socket(server: Any) -> None:
    """It receives FORBIDDEN instead of success, then close code 1008."""
    client = await server.open()
    await client.send(type="auth", token=server.token(role=Role.DEVICE))
    await refused(client, "FORBIDDEN")


async def test_a_role_hears_only_what_it_may(server: Any, draft: Any) -> None:
    """Invisible events are left out of defaults and patterns, and FORBIDDEN by name."""
    kitchen = await server.connect(role=Role.KITCHEN)
    await kitchen.send(type="subscribe", events=["order:created", "payment:processed"], id=1)
    assert (await kitchen.expect("error"))["data"]["code"] == "FORBIDDEN"
    await kitchen.send(type="subscribe", events=["voice:*"], id=2)
    assert (await kitchen.expect("error"))["data"]["code"] == "FORBIDDEN"
    order = await server.events.create_order("r1", draft, actor="a")
    payment = {"order_id": order.id, "amount": 5, "method": "cash"}
    await server.call("POST", "/v1/payments", payment)
    seen = {(await kitchen.receive())["type"] for _ in range(3)}
    assert seen == {"order:created", "order:updated", "kds:update"}
    await kitchen.send(type="subscribe", events=["*"])
    await kitchen.until("subscribed")
    await server.call("POST", "/v1/payments", payment)
    await kitchen.until("order:updated")
    await kitchen.until("kds:update")
    await kitchen.silent()
