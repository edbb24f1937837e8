"""When a database is scrubbed: at once for an erasure, later for retention, ever rarer in vain."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest
from structlog.testing import capture_logs
from support.transactions import at

from order_events.domain.audit_records import SessionStart
from order_events.ledger import erasure, retention, voice_sessions
from order_events.protocol.filters import VOICE_ORDER
from order_events.storage import schema, scrubber
from order_events.storage.scrubber import Scrubber

pytestmark = pytest.mark.sqlite
"""They look into the file, or end the process that has it."""


class Clock:
    """Stands in for `time`: a monotonic clock that a test advances, and a real one."""

    time = staticmethod(time.time)

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        """Return the time of the test."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The scrubber's clock."""
    clock = Clock()
    monkeypatch.setattr(scrubber, "time", clock)
    return clock


@pytest.fixture
def file(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A database on the disk that is to be scrubbed."""
    with closing(schema.connect(tmp_path / "orders.sqlite3", 0.0)) as db:
        schema.migrate(db)
        schema.remember_scrub(db, 0.0)
        yield db


def test_attempts_in_vain_become_rare_and_leave_the_writer_alone(
    file: sqlite3.Connection, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each takes 100 s; the pauses between them are counted from their ends, up to hours."""
    ends: list[float] = []
    pauses: list[float] = []

    def fails(_: Scrubber) -> None:
        if ends:
            pauses.append(clock.now - ends[-1])
        clock.now += 100.0
        ends.append(clock.now)
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Scrubber, "_vacuum", fails)
    scrubs = Scrubber(file)
    while len(pauses) < 15:
        clock.now += 1.0
        scrubs.work()
    assert pauses[:4] == [5.0, 10.0, 20.0, 40.0]
    assert pauses[-1] == scrubber.LONGEST_RETRY_S
    monkeypatch.undo()
    monkeypatch.setattr(scrubber, "time", clock)
    clock.now += scrubber.LONGEST_RETRY_S
    scrubs.work()
    assert not scrubs.due
    assert schema.scrub_due_at(file) is None


def test_without_room_on_the_disk_nothing_is_begun(
    file: sqlite3.Connection, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log says how much is needed; once there is room, it is done."""
    needed = 2 * schema.size(file)
    free = SimpleNamespace(free=needed - 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: free)
    scrubs = Scrubber(file)
    statements: list[str] = []
    file.set_trace_callback(statements.append)
    clock.now += 1.0
    with capture_logs() as logs:
        scrubs.work()
    assert (logs[0]["needed_bytes"], logs[0]["free_bytes"]) == (needed, needed - 1)
    assert (scrubs.due, "VACUUM" in statements) == (True, False)
    free.free = needed
    clock.now += scrubber.RETRY_S
    scrubs.work()
    assert (scrubs.due, "VACUUM" in statements) == (False, True)


def test_retention_scrubs_once_a_day_and_an_erasure_at_once(db: sqlite3.Connection) -> None:
    """However often something outlives its retention; the earlier of two times counts."""
    change = at(db)
    now = change.at.timestamp()
    kept = retention.Limits(events=10, event_days=1, order_days=1, audit_days=1)
    for session in ("s1", "s2", "s3"):
        voice_sessions.begin(change, "r1", SessionStart(session_id=session), "lane-1")
        tags = {"session_id": (session,)}
        change.append("r1", VOICE_ORDER, {"session_id": session, "reasons": []}, tags)
    for session in ("s1", "s2"):
        db.execute("UPDATE sessions SET last_at = 0 WHERE session_id = ?", (session,))
        assert retention.forget_sessions(change, "r1", kept, now)[0].events
        assert change.erase_by == now + retention.DAY_S
    erasure.erase_session(change, "r1", "s3", "ann", of_orders=True)
    assert change.erase_by == now


def test_what_is_due_later_is_not_scrubbed_yet(file: sqlite3.Connection, clock: Clock) -> None:
    """Until its time has come, or an erasure cannot wait."""
    schema.forget_scrub(file)
    schema.remember_scrub(file, time.time() + 86_400)
    scrubs = Scrubber(file)
    clock.now += 1_000.0
    scrubs.work()
    scrubs.finish()
    assert schema.scrub_due_at(file) is not None
    schema.remember_scrub(file, time.time())
    scrubs.committed(erased=True)
    clock.now += 1.0
    scrubs.work()
    assert schema.scrub_due_at(file) is None
