"""Resuming: a lost connection costs no word, and none is doubled."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from support.recordings import Event, finals, normal, pieces, recording, sidecar, text_of, wer
from support.voice_server import TIMEOUT, Server, Start, VoiceClient

NAME = "correct_size"
CHUNKS = dict(enumerate(pieces(recording(NAME), 100), 1))


async def cut_after(server: Server, count: int, **data: Any) -> VoiceClient:
    """Connect a microphone whose connection is lost after `count` chunks."""
    client = await server.voice()
    await client.begin("s1", order="off", **data)
    for sequence in range(1, count + 1):
        await client.chunk(sequence, CHUNKS[sequence])
    await client.send("ping")
    await client.until("pong")
    client.abort()
    return client


async def resumed(server: Server, **data: Any) -> tuple[VoiceClient, Event]:
    client = await server.voice()
    return client, await client.begin("s1", resume=True, **data)


async def rest(client: VoiceClient, first: int) -> Event:
    """Send the remaining chunks and end."""
    for sequence in range(first, len(CHUNKS) + 1):
        await client.chunk(sequence, CHUNKS[sequence])
    return await client.end()


def in_ms(name: str, part: float) -> int:
    """Return the number of the chunk in which a part of the first utterance has been spoken."""
    spoken = sidecar(name)["utterances"][0]
    return round((spoken["start_ms"] + part * (spoken["end_ms"] - spoken["start_ms"])) / 100)


@pytest.mark.parametrize(
    "place", [1, in_ms(NAME, 0.5), in_ms(NAME, 1) + 3, in_ms(NAME, 1) + 12, len(CHUNKS)]
)
async def test_a_session_cut_anywhere_gives_the_transcript_of_an_uncut_one(
    start: Start, place: int
) -> None:
    """In the first silence, inside a word, in the hangover, between utterances, at the end."""
    server = await start()
    whole = await (await server.voice()).stream(recording(NAME), "whole", order="off")
    before = await cut_after(server, place)
    after, started = await resumed(server)
    assert started["resumed"] is True
    assert 1 <= started["next_sequence"] <= place + 1
    answer = await rest(after, started["next_sequence"])
    assert answer["audio_ms"] == sidecar(NAME)["audio"]["duration_ms"]
    together = [*before.events, *after.events]
    assert normal(text_of(together)) == normal(text_of(whole))
    texts: dict[int, set[str]] = {}
    for final in finals(together):
        texts.setdefault(final["utterance"], set()).add(final["text"])
    assert all(len(versions) == 1 for versions in texts.values())
    assert not [e for e in together if e["type"] == "error"]


async def test_cutting_again_and_again_loses_nothing(start: Start) -> None:
    """A car park with one bar of signal."""
    server = await start()
    events: list[Event] = []
    client = await server.voice()
    next_sequence = (await client.begin("s1", order="off"))["next_sequence"]
    while next_sequence <= len(CHUNKS):
        # Two chunks too many are sent again each time: they are dropped as duplicates.
        for sequence in range(max(1, next_sequence - 2), min(next_sequence + 14, len(CHUNKS) + 1)):
            await client.chunk(sequence, CHUNKS[sequence])
        await client.send("ping")
        await client.until("pong")
        client.abort()
        events += client.events
        client, started = await resumed(server)
        next_sequence = started["next_sequence"]
    answer = await client.end()
    events += client.events
    assert answer["audio_ms"] == sidecar(NAME)["audio"]["duration_ms"]
    assert wer(sidecar(NAME)["text"], text_of(events)) <= 0.1


async def test_finals_that_came_while_the_client_was_away_are_sent_again(start: Start) -> None:
    """They were spoken before the cut and recognised after it."""
    server = await start()
    await cut_after(server, in_ms(NAME, 1) + 2)
    client, _ = await resumed(server, after_utterance=0)
    await rest(client, in_ms(NAME, 1) + 3)
    assert [f["utterance"] for f in finals(client.events)] == [1, 2, 3][
        : len(finals(client.events))
    ]
    assert wer(sidecar(NAME)["text"], text_of(client.events)) <= 0.1


async def test_finals_that_the_client_has_are_not_sent_again(start: Start) -> None:
    """`after_utterance` names them."""
    server = await start()
    client = await server.voice()
    await client.begin("s1", order="off")
    place = in_ms(NAME, 1) + 12
    for sequence in range(1, place + 1):
        await client.chunk(sequence, CHUNKS[sequence])
    await client.until("voice:transcript", lambda e: e["data"]["is_final"])
    client.abort()
    again, started = await resumed(server, after_utterance=1)
    await rest(again, started["next_sequence"])
    assert 1 not in {f["utterance"] for f in finals(again.events)}


async def test_a_second_connection_takes_over_while_the_first_is_half_open(start: Start) -> None:
    """A phone has switched networks, and the server has not noticed yet."""
    server = await start()
    first = await server.voice()
    await first.begin("s1", order="off")
    place = in_ms(NAME, 0.5)
    for sequence in range(1, place + 1):
        await first.chunk(sequence, CHUNKS[sequence])
    await first.send("ping")
    await first.until("pong")
    second, started = await resumed(server)
    assert started == {**started, "resumed": True, "next_sequence": place + 1}
    assert await first.close_code() == 1000
    answer = await rest(second, place + 1)
    assert answer["audio_ms"] == sidecar(NAME)["audio"]["duration_ms"]
    assert wer(sidecar(NAME)["text"], text_of([*first.events, *second.events])) <= 0.1


async def test_an_existing_session_is_not_started_anew(start: Start) -> None:
    """The answer is `SESSION_EXISTS` on another connection as well, and the session goes on."""
    server = await start()
    first, second = await server.voice(), await server.voice()
    await first.begin("s1", order="off")
    await second.send("voice:start", {"session_id": "s1", "language": "en-US"}, id=5)
    assert (await second.error("SESSION_EXISTS"))["id"] == 5
    await rest(first, 1)
    assert wer(sidecar(NAME)["text"], text_of(first.events)) <= 0.1


async def test_nobody_else_can_resume_a_session(start: Start) -> None:
    """Neither another microphone nor another restaurant even learns that it exists."""
    server = await start()
    client = await server.voice()
    await client.begin("s1")
    for who in ({"user": "lane-2"}, {"restaurant": "other"}):
        stranger = await server.voice(**who)
        await stranger.send("voice:start", {"session_id": "s1", "resume": True})
        await stranger.error("SESSION_NOT_FOUND")
    await client.silent()


async def test_a_session_that_nobody_came_back_to_is_ended_and_left_to_a_person(
    start: Start,
) -> None:
    """After the window its order says why, and it can no longer be resumed."""
    server = await start(resume_window_s=0.4, voice_per_minute=1_000_000)
    screen = await server.screen("voice:order")
    client = await server.voice()
    await client.begin("s1")
    await client.chunks(pieces(recording("one_item"), 500))
    await client.until("voice:order")
    client.abort()
    last = await screen.until("voice:order", lambda e: e["data"]["status"] == "needs_staff")
    assert "connection_lost" in [r["code"] for r in last["data"]["reasons"]]
    late = await server.voice()
    async with asyncio.timeout(TIMEOUT):
        while True:
            await late.send("voice:start", {"session_id": "s1", "resume": True})
            event = await late.receive()
            while event["type"] not in ("error", "voice:end"):
                event = await late.receive()
            if event["type"] == "error":
                break
    assert event["data"]["code"] == "SESSION_NOT_FOUND"


async def test_a_lost_answer_is_given_again(start: Start) -> None:
    """The connection broke between `voice:end` and its answer."""
    server = await start()
    client = await server.voice()
    await client.begin("s1")
    await client.chunks(pieces(recording("one_item"), 500))
    await client.send("voice:end", {"session_id": "s1"})
    await client.send("ping")
    client.abort()
    again, started = await resumed(server, after_utterance=0)
    assert started["resumed"] is True
    if not any(e["type"] == "voice:end" for e in again.events):
        await again.until("voice:end")
    assert wer(sidecar("one_item")["text"], text_of(again.events)) <= 0.15
    [order] = await server.orders()
    assert again.events[-1]["data"]["order_id"] == order["id"]
