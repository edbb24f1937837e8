"""Check events of `/voice-stream` against their documented shapes and their order."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

from support.recordings import Event

TIMESTAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
NUMBER = (int, float)
SHAPES: dict[str, dict[str, Any]] = {
    "voice:started": {
        "session_id": str,
        "language": str,
        "model": str,
        "next_sequence": int,
        "resumed": bool,
        "audio": dict,
        "warnings": list,
    },
    "voice:speech_started": {"session_id": str, "utterance": int, "at_ms": int},
    "voice:end_likely": {
        "session_id": str,
        "utterance": int,
        "at_ms": int,
        "text": str,
        "confidence": NUMBER,
    },
    "voice:end_unlikely": {"session_id": str, "utterance": int, "at_ms": int},
    "voice:speech_ended": {"session_id": str, "utterance": int, "at_ms": int},
    "voice:speech_discarded": {"session_id": str, "utterance": int, "reason": str},
    "voice:order": {
        "session_id": str,
        "order": (dict, type(None)),
        "readback": str,
        "change": str,
        "status": str,
        "reasons": list,
    },
    "voice:say": {
        "session_id": str,
        "say_id": str,
        "text": str,
        "language": str,
        "why": str,
        "audio": bool,
    },
    "voice:speech": {
        "session_id": str,
        "say_id": str,
        "sequence": int,
        "audio": str,
        "sample_rate": int,
        "is_last": bool,
    },
    "voice:say_stop": {"session_id": str, "say_id": str},
    "voice:warning": {"session_id": str, "code": str, "message": str},
    "voice:finalize": {"session_id": str, "utterances": int},
    "voice:end": {
        "session_id": str,
        "duration": NUMBER,
        "audio_ms": int,
        "utterances": int,
        "order_id": (str, type(None)),
    },
}
TRANSCRIPT = {
    "session_id": str,
    "utterance": int,
    "revision": int,
    "text": str,
    "confidence": NUMBER,
    "is_final": bool,
    "start_ms": int,
    "end_ms": int,
    "language": str,
}
PARTIAL = {**TRANSCRIPT, "stable_text": str}
FINAL = {**TRANSCRIPT, "overheard": bool, "narrow_band": bool, "echo": bool, "words": list}
WORD = {"text": str, "start_ms": int, "end_ms": int, "confidence": NUMBER}
ERROR = {"code": str, "message": str}


def assert_shape(data: Event, shape: dict[str, Any]) -> None:
    """Assert that all documented fields are there, with their types; others are allowed."""
    for name, kind in shape.items():
        assert name in data, (name, data)
        assert isinstance(data[name], kind), (name, data)
        assert isinstance(data[name], bool) == (kind is bool), (name, data)


def assert_documented(events: list[Event]) -> None:
    """Assert that every event of a voice socket has its documented shape."""
    for event in events:
        if event["type"] == "pong":
            continue
        assert TIMESTAMP.match(event["timestamp"]), event
        data = event["data"]
        if event["type"] == "voice:transcript":
            assert_shape(data, FINAL if data["is_final"] else PARTIAL)
            assert ("stable_text" in data) != data["is_final"]
            assert 0 <= data["confidence"] <= 1
            assert 0 <= data["start_ms"] <= data["end_ms"]
            for word in data.get("words", []):
                assert_shape(word, WORD)
        elif event["type"] == "error":
            assert_shape(data, ERROR)
        elif event["type"] in SHAPES:
            assert_shape(data, SHAPES[event["type"]])


def assert_in_sequence(events: list[Event]) -> None:
    """Assert that the events of one session, up to the answer to `voice:end`, are in order."""
    voice = [e for e in events if e["type"].startswith("voice:")]
    types = [e["type"] for e in voice]
    assert types[0] == "voice:started"
    assert types[-1] == "voice:end"
    assert types.count("voice:started") == types.count("voice:end") == 1
    speech = [e for e in voice if "utterance" in e["data"]]
    numbers = sorted({e["data"]["utterance"] for e in speech})
    assert numbers == list(range(1, len(numbers) + 1))
    assert voice[-1]["data"]["utterances"] == len(numbers)
    for number in numbers:
        own = [e for e in speech if e["data"]["utterance"] == number]
        assert own[0]["type"] == "voice:speech_started"
        assert [e["type"] for e in own].count("voice:speech_ended") == 1
        concluded = [
            e
            for e in own
            if e["type"] == "voice:speech_discarded" or e["data"].get("is_final") is True
        ]
        assert len(concluded) == 1
        assert own[-1] is concluded[0]
        transcripts = [e["data"] for e in own if e["type"] == "voice:transcript"]
        assert [t["revision"] for t in transcripts] == list(range(1, len(transcripts) + 1))
        for transcript in transcripts[:-1]:
            assert transcript["text"].startswith(transcript["stable_text"])
        for before, after in pairwise(transcripts):
            assert after["text"].startswith(before["stable_text"])
            assert after.get("stable_text", after["text"]).startswith(before["stable_text"])
