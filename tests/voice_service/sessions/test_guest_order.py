"""How a session's order ends, from sound to the hub, where a person has to look at it."""

from __future__ import annotations

from support.recordings import Event, finals, recording
from support.voice_server import DEMO_RESTAURANT, Server, demo_menu

from order_events.app import EVENTS
from order_events.domain.audit_records import AnalyticsAnswer, AnalyticsQuery, AuditQuery, EntryKind

_BEFORE_ROOT_BEER = 2_400
"""Milliseconds of "I'll have a large fries and a medium root beer" before the last item."""


def _calls_a_person(event: Event) -> bool:
    return bool(event["data"]["status"] == "needs_staff")


async def test_what_the_end_of_a_session_makes_of_broken_off_words_is_for_staff(
    server: Server,
) -> None:
    """The medium may have been a root beer: it is told, asked about, and never confirmed."""
    staff = await server.screen("voice:order")
    client = await server.voice()
    events = await client.stream(recording("sizes")[: 16 * _BEFORE_ROOT_BEER], "s1")
    [final] = finals(events)
    held = "and a medium"
    assert final["text"].rstrip(".").endswith(held)
    heard, ended = (event["data"] for event in events if event["type"] == "voice:order")
    assert (heard["status"], heard["reasons"]) == ("listening", [])
    assert ended["status"] == "needs_staff"
    assert [(reason["code"], reason["text"]) for reason in ended["reasons"]] == [
        ("low_confidence", held)
    ]
    assert ended["change"]
    assert ended["after_utterance"] == final["utterance"]
    [order] = await server.orders()
    assert order["status"] == "pending"
    await staff.until("voice:order", _calls_a_person)
    # Another medium, or medium instead of large: the audit says why one was taken.
    assert len(ended["readings"]) > 1
    audit = await server.app[EVENTS].ledger.audit_of_order(
        DEMO_RESTAURANT, order["id"], AuditQuery()
    )
    understood = [e.data for e in audit.entries if e.kind is EntryKind.UNDERSTOOD]
    assert understood[-1]["readings"] == ended["readings"]


async def test_the_order_of_a_menu_on_trial_is_for_a_person_to_accept(server: Server) -> None:
    """The first guest's is; the guest notices nothing, and the next one's is accepted again."""
    hub = server.app[EVENTS]
    await hub.put_menu(DEMO_RESTAURANT, demo_menu(), "manager", trial_orders=1)
    staff = await server.screen("voice:order")
    client = await server.voice()
    ends = []
    for session in ("s1", "s2"):
        events = await client.stream(recording("one_item"), session)
        heard, ended = (e["data"] for e in events if e["type"] == "voice:order")
        assert (heard["status"], heard["reasons"]) == ("listening", [])
        codes = [reason["code"] for reason in ended["reasons"]]
        ends.append((ended["status"], codes, ended["status_without_trial"]))
        client.events.clear()
    assert ends == [("needs_staff", ["menu_on_trial"], "confirmed"), ("confirmed", [], None)]
    orders = {o["source"]["session_id"]: o for o in await server.orders()}
    assert [orders[s]["status"] for s in ("s1", "s2")] == ["pending", "confirmed"]
    assert [orders[s]["on_trial"] for s in ("s1", "s2")] == [True, False]
    await staff.until("voice:order", _calls_a_person)
    figures = AnalyticsAnswer.model_validate_json(
        await hub.ledger.analytics(DEMO_RESTAURANT, AnalyticsQuery())
    )
    assert figures.trial is not None
    assert (figures.trial.orders, figures.trial.accepted) == (1, 1)
