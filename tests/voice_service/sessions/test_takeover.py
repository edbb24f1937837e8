"""Staff take guests' sessions over and hand them back, with real recordings and the real model."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from support.recordings import Event, finals, pieces, recording, sidecar, silence, text_of
from support.voice_server import Server, Start, VoiceClient

from order_events.auth.tokens import Role

Answer = tuple[int, dict[str, Any]]


async def call(
    server: Server,
    method: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    **who: Any,
) -> Answer:
    """Send a request as staff; return its status and JSON."""
    token = server.token(**{"role": Role.SERVER, "user": "ann", **who})
    headers = {"Authorization": f"Bearer {token}"}
    async with server.http.request(
        method, server.url + path, json=body, headers=headers
    ) as response:
        return response.status, await response.json()


async def take_over(server: Server, session: str, **body: Any) -> Answer:
    return await call(server, "POST", f"/v1/sessions/{session}/take-over", body)


async def resume(server: Server, session: str, **body: Any) -> Answer:
    return await call(server, "POST", f"/v1/sessions/{session}/resume", body)


def reasons(event: Event) -> list[str]:
    return [reason["code"] for reason in event["data"]["reasons"]]


class Lane:
    """A microphone whose guest says one recording after another in one session."""

    def __init__(self, microphone: VoiceClient) -> None:
        self.microphone = microphone
        self._next = 1

    async def says(self, name: str) -> Event:
        """Send one recording and a pause; return the `voice:order` after its last words."""
        spoken = [*pieces(recording(name), 500), *pieces(silence(2), 500)]
        heard = len(finals(self.microphone.events))
        await self.microphone.chunks(spoken, first=self._next)
        self._next += len(spoken)
        expected = heard + len(sidecar(name)["utterances"])
        while len(finals(self.microphone.events)) < expected:
            await self.microphone.receive()
        return await self.microphone.until("voice:order")


async def lane(server: Server, session: str = "s1") -> Lane:
    microphone = await server.voice()
    await microphone.begin(session, lane="1")
    return Lane(microphone)


def items(order: Mapping[str, Any]) -> list[tuple[str, int]]:
    return [(item["menu_item_id"], item["quantity"]) for item in order["items"]]


async def test_staff_take_over_edit_and_hand_back(server: Server) -> None:
    """Meanwhile, the guest's words are transcribed and kept but change nothing."""
    screen = await server.screen("voice:*", "order:*")
    guest = await lane(server)
    begun = await guest.says("one_item")
    order = begun["data"]["order"]
    status, held = await take_over(server, "s1", version=1)
    assert (status, held["session"]["held_by"], held["session"]["version"]) == (200, "ann", 2)
    told = await guest.microphone.until("voice:order")
    assert told["data"]["status"] == "needs_staff"
    assert reasons(told) == ["staff_took_over"]
    assert told["data"]["order"]["id"] == order["id"]
    mine = {"items": [{"menu_item_id": "hamburger", "quantity": 3}], "version": order["version"]}
    status, edited = await call(server, "PATCH", f"/v1/orders/{order['id']}", mine)
    assert (status, edited["order"]["updated_by"]) == (200, "ann")
    meanwhile = await guest.says("sizes")
    assert reasons(meanwhile) == ["staff_took_over"]
    assert items(meanwhile["data"]["order"]) == [("hamburger", 3)]
    [stored] = await server.orders()
    assert stored["version"] == edited["order"]["version"]
    assert (await resume(server, "s1", version=1))[1]["error"]["code"] == "STALE_VERSION"
    status, back = await resume(server, "s1", version=2)
    assert (status, back["session"]["held_by"]) == (200, None)
    again = await guest.microphone.until("voice:order")
    assert again["data"]["status"] == "listening"
    assert items(again["data"]["order"]) == [("hamburger", 3)]
    more = await guest.says("one_item")
    [(expected, quantity)] = items({"items": sidecar("one_item")["order"]})
    assert items(more["data"]["order"]) == [("hamburger", 3), (expected, quantity)]
    answer = await guest.microphone.end()
    assert answer["order_id"] == order["id"]
    await screen.until("voice:session", lambda e: e["data"]["state"] == "ended")
    states = [e["data"]["state"] for e in screen.events if e["type"] == "voice:session"]
    assert states == ["started", "taken_over", "handed_back", "ended"]
    assert text_of(screen.events) == text_of(guest.microphone.events)


