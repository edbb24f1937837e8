"""A guest's session in a few lines, against the real service."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from support.recordings import Event, recording, sidecar, text_of, wer
from support.voice_server import TIMEOUT, Start

from voice_service.client import StreamFailed, VoiceSession, session
from voice_service.commands.pacing import pcm

SECOND = b"\0" * 32_000


async def test_audio_goes_in_and_the_order_comes_out_over_a_lost_connection(start: Start) -> None:
    """Any amount of audio at a time; the token function is called for each connection."""
    server = await start()
    asked: list[None] = []

    def token() -> str:
        asked.append(None)
        return server.token()

    events: list[Event] = []
    async with asyncio.timeout(3 * TIMEOUT), VoiceSession(server.url, token, lane="1") as talk:
        await talk.send(pcm(recording("one_item")))
        await talk.finish()
        async for event in talk:
            if event["type"] == "voice:speech_started" and len(asked) == 1:
                talk._stream.cut()
            events.append(event)
    assert len(asked) == 2
    assert events[-1]["type"] == "voice:end"
    assert events[-1]["data"]["order_id"] is not None
    assert wer(sidecar("one_item")["text"], text_of(events)) <= 0.1


async def test_small_pieces_travel_together() -> None:
    """A telephone's frames of 20 ms would be three times as many messages as are allowed."""
    talk = VoiceSession("http://localhost", "t")
    frames = [bytes([i]) * 640 for i in range(60)]
    for piece in [*frames, None]:
        talk._chunks.put_nowait(piece)
    chunks = [chunk async for _, chunk in talk._numbered()]
    assert b"".join(chunks) == b"".join(frames)
    assert [len(chunk) for chunk in chunks] == [session._MOST_IN_CHUNK, 60 * 640 - 33_600]


async def test_pieces_that_come_slowly_are_not_held_back_for_more() -> None:
    """The first goes at once; those within 100 ms after it wait for each other."""
    talk = VoiceSession("http://localhost", "t")
    talk._chunks.put_nowait(b"12")
    numbered = talk._numbered()
    assert await anext(numbered) == (1, b"12")
    for piece in (b"34", b"56", None):
        talk._chunks.put_nowait(piece)
    assert [chunk async for chunk in numbered] == [(2, b"3456")]


async def test_what_was_cancelled_while_it_waited_is_not_sent() -> None:
    """A caller that gives up may send the same audio again."""
    talk = VoiceSession("http://localhost", "t")
    talk._task = asyncio.create_task(asyncio.Event().wait())  # type: ignore[arg-type]
    for _ in range(session._UNSENT):
        await talk.send(b"12")
    waiting = asyncio.create_task(talk.send(b"34"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert talk._chunks.get_nowait() == b"12"
    for _ in range(3):
        await asyncio.sleep(0)
    assert talk._chunks.qsize() == session._UNSENT - 1
    talk._task.cancel()


async def test_a_refusal_ends_the_iteration_and_the_sending(start: Start) -> None:
    """Both say why, whichever comes first."""
    server = await start()
    async with VoiceSession(server.url, "not-a-token") as talk:
        with pytest.raises(StreamFailed):
            async for _ in talk:
                pass
        with pytest.raises(StreamFailed, match="over"):
            for _ in range(session._UNSENT + 1):
                await talk.send(SECOND)
    with pytest.raises(RuntimeError, match="context"):
        await VoiceSession(server.url, "t").send(SECOND)


async def test_events_that_nobody_reads_fail_the_session(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Instead of growing without bound."""
    monkeypatch.setattr(session, "_UNREAD", 1)
    server: Any = await start()
    async with VoiceSession(server.url, server.token()) as talk:
        assert talk._task is not None
        async with asyncio.timeout(TIMEOUT):
            await asyncio.wait({talk._task})
        with pytest.raises(StreamFailed, match="not being read"):
            async for _ in talk:
                pass
