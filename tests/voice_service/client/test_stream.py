"""The streaming client: how it handles faults of the server, the network and its caller.

Where a real service cannot be made to fail at the right moment, a small scripted server sends what
the protocol allows.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from support.recordings import Event, finals, recording, sidecar, text_of, wer
from support.voice_server import TIMEOUT, Server, Start

from voice_service.client.stream import StreamFailed, VoiceStream
from voice_service.commands.pacing import Pace, play

SECOND = b"\0" * 32_000
OFF = {"order": "off"}


async def chunks(payloads: Iterable[bytes]) -> AsyncIterator[tuple[int, bytes]]:
    """Yield payloads at once, numbered from 1."""
    for numbered in enumerate(payloads, start=1):
        yield numbered


@asynccontextmanager
async def listening(handle: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> Any:
    """Run a server on a free port; yield the address of its socket."""
    app = web.Application()
    app.router.add_get("/voice-stream", handle)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"ws://127.0.0.1:{runner.addresses[0][1]}/voice-stream"
    finally:
        await runner.cleanup()


class Peer:
    """A connection as the script of the small server sees it."""

    def __init__(self, ws: web.WebSocketResponse) -> None:
        self.ws = ws

    async def read(self) -> Event:
        message: Event = json.loads((await self.ws.receive(TIMEOUT)).data)
        return message

    async def tell(self, type_: str, data: Event | None = None, id_: Any = None) -> None:
        await self.ws.send_json({"type": type_, "data": data, "id": id_})

    async def error(self, message: Event, code: str, **more: Any) -> None:
        sequence = message["data"].get("sequence") if "data" in message else None
        named = {} if sequence is None else {"sequence": sequence}
        data = {"code": code, "message": code, **named, **more}
        await self.tell("error", data, message.get("id"))

    async def started(self, next_sequence: int = 1) -> Event:
        """Accept `voice:start`; return its `data`."""
        start = await self.read()
        assert start["type"] == "voice:start"
        await self.tell("voice:started", {"next_sequence": next_sequence})
        data: Event = start["data"]
        return data

    async def final(self, utterance: int) -> None:
        await self.tell("voice:transcript", {"is_final": True, "utterance": utterance})

    async def finish(self) -> list[int]:
        """Take everything up to `voice:end` and answer it; return the sequences that came."""
        came = []
        while (message := await self.read())["type"] != "voice:end":
            if message["type"] == "ping":
                await self.tell("pong", id_=message["id"])
            else:
                came.append(message["data"]["sequence"])
        await self.tell("voice:end", {"utterances": 1})
        return came


Script = Callable[[Peer], Awaitable[None]]


@asynccontextmanager
async def scripted(*scripts: Script) -> Any:
    """Run a server that serves each connection by the next script and then closes it."""
    waiting = list(scripts)

    async def handle(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        await waiting.pop(0)(Peer(ws))
        await ws.close()
        return ws

    async with listening(handle) as url:
        yield url
    assert not waiting


async def run(stream: VoiceStream, payloads: Iterable[bytes]) -> Event:
    async with asyncio.timeout(TIMEOUT):
        return await stream.run(chunks(payloads))


def voice_url(server: Server) -> str:
    return server.url.replace("http", "ws", 1) + "/voice-stream"


# Starting


@asynccontextmanager
async def cutting_proxy(server: Server) -> Any:
    """Run a proxy of a service whose first connection breaks at `voice:started`."""
    connections = 0

    async def handle(request: web.Request) -> web.WebSocketResponse:
        nonlocal connections
        connections += 1
        first = connections == 1
        down = web.WebSocketResponse()
        await down.prepare(request)
        headers = {"Authorization": request.headers["Authorization"]}
        async with server.http.ws_connect(voice_url(server), headers=headers) as up:

            async def forward() -> None:
                async for message in up:
                    if first and json.loads(message.data)["type"] == "voice:started":
                        assert request.transport is not None
                        request.transport.abort()
                        return
                    await down.send_str(message.data)

            forwarding = asyncio.create_task(forward())
            async for message in down:
                await up.send_str(message.data)
            forwarding.cancel()
        return down

    async with listening(handle) as url:
        yield url


async def test_a_connection_lost_before_the_answer_to_a_start_costs_nothing(
    server: Server,
) -> None:
    """The service has the session; the client finds out and resumes it."""
    async with cutting_proxy(server) as url:
        stream = VoiceStream(url, server.token(), lambda *_: None, options=OFF)
        answer = await run(stream, [SECOND] * 2)
    assert answer["audio_ms"] == 2_000
    assert stream.connections == 1


async def test_a_session_of_somebody_else_is_not_taken_over(server: Server) -> None:
    """If the id was taken before the first try, that is an error, and its owner keeps it."""
    owner = await server.voice()
    await owner.begin("taken", **OFF)
    stream = VoiceStream(
        voice_url(server), server.token(), lambda *_: None, options=OFF, session_id="taken"
    )
    with pytest.raises(StreamFailed, match="exists"):
        await run(stream, [SECOND])
    await owner.silent()


async def test_a_refused_start_leaves_no_doubt_whose_session_it_is() -> None:
    """Only a start without an answer can have created the session that exists."""

    async def limited(peer: Peer) -> None:
        await peer.error(await peer.read(), "RATE_LIMITED", retry_after_ms=10)

    async def taken(peer: Peer) -> None:
        await peer.error(await peer.read(), "SESSION_EXISTS")

    async with scripted(limited, taken) as url:
        stream = VoiceStream(url, "t", lambda *_: None, session_id="s")
        with pytest.raises(StreamFailed, match="SESSION_EXISTS"):
            await run(stream, [SECOND])


@pytest.mark.parametrize("code", ["RATE_LIMITED", "OVERLOADED", "UNAVAILABLE"])
async def test_a_start_that_comes_too_soon_is_sent_again(code: str) -> None:
    """After the time that the server names; the connection itself may stay open."""
    times = []

    async def refuse(peer: Peer) -> None:
        times.append(asyncio.get_running_loop().time())
        await peer.error(await peer.read(), code, retry_after_ms=100)
        await peer.ws.receive()

    async def accept(peer: Peer) -> None:
        times.append(asyncio.get_running_loop().time())
        assert "resume" not in await peer.started()
        assert await peer.finish() == [1]

    async with scripted(refuse, accept) as url:
        await run(VoiceStream(url, "t", lambda *_: None), [SECOND])
    assert times[1] - times[0] >= 0.1


async def test_a_start_that_is_wrong_fails_at_once(server: Server) -> None:
    """The client does not wait for a `voice:started` that cannot come."""
    options = {"lane": "x" * 101}
    stream = VoiceStream(voice_url(server), server.token(), lambda *_: None, options=options)
    with pytest.raises(StreamFailed, match="lane"):
        await run(stream, [SECOND])


# Streaming


async def test_a_message_that_is_too_big_fails_the_stream(server: Server) -> None:
    """It would be too big again."""
    stream = VoiceStream(voice_url(server), server.token(), lambda *_: None, options=OFF)
    with pytest.raises(StreamFailed, match="65536 bytes"):
        await run(stream, [b"\0" * 64_000])
    assert stream.connections == 1


async def test_a_microphone_that_breaks_ends_the_stream_with_its_own_error(
    server: Server,
) -> None:
    """The stream does not wait for ever for the next chunk."""

    async def breaking() -> AsyncIterator[tuple[int, bytes]]:
        yield 1, SECOND
        raise ValueError("the microphone is unplugged")

    stream = VoiceStream(voice_url(server), server.token(), lambda *_: None, options=OFF)
    running = asyncio.create_task(stream.run(breaking()))
    # Not `timeout`: being cancelled would bring the error to light as well.
    done, _ = await asyncio.wait({running}, timeout=TIMEOUT / 2)
    assert done
    with pytest.raises(ValueError, match="unplugged"):
        await running


async def test_refused_chunks_are_sent_again_in_order() -> None:
    """Whatever times the refusals name: a chunk that overtakes another would cause a gap."""
    accepted: list[int] = []

    async def refuse_from_three(peer: Peer) -> None:
        await peer.started()
        refused = set()
        while (message := await peer.read())["type"] != "ping":
            sequence = message["data"]["sequence"]
            if sequence >= 3 and sequence not in refused:
                refused.add(sequence)
                wait = 200 if sequence == 3 else 10
                await peer.error(message, "RATE_LIMITED", retry_after_ms=wait)
            else:
                accepted.append(sequence)
        await peer.tell("pong", id_=message["id"])
        accepted.extend(await peer.finish())

    async with scripted(refuse_from_three) as url:
        await run(VoiceStream(url, "t", lambda *_: None), [b"\0\0"] * 6)
    assert accepted == [1, 2, 3, 4, 5, 6]


async def test_a_client_over_its_rate_slows_down_instead_of_flooding(start: Start) -> None:
    """Beyond the allowance everything still arrives, and few messages are refused."""
    server = await start(voice_per_minute=300)
    refused: list[Event] = []

    def on_event(event: Event, at: float) -> None:
        if event["type"] == "error":
            refused.append(event["data"])

    stream = VoiceStream(voice_url(server), server.token(), on_event, options=OFF)
    answer = await run(stream, [b"\0" * 320] * 310)
    assert answer["audio_ms"] == 3_100
    assert {error["code"] for error in refused} == {"RATE_LIMITED"}
    assert len(refused) < 60


async def test_a_refused_ending_is_said_again() -> None:
    """Pings and `voice:end` count against the rate, too."""

    async def refuse_each_once(peer: Peer) -> None:
        await peer.started()
        refused = set()
        while True:
            message = await peer.read()
            kind = message["type"]
            if kind == "voice:audio":
                continue
            if kind not in refused:
                refused.add(kind)
                await peer.error(message, "RATE_LIMITED", retry_after_ms=20)
            elif kind == "ping":
                await peer.tell("pong", id_=message["id"])
            else:
                break
        await peer.tell("voice:end", {"utterances": 0})

    async with scripted(refuse_each_once) as url:
        answer = await run(VoiceStream(url, "t", lambda *_: None), [SECOND])
    assert answer == {"utterances": 0}


# A server that stops


async def test_a_stopping_server_is_left_alone_as_long_as_it_asks() -> None:
    """Then the session continues; a server that has forgotten it gets it from the first chunk."""
    starts: list[Event] = []
    times: list[float] = []
    events: list[Event] = []

    async def stop(peer: Peer) -> None:
        starts.append(await peer.started())
        while (await peer.read())["type"] != "ping":
            pass
        await peer.final(1)
        await peer.tell("going_away", {"retry_after_ms": 1_200})
        times.append(asyncio.get_running_loop().time())
        await peer.ws.close(code=1001)

    async def forgotten(peer: Peer) -> None:
        times.append(asyncio.get_running_loop().time())
        message = await peer.read()
        starts.append(message["data"])
        await peer.error(message, "SESSION_NOT_FOUND")
        await peer.ws.receive()

    async def begin_again(peer: Peer) -> None:
        starts.append(await peer.started())
        await peer.final(1)
        assert await peer.finish() == [1, 2, 3]

    async with scripted(stop, forgotten, begin_again) as url:
        stream = VoiceStream(url, "t", lambda event, at: events.append(event))
        await run(stream, [SECOND] * 3)
    assert times[1] - times[0] >= 1.2
    assert [(s.get("resume"), s.get("after_utterance")) for s in starts] == [
        (None, None),
        (True, 1),
        (None, None),
    ]
    assert [final["utterance"] for final in finals(events)] == [1, 1]


async def test_the_client_of_the_command_line_survives_a_cut_connection(start: Start) -> None:
    """It resumes by itself and reports every final once."""
    server = await start()
    events: list[Event] = []
    cut = asyncio.Event()

    def on_event(event: Event, at: float) -> None:
        events.append(event)
        if event["type"] == "voice:speech_started" and not cut.is_set():
            cut.set()
            stream.cut()

    url = server.url.replace("http", "ws", 1) + "/voice-stream"
    stream = VoiceStream(url, server.token(), on_event, options={"order": "off"})
    chunks = Pace(4.0).chunks(recording("correct_size"))
    async with asyncio.timeout(3 * TIMEOUT):
        answer = await stream.run(play(chunks, asyncio.get_running_loop().time()))
    assert stream.connections == 2
    assert answer["audio_ms"] == sidecar("correct_size")["audio"]["duration_ms"]
    assert wer(sidecar("correct_size")["text"], text_of(events)) <= 0.1
    numbers = [final["utterance"] for final in finals(events)]
    assert numbers == sorted(set(numbers))


async def test_the_client_sends_again_what_was_refused(start: Start) -> None:
    """The client sends more than may wait, without pacing; every word arrives once and in order."""
    server = await start(max_backlog_s=3)
    events: list[Event] = []
    url = server.url.replace("http", "ws", 1) + "/voice-stream"
    stream = VoiceStream(
        url, server.token(), lambda e, _: events.append(e), options={"order": "off"}
    )
    chunks = Pace(0.0).chunks(recording("demo"))
    async with asyncio.timeout(3 * TIMEOUT):
        answer = await stream.run(play(chunks, 0.0))
    assert any(e["type"] == "error" and e["data"]["code"] == "RATE_LIMITED" for e in events)
    assert answer["audio_ms"] == sidecar("demo")["audio"]["duration_ms"]
    assert wer(sidecar("demo")["text"], text_of(events)) <= 0.1


@pytest.mark.parametrize("options", [{"language": "xx"}, {"token": "bad"}])
async def test_the_client_gives_up_where_trying_again_cannot_help(
    start: Start, options: dict[str, str]
) -> None:
    """An unknown language stays unknown, and a bad token stays bad."""
    server = await start()
    url = server.url.replace("http", "ws", 1) + "/voice-stream"
    token = options.pop("token", None) or server.token()
    stream = VoiceStream(url, token, lambda *_: None, options=options)
    with pytest.raises(StreamFailed):
        async with asyncio.timeout(TIMEOUT):
            await stream.run(play(Pace(0.0).chunks(recording("one_item")), 0.0))


async def test_the_client_says_that_nobody_listens(start: Start) -> None:
    """A wrong address is reported at once."""
    stream = VoiceStream("ws://127.0.0.1:1/voice-stream", "t", lambda *_: None)
    with pytest.raises(StreamFailed, match="no connection"):
        async with asyncio.timeout(TIMEOUT):
            await stream.run(play([], 0.0))