async def test_a_session_in_which_nothing_was_ordered_yet_is_taken_over_by_its_id(
    server: Server,
) -> None:
    """Staff create the order; once it is handed back, the guest continues with it."""
    guest = await lane(server)
    status, _ = await take_over(server, "s1")
    assert status == 200
    told = await guest.microphone.until("voice:order")
    assert (told["data"]["order"], reasons(told)) == (None, ["staff_took_over"])
    meanwhile = await guest.says("one_item")
    assert meanwhile["data"]["order"] is None
    assert await server.orders() == []
    draft = {"items": [{"menu_item_id": "hamburger"}], "source": {"session_id": "s1"}}
    status, made = await call(server, "POST", "/v1/orders", draft)
    assert status == 201
    assert (await resume(server, "s1"))[0] == 200
    more = await guest.says("one_item")
    [(expected, quantity)] = items({"items": sidecar("one_item")["order"]})
    assert items(more["data"]["order"]) == [("hamburger", 1), (expected, quantity)]
    assert more["data"]["order"]["id"] == made["order"]["id"]
    assert len(await server.orders()) == 1


async def test_a_voided_order_stays_voided(server: Server) -> None:
    """The guest's later words go to a person, and the order cannot be handed back."""
    guest = await lane(server)
    order = (await guest.says("one_item"))["data"]["order"]
    void = {"status": "cancelled", "reason": "drove off", "version": order["version"]}
    status, voided = await call(server, "POST", f"/v1/orders/{order['id']}/status", void)
    assert (status, voided["order"]["status"]) == (200, "cancelled")
    after = await guest.says("sizes")
    assert "order_cancelled" in reasons(after)
    assert after["data"]["order"]["status"] == "cancelled"
    status, refused = await resume(server, "s1")
    assert (status, refused["error"]["code"]) == (409, "ILLEGAL_TRANSITION")


async def test_an_edit_without_taking_over_is_handed_back_the_same_way(server: Server) -> None:
    """`changed_by_staff` is no dead end, and an item that no guest could have said is kept."""
    guest = await lane(server)
    order = (await guest.says("one_item"))["data"]["order"]
    noted = [
        {"menu_item_id": "hamburger", "special_instructions": "cut in half"},
        {"menu_item_id": "cheeseburger"},
    ]
    await call(server, "PATCH", f"/v1/orders/{order['id']}", {"items": noted})
    stopped = await guest.says("sizes")
    assert "changed_by_staff" in reasons(stopped)
    await resume(server, "s1")
    again = await guest.microphone.until("voice:order")
    assert reasons(again) == ["left_by_staff"]
    more = await guest.says("one_item")
    kept = {item["menu_item_id"]: item for item in more["data"]["order"]["items"]}
    assert kept["hamburger"]["special_instructions"] == "cut in half"
    assert "cheeseburger" in kept
    assert len(more["data"]["order"]["items"]) == 3


async def test_who_may_take_over_what(server: Server) -> None:
    """Staff of the restaurant, and only a session that is open."""
    guest = await lane(server)
    path = "/v1/sessions/s1/take-over"
    for role in (Role.DEVICE, Role.KITCHEN):
        assert (await call(server, "POST", path, {}, role=role))[0] == 403
    assert (await call(server, "POST", path, {}, restaurant="elsewhere"))[0] == 404
    assert (await take_over(server, "unknown"))[0] == 404
    assert (await take_over(server, "s1", version=9))[0] == 409
    assert (await resume(server, "s1", version=9))[0] == 409
    ordered = await guest.says("one_item")
    assert ordered["data"]["status"] != "needs_staff"
    await guest.microphone.end()
    assert (await take_over(server, "s1"))[0] == 404


async def test_what_staff_hold_stays_theirs_over_a_restart(start: Start) -> None:
    """The client sends everything again, but the order that staff hold does not change."""
    server = await start()
    guest = await lane(server)
    order = (await guest.says("one_item"))["data"]["order"]
    await take_over(server, "s1")
    mine = {"items": [{"menu_item_id": "hamburger", "quantity": 2}]}
    await call(server, "PATCH", f"/v1/orders/{order['id']}", mine)
    await guest.microphone.ws.close()
    await server.stop()
    server = await start()
    guest = await lane(server)
    told = await guest.microphone.until("voice:order")
    assert reasons(told) == ["staff_took_over"]
    await guest.says("one_item")
    [stored] = await server.orders()
    assert items(stored) == [("hamburger", 2)]
    assert stored["status"] == "pending"


async def test_a_session_that_ends_while_staff_hold_it_leaves_the_order_to_them(
    server: Server,
) -> None:
    """It is neither confirmed nor dropped."""
    guest = await lane(server)
    await guest.says("one_item")
    await take_over(server, "s1")
    await guest.microphone.end()
    [stored] = await server.orders()
    assert stored["status"] == "pending"


