"""A consumer of the root socket: each event once and in order, over lost connections."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import aiohttp

from order_events.client.backoff import Backoff
from order_events.client.link import LinkLost, Message, Refused, TokenSource, connected

Filters = Mapping[str, str | Iterable[str]]

_BUFFERED: Final = 1_000
"""Events that may wait for a slow consumer; after that, the socket is not read."""
_SUBSCRIBE: Final = "subscribe"
_PASSING: Final = frozenset({"RATE_LIMITED", "OVERLOADED", "UNAVAILABLE", "INTERNAL"})
"""A subscription refused with one of these may be accepted later."""


class Position(NamedTuple):
    """A place in a restaurant's history: everything up to `seq` of `epoch` has been received."""

    epoch: str
    seq: int


@dataclass(frozen=True, slots=True)
class Event:
    """An event. `message` is all that the server sent.

    `position` is None for a live partial transcript, which has no place in history: of those only
    the latest of a session matters.
    """

    type: str
    data: dict[str, Any]
    timestamp: str
    position: Position | None
    message: Message


class HistoryLost(Exception):
    """Events after your position are gone. Read the state over `/v1`, then iterate on.

    The events that follow are those after `position`.
    """

    def __init__(self, position: Position) -> None:
        super().__init__("history no longer reaches back; read the state again")
        self.position = position


class Events:
    """A restaurant's events, live and from the history.

    Use it as a context manager, which waits for the first connection, and iterate over it. Each
    event comes once and in order, however often the connection is lost. To survive a restart too,
    store each event and its `position` in one transaction, and pass the stored position as `since`.
    Store the `position` that there is before the first event as well.

    `url` is the server's address. Names and filters are those of `subscribe`. A function as `token`
    is called for each connection and whenever a token expires. Entering and iterating raise
    Refused; iterating raises HistoryLost once for each loss, and then goes on.
    """

    def __init__(
        self,
        url: str,
        token: TokenSource,
        events: Iterable[str] = ("*",),
        *,
        filters: Filters | None = None,
        since: Position | None = None,
        batch_ms: int = 0,
    ) -> None:
        self._url = _socket_url(url)
        self._token = token
        self._wish: Message = {
            "events": list(events),
            "filters": {
                name: value if isinstance(value, str) else list(value)
                for name, value in (filters or {}).items()
            },
            "batch_ms": batch_ms,
        }
        self._received = self._yielded = since
        self._waiting: asyncio.Queue[Event | BaseException] = asyncio.Queue(_BUFFERED)
        self._ready = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._failure: BaseException | None = None

    @property
    def position(self) -> Position:
        """The position of the last event that was yielded; at first, where delivery starts."""
        if self._yielded is None:
            raise RuntimeError("there is no position before the context is entered")
        return self._yielded

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="events")
        self._task.add_done_callback(self._ended)
        try:
            await self._ready.wait()
        except asyncio.CancelledError:
            await self.close()
            raise
        if self._failure is not None:
            raise self._failure
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Disconnect. Events that were not yielded come again after a new start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        if self._task is None:
            raise StopAsyncIteration
        if self._failure is not None and self._waiting.empty():
            raise self._failure
        item = await self._waiting.get()
        if isinstance(item, HistoryLost):
            self._yielded = item.position
            raise item
        if isinstance(item, BaseException):
            raise item
        if item.position is not None:
            self._yielded = item.position
        return item

    async def _run(self) -> None:
        """Keep a connection until the server refuses us for good."""
        loop, backoff = asyncio.get_running_loop(), Backoff()
        async with aiohttp.ClientSession() as http:
            while True:
                try:
                    await self._follow(http, backoff)
                except LinkLost as lost:
                    await asyncio.sleep(max(lost.retry_after, backoff.next(loop.time())))

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Tell whoever enters or iterates why there will be no more events."""
        if task.cancelled():
            return
        self._failure = task.exception()
        self._ready.set()
        if self._failure is not None and self._waiting.empty():
            self._waiting.put_nowait(self._failure)

    async def _follow(self, http: aiohttp.ClientSession, backoff: Backoff) -> None:
        """Deliver the events of one connection; raise LinkLost or Refused at its end."""
        since = None if self._received is None else self._received._asdict()
        wish = {"subscribe": {**self._wish, "since": since}, "id": _SUBSCRIBE}
        async with connected(http, self._url, self._token, wish) as link:
            async for message in link.messages():
                match message:
                    case {"type": "connected"}:
                        backoff.online(asyncio.get_running_loop().time())
                    case {"type": "subscribed"}:
                        await self._begin(message["data"])
                    case {"type": "error", "id": id_, "data": data} if id_ == _SUBSCRIBE:
                        raise _refusal(data)
                    case {"data": _, "restaurant_id": _}:
                        await self._take(message)

    async def _begin(self, data: Message) -> None:
        start = Position(data["epoch"], data["seq"])
        if self._received is None:
            self._yielded = start
        elif not data["recovered"]:
            await self._waiting.put(HistoryLost(start))
        self._received = start
        self._ready.set()

    async def _take(self, message: Message) -> None:
        position = Position(message["epoch"], message["seq"]) if "seq" in message else None
        if position is not None:
            if self._received is not None and _reached(self._received, position):
                return
            self._received = position
        await self._waiting.put(
            Event(message["type"], message["data"], message["timestamp"], position, message)
        )


def _reached(received: Position, position: Position) -> bool:
    return received.epoch == position.epoch and received.seq >= position.seq


def _refusal(data: Message) -> Exception:
    if data["code"] in _PASSING:
        return LinkLost(data.get("retry_after_ms", 0) / 1000)
    return Refused(data["code"], data["message"])


def _socket_url(url: str) -> str:
    """Return the address of the root socket, opened so that it is silent until we subscribe."""
    base = url.rstrip("/")
    if base.startswith("http"):
        base = "ws" + base.removeprefix("http")
    return f"{base}/?subscribe=explicit"
