"""The committed documents match the code, and the voice service matches the documents."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.paths import DOCS
from support.recordings import finals, pieces, recording, silence
from support.schema_checks import check_message
from support.voice_server import Server, Start

from voice_service import documents
from voice_service.protocol.encoding import wire_event
from voice_service.protocol.payloads import CHANNELS, VOICE_STREAM
from voice_service.utterances.events import EndLikely, EndUnlikely, ListenerEvent

SOCKETS: dict[str, Any] = json.loads((DOCS / "asyncapi.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["openapi.json", "asyncapi.json"])
def test_the_committed_documents_are_fresh(name: str) -> None:
    """If not, run `make documents` and look at what has changed for clients."""
    assert (DOCS / name).read_text(encoding="utf-8") == documents.documents()[name]


def test_writing_the_documents(tmp_path: Path) -> None:
    """The command writes both, and reports wrong usage."""
    assert documents.main([str(tmp_path / "new")]) == 0
    assert {p.name for p in (tmp_path / "new").iterdir()} == {"openapi.json", "asyncapi.json"}
    assert documents.main([]) == 2


async def test_the_service_serves_both_sockets_documents(server: Server) -> None:
    """There, the root socket also publishes the events of voice sessions."""
    async with server.http.get(server.url + "/v1/asyncapi.json") as response:
        served = await response.json()
    assert set(served["channels"]) == {channel.name for channel in CHANNELS}
    assert "WatchedFinal" in served["channels"]["root"]["messages"]
    assert "FinalTranscript" not in served["channels"]["root"]["messages"]


@pytest.mark.parametrize("event", [EndLikely(1, 900, "a cola", 0.9), EndUnlikely(1, 1_100)])
def test_signs_of_the_end_are_as_documented(event: ListenerEvent) -> None:
    """Whether they come in a session depends on how fast it is recognised."""
    type_, data = wire_event("s", "en-US", event)
    message = {"type": type_, "data": data, "timestamp": "2026-01-01T00:00:00.000Z"}
    check_message(SOCKETS, "voiceStream", message)


async def test_every_message_of_a_voice_session_is_as_documented(start: Start) -> None:
    """On both sockets, field by field: transcripts, orders, errors and the goodbye."""
    server = await start()
    screen = await server.screen("*")
    microphone = await server.voice()
    await microphone.send("voice:end", {"session_id": "none"}, id="early")
    await microphone.error("SESSION_NOT_FOUND")
    await microphone.begin("s", lane="1", table_id="t", speak="audio")
    await microphone.until("voice:speech")
    await microphone.send("voice:audio", {"audio": "!", "sequence": 1})
    await microphone.error("INVALID_AUDIO")
    await microphone.play(recording("one_item"), 8)
    await microphone.end()
    await microphone.begin("second", order="off")
    await microphone.send("voice:finalize", {"session_id": "second"})
    await microphone.chunks(pieces(silence(0.5)), first=3)
    await microphone.error("AUDIO_GAP")
    await screen.until("order:status")
    await server.stop()
    await microphone.close_code()
    await screen.close_code()
    for event in microphone.events:
        check_message(SOCKETS, "voiceStream", event)
    for event in screen.events:
        check_message(SOCKETS, "root", event)
    seen = {event["type"] for event in microphone.events}
    sent = {model.model_fields["type"].annotation.__args__[0] for model in VOICE_STREAM.sends}
    elsewhere = {"auth:success", "auth:expiring", "pong"}
    elsewhere |= {"voice:speech_discarded", "voice:warning", "voice:end_likely"}
    elsewhere |= {"voice:end_unlikely"}
    assert sent - seen <= elsewhere
    assert finals(microphone.events)
    assert {"voice:transcript", "voice:order"} <= {event["type"] for event in screen.events}
