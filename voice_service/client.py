"""A microphone's side of `/voice-stream`, over as many connections as it takes."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import random
import uuid
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Final

import aiohttp

from order_events.protocol import CloseCode, ErrorCode
from voice_service import protocol

Event = dict[str, Any]

_FIRST_RETRY: Final = 1.0
_LAST_RETRY: Final = 30.0
"""Seconds before connecting again: doubling from the first to the last, as the protocol asks."""
_PATIENCE: Final = 300.0
"""Seconds without a connection after which the stream has failed."""
_ANSWER_TIMEOUT: Final = 60.0
"""Seconds without a word from the server, once everything has been sent."""
_KEPT_BYTES: Final = 10_000_000
"""Audio kept for sending again: 5 minutes of 16 kHz PCM."""
_FINAL_ERRORS: Final = frozenset(
    {
        ErrorCode.UNAUTHORIZED,
        ErrorCode.FORBIDDEN,
        ErrorCode.UNSUPPORTED_LANGUAGE,
        ErrorCode.SESSION_EXISTS,
    }
)
_START: Final = "start"
_BARRIER: Final = "sent"


class StreamFailed(Exception):
    """The stream cannot go on; the message says why."""


class VoiceStream:
    """One session.

    `on_event` is given every server event, finals once each, with the loop's time of its arrival.
    `options` go into `data` of `voice:start`.
    """

    def __init__(
        self,
        url: str,
        token: str,
        on_event: Callable[[Event, float], None],
        *,
        options: Mapping[str, Any] | None = None,
        session_id: str | None = None,
    ) -> None:
        self.session_id = session_id or str(uuid.uuid4())
        self.connections = 0
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"}
        self._on_event = on_event
        self._options = dict(options or {})
        self._kept: dict[int, bytes] = {}
        self._kept_bytes = 0
        self._to_send: deque[int] = deque()
        self._refused: set[int] = set()
        self._exhausted = False
        self._passed = False
        self._work = asyncio.Event()
        self._resume = False
        self._last_final = 0
        self._answer: Event | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None

    async def run(self, chunks: AsyncIterator[tuple[int, bytes]]) -> Event:
        """Stream (sequence, payload) pairs; the data of the server's `voice:end`.

        Raises `StreamFailed`.
        """
        producer = asyncio.create_task(self._produce(chunks))
        try:
            async with aiohttp.ClientSession() as http:
                return await self._until_answered(http)
        finally:
            await _cancel(producer)

    def cut(self) -> None:
        """Break the connection without a word, as a failing network does."""
        if self._socket is not None:
            transport = self._socket.get_extra_info("socket")
            if transport is not None:
                transport.shutdown(2)

    async def _until_answered(self, http: aiohttp.ClientSession) -> Event:
        loop = asyncio.get_running_loop()
        retry, lost_at = _FIRST_RETRY, loop.time()
        while True:
            before = self.connections
            try:
                await self._connection(http)
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                if not self.connections:
                    raise StreamFailed(f"no connection to {self._url}: {error}") from error
            if self._answer is not None:
                return self._answer
            if self.connections > before:
                retry, lost_at = _FIRST_RETRY, loop.time()
            elif loop.time() - lost_at > _PATIENCE:
                raise StreamFailed(f"no connection to {self._url} for {_PATIENCE:.0f} s")
            await asyncio.sleep(retry * random.uniform(0.5, 1.0))  # noqa: S311
            retry = min(_LAST_RETRY, retry * 2)

    async def _connection(self, http: aiohttp.ClientSession) -> None:
        """One connection, until it is lost or everything is said."""
        async with http.ws_connect(self._url, headers=self._headers, heartbeat=30) as socket:
            self._socket = socket
            start = {"session_id": self.session_id, **self._options}
            if self._resume:
                start |= {"resume": True, "after_utterance": self._last_final}
            await socket.send_json({"type": "voice:start", "id": _START, "data": start})
            writer: asyncio.Task[None] | None = None
            try:
                while self._answer is None:
                    event = await self._receive(socket)
                    if event is None:
                        return
                    if event["type"] == protocol.STARTED:
                        self._on_started(event["data"]["next_sequence"])
                        writer = asyncio.create_task(self._write(socket))
                    if not self._take(event):
                        return
            finally:
                self._socket = None
                if writer is not None:
                    await _cancel(writer)

    async def _receive(self, socket: aiohttp.ClientWebSocketResponse) -> Event | None:
        """The next event; None when the connection is over."""
        message = await socket.receive(timeout=_ANSWER_TIMEOUT if self._passed else None)
        if message.type is aiohttp.WSMsgType.TEXT:
            event: Event = json.loads(message.data)
            return event
        if socket.close_code == CloseCode.POLICY:
            raise StreamFailed(f"the server closed the connection: {message.extra or 'policy'}")
        return None

    def _on_started(self, next_sequence: int) -> None:
        self.connections += 1
        self._resume = True
        self._passed = False
        self._refused.clear()
        self._to_send = deque(s for s in self._kept if s >= next_sequence)

    async def _produce(self, chunks: AsyncIterator[tuple[int, bytes]]) -> None:
        async for sequence, payload in chunks:
            self._kept[sequence] = payload
            self._kept_bytes += len(payload)
            while self._kept_bytes > _KEPT_BYTES and next(iter(self._kept)) not in self._to_send:
                self._kept_bytes -= len(self._kept.pop(next(iter(self._kept))))
            self._to_send.append(sequence)
            self._work.set()
        self._exhausted = True
        self._work.set()

    async def _write(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                while self._to_send:
                    sequence = self._to_send.popleft()
                    audio = base64.b64encode(self._kept[sequence]).decode()
                    await socket.send_json(
                        {"type": "voice:audio", "data": {"audio": audio, "sequence": sequence}}
                    )
                    self._passed = False
                if self._passed and not self._refused:
                    end = {"session_id": self.session_id}
                    await socket.send_json({"type": "voice:end", "data": end})
                    return
                if self._exhausted and not self._refused:
                    # The answer comes behind every complaint about what was sent before.
                    await socket.send_json({"type": "ping", "id": _BARRIER})
                self._work.clear()
                await self._work.wait()

    def _take(self, event: Event) -> bool:
        """Handle an event; False if this connection is of no more use."""
        kind, data = event["type"], event.get("data") or {}
        if kind == "pong":
            self._passed = self._exhausted and not self._to_send
            self._work.set()
            return True
        if kind == protocol.TRANSCRIPT and data["is_final"]:
            if data["utterance"] <= self._last_final:
                return True
            self._last_final = data["utterance"]
        self._on_event(event, asyncio.get_running_loop().time())
        if kind == protocol.END:
            self._answer = data
        return kind != "error" or self._complaint(event, data)

    def _complaint(self, event: Event, error: Event) -> bool:
        code, sequence = error["code"], error.get("sequence")
        if code in _FINAL_ERRORS:
            raise StreamFailed(error["message"])
        if code == ErrorCode.SESSION_NOT_FOUND and event.get("id") == _START:
            # The server was restarted. From the first chunk on, the same session gives the same
            # order; from the middle it would give another one.
            if 1 not in self._kept:
                raise StreamFailed("the server has forgotten the session; start a new one")
            self._resume, self._last_final = False, 0
            return False
        if code == ErrorCode.RATE_LIMITED and sequence in self._kept:
            self._refused.add(sequence)
            delay = error.get("retry_after_ms", 0) / 1000
            asyncio.get_running_loop().call_later(delay, self._again, sequence)
        return True

    def _again(self, sequence: int) -> None:
        if sequence in self._refused:
            self._refused.discard(sequence)
            self._to_send = deque(sorted({*self._to_send, sequence}))
            self._work.set()


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
