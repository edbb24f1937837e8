"""What is kept about how orders came to be: who did what, for how long, and how it is erased."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from order_events.auth.tokens import Role
from order_events.domain.audit_records import AuditQuery, SessionStart
from order_events.domain.models import OrderDraft, Source
from order_events.protocol.errors import IllegalTransition, NotFound, StaleVersion
from order_events.storage.transaction import Tx

SECRET_WORDS = "xylophone marmalade"
DAY_S = 86_400


async def said(server: Any, session: str, text: str = SECRET_WORDS, utterance: int = 1) -> None:
    """Publish what a voice session publishes after a phrase that was not understood."""
    about = {"session_id": session}
    words = [{"text": word, "confidence": 0.5} for word in text.split()]
    final = {"text": text, "confidence": 0.5, "is_final": True, "words": words}
    times = {"revision": 1, "start_ms": 0, "end_ms": 900, "language": "en-US"}
    reason = {"code": "not_understood", "text": text, "utterance": utterance, "question": None}
    understood = {
        "after_utterance": utterance,
        "order": None,
        "readback": f"Sorry, what is {text}?",
        "status": "clarify",
        "reasons": [reason],
        "matched": [],
    }
    for type_, data in (
        ("voice:transcript", {**about, "utterance": utterance, **final, **times}),
        ("voice:order", {**about, **understood}),
    ):
        await server.events.publish("r1", type_, data, tags={"session_id": session})


async def begin(server: Any, session: str = "s1", **fields: Any) -> Any:
    start = SessionStart(session_id=session, **fields)
    session, _ = await server.events.ledger.begin("r1", start, "lane-1")
    return session


async def order_of(server: Any, session: str, actor: str = "lane-1") -> Any:
    draft = OrderDraft.model_validate({"items": [{"menu_item_id": "burger"}]})
    return await server.events.create_order(
        "r1", draft.model_copy(update={"source": Source(session_id=session)}), actor=actor
    )


async def audit(server: Any, path: str) -> list[dict[str, Any]]:
    status, answer = await server.call("GET", path)
    assert status == 200, answer
    entries: list[dict[str, Any]] = answer["entries"]
    return entries


async def test_a_sessions_audit_tells_the_whole_story(server: Any) -> None:
    """What was said, what it was matched to, and every change with its actor, in order."""
    await begin(server, lane="2")
    await said(server, "s1")
    order = await order_of(server, "s1")
    change = {"items": [{"id": "1", "menu_item_id": "burger", "quantity": 3}], "version": 1}
    await server.call("PATCH", f"/v1/orders/{order.id}", change)
    cancelled = {"status": "cancelled", "reason": "drove away"}
    await server.call("POST", f"/v1/orders/{order.id}/status", cancelled)
    await server.events.ledger.end("r1", "s1", "lane-1")
    entries = await audit(server, "/v1/sessions/s1/audit")
    assert [(e["kind"], e["actor"]) for e in entries] == [
        ("session", "lane-1"),
        ("utterance", "lane-1"),
        ("understood", "lane-1"),
        ("reason", "lane-1"),
        ("order", "lane-1"),
        ("order", "u1"),
        ("order", "u1"),
        ("session", "lane-1"),
    ]
    assert entries[1]["data"]["text"] == SECRET_WORDS
    assert entries[1]["data"]["confidence"] == 0.5
    assert entries[3]["data"]["code"] == "not_understood"
    made, edited, voided = (e["data"] for e in entries if e["kind"] == "order")
    assert made["change"] == "created"
    assert [line["before"] for line in made["lines"]] == [None]
    assert [(x["before"]["quantity"], x["after"]["quantity"]) for x in edited["lines"]] == [(1, 3)]
    assert (voided["status"], voided["reason"], voided["lines"]) == ("cancelled", "drove away", [])
    assert await audit(server, f"/v1/orders/{order.id}/audit") == entries


async def test_an_order_without_a_session_has_an_audit_of_its_own(
    server: Any, burger: dict[str, Any]
) -> None:
    """Such as a till's orders; one order's audit contains nothing about another's."""
    _, made = await server.call("POST", "/v1/orders", burger)
    await server.call("POST", "/v1/orders", burger)
    path = f"/v1/orders/{made['order']['id']}"
    await server.call("PATCH", path, {"notes": "no hurry"})
    changes = [e["data"]["change"] for e in await audit(server, path + "/audit")]
    assert changes == ["created", "changed"]
    assert (await server.call("GET", "/v1/orders/none/audit"))[0] == 404
    assert (await server.call("GET", "/v1/sessions/none/audit"))[0] == 404


