"""Webhooks against a real receiver: signed, in order, until they are taken."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from standardwebhooks.webhooks import Webhook as Standard

from order_events.auth.tokens import Role
from order_events.client import verify_webhook
from order_events.domain.webhooks import WebhookChange
from order_events.protocol.errors import Overloaded
from order_events.webhooks import delivery


class Receiver:
    """Somebody's server. `answers` are the statuses of its next answers; then it takes all."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.taken: asyncio.Queue[tuple[dict[str, str], bytes]] = asyncio.Queue()
        self.tries = 0
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        self.tries += 1
        body = await request.read()
        status = self.answers.pop(0) if self.answers else 204
        if status // 100 == 2:
            self.taken.put_nowait((dict(request.headers), body))
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    async def next(self) -> dict[str, Any]:
        """Return the next message that was taken."""
        async with asyncio.timeout(20):
            message: dict[str, Any] = json.loads((await self.taken.get())[1])
            return message


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A receiver on this machine."""
    made = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", made.handle)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield made
    await runner.cleanup()


@pytest.fixture
async def server(start: Any) -> Any:
    """A server that may deliver to this machine."""
    return await start(webhook_private_networks=True)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again without the waits that receivers are owed."""
    monkeypatch.setattr(delivery, "FIRST_RETRY_S", 0.02)
    monkeypatch.setattr(delivery, "LAST_RETRY_S", 0.05)


async def make(server: Any, url: str, **draft: Any) -> tuple[str, str]:
    """Create a webhook; return its id and secret."""
    status, answer = await server.call("POST", "/v1/webhooks", {"url": url, **draft})
    assert status == 201, answer
    return answer["webhook"]["id"], answer["secret"]


async def order(server: Any) -> str:
    """Create an order; return its id."""
    _, answer = await server.call("POST", "/v1/orders", {"items": [{"menu_item_id": "burger"}]})
    id_: str = answer["order"]["id"]
    return id_


async def shown(server: Any, webhook_id: str, **wanted: Any) -> dict[str, Any]:
    """Return the webhook once it has these fields."""
    async with asyncio.timeout(20):
        while True:
            _, answer = await server.call("GET", f"/v1/webhooks/{webhook_id}")
            webhook: dict[str, Any] = answer["webhook"]
            if all(webhook[name] == value for name, value in wanted.items()):
                return webhook
            await asyncio.sleep(0.02)


async def set_tags(server: Any, tags: str) -> str:
    """Give the last `order:created` other tags; return those that it had."""
    last = "seq = (SELECT max(seq) FROM events WHERE type = 'order:created')"

    def change(tx: Any) -> str:
        before: str = tx.db.execute(f"SELECT tags FROM events WHERE {last}").fetchone()[0]
        tx.db.execute(f"UPDATE events SET tags = ? WHERE {last}", (tags,))
        return before

    before: str = await server.events.store.write(change, "r1")
    return before


async def test_each_event_is_delivered_signed_and_in_order(server: Any, receiver: Receiver) -> None:
    """As the Standard Webhooks libraries check it, and our own; failures are tried again."""
    await order(server)
    _, secret = await make(server, receiver.url, events=["order:created"])
    receiver.answers = [500, 302, 429]
    made = [await order(server) for _ in range(4)]
    for expected in made:
        async with asyncio.timeout(20):
            headers, body = await receiver.taken.get()
        message = Standard(secret).verify(body, {k.lower(): v for k, v in headers.items()})
        assert verify_webhook(secret, headers, body) == message["event_id"]
        assert message["data"]["order"]["id"] == expected
    assert receiver.tries == 7


async def test_filters_choose_among_the_events(server: Any, receiver: Receiver) -> None:
    """Those of `subscribe`; a change of them holds from the next event on."""
    await server.call("PUT", "/v1/tables/t1", {"number": "1", "status": "free"})
    webhook_id, _ = await make(
        server, receiver.url, events=["order:created"], filters={"table_id": "t1"}
    )
    at_table = {"items": [{"menu_item_id": "burger"}], "table_id": "t1"}
    await order(server)
    _, answer = await server.call("POST", "/v1/orders", at_table)
    assert (await receiver.next())["data"]["order"]["id"] == answer["order"]["id"]
    change = {"filters": {"table_id": ["t2"]}}
    _, answer = await server.call("PATCH", f"/v1/webhooks/{webhook_id}", change)
    assert answer["webhook"]["filters"]["table_id"] == ["t2"]
    await server.call("POST", "/v1/orders", at_table)
    await server.call("PATCH", f"/v1/webhooks/{webhook_id}", {"filters": {}})
    last = await order(server)
    assert (await receiver.next())["data"]["order"]["id"] == last


