"""What tests of the voice side share: recordings, a server in this process, and its clients."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

import aiohttp
import jiwer
import numpy as np
from numpy.typing import NDArray
from support.paths import AUDIO
from whisper_normalizer.english import EnglishTextNormalizer

from order_events.app import AUTHORITY, EVENTS
from order_events.auth.tokens import Role
from voice_service.app import load_recognizer
from voice_service.asr.recognizer import Recognizer
from voice_service.audio.recordings import read_audio
from voice_service.client.pacing import Pace, pcm, play
from voice_service.models.registry import default_models_dir, resolve
from voice_service.server import DEMO_RESTAURANT, demo_menu, running
from voice_service.settings import VoiceSettings

NAMES = sorted(path.stem for path in AUDIO.glob("*.wav"))
TIMEOUT = 20.0
"""Seconds for any one thing a test waits for; far more than a busy machine needs."""

Event = dict[str, Any]
Samples = NDArray[np.float32]
_normalise = EnglishTextNormalizer()


@cache
def sidecar(name: str) -> dict[str, Any]:
    """What is known about a recording."""
    described: dict[str, Any] = json.loads((AUDIO / f"{name}.json").read_text(encoding="utf-8"))
    return described


@cache
def recording(name: str) -> Samples:
    """A recording at 16 kHz."""
    samples = read_audio(AUDIO / f"{name}.wav")
    samples.flags.writeable = False
    return samples


def normal(text: str) -> str:
    """Text as Whisper's authors compare it."""
    return str(_normalise(text))


def wer(reference: str, heard: str) -> float:
    """Word error rate, 0 to more than 1."""
    return float(jiwer.wer(normal(reference), normal(heard)))


def pieces(samples: Samples, chunk_ms: int = 100) -> list[bytes]:
    """Samples as the payloads of `pcm_s16le` chunks."""
    length = 16 * chunk_ms
    return [pcm(samples[i : i + length]) for i in range(0, len(samples), length)]


def tiny(**settings: Any) -> Recognizer:
    """tiny.en, loaded with some settings of the model."""
    resolved = resolve("tiny.en", default_models_dir({}))
    return load_recognizer(VoiceSettings(**settings), resolved)


def silence(seconds: float) -> Samples:
    """Digital silence at 16 kHz."""
    return np.zeros(round(seconds * 16_000), np.float32)


def finals(events: Iterable[Event]) -> list[Event]:
    """`data` of the final transcripts among events."""
    return [
        event["data"]
        for event in events
        if event["type"] == "voice:transcript" and event["data"]["is_final"]
    ]


def text_of(events: Iterable[Event]) -> str:
    """Everything that was finally heard, each utterance once, in the order of utterances."""
    by_number = {final["utterance"]: final["text"] for final in finals(events)}
    return " ".join(by_number[number] for number in sorted(by_number))


