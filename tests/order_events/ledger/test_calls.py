"""Calls for staff on a real server: made by what guests say, ended by who answers."""

from __future__ import annotations

import time
from typing import Any

import pytest

from order_events.auth.tokens import Role
from order_events.domain.audit_records import SessionStart
from order_events.ledger import calls

DAY_S = 86_400


async def says(server: Any, session: str, *reasons: str, utterance: int = 1) -> None:
    """Publish the `voice:order` of a guest who needs a person for these reasons."""
    data = {
        "session_id": session,
        "order": None,
        "readback": "",
        "status": "needs_staff",
        "reasons": [
            {"code": code, "text": "", "utterance": utterance, "calls_staff": code != "off_topic"}
            for code in reasons
        ],
    }
    await server.events.publish("r1", "voice:order", data, tags={"session_id": session})


async def begin(server: Any, session: str, lane: str = "2") -> None:
    start = SessionStart(session_id=session, lane=lane)
    await server.events.ledger.begin("r1", start, "kiosk")


async def open_calls(server: Any) -> list[dict[str, Any]]:
    status, answer = await server.call("GET", "/v1/calls", role=Role.SERVER)
    assert status == 200, answer
    found: list[dict[str, Any]] = answer["calls"]
    return found


async def answer(server: Any, step: str, call: dict[str, Any], user: str = "ann") -> Any:
    path = f"/v1/calls/{call['id']}/{step}"
    return await server.call("POST", path, {}, role=Role.SERVER, user=user)


async def test_a_call_outlives_newer_guests_and_ends_when_answered(server: Any) -> None:
    """Eight guests call; none is forgotten, the allergy is first, and each ends once."""
    for number in range(8):
        await begin(server, f"s{number}", lane=str(number))
        await says(server, f"s{number}", "allergy" if number == 5 else "order_limit")
    for number in range(20):
        await begin(server, f"quiet{number}")
    found = await open_calls(server)
    assert [c["session_id"] for c in found] == [f"s{n}" for n in (5, 0, 1, 2, 3, 4, 6, 7)]
    assert (found[0]["lane"], found[0]["state"], found[0]["urgency"]) == ("5", "open", 2)
    status, taken = await answer(server, "take", found[0])
    assert (status, taken["call"]["taken_by"]) == (200, "ann")
    status, refused = await answer(server, "take", found[0], user="bob")
    assert (status, refused["error"]["code"]) == (409, "ILLEGAL_TRANSITION")
    assert (await answer(server, "release", found[0]))[1]["call"]["taken_by"] is None
    assert (await answer(server, "resolve", found[0], user="bob"))[0] == 200
    assert len(await open_calls(server)) == 7
    assert (await answer(server, "take", {"id": "none"}))[0] == 404


