"""One guest's session as a context manager: audio goes in, events come out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Final, Self

from order_events.client.link import TokenSource
from voice_service.client.stream import Event, StreamFailed, VoiceStream

_MOST_IN_CHUNK: Final = 33_600
"""Bytes: a second of 16 kHz PCM, as base64 well within a message, and a whole number of samples of
any width and up to 8 channels."""
_LEAST_APART: Final = 0.1
"""Seconds between chunks: what is sent in smaller pieces is joined, as messages are counted."""
_UNSENT: Final = 600
"""Chunks that may wait to be sent; then `send` waits."""
_UNREAD: Final = 10_000
"""Events that may wait to be read: more than a session has whose events are read at all."""


class VoiceSession:
    """A session on `/voice-stream`, resumed when its connection is lost.

    `send` audio, then `finish`; meanwhile iterate over the server's events, which end with
    `voice:end`. Each final comes once; after a restart of the server, `voice:started` with
    `resumed` false says that the session is told again from its start. Entering and leaving do not
    wait for the server; iterating raises StreamFailed.

    `url` is the server's address. `options` are further fields of `voice:start`, such as `audio`,
    `lane` or `order`.
    """

    def __init__(
        self,
        url: str,
        token: TokenSource,
        *,
        language: str = "en-US",
        session_id: str | None = None,
        **options: Any,
    ) -> None:
        self._chunks: asyncio.Queue[bytes | None] = asyncio.Queue(_UNSENT)
        self._events: asyncio.Queue[Event | None] = asyncio.Queue()
        self._stream = VoiceStream(
            _stream_url(url),
            token,
            self._received,
            options={"language": language, **options},
            session_id=session_id,
        )
        self._task: asyncio.Task[Event] | None = None

    @property
    def session_id(self) -> str:
        """The id of the session, which is also that of its order's `source`."""
        return self._stream.session_id

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._stream.run(self._numbered()), name="voice session")
        self._task.add_done_callback(lambda _: self._events.put_nowait(None))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def send(self, audio: bytes) -> None:
        """Send audio in the session's encoding; wait while much of it is unsent.

        Pieces of samples must be whole ones. They may be of any size: those that come less than
        100 ms apart travel together.

        Raises StreamFailed if the session is over.
        """
        for start in range(0, len(audio), _MOST_IN_CHUNK):
            await self._put(audio[start : start + _MOST_IN_CHUNK])

    async def finish(self) -> None:
        """Send nothing more: the guest has finished. The last finals and the answer still come."""
        await self._put(None)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        event = await self._events.get()
        if event is not None:
            return event
        self._events.put_nowait(None)
        if self._task is not None and not self._task.cancelled():
            failure = self._task.exception()
            if failure is not None:
                raise failure
        raise StopAsyncIteration

    async def _put(self, chunk: bytes | None) -> None:
        if self._task is None:
            raise RuntimeError("enter the session's context first")
        putting = asyncio.ensure_future(self._chunks.put(chunk))
        try:
            await asyncio.wait({putting, self._task}, return_when=asyncio.FIRST_COMPLETED)
            if not putting.done():
                raise StreamFailed("the session is over")
        finally:
            # Also if the caller is cancelled: audio that comes after all would come twice if it is
            # sent again.
            putting.cancel()

    async def _numbered(self) -> AsyncIterator[tuple[int, bytes]]:
        loop = asyncio.get_running_loop()
        sequence, due, ended = 0, loop.time(), False
        unsent = bytearray()
        while not ended or unsent:
            if not unsent:
                first = await self._chunks.get()
                ended, unsent = first is None, bytearray(first or b"")
                continue
            if len(unsent) < _MOST_IN_CHUNK and not ended:
                await asyncio.sleep(due - loop.time())
            while not (ended or self._chunks.empty() or len(unsent) >= _MOST_IN_CHUNK):
                piece = self._chunks.get_nowait()
                ended = piece is None
                unsent += piece or b""
            due = loop.time() + _LEAST_APART
            sequence += 1
            yield sequence, bytes(unsent[:_MOST_IN_CHUNK])
            del unsent[:_MOST_IN_CHUNK]

    def _received(self, event: Event, at: float) -> None:
        if self._events.qsize() >= _UNREAD:
            raise StreamFailed("the session's events are not being read")
        self._events.put_nowait(event)


def _stream_url(url: str) -> str:
    base = url.rstrip("/")
    if base.startswith("http"):
        base = "ws" + base.removeprefix("http")
    return f"{base}/voice-stream"