def essence(items: Iterable[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    """What matters of an order's items, to be compared: no prices, ids or defaults."""
    return sorted(
        (
            item["menu_item_id"],
            item["quantity"],
            item.get("size") or "",
            tuple(sorted((m["id"], m["negated"], m["qualifier"] or "") for m in item["modifiers"])),
        )
        for item in items
    )


class Client:
    """One WebSocket. Everything that comes is kept in `events`."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws
        self.events: list[Event] = []

    async def send(self, type_: str, data: Mapping[str, Any] | None = None, **more: Any) -> None:
        message = {"type": type_, **more} if data is None else {"type": type_, "data": data, **more}
        await self.ws.send_str(json.dumps(message))

    async def receive(self) -> Event:
        received = await self.ws.receive(TIMEOUT)
        assert received.type is aiohttp.WSMsgType.TEXT, (received, self.ws.close_code)
        event: Event = json.loads(received.data)
        self.events.append(event)
        return event

    async def expect(self, type_: str) -> Event:
        """The next event, which must be of this type."""
        event = await self.receive()
        assert event["type"] == type_, event
        return event

    async def until(self, type_: str, meets: Callable[[Event], bool] = bool) -> Event:
        """Reads on to the first event of this type that meets a condition."""
        async with asyncio.timeout(3 * TIMEOUT):
            while True:
                event = await self.receive()
                if event["type"] == type_ and meets(event):
                    return event

    async def error(self, code: str) -> Event:
        """Reads on to the first error, which must have this code."""
        event = await self.until("error")
        assert event["data"]["code"] == code, event
        return event

    async def silent(self) -> None:
        """A ping is answered next: nothing else was sent before."""
        await self.send("ping", id="silent?")
        await self.expect("pong")

    async def close_code(self) -> int | None:
        """Reads on, keeping events, until the server has closed."""
        async with asyncio.timeout(TIMEOUT):
            while True:
                received = await self.ws.receive()
                if received.type is not aiohttp.WSMsgType.TEXT:
                    return self.ws.close_code
                self.events.append(json.loads(received.data))

    def abort(self) -> None:
        """Breaks the connection without a word, as a failing network does."""
        assert self.ws._response.connection is not None
        transport = self.ws._response.connection.transport
        assert isinstance(transport, asyncio.Transport)
        transport.abort()


class VoiceClient(Client):
    """A microphone."""

    session_id = ""

    async def begin(self, session_id: str, **data: Any) -> Event:
        """`voice:start`; `data` of `voice:started`."""
        self.session_id = session_id
        await self.send("voice:start", {"session_id": session_id, "language": "en-US", **data})
        started = await self.until("voice:started")
        told: Event = started["data"]
        return told

    async def chunk(self, sequence: int, payload: bytes, **more: Any) -> None:
        audio = base64.b64encode(payload).decode()
        await self.send("voice:audio", {"audio": audio, "sequence": sequence}, **more)

    async def chunks(self, payloads: Iterable[bytes], first: int = 1) -> None:
        for sequence, payload in enumerate(payloads, first):
            await self.chunk(sequence, payload)

    async def play(self, samples: Samples, speed: float) -> None:
        """Streams samples at a multiple of real time, reading what comes meanwhile."""
        reading = asyncio.create_task(self._read_on())
        try:
            start = asyncio.get_running_loop().time()
            async for sequence, payload in play(Pace(speed).chunks(samples), start):
                await self.chunk(sequence, payload)
            await self.send("ping", id="played")
            await asyncio.wait_for(reading, 3 * TIMEOUT)
        finally:
            reading.cancel()

    async def _read_on(self) -> None:
        while (await self.receive()).get("id") != "played":
            pass

    async def end(self) -> Event:
        """`voice:end`; `data` of its answer."""
        await self.send("voice:end", {"session_id": self.session_id, "duration": 1})
        answer = await self.until("voice:end")
        data: Event = answer["data"]
        return data

    async def hear(self, samples: Samples, session_id: str, **data: Any) -> list[Event]:
        """A whole session, sent at once; every event up to the answer to `voice:end`."""
        await self.begin(session_id, **data)
        await self.chunks(pieces(samples, 500))
        await self.end()
        return self.events


class Server:
    """The service in this process on a free port; `async with` starts and stops it."""

    def __init__(self, recognizer: Recognizer, data_dir: Path, settings: dict[str, Any]) -> None:
        self._recognizer = recognizer
        given = {"port": 0, "data_dir": data_dir, "log_level": "warning", **settings}
        self.settings = VoiceSettings(**given)
        self._serving = AsyncExitStack()
        self._clients = AsyncExitStack()
        self.url = ""

    async def __aenter__(self) -> Server:
        service = running(self.settings, self._recognizer)
        self.app, self.url = await self._serving.enter_async_context(service)
        self.http = await self._clients.enter_async_context(aiohttp.ClientSession())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._clients.aclose()
        await self.stop()

    async def stop(self) -> None:
        """Stops as on SIGTERM; allowed more than once."""
        await self._serving.aclose()

    def token(
        self, role: Role = Role.DEVICE, user: str = "lane-1", restaurant: str = DEMO_RESTAURANT
    ) -> str:
        return self.app[AUTHORITY].issue(restaurant, user, role, 600)

    async def give_menu(self, restaurant: str) -> None:
        """The demo menu for another restaurant."""
        await self.app[EVENTS].put_menu(restaurant, demo_menu(), "test")

    async def voice(self, **who: Any) -> VoiceClient:
        """A microphone's socket, confirmed by `connected`."""
        return await self._connect(VoiceClient, "/voice-stream", **who)

    async def screen(self, *events: str, **who: Any) -> Client:
        """A staff screen's socket, subscribed to events if any are named."""
        client = await self._connect(Client, "/", **{"role": Role.MANAGER, "user": "staff", **who})
        if events:
            await client.send("subscribe", events=events)
            await client.expect("subscribed")
        return client

    async def open(self, path: str = "/voice-stream") -> VoiceClient:
        """A socket that has not authenticated."""
        return VoiceClient(await self.http.ws_connect(self.url + path))

    async def _connect(self, kind: type[Any], path: str, **who: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token(**who)}"}
        client = kind(await self.http.ws_connect(self.url + path, headers=headers))
        await client.expect("connected")
        return client

    async def orders(self, restaurant: str = DEMO_RESTAURANT) -> list[Event]:
        """The restaurant's orders, from the HTTP API."""
        token = self.token(Role.MANAGER, "staff", restaurant)
        headers = {"Authorization": f"Bearer {token}"}
        async with self.http.get(self.url + "/v1/orders", headers=headers) as response:
            assert response.status == 200
            orders: list[Event] = (await response.json())["orders"]
            return orders


Start = Callable[..., Awaitable[Server]]