async def test_the_most_urgent_call_is_listed_however_many_are_open(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An allergy is never what a long list leaves out, though it came last."""
    monkeypatch.setattr(calls, "MOST_LISTED", 2)
    for number in range(3):
        await begin(server, f"s{number}")
        await says(server, f"s{number}", "allergy" if number == 2 else "order_limit")
    assert [call["session_id"] for call in await open_calls(server)] == ["s2", "s0"]


async def test_a_guest_whose_words_are_erased_still_calls(server: Any) -> None:
    """The session goes on; its call has the code, and the event has no reasons."""
    await begin(server, "s1")
    assert (await server.call("DELETE", "/v1/sessions/s1"))[0] == 200
    await says(server, "s1", "allergy")
    [call] = await open_calls(server)
    assert (call["session_id"], call["reasons"], call["urgency"]) == ("s1", ["allergy"], 2)
    history = (await server.call("GET", "/v1/events"))[1]["events"]
    [spoken] = [event["data"] for event in history if event["type"] == "voice:order"]
    assert (spoken["redacted"], spoken["reasons"]) == (True, [])


async def test_a_reason_calls_once(server: Any) -> None:
    """Repeated by every `voice:order`, it does not call again after it has been answered."""
    await begin(server, "s1")
    await says(server, "s1", "allergy")
    [call] = await open_calls(server)
    await answer(server, "resolve", call)
    await says(server, "s1", "allergy")
    await says(server, "s1", "allergy", "off_topic", utterance=1)
    assert await open_calls(server) == []
    await says(server, "s1", "staff_requested", utterance=4)
    [again] = await open_calls(server)
    assert (again["reasons"], again["id"] == call["id"]) == (["staff_requested"], False)


async def test_taking_a_session_over_takes_its_call(server: Any) -> None:
    """It is no new call, whatever is said then; handing the session back answers it."""
    ledger = server.events.ledger
    await begin(server, "s1")
    await says(server, "s1", "staff_requested")
    await ledger.hold("r1", "s1", actor="ann", version=None)
    await says(server, "s1", "allergy", utterance=2)
    [call] = await open_calls(server)
    assert (call["taken_by"], call["reasons"]) == ("ann", ["staff_requested", "allergy"])
    await ledger.hand_back("r1", "s1", actor="ann", version=None)
    assert await open_calls(server) == []
    await begin(server, "s2")
    await ledger.hold("r1", "s2", actor="ann", version=None)
    await says(server, "s2", "staff_requested")
    assert await open_calls(server) == []


async def test_a_call_ends_with_its_order(server: Any, burger: dict[str, Any]) -> None:
    """It learns of an order that is made later, and is over when that is cancelled."""
    await begin(server, "s1")
    await says(server, "s1", "staff_requested")
    draft = {**burger, "source": {"session_id": "s1", "lane": "2"}}
    made = (await server.call("POST", "/v1/orders", draft))[1]["order"]
    [call] = await open_calls(server)
    assert call["order_id"] == made["id"]
    await server.call("POST", f"/v1/orders/{made['id']}/status", {"status": "confirmed"})
    assert len(await open_calls(server)) == 1
    await server.call("POST", f"/v1/orders/{made['id']}/status", {"status": "cancelled"})
    assert await open_calls(server) == []


async def test_screens_hear_of_calls_and_the_kitchen_does_not(server: Any) -> None:
    """Only who has asked for them: a connection that never subscribed hears nothing."""
    screen = await server.connect(role=Role.SERVER)
    await screen.send(type="subscribe", events=["staff:call"])
    await screen.until("subscribed")
    silent = await server.connect(role=Role.SERVER)
    kitchen = await server.connect(role=Role.KITCHEN)
    await kitchen.send(type="subscribe", events=["staff:call"])
    await begin(server, "s1")
    await says(server, "s1", "allergy")
    [call] = await open_calls(server)
    assert (await screen.until("staff:call"))["data"] == {"call": call, "actor": "kiosk"}
    await silent.silent()
    assert (await kitchen.receive())["type"] in {"error", "subscribed"}
    await kitchen.silent()
    status, _ = await server.call("GET", "/v1/calls", role=Role.KITCHEN)
    assert status == 403


async def test_calls_are_forgotten_with_their_sessions(server: Any) -> None:
    """So that nothing stays of a guest whose session is no longer kept."""
    await begin(server, "s1")
    await says(server, "s1", "allergy")
    days = server.events.settings.retention_audit_days
    await server.events.forget(time.time() + (days + 1) * DAY_S)
    assert await open_calls(server) == []


@pytest.mark.parametrize("step", ["take", "release", "resolve"])
async def test_an_answer_to_an_outdated_call_is_refused(server: Any, step: str) -> None:
    """A screen that saw an older call must look again."""
    await begin(server, "s1")
    await says(server, "s1", "allergy")
    [call] = await open_calls(server)
    path = f"/v1/calls/{call['id']}/{step}"
    status, refused = await server.call("POST", path, {"version": 9}, role=Role.SERVER)
    assert (status, refused["error"]["code"]) == (409, "STALE_VERSION")
