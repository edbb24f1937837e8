"""Every example of docs/audio-sources.md, as it stands there, with what each source sends."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import imageio_ffmpeg
import numpy as np
import pytest
import soundfile
import soxr
from aiohttp import web
from playwright.async_api import async_playwright
from support.browser import launch
from support.paths import AUDIO, ROOT
from support.recordings import Event, finals, pieces, recording, sidecar, text_of, wer
from support.telephony import frames_of_20_ms, mulaw, twilio_messages
from support.voice_server import TIMEOUT, Server, Start

PAGE = (ROOT / "docs" / "audio-sources.md").read_text(encoding="utf-8")
SAID = sidecar("one_item")["text"]


def example(heading: str, language: str = "python") -> str:
    """Return the code under a heading."""
    section = PAGE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    found = re.search(rf"```{language}\n(.*?)```", section, re.DOTALL)
    assert found is not None, heading
    return found[1]


class Adapter(SimpleNamespace):
    """An example's functions; `events` are what it was to show."""

    events: list[Event]


def adapter(heading: str, server: Server) -> Adapter:
    """Run an example's code with the settings of its page."""
    names: dict[str, Any] = {}
    exec(PAGE.split("```python\n", 1)[1].split("```", 1)[0], names)
    assert {"SERVER", "TOKEN", "show"} <= set(names)
    shown: list[Event] = []

    async def show(session: AsyncIterator[Event]) -> None:
        async for event in session:
            shown.append(event)

    names |= {"SERVER": server.url, "TOKEN": server.token(), "show": show}
    exec(example(heading), names)
    return Adapter(**names, events=shown)


def assert_heard(events: list[Event]) -> None:
    """Assert that the words of the recording were heard, and nothing was refused."""
    assert [e["data"] for e in events if e["type"] == "error"] == []
    assert events[-1]["type"] == "voice:end"
    assert wer(SAID, text_of(events)) <= 0.15


def slin(rate: int) -> bytes:
    """Return the recording as a telephone system sends it: 16 bits, low byte first."""
    samples = soxr.resample(recording("one_item"), 16_000, rate)
    return np.asarray(np.round(samples * 32_767), "<i2").tobytes()


async def served(handler: Callable[..., Any], path: str) -> tuple[web.AppRunner, str]:
    """Serve an example's handler of WebSockets; return the runner and the address."""
    app = web.Application()
    app.router.add_get(path, handler)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}"