async def test_an_open_reason_is_noted_once(server: Any) -> None:
    """`voice:order` repeats open reasons; the audit does not."""
    await begin(server)
    for _ in range(3):
        await said(server, "s1")
    kinds = [e["kind"] for e in await audit(server, "/v1/sessions/s1/audit")]
    assert (kinds.count("utterance"), kinds.count("reason")) == (3, 1)


async def test_an_audit_is_read_in_pages(server: Any) -> None:
    """`after` continues it, and is null on the last page."""
    await begin(server)
    for n in range(3):
        await said(server, "s1", f"words {n}", n)
    whole = await audit(server, "/v1/sessions/s1/audit")
    pages: list[Any] = []
    after: int | None = 0
    while after is not None:
        _, answer = await server.call("GET", f"/v1/sessions/s1/audit?after={after}&limit=4")
        pages += answer["entries"]
        after = answer["after"]
    assert pages == whole


async def test_sessions_are_listed_the_newest_first(server: Any) -> None:
    """In pages, of one's own restaurant only."""
    for n in range(3):
        await begin(server, f"s{n}")
    await server.events.ledger.begin("r2", SessionStart(session_id="other"), "x")
    _, first = await server.call("GET", "/v1/sessions?limit=2")
    _, second = await server.call("GET", f"/v1/sessions?limit=2&before={first['before']}")
    listed = [s["session_id"] for s in (*first["sessions"], *second["sessions"])]
    assert listed == ["s2", "s1", "s0"]
    assert second["before"] is None


