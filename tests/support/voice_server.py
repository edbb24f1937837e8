"""The service in the test's own process, on a real socket, and its clients."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import aiohttp
from support.recordings import Event, Samples, pieces

from order_events.app import AUTHORITY, EVENTS
from order_events.auth.tokens import Role
from voice_service.app import load_recognizer
from voice_service.asr.model_pair import SpeechRecognizer
from voice_service.asr.recognizer import Recognizer
from voice_service.commands.pacing import Pace, play
from voice_service.models.registry import default_models_dir, resolve
from voice_service.server import DEMO_RESTAURANT, demo_menu, running
from voice_service.settings import VoiceSettings

TIMEOUT = 20.0
"""Seconds to wait for any one thing; far more than a busy machine needs."""


def tiny(**settings: Any) -> Recognizer:
    """Load tiny.en with some settings of the model."""
    resolved = resolve("tiny.en", default_models_dir({}))
    return load_recognizer(VoiceSettings(**settings), resolved)


class Client:
    """A WebSocket client that keeps every received message in `events`."""

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
        """Return the next event, which must be of this type."""
        event = await self.receive()
        assert event["type"] == type_, event
        return event

    async def until(self, type_: str, meets: Callable[[Event], bool] = bool) -> Event:
        """Read up to the first event of this type that meets a condition, and return it."""
        async with asyncio.timeout(3 * TIMEOUT):
            while True:
                event = await self.receive()
                if event["type"] == type_ and meets(event):
                    return event

    async def error(self, code: str) -> Event:
        """Read up to the first error, which must have this code, and return it."""
        event = await self.until("error")
        assert event["data"]["code"] == code, event
        return event

    async def silent(self) -> None:
        """Assert that nothing was sent: the next message is the answer to a ping."""
        await self.send("ping", id="silent?")
        await self.expect("pong")

    async def close_code(self) -> int | None:
        """Read until the server closes the connection, and return the close code."""
        async with asyncio.timeout(TIMEOUT):
            while True:
                received = await self.ws.receive()
                if received.type is not aiohttp.WSMsgType.TEXT:
                    return self.ws.close_code
                self.events.append(json.loads(received.data))

    def abort(self) -> None:
        """Break the connection without closing it, as a failing network does."""
        assert self.ws._response.connection is not None
        transport = self.ws._response.connection.transport
        assert isinstance(transport, asyncio.Transport)
        transport.abort()


class VoiceClient(Client):
    """A client of `/voice-stream`."""

    session_id = ""

    async def begin(self, session_id: str, **data: Any) -> Event:
        """Send `voice:start`, silent unless asked; return the `data` of `voice:started`."""
        self.session_id = session_id
        start = {"session_id": session_id, "language": "en-US", "speak": "off", **data}
        await self.send("voice:start", start)
        started = await self.until("voice:started")
        answer: Event = started["data"]
        return answer

    async def chunk(self, sequence: int, payload: bytes, **more: Any) -> None:
        audio = base64.b64encode(payload).decode()
        await self.send("voice:audio", {"audio": audio, "sequence": sequence}, **more)

    async def chunks(self, payloads: Iterable[bytes], first: int = 1) -> None:
        for sequence, payload in enumerate(payloads, first):
            await self.chunk(sequence, payload)

    async def play(self, samples: Samples, speed: float) -> None:
        """Stream samples at a multiple of real time, reading events meanwhile."""
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
        """Send `voice:end`; return the `data` of its answer."""
        await self.send("voice:end", {"session_id": self.session_id, "duration": 1})
        answer = await self.until("voice:end")
        data: Event = answer["data"]
        return data

    async def stream(self, samples: Samples, session_id: str, **data: Any) -> list[Event]:
        """Send a whole session at once; return all events up to the answer to `voice:end`."""
        await self.begin(session_id, **data)
        await self.chunks(pieces(samples, 500))
        await self.end()
        return self.events


class Server:
    """The service in this process on a free port; `async with` starts and stops it."""

    def __init__(
        self, recognizer: SpeechRecognizer, data_dir: Path, settings: dict[str, Any]
    ) -> None:
        self._recognizer = recognizer
        given = {"port": 0, "data_dir": data_dir, "log_level": "warning", **settings}
        # Measured admission would refuse sessions where other programs keep the machine busy.
        self.settings = VoiceSettings(**{"max_sessions": 200, **given})
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
        """Stop as on SIGTERM. May be called repeatedly."""
        await self._serving.aclose()

    def token(
        self, role: Role = Role.DEVICE, user: str = "lane-1", restaurant: str = DEMO_RESTAURANT
    ) -> str:
        return self.app[AUTHORITY].issue(restaurant, user, role, 600)

    async def give_menu(self, restaurant: str) -> None:
        """Give another restaurant the demo menu."""
        await self.app[EVENTS].put_menu(restaurant, demo_menu(), "test")

    async def voice(self, **who: Any) -> VoiceClient:
        """Connect a microphone; wait for `connected`."""
        return await self._connect(VoiceClient, "/voice-stream", **who)

    async def screen(self, *events: str, **who: Any) -> Client:
        """Connect a staff screen and subscribe to events, if any are named."""
        client = await self._connect(Client, "/", **{"role": Role.MANAGER, "user": "staff", **who})
        if events:
            await client.send("subscribe", events=events)
            await client.expect("subscribed")
        return client

    async def open(self, path: str = "/voice-stream") -> VoiceClient:
        """Connect without authenticating."""
        return VoiceClient(await self.http.ws_connect(self.url + path))

    async def _connect(self, kind: type[Any], path: str, **who: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token(**who)}"}
        client = kind(await self.http.ws_connect(self.url + path, headers=headers))
        await client.expect("connected")
        return client

    async def orders(self, restaurant: str = DEMO_RESTAURANT) -> list[Event]:
        """Return the restaurant's orders from the HTTP API."""
        token = self.token(Role.MANAGER, "staff", restaurant)
        headers = {"Authorization": f"Bearer {token}"}
        async with self.http.get(self.url + "/v1/orders", headers=headers) as response:
            assert response.status == 200
            orders: list[Event] = (await response.json())["orders"]
            return orders


Start = Callable[..., Awaitable[Server]]
