"""Logs name the right session, and never contain a token, audio or, by default, what was said."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from support.recordings import pieces, recording, text_of
from support.voice_server import Start, VoiceClient, tiny

from order_events import logs
from order_events.auth.tokens import Role
from voice_service.asr.recognizer import Recognizer


@pytest.fixture(autouse=True)
def _logs_as_they_were() -> Iterator[None]:
    """Restore the logging configuration after each test."""
    yield
    structlog.reset_defaults()


def written(capfd: pytest.CaptureFixture[str]) -> tuple[list[dict[str, Any]], str]:
    """Return the log's lines, and everything that was written anywhere."""
    output = capfd.readouterr()
    lines = [json.loads(line) for line in output.err.splitlines() if line.startswith("{")]
    return lines, output.out + output.err


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    """Load the model with one worker, so that sessions wait for each other."""
    return tiny(decode_workers=1)


@pytest.mark.parametrize("level", ["info", "debug"])
async def test_two_restaurants_at_once_have_their_own_lines(
    start: Start, capfd: pytest.CaptureFixture[str], level: str
) -> None:
    """Events of one start decodes of the other, but their lines are not mixed up."""
    logs.configure(level)
    server = await start()
    restaurants = {"s-demo": "demo", "s-other": "other"}
    await server.give_menu("other")
    tokens = [server.token(restaurant=name) for name in restaurants.values()]
    spoken = pieces(recording("one_item"), 500)

    async def speak(session_id: str, restaurant: str, token: str) -> VoiceClient:
        client = await server.open()
        await client.send("auth", token=token)
        await client.until("connected")
        await client.begin(session_id)
        await client.chunks(spoken)
        await client.end()
        return client

    clients = await asyncio.gather(
        *(speak(s, r, t) for (s, r), t in zip(restaurants.items(), tokens, strict=True))
    )
    denied = await server.open()
    await denied.send("auth", token="a.bad.signed-in-vain")
    await denied.close_code()
    query = {"Authorization": f"Bearer {server.token(Role.MANAGER)}"}
    async with server.http.get(server.url + "/v1/orders", headers=query) as response:
        assert response.status == 200
    await server.stop()
    lines, everything = written(capfd)
    assert {line["event"] for line in lines} >= {
        "connected",
        "disconnected",
        "voice session started",
        "voice session over",
        "authentication refused",
    }
    of_sessions = [line for line in lines if "session" in line]
    assert {line["session"] for line in of_sessions} == set(restaurants)
    assert all(line["restaurant"] == restaurants[line["session"]] for line in of_sessions)
    connections = {
        line["connection"]: line["restaurant"] for line in lines if line["event"] == "connected"
    }
    for line in lines:
        if line.get("connection") in connections and "restaurant" in line:
            assert line["restaurant"] == connections[line["connection"]]
    for secret in (*tokens, query["Authorization"].partition(" ")[2], "a.bad.signed-in-vain"):
        assert secret not in everything
        assert secret.rpartition(".")[2] not in everything
    for chunk in spoken:
        assert base64.b64encode(chunk).decode()[:64] not in everything
    for client in clients:
        assert (json.dumps(text_of(client.events))[1:-1] in everything) == (level == "debug")


async def test_a_failed_decode_is_logged_with_its_session(
    start: Start, capfd: pytest.CaptureFixture[str], recognizer: Any
) -> None:
    """And with nothing of what was said."""
    logs.configure("info")
    server = await start()
    client = await server.voice()
    await client.begin("s1", order="off")
    recognizer.whisper.model.unload_model()
    try:
        await client.chunks(pieces(recording("one_item"), 500))
        await client.until("voice:speech_discarded")
    finally:
        recognizer.whisper.model.load_model()
    lines, _ = written(capfd)
    [told] = {line["session"] for line in lines if line["event"].startswith("an utterance could")}
    assert told == "s1"
    [failed] = [line for line in lines if line["event"] == "decode failed"][:1]
    assert "connection" not in failed