async def test_an_audit_is_committed_with_its_event_or_not_at_all(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change that fails afterwards leaves neither entry nor event."""
    await begin(server)
    before = await audit(server, "/v1/sessions/s1/audit")

    def broken(*_: Any) -> Any:
        raise NotFound("broken on purpose")

    with monkeypatch.context() as patched:
        patched.setattr(Tx, "append", broken)
        with pytest.raises(NotFound):
            await said(server, "s1")
    assert await audit(server, "/v1/sessions/s1/audit") == before


async def test_taking_over_and_handing_back_is_told_and_versioned(server: Any) -> None:
    """Of two changes against the same version, one wins; screens receive an event."""
    screen = await server.connect()
    await screen.send(type="subscribe", events=["voice:session"])
    await screen.expect("subscribed")
    begun = await begin(server)
    ledger = server.events.ledger
    held = await ledger.hold("r1", "s1", actor="ann", version=begun.version)
    assert (held.held_by, held.version) == ("ann", 2)
    with pytest.raises(StaleVersion):
        await ledger.hold("r1", "s1", actor="bob", version=begun.version)
    again = await begin(server)
    assert again.held_by == "ann"
    back = await ledger.hand_back("r1", "s1", actor="ann", version=2)
    assert (back.held_by, back.version, back.handed_over) == (None, 3, True)
    await ledger.end("r1", "s1", "lane-1")
    told = [(await screen.expect("voice:session"))["data"] for _ in range(5)]
    assert [(t["state"], t["actor"], t["held_by"]) for t in told] == [
        ("started", "lane-1", None),
        ("taken_over", "ann", "ann"),
        ("started", "lane-1", "ann"),
        ("handed_back", "ann", None),
        ("ended", "lane-1", None),
    ]
    with pytest.raises(IllegalTransition):
        await ledger.hold("r1", "s1", actor="ann", version=None)
    with pytest.raises(NotFound):
        await ledger.hold("r1", "none", actor="ann", version=None)


async def test_only_managers_read_and_erase_what_was_said(server: Any) -> None:
    """As in the roles table; a screen at the counter has the list of sessions only."""
    await begin(server)
    reads = ("/v1/sessions/s1/audit", "/v1/analytics")
    for role in (Role.SERVER, Role.CASHIER, Role.KITCHEN, Role.DEVICE):
        for path in reads:
            assert (await server.call("GET", path, role=role))[0] == 403
        assert (await server.call("DELETE", "/v1/sessions/s1", role=role))[0] == 403
    for path in reads:
        assert (await server.call("GET", path, restaurant="r2"))[0] in (404, 200)
    assert (await server.call("DELETE", "/v1/sessions/s1", restaurant="r2"))[0] == 404
    assert (await server.call("GET", "/v1/sessions", role=Role.CASHIER))[0] == 200
    assert (await server.call("GET", "/v1/sessions", role=Role.KITCHEN))[0] == 403


async def history(server: Any) -> list[dict[str, Any]]:
    _, page = await server.call("GET", "/v1/events?limit=1000")
    assert page["recovered"]
    assert [e["seq"] for e in page["events"]] == list(range(1, page["seq"] + 1))
    events: list[dict[str, Any]] = page["events"]
    return events


async def test_erasing_takes_the_words_and_leaves_no_gap(server: Any) -> None:
    """Every event keeps its place, id and order; clients that resume receive it redacted."""
    screen = await server.connect()
    await screen.send(type="subscribe", events=["voice:*"])
    await screen.expect("subscribed")
    await begin(server)
    await said(server, "s1")
    order = await order_of(server, "s1")
    await begin(server, "s2")
    await said(server, "s2", "plain words")
    before = await history(server)
    status, erased = await server.call("DELETE", "/v1/sessions/s1")
    assert (status, erased) == (200, {"entries": 3, "events": 2})
    *after, erasure = await history(server)
    assert erasure["type"] == "voice:session"
    assert erasure["data"]["state"] == "erased"
    assert [(e["type"], e["event_id"]) for e in after] == [
        (e["type"], e["event_id"]) for e in before
    ]
    assert SECRET_WORDS not in json.dumps(after)
    assert "plain words" in json.dumps(after)
    assert [e["data"].get("redacted") for e in after if "s1" in json.dumps(e["data"])] == [
        None,
        True,
        True,
        None,
    ]
    # Still in memory for those who resume right now.
    resuming = await server.connect()
    since = {"epoch": resuming.connected["data"]["epoch"], "seq": 0}
    await resuming.send(type="subscribe", events=["*"], since=since)
    await resuming.expect("subscribed")
    replayed = [await resuming.receive() for _ in after]
    assert [e["seq"] for e in replayed] == [e["seq"] for e in after]
    assert SECRET_WORDS not in json.dumps(replayed)
    entries = await audit(server, f"/v1/orders/{order.id}/audit")
    assert [e["kind"] for e in entries] == ["session", "order", "session"]
    assert entries[-1]["data"] == {"state": "erased"}
    assert entries[-1]["actor"] == "u1"


@pytest.mark.sqlite
async def test_erased_words_are_not_on_the_disk(server: Any, tmp_path: Path) -> None:
    """Not even in free pages, once the write-ahead log has been written back."""
    await begin(server)
    for n in range(50):
        await said(server, "s1", f"{SECRET_WORDS} {n} " + "lorem ipsum " * 150, n)
    files = tmp_path / "data"
    await server.call("DELETE", "/v1/sessions/s1")
    await server.stop()
    kept = b"".join(path.read_bytes() for path in files.iterdir() if path.is_file())
    assert b"burger" in kept.lower()
    assert SECRET_WORDS.encode() not in kept


async def test_what_an_erased_session_says_later_is_not_kept(server: Any) -> None:
    """Neither a session that still runs nor an event on its way restores anything."""
    await begin(server)
    await said(server, "s1")
    await server.call("DELETE", "/v1/sessions/s1")
    await begin(server)
    await said(server, "s1", utterance=2)
    assert SECRET_WORDS not in json.dumps(await history(server))
    kinds = {e["kind"] for e in await audit(server, "/v1/sessions/s1/audit")}
    assert kinds == {"session"}
    assert (await server.call("DELETE", "/v1/sessions/s1"))[0] == 200


async def test_what_was_said_is_forgotten_when_its_time_is_over(start: Any) -> None:
    """Per restaurant, and from events that are kept longer too. The order stays."""
    server = await start(retention_audit_days=10, retention_of={"r2": {"audit_days": 100}})
    await begin(server)
    await said(server, "s1")
    order = await order_of(server, "s1")
    await server.events.ledger.begin("r2", SessionStart(session_id="s2"), "lane-1")
    now = order_time(order)
    await server.events.forget(now + 9 * DAY_S)
    assert len(await audit(server, "/v1/sessions/s1/audit")) == 5
    await server.events.forget(now + 11 * DAY_S)
    assert (await server.call("GET", "/v1/sessions/s1/audit"))[0] == 404
    assert await audit(server, f"/v1/orders/{order.id}/audit") == []
    assert SECRET_WORDS not in json.dumps(await history(server))
    assert (await server.call("GET", f"/v1/orders/{order.id}"))[0] == 200
    other = await server.events.ledger.audit_of_session("r2", "s2", AuditQuery())
    assert len(other.entries) == 1


def order_time(order: Any) -> float:
    """Return when an order was made, as Unix seconds."""
    return datetime.fromisoformat(order.created_at).timestamp()


async def test_one_audit_is_bounded(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """In its entries and in their length; the session itself goes on."""
    monkeypatch.setattr("order_events.ledger.audit_log.MOST_ENTRIES", 6)
    await begin(server)
    for n in range(5):
        await said(server, "s1", "word " * 5_000, n)
    entries = await audit(server, "/v1/sessions/s1/audit")
    assert len(entries) == 6
    assert max(len(e["data"].get("text", "")) for e in entries) == 2_000
    assert (await server.events.ledger.session("r1", "s1")).utterances == 5


async def test_analytics_of_a_restaurant_in_which_nothing_has_happened(server: Any) -> None:
    """Seven days of zeros, and rates of null."""
    status, answer = await server.call("GET", "/v1/analytics")
    assert status == 200
    assert answer["time_zone"] == "America/New_York"
    assert len(answer["days"]) == 7
    for figures in (answer["total"], *answer["days"]):
        assert figures["sessions"] == 0
        assert figures["completion_rate"] is None
        assert figures["not_understood"] == []
    without_menu = await server.call("GET", "/v1/analytics", restaurant="nobody")
    assert without_menu[1]["time_zone"] == "UTC"


async def test_analytics_of_a_day(server: Any) -> None:
    """One order done, one edited by staff, one handed over, one guest who said nothing."""
    for n in range(4):
        await begin(server, f"s{n}")
    await begin(server, "transcripts only", ordering=False)
    for n in range(3):
        await said(server, f"s{n}", "a marble")
    done = await order_of(server, "s0")
    await server.events.set_status("r1", done.id, "confirmed", actor="lane-1")
    edited = await order_of(server, "s1")
    change = {"items": [{"id": "1", "menu_item_id": "burger", "quantity": 2}]}
    await server.call("PATCH", f"/v1/orders/{edited.id}", change)
    await server.events.ledger.hold("r1", "s2", actor="ann", version=None)
    _, answer = await server.call("GET", "/v1/analytics")
    total = answer["total"]
    assert {k: total[k] for k in ("sessions", "heard", "ordered", "completed")} == {
        "sessions": 4,
        "heard": 3,
        "ordered": 2,
        "completed": 1,
    }
    assert (total["handed_over"], total["edited"]) == (1, 1)
    assert total["completion_rate"] == pytest.approx(1 / 3, abs=1e-4)
    assert total["seconds_per_order"] is not None
    assert total["not_understood"] == [{"text": "a marble", "count": 3, "nearest": None}]
    assert answer["days"][-1]["sessions"] == 4
    await server.call("DELETE", "/v1/sessions/s0")
    _, answer = await server.call("GET", "/v1/analytics")
    assert answer["total"]["heard"] == 3
    assert answer["total"]["not_understood"][0]["count"] == 2


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("from_day=2026-01-01&to_day=2026-04-02", 200),
        ("from_day=2026-01-01&to_day=2026-04-03", 422),
        ("from_day=2026-01-02&to_day=2026-01-01", 422),
        ("from_day=yesterday", 400),
        ("days=3", 400),
        ("from_day=0001-01-01&to_day=0001-01-02", 400),
        ("to_day=9999-12-31", 400),
        ("to_day=0001-01-01", 400),
    ],
)
async def test_days_that_can_be_asked_for(server: Any, query: str, status: int) -> None:
    """At most 92, in order, and valid dates."""
    answered, answer = await server.call("GET", f"/v1/analytics?{query}")
    assert answered == status, answer


@pytest.mark.sqlite
async def test_a_session_that_a_crash_interrupted_has_ended(start: Any) -> None:
    """Nobody listens there any more; one that resumes is open again."""
    server = await start()
    await begin(server)
    assert (await server.events.ledger.session("r1", "s1")).ended_at is None
    await server.stop()
    server = await start(menu=False)
    assert (await server.events.ledger.session("r1", "s1")).ended_at is not None
    await begin(server)
    assert (await server.events.ledger.session("r1", "s1")).ended_at is None
