"""Of several nodes, one does what needs doing once; what a lost node left is ended."""

from __future__ import annotations

import sqlite3
from datetime import timedelta

import pytest
from support.transactions import NOON, at

from order_events.cluster import leases
from order_events.cluster.leases import LASTS_S
from order_events.domain.audit_records import SessionStart
from order_events.ledger import voice_sessions
from order_events.ledger.voice_sessions import Fence
from order_events.protocol.errors import SessionHeld, SessionLost


def test_a_lease_is_one_nodes_until_it_expires_or_is_given_up(db: sqlite3.Connection) -> None:
    later = NOON + timedelta(seconds=LASTS_S + 1)
    assert leases.take(at(db), "caretaker", "a")
    assert not leases.take(at(db), "caretaker", "b")
    assert leases.take(at(db), "caretaker", "a")
    assert leases.take(at(db, later), "caretaker", "b")
    assert not leases.take(at(db, later), "caretaker", "a")
    leases.release(at(db, later), "b")
    assert leases.take(at(db, later), "caretaker", "a")


def test_the_sessions_of_a_node_that_is_gone_are_ended(db: sqlite3.Connection) -> None:
    """Those of a node that has renewed its lease go on."""
    for node in ("a", "b"):
        leases.take(at(db), f"node:{node}", node)
        start = SessionStart(session_id=f"s-{node}")
        voice_sessions.begin(at(db), "r1", start, "lane", node)
    assert voice_sessions.end_abandoned(at(db)) == 0
    later = at(db, NOON + timedelta(seconds=LASTS_S + 1))
    leases.take(later, "node:b", "b")
    assert voice_sessions.end_abandoned(later) == 1
    ended = {s: voice_sessions.require(later, "r1", s).ended_at is not None for s in ("s-a", "s-b")}
    assert ended == {"s-a": True, "s-b": False}


def test_a_session_changes_things_in_its_own_term_and_while_nobody_holds_it(
    db: sqlite3.Connection,
) -> None:
    """An older term is another node's, whatever it wants; what staff hold can still be told."""
    start = SessionStart(session_id="s1")
    _, first = voice_sessions.begin(at(db), "r1", start, "lane", "a")
    voice_sessions.check(at(db), "r1", first)
    _, second = voice_sessions.begin(at(db), "r1", start, "lane", "b")
    for stale in (first, Fence("s1", first.term, though_held=True), Fence("s2", 1)):
        with pytest.raises(SessionLost):
            voice_sessions.check(at(db), "r1", stale)
    with pytest.raises(SessionLost):
        voice_sessions.end(at(db), "r1", "s1", "lane", first)
    voice_sessions.hold(at(db), "r1", "s1", "ann", None)
    with pytest.raises(SessionHeld):
        voice_sessions.check(at(db), "r1", second)
    voice_sessions.check(at(db), "r1", Fence("s1", second.term, though_held=True))
    voice_sessions.end(at(db), "r1", "s1", "lane", second)
