"""The envelope of server events, as JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from order_events.protocol import messages


def test_an_event_is_encoded_as_documented() -> None:
    """Numbers that JSON lacks become null."""
    moment = datetime(2026, 1, 2, 3, 4, 5, 678_901, UTC)
    message = messages.event("x", {"n": float("nan")}, moment, id=1, seq=2)
    assert json.loads(messages.encode(message)) == {
        "type": "x",
        "data": {"n": None},
        "timestamp": "2026-01-02T03:04:05.678Z",
        "seq": 2,
        "id": 1,
    }
