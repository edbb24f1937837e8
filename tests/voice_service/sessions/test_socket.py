"""Every message in every state of a connection is answered as the table says."""

from __future__ import annotations

import base64
import json
from itertools import product
from typing import Any, get_args

import pytest
from support.recordings import Event
from support.voice_server import Start, VoiceClient

from voice_service.protocol.messages import (
    VoiceAnswer,
    VoiceCallStaff,
    VoiceInterrupted,
    VoiceMessage,
    VoiceQuantity,
    VoiceSaid,
)
from voice_service.sessions.socket import State, VoiceHandler

SILENT = base64.b64encode(bytes(3_200)).decode()
START = {"type": "voice:start", "data": {"session_id": "s1", "language": "en-US"}}
OTHER = {"type": "voice:start", "data": {"session_id": "s2", "language": "en-US"}}
AUDIO = {"type": "voice:audio", "data": {"audio": SILENT, "sequence": 1}}
END = {"type": "voice:end", "data": {"session_id": "s1", "duration": 1}}
FINALIZE = {"type": "voice:finalize", "data": {"session_id": "s1"}}
ANSWER = {"type": "voice:answer", "data": {"session_id": "s1", "text": "a coffee"}}
MESSAGES = {
    "VoiceStart": OTHER,
    "VoiceAudio": AUDIO,
    "VoiceFinalize": FINALIZE,
    "VoiceAnswer": ANSWER,
    "VoiceEnd": END,
}

EXPECTED: dict[tuple[State, str], str] = {
    (State.IDLE, "VoiceStart"): "voice:started",
    (State.IDLE, "VoiceAudio"): "SESSION_NOT_FOUND",
    (State.IDLE, "VoiceFinalize"): "SESSION_NOT_FOUND",
    (State.IDLE, "VoiceAnswer"): "SESSION_NOT_FOUND",
    (State.IDLE, "VoiceEnd"): "SESSION_NOT_FOUND",
    (State.OPENING, "VoiceStart"): "SESSION_EXISTS",
    (State.OPENING, "VoiceAudio"): "taken",
    (State.OPENING, "VoiceFinalize"): "voice:finalize",
    (State.OPENING, "VoiceAnswer"): "voice:order",
    (State.OPENING, "VoiceEnd"): "voice:end",
    (State.STREAMING, "VoiceStart"): "SESSION_EXISTS",
    (State.STREAMING, "VoiceAudio"): "taken",
    (State.STREAMING, "VoiceFinalize"): "voice:finalize",
    (State.STREAMING, "VoiceAnswer"): "voice:order",
    (State.STREAMING, "VoiceEnd"): "voice:end",
    (State.ENDING, "VoiceStart"): "SESSION_EXISTS",
    (State.ENDING, "VoiceAudio"): "SESSION_NOT_FOUND",
    (State.ENDING, "VoiceFinalize"): "SESSION_NOT_FOUND",
    (State.ENDING, "VoiceAnswer"): "SESSION_NOT_FOUND",
    (State.ENDING, "VoiceEnd"): "SESSION_NOT_FOUND",
}


async def send_together(client: VoiceClient, *messages: dict[str, Any]) -> None:
    """Send messages that all arrive before the server acts on the first."""
    for message in messages:
        await client.ws.send_str(json.dumps(message))


async def answer_in(client: VoiceClient, state: State, message: dict[str, Any]) -> list[Event]:
    """Send a message in a state; return everything up to the server's last answer."""
    before: dict[State, list[dict[str, Any]]] = {
        State.IDLE: [],
        State.OPENING: [START],
        State.STREAMING: [START],
        State.ENDING: [START],
    }
    if state in (State.STREAMING, State.ENDING):
        await send_together(client, START)
        await client.until("voice:started")
        extra = [END] if state is State.ENDING else []
    else:
        extra = before[state]
    seen = len(client.events)
    await send_together(client, *extra, message, {"type": "ping", "id": "first"})
    if message in (END, FINALIZE) and state in (State.OPENING, State.STREAMING):
        await client.until(message["type"])
    elif message is ANSWER and state in (State.OPENING, State.STREAMING):
        await client.until("voice:order")
    elif state is State.OPENING or (message is OTHER and state is State.IDLE):
        await client.until("voice:started")
    elif state is State.ENDING:
        await client.until("voice:end")
    await client.send("ping", id="last")
    await client.until("pong", lambda event: event.get("id") == "last")
    return client.events[seen:]