async def test_what_keeps_events_here_is_shown(server: Any, receiver: Receiver) -> None:
    """A damaged row is no failure of the receiver's: it stays on, and goes on once mended."""
    webhook_id, _ = await make(server, receiver.url, events=["order:created"])
    switch = f"/v1/webhooks/{webhook_id}"
    await server.call("PATCH", switch, {"enabled": False})
    made = await order(server)
    whole = await set_tags(server, "[]")
    await server.call("PATCH", switch, {"enabled": True})
    webhook = await shown(
        server,
        webhook_id,
        problem="this row is damaged: events r1 1; stop the server and run its command `check`",
    )
    assert (webhook["enabled"], webhook["failing_since"]) == (True, None)
    await set_tags(server, whole)
    assert (await receiver.next())["data"]["order"]["id"] == made
    await shown(server, webhook_id, problem=None)


async def test_a_webhook_goes_on_after_a_restart(start: Any, receiver: Receiver) -> None:
    """From the event that was not taken, with those that happened meanwhile."""
    server = await start(webhook_private_networks=True)
    webhook_id, _ = await make(server, receiver.url, events=["order:created"])
    first = await order(server)
    assert (await receiver.next())["data"]["order"]["id"] == first
    receiver.answers = [503] * 1_000
    second = await order(server)
    webhook = await shown(server, webhook_id, problem="the answer was 503 Service Unavailable")
    assert webhook["failing_since"] is not None
    await server.stop()
    receiver.answers = []
    again = await start(webhook_private_networks=True, menu=False)
    third = await order(again)
    assert [(await receiver.next())["data"]["order"]["id"] for _ in range(2)] == [second, third]
    await shown(again, webhook_id, problem=None, failing_since=None)


async def test_a_webhook_that_fails_too_long_is_switched_off_and_continues_when_it_is_on(
    start: Any, receiver: Receiver
) -> None:
    """It is shown why; nothing that happened meanwhile is missing."""
    server = await start(webhook_private_networks=True, webhook_off_after_hours=1e-6)
    webhook_id, _ = await make(server, receiver.url, events=["order:created"])
    receiver.answers = [500] * 3
    made = [await order(server), await order(server)]
    webhook = await shown(server, webhook_id, enabled=False)
    assert webhook["problem"].startswith("switched off: it failed for too long")
    receiver.answers = []
    status, _ = await server.call("PATCH", f"/v1/webhooks/{webhook_id}", {"enabled": True})
    assert status == 200
    assert [(await receiver.next())["data"]["order"]["id"] for _ in made] == made


async def test_a_receiver_that_is_gone_switches_its_webhook_off(
    server: Any, receiver: Receiver
) -> None:
    """With 410, at once."""
    webhook_id, _ = await make(server, receiver.url)
    receiver.answers = [410]
    await order(server)
    webhook = await shown(server, webhook_id, enabled=False)
    assert "wants no more" in webhook["problem"]
    assert receiver.tries == 1


async def test_secrets_are_shown_once_and_replaced_without_a_gap(
    server: Any, receiver: Receiver
) -> None:
    """While the old one is valid, deliveries carry a signature of each."""
    webhook_id, old = await make(server, receiver.url, description="the till")
    _, answer = await server.call("POST", f"/v1/webhooks/{webhook_id}/secret", {})
    new = answer["secret"]
    assert new != old
    _, tested = await server.call("POST", f"/v1/webhooks/{webhook_id}/test", {})
    assert tested == {"delivered": True, "status": 204, "problem": None}
    headers, body = await receiver.taken.get()
    assert json.loads(body)["type"] == "webhook:test"
    for secret in (old, new):
        verify_webhook(secret, headers, body)
    hours = {"old_valid_hours": 0}
    _, answer = await server.call("POST", f"/v1/webhooks/{webhook_id}/secret", hours)
    await server.call("POST", f"/v1/webhooks/{webhook_id}/test", {})
    headers, body = await receiver.taken.get()
    verify_webhook(answer["secret"], headers, body)
    assert len(headers["webhook-signature"].split()) == 1
    _, listed = await server.call("GET", "/v1/webhooks")
    assert [webhook["description"] for webhook in listed["webhooks"]] == ["the till"]
    assert old not in json.dumps(listed)


async def test_each_old_secret_is_valid_for_as_long_as_was_promised(
    server: Any, receiver: Receiver
) -> None:
    """However often it is replaced meanwhile; of more than five, the oldest end."""
    webhook_id, first = await make(server, receiver.url)
    made = [first]
    while len(made) < 7:
        _, answer = await server.call("POST", f"/v1/webhooks/{webhook_id}/secret", {})
        made.append(answer["secret"])
        await server.call("POST", f"/v1/webhooks/{webhook_id}/test", {})
        headers, body = await receiver.taken.get()
        for secret in made[-5:]:
            verify_webhook(secret, headers, body)
        assert len(headers["webhook-signature"].split()) == min(len(made), 5)


