"""How each server is spoken to: its handshake, its audio messages, and what its text means.

What a client shows is rebuilt from the messages after the run, so that it costs the run nothing:

- this service: finals are committed; the newest partial of each utterance without a final is not.
- WhisperLiveKit (raw 16-bit PCM, `mode=full`): every message has all `lines`, which are committed,
  and `buffer_transcription`, which is not.
- WhisperLive (16-bit PCM): segments marked `completed` are committed, a last one without is not.
  Only the newest 10 segments are in a message; the client keeps the older ones, as theirs does.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import aiohttp
from shown import Shown, Words, words

Message = str | bytes
Received = tuple[float, Message]
"""When it came, in seconds of the stream, and what."""


class Refused(Exception):
    """The server refuses another stream; the message says why."""


class Dialect(Protocol):
    """A server's protocol for one stream."""

    path: str

    async def greet(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Open a stream; return once the server listens. Raises `Refused`."""

    def encode(self, pcm: bytes) -> Message:
        """Prepare a chunk once for all streams."""

    def audio(self, encoded: Message, sequence: int) -> Message:
        """Return the message with a chunk."""

    def end(self) -> Message:
        """Return the message that tells the server that the stream is over."""

    def is_last(self, message: Message) -> bool:
        """Return whether this is the server's answer to the end; a closed connection is, too."""

    def shown(self, received: Iterable[Received]) -> Iterator[Shown]:
        """Yield what a client showed, whenever it changed."""


class VoiceService:
    """This service, on `/voice-stream`; with `orders` it reads them against the demo menu."""

    path = "/voice-stream"

    def __init__(self, *, orders: bool = False) -> None:
        self._session = str(uuid.uuid4())
        self._order = "auto" if orders else "off"

    async def greet(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        start = {"session_id": self._session, "order": self._order}
        await socket.send_json({"type": "voice:start", "data": start})
        while (event := await _json(socket))["type"] != "voice:started":
            if event["type"] == "error":
                raise Refused(event["data"]["message"])

    def encode(self, pcm: bytes) -> Message:
        audio = base64.b64encode(pcm).decode()
        return f'{{"type":"voice:audio","data":{{"audio":"{audio}","sequence":'

    def audio(self, encoded: Message, sequence: int) -> Message:
        return f"{encoded!s}{sequence}}}}}"

    def end(self) -> Message:
        return json.dumps({"type": "voice:end", "data": {"session_id": self._session}})

    def is_last(self, message: Message) -> bool:
        return bool(json.loads(message)["type"] == "voice:end")

    def shown(self, received: Iterable[Received]) -> Iterator[Shown]:
        committed: Words = ()
        live: dict[int, Words] = {}
        for at, message in received:
            event = json.loads(message)
            if event["type"] not in ("voice:transcript", "voice:speech_discarded"):
                continue
            data = event["data"]
            if event["type"] == "voice:speech_discarded":
                live.pop(data["utterance"], None)
            elif data["is_final"]:
                live.pop(data["utterance"], None)
                committed += words(data["text"])
            else:
                live[data["utterance"]] = words(data["text"])
            yield Shown(at, committed, tuple(word for n in sorted(live) for word in live[n]))


class _RawPcm:
    """What servers that take raw PCM have in common."""

    def encode(self, pcm: bytes) -> Message:
        return pcm

    def audio(self, encoded: Message, _sequence: int) -> Message:
        return encoded


class WhisperLiveKit(_RawPcm):
    """WhisperLiveKit's `/asr`."""

    path = "/asr"

    async def greet(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        while (await _json(socket)).get("type") != "config":
            pass

    def end(self) -> Message:
        return b""

    def is_last(self, message: Message) -> bool:
        return bool(json.loads(message).get("type") == "ready_to_stop")

    def shown(self, received: Iterable[Received]) -> Iterator[Shown]:
        last: tuple[str, str] | None = None
        for at, message in received:
            event = json.loads(message)
            if "lines" not in event:
                continue
            lines = " ".join(line["text"] or "" for line in event["lines"])
            text = lines, event["buffer_transcription"]
            if text != last:
                yield Shown(at, words(text[0]), words(text[1]))
            last = text


class WhisperLive(_RawPcm):
    """WhisperLive's only endpoint."""

    path = ""

    async def greet(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        await socket.send_json(
            {
                "uid": str(uuid.uuid4()),
                "language": "en",
                "task": "transcribe",
                "model": "",
                "use_vad": True,
                "audio_format": "int16",
            }
        )
        while (event := await _json(socket)).get("message") != "SERVER_READY":
            if event.get("status") in ("WAIT", "ERROR"):
                raise Refused(str(event))

    def end(self) -> Message:
        return b"END_OF_AUDIO"

    def is_last(self, _message: Message) -> bool:
        return False

    def shown(self, received: Iterable[Received]) -> Iterator[Shown]:
        completed: dict[str, str] = {}
        last: tuple[str, str] | None = None
        for at, message in received:
            segments = json.loads(message).get("segments", [])
            completed |= {s["start"]: s["text"] for s in segments if s["completed"]}
            committed = " ".join(completed[start] for start in sorted(completed, key=float))
            text = committed, " ".join(s["text"] for s in segments if not s["completed"])
            if text != last:
                yield Shown(at, words(text[0]), words(text[1]))
            last = text


async def _json(socket: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    message = await socket.receive(timeout=60)
    if message.type is not aiohttp.WSMsgType.TEXT:
        raise Refused(f"closed ({socket.close_code}): {message.extra or ''}")
    event: dict[str, Any] = json.loads(message.data)
    return event