async def test_ffmpeg_streams_what_it_can_open(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real program, found on the path as a user's would be."""
    (tmp_path / "ffmpeg").symlink_to(imageio_ffmpeg.get_ffmpeg_exe())
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    source = adapter("ffmpeg", await start())
    async with asyncio.timeout(3 * TIMEOUT):
        await source.stream_ffmpeg("-i", str(AUDIO / "one_item.wav"))
    assert_heard(source.events)


async def test_a_call_of_twilio_is_understood(start: Start) -> None:
    """From its documented messages, with the frames of mu-law that it sends."""
    server = await start()
    phone = adapter("Twilio Media Streams", server)
    runner, address = await served(phone.twilio, "/twilio")
    async with asyncio.timeout(3 * TIMEOUT), server.http.ws_connect(f"{address}/twilio") as socket:
        for message in twilio_messages(mulaw()):
            await socket.send_json(message)
        assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
    await runner.cleanup()
    assert_heard(phone.events)
    assert phone.events[-1]["data"]["session_id"] == "CA123"


async def test_a_call_of_asterisk_is_understood(start: Start) -> None:
    """Byte by byte: the call's UUID, frames of 320 bytes, and the hangup."""
    server = await start()
    phone = adapter("Asterisk", server)
    call = uuid.uuid4()
    frames = frames_of_20_ms(slin(8_000), 320)
    sent = b"\x01\x00\x10" + call.bytes
    sent += b"".join(b"\x10" + len(frame).to_bytes(2) + frame for frame in frames)
    listening = await asyncio.start_server(phone.audiosocket, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    async with asyncio.timeout(3 * TIMEOUT), listening:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent + b"\x00\x00\x00")
        assert await reader.read() == b""
        writer.close()
    assert_heard(phone.events)
    assert phone.events[-1]["data"]["session_id"] == str(call)


@pytest.mark.parametrize("received", [b"", b"\x10", b"\x10\x01\x40\0\0"])
async def test_a_lost_connection_to_asterisk_is_a_hangup(received: bytes) -> None:
    """At any byte; the words so far are still recognised."""
    names: dict[str, Any] = {}
    exec(example("Asterisk"), names)
    reader = asyncio.StreamReader()
    reader.feed_data(received)
    reader.feed_eof()
    assert await names["frame"](reader) == (names["HANGUP"], b"")


async def test_a_call_of_freeswitch_is_understood(start: Start) -> None:
    """Binary frames of 640 bytes; the socket is closed when the guest hangs up."""
    server = await start()
    phone = adapter("FreeSWITCH", server)
    over = asyncio.Event()

    async def call(request: web.Request) -> Any:
        try:
            return await phone.freeswitch(request)
        finally:
            over.set()

    runner, address = await served(call, "/freeswitch/{call}")
    async with asyncio.timeout(3 * TIMEOUT):
        async with server.http.ws_connect(f"{address}/freeswitch/c-7") as socket:
            for frame in frames_of_20_ms(slin(16_000), 640):
                await socket.send_bytes(frame)
        await over.wait()
    await runner.cleanup()
    assert_heard(phone.events)


async def test_a_board_needs_nothing_but_its_frames(start: Start) -> None:
    """Each text of the example is a message; none of them needs more than 5 KB."""
    server = await start()
    board = adapter("Microcontrollers", server)
    frames = iter([*pieces(recording("one_item"), 20), *[b""] * 5])
    texts = list(board.messages("board-1", lambda: next(frames, b"")))
    assert max(map(len, texts)) < 5_000
    assert len(base64.b64decode(json.loads(texts[1])["data"]["audio"])) == 3_200
    client = await server.voice()
    for text in texts:
        await client.ws.send_str(text)
    await client.until("voice:end")
    assert_heard(client.events)


async def test_a_page_records_with_chromiums_recorder(start: Start, tmp_path: Path) -> None:
    """The real one: WebM, which it prefers, and MP4, which a page for Safari may ask for."""
    server = await start()
    said = sidecar("one_item")["utterances"][0]
    microphone = tmp_path / "microphone.wav"
    end = 16 * (said["end_ms"] + 800)
    soundfile.write(microphone, recording("one_item")[:end], 16_000, subtype="PCM_16")
    address = server.url.replace("http", "ws") + "/voice-stream"
    async with async_playwright() as playwright:
        browser = await launch(playwright, microphone)
        for kind, encoding in (("audio/webm;codecs=opus", "webm_opus"), ("audio/mp4", "fmp4")):
            page = await (await browser.new_context(service_workers="block")).new_page()
            await page.route(
                "**/web/listen.js",
                lambda route: route.fulfill(
                    body=example("Browsers", "js"), content_type="text/javascript"
                ),
            )
            await page.goto(server.url)
            events: list[Event] = await page.evaluate(
                """async ([address, token, kind]) => {
                    const { listen } = await import("/web/listen.js");
                    MediaRecorder.isTypeSupported = (asked) => asked === kind;
                    const events = [];
                    await new Promise(async (done) => {
                        const stop = await listen(address, token, (event) => {
                            events.push(event);
                            if (event.data?.is_final) stop();
                            if (event.type === "voice:end" || event.type === "error") done();
                        });
                    });
                    return events;
                }""",
                [address, server.token(), kind],
            )
            started = next(e["data"] for e in events if e["type"] == "voice:started")
            assert started["audio"] == {"encoding": encoding}
            assert not [e for e in events if e["type"] == "error"]
            assert wer(said["text"], finals(events)[0]["text"]) <= 0.15
        await browser.close()


def test_the_page_says_what_was_never_run_on_the_real_thing() -> None:
    """Each source with an example is in the table, with how it was tested."""
    rows = re.findall(r"^\| (.+?) \| .+? \| (.+?) \|$", PAGE, re.MULTILINE)
    assert rows.pop(0) == ("source", "tested with")
    assert len(rows) == 8
    assert sum("never run on" in how for _, how in rows) == 6
    linked = set(re.findall(r"\(#([\w-]+)\)", " ".join(source for source, _ in rows)))
    headings = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
    assert linked == {heading.lower().replace(" ", "-") for heading in headings}