def test_the_table_has_every_pair() -> None:
    """A new state or message cannot be left out of it."""
    table = VoiceHandler._TABLE
    assert set(table) == set(get_args(VoiceMessage))
    assert {len(row) for row in table.values()} == {len(State)}
    # Taps are treated alike, and so is what is said about prompts, which is never answered.
    assert table[VoiceAnswer] == table[VoiceQuantity] == table[VoiceCallStaff]
    assert len({*table[VoiceSaid], *table[VoiceInterrupted]}) == 1
    alike = {VoiceQuantity, VoiceCallStaff, VoiceSaid, VoiceInterrupted}
    tried = {kind.__name__ for kind in set(table) - alike}
    assert set(product(State, tried)) == set(EXPECTED)


@pytest.mark.parametrize(("state", "kind"), EXPECTED, ids=lambda part: str(part).split(".")[-1])
async def test_every_pair_is_answered(start: Start, state: State, kind: str) -> None:
    """With its effect or with an error, never with silence, an exception or a closed socket."""
    server = await start()
    client = await server.voice()
    events = await answer_in(client, state, MESSAGES[kind])
    expected = EXPECTED[state, kind]
    errors = [e["data"] for e in events if e["type"] == "error"]
    types = [e["type"] for e in events]
    if expected == "taken":
        assert errors == []
        await client.send("voice:end", END["data"])
        assert (await client.until("voice:end"))["data"]["audio_ms"] == 100
    elif expected.isupper():
        assert [e["code"] for e in errors] == [expected]
        assert (errors[0].get("sequence") == 1) == (kind == "VoiceAudio")
    else:
        assert errors == []
        assert expected in types
    assert not client.ws.closed


async def test_after_the_answer_the_connection_is_idle_again(start: Start) -> None:
    """Late audio of the last guest does not reach the next one."""
    client = await (await start()).voice()
    await client.begin("s1")
    await client.end()
    await send_together(client, AUDIO)
    await client.error("SESSION_NOT_FOUND")
    await client.begin("s2")


async def test_end_of_another_session_is_not_found(start: Start) -> None:
    """It does not end the open session."""
    client = await (await start()).voice()
    await client.begin("s1")
    await client.send("voice:end", {"session_id": "s2"})
    await client.error("SESSION_NOT_FOUND")
    await client.send("voice:audio", AUDIO["data"])
    assert (await client.end())["audio_ms"] == 100


async def test_what_waits_while_a_session_opens_is_bounded(start: Start) -> None:
    """A client that does not wait for `voice:started` may send 20 s ahead, not a minute."""
    client = await (await start()).voice()
    chunks = [
        {"type": "voice:audio", "data": {"audio": SILENT, "sequence": n}} for n in range(1, 402)
    ]
    await send_together(client, START, *chunks)
    await client.until("voice:started")
    await client.send("ping", id="last")
    await client.until("pong")
    refused = [e["data"] for e in client.events if e["type"] == "error"]
    assert all(e["code"] == "RATE_LIMITED" and e["retry_after_ms"] for e in refused)
    assert all(e["sequence"] > 200 for e in refused)


async def test_the_end_waits_however_much_audio_does(start: Start) -> None:
    """A whole recording sent at once, without waiting for `voice:started`."""
    client = await (await start()).voice()
    chunks = [
        {"type": "voice:audio", "data": {"audio": SILENT, "sequence": n}} for n in range(1, 402)
    ]
    await send_together(client, START, *chunks, END)
    await client.until("voice:end")


async def test_a_failed_start_leaves_the_connection_idle(start: Start) -> None:
    """Messages sent after it are answered as in that state."""
    client = await (await start()).voice()
    bad = {"type": "voice:start", "data": {"session_id": "s1", "language": "xx"}, "id": 1}
    await send_together(client, bad, AUDIO)
    assert (await client.error("UNSUPPORTED_LANGUAGE"))["id"] == 1
    await client.error("SESSION_NOT_FOUND")
    await client.begin("s1")


async def test_a_restaurant_without_a_menu_gets_transcripts_and_is_told_why(start: Start) -> None:
    """Speech is recognised, and a person takes the order."""
    server = await start()
    client = await server.voice(restaurant="without-menu")
    await client.begin("s1")
    order = (await client.until("voice:order"))["data"]
    assert order["order"] is None
    assert order["status"] == "needs_staff"
    assert [reason["code"] for reason in order["reasons"]] == ["no_menu"]
    assert order["after_utterance"] == 0
    assert (await client.end())["order_id"] is None
