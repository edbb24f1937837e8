"""Stream one session to `/voice-stream`, over as many connections as it takes."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import uuid
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Final

import aiohttp

from order_events.client.backoff import Backoff
from order_events.client.link import TokenSource, fresh

Event = dict[str, Any]

_GIVE_UP_AFTER: Final = 300.0
"""Seconds without a session after which the stream has failed."""
_ANSWER_TIMEOUT: Final = 60.0
"""Seconds to wait for the server where it is its turn to send."""
_KEPT_BYTES: Final = 10_000_000
"""Audio kept to be sent again: 5 minutes of 16 kHz PCM."""
_PACED_STEP: Final = 0.05
"""Seconds between messages while catching up after a refusal. At 1,200 a minute, a server that
accepts 1,000 sets the pace, and refuses a few messages instead of everything that was kept."""
_FINAL_ERRORS: Final = frozenset({"UNAUTHORIZED", "FORBIDDEN"})
_PASSING_ERRORS: Final = frozenset({"RATE_LIMITED", "OVERLOADED", "UNAVAILABLE", "INTERNAL"})
"""A start that is refused with one of these may be accepted later."""
_POLICY: Final = 1008
_TOO_BIG: Final = 1009
_START: Final = "start"
_END: Final = "end"


class StreamFailed(Exception):
    """The stream cannot go on; the message says why."""


class VoiceStream:
    """One session, resumed when its connection is lost.

    `on_event` is called with every server event and the loop's time of its arrival. Each final
    comes once, with one exception: a restarted server has forgotten the session, which then starts
    over from the first chunk, with utterances numbered from 1 again. `options` are added to the
    `data` of `voice:start`. A function as `token` is called for each connection and whenever a
    token expires.
    """

    def __init__(
        self,
        url: str,
        token: TokenSource,
        on_event: Callable[[Event, float], None],
        *,
        options: Mapping[str, Any] | None = None,
        session_id: str | None = None,
    ) -> None:
        self.session_id = session_id or str(uuid.uuid4())
        self.connections = 0
        self._url = url
        self._token = token
        self._on_event = on_event
        self._options = dict(options or {})
        self._kept: dict[int, bytes] = {}
        self._kept_bytes = 0
        self._to_send: deque[int] = deque()
        self._hold_until = 0.0
        self._paced = False
        self._exhausted = False
        self._marker = 0
        self._all_accepted = False
        self._work = asyncio.Event()
        self._backoff = Backoff()
        self._reached = False
        self._resume = False
        self._start_unanswered = False
        self._reconnect_in: float | None = None
        self._last_final = 0
        self._answer: Event | None = None
        self._callback_error: Exception | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None

    async def run(self, chunks: AsyncIterator[tuple[int, bytes]]) -> Event:
        """Stream (sequence, payload) pairs; return the `data` of the server's `voice:end`.

        Raises StreamFailed, and whatever `chunks` or `on_event` raises.
        """
        async with aiohttp.ClientSession() as http:
            producer = asyncio.create_task(self._produce(chunks))
            connections = asyncio.create_task(self._run_connections(http))
            try:
                await asyncio.wait({producer, connections}, return_when=asyncio.FIRST_COMPLETED)
                if not connections.done():
                    await producer
                return await connections
            finally:
                await _cancel(producer, connections)

    def cut(self) -> None:
        """Break the connection without closing it, as a failing network does."""
        if self._socket is not None:
            transport = self._socket.get_extra_info("socket")
            if transport is not None:
                transport.shutdown(2)

    async def _run_connections(self, http: aiohttp.ClientSession) -> Event:
        loop = asyncio.get_running_loop()
        lost_at = loop.time()
        while True:
            before, self._reconnect_in = self.connections, None
            try:
                await self._connection(http)
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                if error is self._callback_error:
                    raise
                if not self._reached:
                    raise StreamFailed(f"no connection to {self._url}: {error}") from error
            if self._answer is not None:
                return self._answer
            if self.connections > before:
                lost_at = loop.time()
            elif loop.time() - lost_at > _GIVE_UP_AFTER:
                raise StreamFailed(f"no session at {self._url} for {_GIVE_UP_AFTER:.0f} s")
            if self._reconnect_in is not None:
                await asyncio.sleep(self._reconnect_in)
                continue
            await asyncio.sleep(self._backoff.next(loop.time()))

    async def _connection(self, http: aiohttp.ClientSession) -> None:
        """Serve one connection until it is lost or `voice:end` has been answered."""
        headers = {"Authorization": f"Bearer {await fresh(self._token)}"}
        async with http.ws_connect(self._url, headers=headers, heartbeat=30) as socket:
            self._socket = socket
            self._reached = True
            writer: asyncio.Task[None] | None = None
            answered = False
            try:
                await self._send_start(socket)
                while self._answer is None:
                    limit = _ANSWER_TIMEOUT if self._all_accepted or not answered else None
                    event = await self._receive(socket, limit)
                    if event is None:
                        return
                    answered = answered or event.get("id") == _START
                    if event["type"] == "auth:expiring" and not isinstance(self._token, str):
                        token = await fresh(self._token)
                        await socket.send_json({"type": "auth", "token": token})
                    if event["type"] == "voice:started":
                        answered = True
                        self._on_started(event["data"]["next_sequence"])
                        writer = asyncio.create_task(self._write(socket))
                    if not self._take(event):
                        return
            finally:
                self._socket = None
                self._start_unanswered = self._start_unanswered or not answered
                self._all_accepted = False
                if writer is not None:
                    await _cancel(writer)

    async def _send_start(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        start = {"session_id": self.session_id, **self._options}
        if self._resume:
            start |= {"resume": True, "after_utterance": self._last_final}
        await socket.send_json({"type": "voice:start", "id": _START, "data": start})

    def _on_started(self, next_sequence: int) -> None:
        self.connections += 1
        self._backoff.online(asyncio.get_running_loop().time())
        self._resume = True
        self._all_accepted = False
        self._paced = False
        self._hold_until = 0.0
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
                self._work.clear()
                while self._to_send:
                    await self._wait_while_held()
                    await self._send_chunk(socket, self._to_send.popleft())
                self._paced = False
                if self._exhausted:
                    await self._wait_while_held()
                    if self._all_accepted:
                        end = {"session_id": self.session_id}
                        await socket.send_json({"type": "voice:end", "id": _END, "data": end})
                    else:
                        # The answer comes after all errors about what was sent before.
                        self._marker += 1
                        await socket.send_json({"type": "ping", "id": self._marker})
                await self._work.wait()

    async def _wait_while_held(self) -> None:
        """Wait while the server wants no more; pending errors are read before this returns."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(0)
        while True:
            wait = self._hold_until - loop.time()
            if wait <= 0:
                return
            await asyncio.sleep(wait)

    async def _send_chunk(self, socket: aiohttp.ClientWebSocketResponse, sequence: int) -> None:
        audio = base64.b64encode(self._kept[sequence]).decode()
        # A pong that is already on its way says nothing about this chunk.
        self._marker += 1
        await socket.send_json(
            {"type": "voice:audio", "data": {"audio": audio, "sequence": sequence}}
        )
        if self._paced:
            self._hold(_PACED_STEP)

    def _hold(self, seconds: float) -> None:
        until = asyncio.get_running_loop().time() + seconds
        self._hold_until = max(self._hold_until, until)

    def _take(self, event: Event) -> bool:
        """Handle an event; return False if this connection is of no more use."""
        kind, data = event["type"], event.get("data") or {}
        if kind == "pong":
            if event.get("id") == self._marker:
                self._all_accepted = not self._to_send
                self._marker += 1
                self._work.set()
            return True
        if kind == "voice:transcript" and data["is_final"]:
            if data["utterance"] <= self._last_final:
                return True
            self._last_final = data["utterance"]
        self._report(event)
        if kind == "voice:end":
            self._answer = data
        elif kind == "going_away":
            self._reconnect_in = data["retry_after_ms"] / 1000
        elif kind == "error":
            return self._on_error(event, data)
        return True

    def _report(self, event: Event) -> None:
        try:
            self._on_event(event, asyncio.get_running_loop().time())
        except Exception as error:
            # A broken pipe of the callback must not be taken for a broken connection.
            self._callback_error = error
            raise

    def _on_error(self, event: Event, error: Event) -> bool:
        code, sequence = error["code"], error.get("sequence")
        if code in _FINAL_ERRORS:
            if self._may_return():
                return False
            raise StreamFailed(error["message"])
        if event.get("id") == _START:
            self._start_refused(error)
            return False
        if code == "RATE_LIMITED":
            # Hold everything, not just this message: later chunks must not overtake it.
            self._hold(error.get("retry_after_ms", 0) / 1000)
            if sequence in self._kept:
                self._paced = True
                self._to_send = deque(sorted({*self._to_send, sequence}))
            self._work.set()
        return True

    def _start_refused(self, error: Event) -> None:
        """Decide how to start again; raises StreamFailed if that cannot help."""
        code = error["code"]
        if code == "SESSION_EXISTS" and self._start_unanswered:
            # Our own start succeeded, but the connection was lost before its answer.
            self._resume, self._reconnect_in = True, 0.0
        elif code == "SESSION_NOT_FOUND" and self._resume:
            # The server was restarted. Sent from the first chunk, the same session gives the same
            # order; from the middle, it would give another one.
            if self._kept and 1 not in self._kept:
                raise StreamFailed("the server has forgotten the session; start a new one")
            self._resume, self._start_unanswered, self._last_final = False, False, 0
            self._reconnect_in = 0.0
        elif code in _PASSING_ERRORS:
            if "retry_after_ms" in error:
                self._reconnect_in = error["retry_after_ms"] / 1000
        else:
            raise StreamFailed(error["message"])

    def _may_return(self) -> bool:
        """True if a token was accepted once: it has expired, and the next one may be accepted."""
        return self.connections > 0 and not isinstance(self._token, str)

    async def _receive(
        self, socket: aiohttp.ClientWebSocketResponse, limit: float | None
    ) -> Event | None:
        """Return the next event, or None at the end of the connection.

        Raises StreamFailed and TimeoutError.
        """
        message = await socket.receive(timeout=limit)
        if message.type is aiohttp.WSMsgType.TEXT:
            event: Event = json.loads(message.data)
            return event
        code = socket.close_code
        if code == _TOO_BIG or (code == _POLICY and not self._may_return()):
            why = message.extra or "no reason was given"
            raise StreamFailed(f"the server closed the connection ({code}): {why}")
        return None


async def _cancel(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
