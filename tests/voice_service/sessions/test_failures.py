"""Faults of ours: the client is told, and the service goes on."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
import structlog
from support.recordings import finals, pieces, recording, sidecar, text_of, wer
from support.voice_server import TIMEOUT, Server, Start

from order_events.app import EVENTS
from order_events.protocol.errors import StoreUnavailable
from voice_service import app
from voice_service.asr.hypothesis import DecodeRequest, Hypothesis
from voice_service.asr.recognizer import Recognizer
from voice_service.ordering import Conversation
from voice_service.sessions import runner
from voice_service.sessions.hub import patience


@contextlib.contextmanager
def unloaded(recognizer: Recognizer) -> Iterator[None]:
    """Unload the weights from memory, as when a device fails."""
    recognizer.whisper.model.unload_model()
    try:
        yield
    finally:
        recognizer.whisper.model.load_model()


def away(server: Server, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let the database be away for writing; return the attempts, as they come."""
    tried: list[str] = []

    async def fail(run: Any, restaurant_id: str = "") -> Any:
        tried.append(restaurant_id)
        raise StoreUnavailable("away")

    monkeypatch.setattr(server.app[EVENTS].store, "write", fail)
    return tried


@contextlib.contextmanager
def hanging(recognizer: Recognizer, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let no decode come back, as when a device stops answering."""
    answers = threading.Event()
    decode = recognizer.decode

    def hang(requests: Sequence[DecodeRequest]) -> list[Hypothesis]:
        assert answers.wait(TIMEOUT)
        return decode(requests)

    with monkeypatch.context() as patched:
        patched.setattr(recognizer, "decode", hang)
        try:
            yield
        finally:
            answers.set()


async def until_ready(server: Server, status: int) -> str:
    """Ask until the readiness has this status; return its text."""
    async with asyncio.timeout(TIMEOUT):
        while True:
            async with server.http.get(server.url + "/readyz") as answer:
                if answer.status == status:
                    return await answer.text()
            await asyncio.sleep(0.05)


async def test_a_model_that_fails_is_an_internal_error_and_the_session_survives_it(
    start: Start, recognizer: Recognizer
) -> None:
    """`INTERNAL`, the utterance discarded as failed; the next one is recognised again."""
    server = await start()
    client = await server.voice()
    await client.begin("s1", order="off")
    chunks = pieces(recording("one_item"), 500)
    with unloaded(recognizer):
        await client.chunks(chunks)
        discarded = await client.until("voice:speech_discarded")
        assert discarded["data"]["reason"] == "failed"
        await client.error("INTERNAL")
    assert b"voice_decode_failures_total 0.0" not in server.app[EVENTS].metrics.exposition()
    await client.chunks(chunks, first=len(chunks) + 1)
    answer = await client.end()
    assert answer["utterances"] == 2
    assert [f["utterance"] for f in finals(client.events)] == [2]
    assert wer(sidecar("one_item")["text"], text_of(client.events)) <= 0.15


async def test_a_model_that_keeps_failing_makes_the_service_unready_until_it_recovers(
    start: Start, recognizer: Recognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A recording of known speech decides: it fails too, and later it is understood."""
    monkeypatch.setattr(app, "_TEST_EVERY_S", 0.05)
    server = await start()
    await until_ready(server, 200)
    client = await server.voice()
    await client.begin("s1", order="off")
    with unloaded(recognizer):
        await client.chunks(pieces(recording("one_item"), 500))
        assert "speech recognition fails" in await until_ready(server, 503)
    await until_ready(server, 200)
    assert b'voice_self_tests_total{outcome="heard"}' in server.app[EVENTS].metrics.exposition()


async def test_a_model_that_hangs_makes_the_service_unready_and_keeps_nobody_waiting(
    start: Start, recognizer: Recognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guest is told, a newcomer is refused; it turns green when the decode comes back."""
    server = await start(decode_patience_s=0.2, decode_workers=1)
    guest = await server.voice(user="lane-1")
    await guest.begin("s1", order="off")
    with hanging(recognizer, monkeypatch):
        await guest.chunks(pieces(recording("one_item"), 500))
        assert "speech recognition hangs" in await until_ready(server, 503)
        await guest.error("INTERNAL")
        newcomer = await server.voice(user="lane-2")
        await newcomer.send("voice:start", {"session_id": "s2"})
        error = await newcomer.error("OVERLOADED")
        assert "speech recognition does not answer" in error["data"]["message"]
        assert (await guest.end())["utterances"] == 1
    await until_ready(server, 200)


async def test_an_order_that_fails_costs_its_own_guest_an_utterance_and_others_nothing(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The only worker goes on, and so does the guest whose words could not be weighed."""

    def failing(self: Conversation) -> Callable[[Sequence[str]], int]:
        raise KeyError("menu")

    server = await start()
    guest, other = await server.voice(user="lane-1"), await server.voice(user="lane-2")
    await guest.begin("s1")
    chunks = pieces(recording("one_item"), 500)
    with monkeypatch.context() as patched:
        patched.setattr(Conversation, "chooser", failing)
        await guest.chunks(chunks)
        await guest.error("INTERNAL")
        await other.stream(recording("one_item"), "s2", order="off")
    assert wer(sidecar("one_item")["text"], text_of(other.events)) <= 0.15
    await guest.chunks(chunks, first=len(chunks) + 1)
    assert (await guest.end())["order_id"]


async def test_a_store_that_is_gone_is_told_to_who_starts_a_session(start: Start) -> None:
    """The client gets an answer, and no session is left behind that nobody knows of."""
    server = await start()
    client = await server.voice()
    await server.app[EVENTS].store.close()
    await client.send("voice:start", {"session_id": "s1", "language": "en-US"}, id=3)
    error = await client.until("error")
    assert error["id"] == 3
    assert error["data"]["code"] in ("UNAVAILABLE", "INTERNAL", "OVERLOADED")


async def test_an_order_that_cannot_be_stored_goes_to_a_person(start: Start) -> None:
    """The guest's words are still recognised, and the microphone is told who must look."""
    server = await start()
    client = await server.voice()
    await client.begin("s1")
    await server.app[EVENTS].store.close()
    await client.chunks(pieces(recording("one_item"), 500))
    order = (await client.until("voice:order"))["data"]
    assert order["status"] == "needs_staff"
    assert order["order"] is None
    assert (await client.end())["order_id"] is None
    assert wer(sidecar("one_item")["text"], text_of(client.events)) <= 0.15


async def test_events_behind_one_that_was_lost_are_tried_once(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing store must not hold up a session for a minute per event."""
    monkeypatch.setattr(patience, "PAUSE_S", 0.05)
    server = await start(store_patience_s=0.18)
    client = await server.voice()
    await client.begin("s1")
    await asyncio.sleep(0.1)
    tried = away(server, monkeypatch)
    with structlog.testing.capture_logs() as lines:
        await client.chunks(pieces(recording("correct_size"), 500))
        await client.end()
        await server.stop()
    seen = Counter(line["event"] for line in lines)
    assert seen["an event is lost"] >= 3
    assert len(tried) > seen["an event is lost"]


async def test_a_hub_that_takes_nothing_ends_the_session_rather_than_fill_the_memory(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guest's client is told, and a person must look at the order."""
    monkeypatch.setattr(runner, "_MOST_FOR_HUB", 2)
    server = await start(shutdown_grace_s=0.1)
    client = await server.voice()
    await client.begin("s1")
    away(server, monkeypatch)
    await client.chunks(pieces(recording("correct_size"), 500))
    await client.error("INTERNAL")
    await client.until("voice:end")


async def test_a_menu_that_changes_is_the_menu_of_the_next_guest(start: Start) -> None:
    """What is sold out now cannot be ordered any more; a running session keeps its menu."""
    server = await start()
    events = server.app[EVENTS]
    first = await server.voice()
    await first.stream(recording("one_item"), "guest-1")
    await events.sell_out("demo", "double_cheeseburger", True, actor="test")
    second = await server.voice()
    await second.stream(recording("one_item"), "guest-2")
    last = [e["data"] for e in second.events if e["type"] == "voice:order"][-1]
    assert last["order"] is None
    assert "sold_out" in [reason["code"] for reason in last["reasons"]]


async def test_the_socket_is_closed_in_mid_session_without_harm(start: Start) -> None:
    """A hundred guests who drive off in the middle of a word leave nothing running."""
    server = await start(resume_window_s=0.1, max_sessions=200)
    audio = base64.b64encode(bytes(3_200)).decode()
    for number in range(40):
        client = await server.voice()
        await client.send("voice:start", {"session_id": f"s{number}", "language": "en-US"})
        await client.send("voice:audio", {"audio": audio, "sequence": 1})
        client.abort()
    last = await server.voice()
    await last.stream(recording("one_item"), "last")
    assert finals(last.events)
