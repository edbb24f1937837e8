"""Server events as lines for people."""

from __future__ import annotations

from typing import Any

import pytest

from voice_service.commands.display import describe, item_line, money, order_line

ITEM: dict[str, Any] = {
    "quantity": 2,
    "size": "large",
    "name": "Cola",
    "modifiers": [
        {"name": "Ice", "negated": True, "qualifier": None},
        {"name": "Lemon", "negated": False, "qualifier": "extra"},
        {"name": "Straw", "negated": False, "qualifier": None},
    ],
}


ORDER = {
    "order_number": "20251122-0001",
    "status": "pending",
    "items": [ITEM],
    "total": 605,
    "currency": "EUR",
}


def test_orders_and_amounts_read_as_people_write_them() -> None:
    """The line shows what was ordered, "no" included."""
    assert item_line(ITEM) == "2 x large Cola (no Ice, extra Lemon, Straw)"
    assert order_line(ORDER).startswith("20251122-0001 [pending]")
    assert order_line(ORDER).endswith("6.05 EUR")
    assert [money(c) for c in (0, 5, 100, 123456)] == ["0.00", "0.05", "1.00", "1234.56"]


EVENTS: list[tuple[str, dict[str, Any] | None, list[str]]] = [
    (
        "voice:transcript",
        {"is_final": True, "overheard": False, "text": "two colas", "confidence": 0.9},
        ["final", "two colas", "90% sure)"],
    ),
    (
        "voice:transcript",
        {"is_final": True, "overheard": True, "text": "two colas", "confidence": 0.5},
        ["final", "two colas", "overheard"],
    ),
    (
        "voice:transcript",
        {"is_final": False, "text": "two colas", "stable_text": "two"},
        ["partial", "two| colas"],
    ),
    (
        "voice:order",
        {
            "status": "clarify",
            "readback": "2 x Cola",
            "reasons": [{"code": "missing_size", "text": "Cola"}],
        },
        ["clarify", "2 x Cola", "missing_size"],
    ),
    ("voice:speech_discarded", {"utterance": 3, "reason": "no_words"}, ["3"]),
    ("voice:end", {"utterances": 2, "duration": 4.25}, ["2 utterances", "4.2"]),
    ("error", {"code": "AUDIO_GAP", "message": "lost"}, ["AUDIO_GAP", "lost"]),
    ("order:created", {"order": ORDER}, ["order:created", "Cola", "6.05"]),
    ("order:updated", {"order": ORDER}, ["order:updated", "Cola"]),
    ("order:status", {"previous_status": "pending", "status": "confirmed"}, ["confirmed"]),
]


@pytest.mark.parametrize(("kind", "data", "parts"), EVENTS)
def test_events_are_one_line_each(kind: str, data: dict[str, Any] | None, parts: list[str]) -> None:
    """A person at a terminal sees what the screens see."""
    line = describe({"type": kind, "data": data, "timestamp": ""})
    assert line is not None
    assert "\n" not in line
    assert all(part in line for part in parts)


@pytest.mark.parametrize("kind", ["connected", "pong", "voice:speech_started"])
def test_events_that_say_nothing_to_people_are_left_out(kind: str) -> None:
    """They would only fill the terminal."""
    assert describe({"type": kind}) is None