async def test_changes_at_the_same_time_leave_one_delivery(server: Any, receiver: Receiver) -> None:
    """And none once the webhook is deleted."""
    webhook_id, _ = await make(server, receiver.url)
    path = f"/v1/webhooks/{webhook_id}"
    answers = await asyncio.gather(
        *(server.call("POST", f"{path}/secret", {}) for _ in range(4)),
        *(server.call("PATCH", path, {"description": str(n)}) for n in range(4)),
    )
    assert {status for status, _ in answers} == {200}
    assert deliveries() == 1
    await asyncio.gather(
        server.call("POST", f"{path}/secret", {}),
        server.call("DELETE", path),
        server.call("PATCH", path, {"description": "late"}),
    )
    assert deliveries() == 0


def deliveries() -> int:
    """Return how many deliveries run."""
    return sum(task.get_name() == "webhook" for task in asyncio.all_tasks())


async def test_a_change_that_cannot_be_kept_does_not_end_the_deliveries(
    server: Any, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The webhook goes on as it was."""
    webhook_id, _ = await make(server, receiver.url, events=["order:created"])

    async def full(*given: Any) -> Any:
        raise Overloaded("too many changes are waiting; try again")

    with monkeypatch.context() as patch:
        patch.setattr(server.events.store, "write", full)
        with pytest.raises(Overloaded):
            change = WebhookChange(url="http://127.0.0.1:9/")
            await server.events.webhooks.change("r1", webhook_id, change)
    made = await order(server)
    assert (await receiver.next())["data"]["order"]["id"] == made


async def test_webhooks_are_changed_and_deleted(server: Any, receiver: Receiver) -> None:
    """By managers, of their restaurant only; a deleted one delivers nothing more."""
    webhook_id, _ = await make(server, "http://127.0.0.1:9/", events=["order:created"])
    path = f"/v1/webhooks/{webhook_id}"
    made = await order(server)
    await shown(server, webhook_id, enabled=True)
    await server.call("PATCH", path, {"url": receiver.url})
    assert (await receiver.next())["data"]["order"]["id"] == made
    for who in ({"restaurant": "r2"}, {"role": Role.CASHIER}):
        status, _ = await server.call("DELETE", path, **who)
        assert status in (403, 404)
    assert (await server.call("DELETE", path))[0] == 200
    assert (await server.call("GET", path))[0] == 404
    await order(server)
    assert (await server.call("GET", "/v1/webhooks"))[1] == {"webhooks": []}
    assert receiver.taken.empty()


@pytest.mark.parametrize(
    ("draft", "says"),
    [
        ({"url": "ftp://h"}, "url: must begin with https://"),
        ({"url": "https://user:pw@h"}, "url: must not contain a user"),
        ({"url": "https://h:port"}, "url: is not an address"),
        ({"url": "https://h", "events": ["order:eaten"]}, "events: there is no event"),
        ({"url": "https://h", "events": []}, "events: must have 1 or more entries"),
    ],
)
async def test_a_wrong_webhook_is_refused_in_plain_words(
    server: Any, draft: dict[str, Any], says: str
) -> None:
    """The message names the field and says what it must be."""
    status, answer = await server.call("POST", "/v1/webhooks", draft)
    assert (status, answer["error"]["code"]) == (400, "INVALID_MESSAGE")
    assert answer["error"]["message"].startswith(says)


async def test_a_restaurant_has_a_bounded_number(start: Any) -> None:
    """One more is refused, with what to do."""
    server = await start(webhook_private_networks=True, webhooks_per_restaurant=1)
    await make(server, "http://127.0.0.1:9/")
    status, answer = await server.call("POST", "/v1/webhooks", {"url": "http://127.0.0.1:9/"})
    assert (status, "delete one first" in answer["error"]["message"]) == (400, True)


async def test_a_fault_of_ours_does_not_end_the_deliveries(
    server: Any, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is logged, and the event is tried again."""
    await make(server, receiver.url, events=["order:created"])
    sender = server.events.webhooks._services.sender
    send, faults = sender.send, [RuntimeError("a bug")]

    async def faulty(*given: Any) -> Any:
        if faults:
            raise faults.pop()
        return await send(*given)

    monkeypatch.setattr(sender, "send", faulty)
    made = await order(server)
    assert (await receiver.next())["data"]["order"]["id"] == made