async def test_the_audit_of_a_spoken_order(server: Server) -> None:
    """It shows words with confidence, their meaning and every change; then it is erased."""
    screen = await server.screen("voice:session")
    microphone = await server.voice()
    await microphone.stream(recording("one_item"), "s1")
    await screen.until("voice:session", lambda e: e["data"]["state"] == "ended")
    manager = {"role": Role.MANAGER, "user": "boss"}
    status, audit = await call(server, "GET", "/v1/sessions/s1/audit", **manager)
    assert status == 200
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for entry in audit["entries"]:
        by_kind.setdefault(entry["kind"], []).append(entry)
    said = [entry["data"]["text"] for entry in by_kind["utterance"]]
    assert " ".join(said) == text_of(microphone.events)
    assert all(0 < entry["data"]["confidence"] <= 1 for entry in by_kind["utterance"])
    assert [entry["data"]["overheard"] for entry in by_kind["utterance"]] == [False] * len(said)
    matched = [m["id"] for entry in by_kind["understood"] for m in entry["data"]["matched"]]
    assert sidecar("one_item")["order"][0]["menu_item_id"] in matched
    assert {entry["actor"] for entry in by_kind["order"]} == {"lane-1"}
    assert audit["session"]["status"] == "confirmed"
    _, analytics = await call(server, "GET", "/v1/analytics", **manager)
    assert (analytics["total"]["completed"], analytics["total"]["completion_rate"]) == (1, 1.0)
    status, erased = await call(server, "DELETE", "/v1/sessions/s1", **manager)
    assert status == 200
    assert erased["events"] == len(finals(microphone.events)) + len(
        [e for e in microphone.events if e["type"] == "voice:order"]
    )
    _, audit = await call(server, "GET", "/v1/sessions/s1/audit", **manager)
    _, history = await call(server, "GET", "/v1/events?limit=1000", **manager)
    kept = json.dumps([audit, history])
    assert not any(text in kept for text in said)
    assert history["recovered"]


async def test_staff_and_guest_at_once(server: Server) -> None:
    """Whatever the guest says while staff change and hand back, their change stands."""
    screen = await server.screen("order:*")
    guest = await lane(server)
    order = (await guest.says("one_item"))["data"]["order"]
    speaking = asyncio.create_task(guest.says("sizes"))
    mine = {"items": [{"menu_item_id": "hamburger", "quantity": 3}]}
    for staff in ("ann", "bob", "cy"):
        path = "/v1/sessions/s1/{}"
        assert (await call(server, "POST", path.format("take-over"), {}, user=staff))[0] == 200
        status, edited = await call(server, "PATCH", f"/v1/orders/{order['id']}", mine, user=staff)
        assert (status, edited["order"]["updated_by"]) == (200, staff)
        assert (await call(server, "POST", path.format("resume"), {}, user=staff))[0] == 200
    await speaking
    more = await guest.says("one_item")
    assert ("hamburger", 3) in items(more["data"]["order"])
    await screen.until(
        "order:updated", lambda e: e["data"]["order"]["version"] == more["data"]["order"]["version"]
    )
    seen = [e["data"]["order"] for e in screen.events if e["type"] == "order:updated"]
    changed = next(i for i, one in enumerate(seen) if one["updated_by"] == "ann")
    assert all(("hamburger", 3) in items(one) for one in seen[changed:])
    assert {one["updated_by"] for one in seen} <= {"lane-1", "ann", "bob", "cy"}


async def test_two_of_staff_take_over_and_strangers_do_not(server: Server) -> None:
    """The later one holds it, as the earlier version is stale; nobody else can hand it back."""
    guest = await lane(server)
    await guest.says("one_item")
    assert (await take_over(server, "s1", version=1))[0] == 200
    status, refused = await call(
        server, "POST", "/v1/sessions/s1/take-over", {"version": 1}, user="bob"
    )
    assert (status, refused["error"]["code"]) == (409, "STALE_VERSION")
    _, held = await call(server, "POST", "/v1/sessions/s1/take-over", {"version": 2}, user="bob")
    assert held["session"]["held_by"] == "bob"
    status, _ = await call(server, "POST", "/v1/sessions/s1/resume", {}, restaurant="elsewhere")
    assert status == 404
    for role in (Role.DEVICE, Role.KITCHEN):
        assert (await call(server, "POST", "/v1/sessions/s1/resume", {}, role=role))[0] == 403
    told = await guest.says("sizes")
    assert reasons(told) == ["staff_took_over"]
    assert (await resume(server, "s1", version=9))[0] == 409
    told = await guest.says("one_item")
    assert reasons(told) == ["staff_took_over"]
