"""The logs: what a line contains, what none contains, and a standard error that fails."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import pytest
import structlog

from order_events import logs


async def test_logs_have_connection_and_restaurant_and_no_token(server: Any, draft: Any) -> None:
    """They do not contain what guests said either."""
    logs.configure("debug")
    # What `configure` has set, with the lines kept instead of written.
    processors = structlog.get_config()["processors"][:-1]
    entries: list[dict[str, Any]] = []
    gone = asyncio.Event()

    def keep(_: Any, __: str, entry: Any) -> Any:
        entries.append(dict(entry))
        if entry["event"] == "disconnected":
            gone.set()
        raise structlog.DropEvent

    structlog.configure(processors=[*processors, keep])
    try:
        token = server.token()
        client = await server.open(headers={"Authorization": f"Bearer {token}"})
        connected = await client.expect("connected")
        data = {"text": "a secret wish"}
        await server.events.publish("r1", "voice:transcript", data, tags={"session_id": "s"})
        await client.send(type="auth", token="nonsense-token")
        await client.close_code()
        await asyncio.wait_for(gone.wait(), 5)
    finally:
        structlog.reset_defaults()
        structlog.contextvars.clear_contextvars()
    assert [e["event"] for e in entries] == [
        "connected",
        "authentication refused",
        "disconnected",
    ]
    assert all(e["connection"] == connected["data"]["connection_id"] for e in entries)
    assert all(e["restaurant"] == "r1" for e in entries)
    written = repr(entries)
    assert token not in written
    assert "nonsense-token" not in written
    assert "secret wish" not in written


def test_a_log_that_cannot_be_written_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard error may be a full disk or a closed pipe."""
    logs.configure("info")
    with contextlib.suppress(OSError), Path("/dev/full").open("w") as full:
        with monkeypatch.context() as patched:
            patched.setattr("sys.stderr", full)
            structlog.get_logger().error("lost")
        written = True
    assert written
    closed = Path("/dev/null").open("w")  # noqa: SIM115
    closed.close()
    monkeypatch.setattr("sys.stderr", closed)
    structlog.get_logger().error("lost")


def test_a_failure_that_repeats_itself_is_one_line_a_second(capsys: Any) -> None:
    """Each kind of failure by itself; the next line says how many were left out."""
    sparing = logs.Sparing()
    assert [sparing.left_out("a", now) for now in (0.0, 0.1, 0.9, 1.0)] == [0, None, None, 2]
    assert sparing.left_out("b", 0.1) == 0
    logs.configure("info")
    log = structlog.get_logger("test")
    for _ in range(1_000):
        log.warning("the disk is full")
        log.info("connected")
    written = capsys.readouterr().err
    assert written.count("the disk is full") < 100
    assert written.count("connected") == 1_000


def test_what_a_client_chose_is_shortened(capsys: Any) -> None:
    """An origin may be as long as a header."""
    logs.configure("info")
    structlog.get_logger("test").warning("origin refused", origin="x" * 8_000)
    assert len(capsys.readouterr().err) < 600
