"""The root socket: connects root sessions to the hub and the store."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

import structlog
from pydantic import TypeAdapter

from order_events.auth.roles import Action, may, visible
from order_events.auth.tokens import Principal
from order_events.domain.models import Event
from order_events.fanout.event_batcher import EventBatcher
from order_events.fanout.hub import Hub, Pending
from order_events.fanout.root_session import History, RootSession
from order_events.metrics import HubMetrics
from order_events.protocol.errors import StoreUnavailable
from order_events.protocol.filters import DOCUMENTED_EVENTS
from order_events.protocol.frames import FrameBatch, Message
from order_events.protocol.messages import (
    ROOT_MESSAGES,
    ROOT_TYPES,
    CloseCode,
    ErrorCode,
    ProtocolError,
    Subscribe,
    Unsubscribe,
)
from order_events.settings import HubSettings
from order_events.storage.store import Store
from order_events.websocket.application import Budget, Opening
from order_events.websocket.connection import Connection

Reach = Callable[[str, int], Awaitable[None]]
"""Has the hub reach a restaurant's seq, if history does; raises StoreUnavailable."""

logger = structlog.get_logger(__name__)


class RootApplication:
    """The application that `endpoint.Endpoint` serves at `/`."""

    def __init__(
        self, settings: HubSettings, hub: Hub, store: Store, metrics: HubMetrics, reach: Reach
    ) -> None:
        self._settings = settings
        self._reach = reach
        self._hub = hub
        self._store = store
        self._metrics = metrics

    @property
    def messages(self) -> TypeAdapter[Subscribe | Unsubscribe]:
        """The adapter for `subscribe` and `unsubscribe`."""
        return ROOT_MESSAGES

    @property
    def types(self) -> frozenset[str]:
        """The `type` values of those messages."""
        return ROOT_TYPES

    def admit(self, principal: Principal) -> None:
        """Raise ProtocolError(FORBIDDEN) for a role that may not open the root socket."""
        if not may(principal.role, Action.ROOT_SOCKET):
            raise ProtocolError(ErrorCode.FORBIDDEN, "your role may not open this socket")

    def budget(self, type_: str) -> Budget:
        """Return "regular": no message of this socket is a voice message."""
        return "regular"

    def connect(
        self,
        connection: Connection,
        opening: Opening,
        implied: frozenset[str] = DOCUMENTED_EVENTS,
    ) -> RootHandler:
        """Return a handler that is subscribed to the `implied` events of the restaurant.

        A connection that was opened as explicit is subscribed to what its `auth` asks for, or to
        nothing yet. Raises ProtocolError for a way to subscribe that there is not.
        """
        mode = opening.query.get("subscribe")
        if mode not in (None, "explicit"):
            raise ProtocolError(
                ErrorCode.INVALID_MESSAGE, "subscribe: must be `explicit`, or left out of the URL"
            )
        asked = None if opening.auth is None else opening.auth.subscribe
        explicit = mode is not None or asked is not None
        handler = RootHandler(
            connection,
            self._settings,
            self._hub,
            self._store,
            self._metrics,
            self._reach,
            implied=frozenset() if explicit else implied,
        )
        if opening.auth is not None and asked is not None:
            handler.begin(Subscribe(type="subscribe", id=opening.auth.id, **dict(asked)))
        return handler


class RootHandler:
    """Runs one root session: its subscriptions, live events and catching up."""

    def __init__(
        self,
        connection: Connection,
        settings: HubSettings,
        hub: Hub,
        store: Store,
        metrics: HubMetrics,
        reach: Reach,
        *,
        implied: frozenset[str],
    ) -> None:
        self._connection = connection
        self._settings = settings
        self._hub = hub
        self._store = store
        self._metrics = metrics
        self._reach = reach
        self._waiting: deque[Subscribe | Unsubscribe] = deque()
        self._reaching: asyncio.Task[None] | None = None
        self._restaurant = connection.principal.restaurant_id
        self._loop = asyncio.get_running_loop()
        self._batcher = EventBatcher(settings.batch_events, settings.max_message_bytes)
        self._timer: asyncio.TimerHandle | None = None
        self._reading: asyncio.Task[None] | None = None
        self._overfull = False
        self._session = RootSession(
            visible(connection.principal.role),
            max_subscriptions=settings.max_subscriptions,
            max_batch_ms=settings.max_batch_ms,
            head=hub.head(self._restaurant)[1],
            implied=implied,
        )
        hub.attach(self._restaurant, self, self._session.interest)

    def begin(self, message: Subscribe) -> None:
        """Answer the subscription that came with `auth`, or say why there is none."""
        try:
            self.receive(message, self._loop.time())
        except ProtocolError as error:
            self._connection.send_error(error)

    def receive(self, message: Subscribe | Unsubscribe, now: float) -> None:
        """Answer the message, then send the events that the new subscriptions ask for.

        If the client has seen more at another node than has arrived here, that comes first.
        """
        if self._reaching is not None or self._is_ahead(message):
            self._waiting.append(message)
            if self._reaching is None:
                self._reaching = asyncio.create_task(self._receive_waiting(), name="reach")
        else:
            self._receive(message)

    def _is_ahead(self, message: Subscribe | Unsubscribe) -> bool:
        since = message.since if isinstance(message, Subscribe) else None
        epoch, head = self._hub.head(self._restaurant)
        return since is not None and since.epoch == epoch and since.seq > head

    async def _receive_waiting(self) -> None:
        try:
            while self._waiting:
                message = self._waiting.popleft()
                if isinstance(message, Subscribe) and message.since is not None:
                    await self._reach(self._restaurant, message.since.seq)
                try:
                    self._receive(message)
                except ProtocolError as error:
                    error.id = message.id
                    self._connection.send_error(error)
        except StoreUnavailable as error:
            self._connection.send_error(ProtocolError(ErrorCode.UNAVAILABLE, error.message))
            self._connection.close(CloseCode.TRY_AGAIN_LATER, error.message)
        except Exception:
            # The task's boundary: the client must learn that it is not subscribed.
            logger.exception("a subscription failed")
            self.broken()
        finally:
            self._reaching = None

    def _receive(self, message: Subscribe | Unsubscribe) -> None:
        # Events published before this message belong to the old subscriptions.
        self._hub.flush(self._restaurant)
        epoch, head = self._hub.head(self._restaurant)
        history = History(epoch, head, self._hub.oldest(self._restaurant))
        reply = self._session.receive(message, history)
        self._send_all(self._batcher.flush())
        self._connection.send(reply.type, reply.data.model_dump(), id=reply.id)
        self._hub.attach(self._restaurant, self, self._session.interest)
        if self._session.position is not None:
            self._read_on()

    def advice(self, limit: int) -> None:
        """Give none: the messages of this socket are short."""

    def closed(self, now: float) -> None:
        """Detach from the hub and stop reading history."""
        self._hub.detach(self._restaurant, self)
        if self._timer is not None:
            self._timer.cancel()
        for task in (self._reading, self._reaching):
            if task is not None:
                task.cancel()

    def finished(self) -> Awaitable[None] | None:
        """Return None: nothing needs waiting for, because clients can resume."""
        return None

    def deliver(self, batch: FrameBatch) -> None:
        """Send events from the hub at once, or hold them while catching up."""
        if self._session.position is None:
            kept_up = self._connection.keeping_up
            sent = self._connection.send_batch(batch)
            if sent < len(batch.messages):
                self._no_room(batch.messages[sent:], kept_up=kept_up)
        else:
            self.hold([(message, 0) for message in batch.messages])

    def hold(self, pending: Sequence[Pending]) -> None:
        """Batch or send events from the hub.

        While catching up, events that are in history are dropped here and read from there. Partial
        transcripts, which have a key, are not in history.
        """
        ready: list[Message] = []
        for message, wait_ms in pending:
            if message.key is not None and wait_ms == 0:
                # A live value has no place in the order of events, so it need not flush the batch.
                ready.append(message)
            elif message.key is not None or self._session.position is None:
                ready += self._batcher.add(message, wait_ms, self._loop.time())
        self._send_all(ready)
        self._arm()

    def broken(self) -> None:
        """Close the connection after a failed delivery: the client must reconnect and resume."""
        self._connection.close(CloseCode.SERVER_ERROR, "internal error; reconnect and resume")

    def _consider(self, event: Event) -> None:
        wait_ms = self._session.consider(event.seq, event.type, event.tags)
        if wait_ms is not None:
            self._send_all(self._batcher.add(event.message, wait_ms, self._loop.time()))
            self._arm()

    def _arm(self) -> None:
        deadline = self._batcher.deadline
        if self._timer is not None:
            if deadline is not None and self._timer.when() <= deadline:
                return
            self._timer.cancel()
            self._timer = None
        if deadline is not None:
            self._timer = self._loop.call_at(deadline, self._flush)

    def _flush(self) -> None:
        self._timer = None
        self._send_all(self._batcher.due(self._loop.time()))
        self._arm()

    def _send_all(self, messages: list[Message]) -> None:
        kept_up = self._connection.keeping_up
        sent = self._connection.send_all(messages)
        if sent < len(messages):
            self._no_room(messages[sent:], kept_up=kept_up)

    def _no_room(self, messages: Sequence[Message], *, kept_up: bool) -> None:
        """Switch to reading history, or close the connection as too slow.

        A client that had read everything before these messages is not slow: more arrived at once
        than the outbox holds.
        """
        first = next((message.seq for message in messages if message.seq is not None), None)
        if first is None or not (kept_up or self._session.position is not None):
            self._connection.too_slow()
            return
        self._batcher.clear()
        self._session.fall_behind(first - 1)
        self._overfull = True
        self._read_on()

    def _read_on(self) -> None:
        if self._reading is None:
            self._reading = asyncio.create_task(self._catch_up(), name="replay")

    async def _catch_up(self) -> None:
        """Read history, no faster than the client reads, until the hub can take over."""
        started = self._loop.time()
        try:
            while not self._connection.closing:
                if self._overfull:
                    await self._connection.drained()
                    self._overfull = False
                position = self._session.position
                if position is None or position >= self._head:
                    # What is pending in the hub has been read from history already. There must be
                    # no await from here to the return: the next event comes from the hub.
                    self._hub.flush(self._restaurant)
                    self._session.caught_up()
                    return
                events = await self._read(position)
                if self._session.position != position:
                    continue
                if not events or events[0].seq != position + 1:
                    self._connection.close(
                        CloseCode.TOO_SLOW, "history was cut off; reconnect and resume"
                    )
                    return
                self._metrics.replayed.inc(len(events))
                await self._consider_all(events)
        except StoreUnavailable as error:
            self._connection.send_error(ProtocolError(ErrorCode.UNAVAILABLE, error.message))
            self._connection.close(CloseCode.TRY_AGAIN_LATER, error.message)
        except Exception:
            # The task's boundary: the client must learn that its replay has ended.
            logger.exception("a replay failed")
            self.broken()
        finally:
            self._reading = None
            self._metrics.replays.observe(self._loop.time() - started)

    async def _consider_all(self, events: list[Event]) -> None:
        for event in events:
            if self._session.position != event.seq - 1 or event.seq > self._head:
                # Either a new subscription went further back while we waited, or the event is on
                # disk but not published yet and will come from the hub.
                return
            self._consider(event)
            await self._connection.room()

    @property
    def _head(self) -> int:
        return self._hub.head(self._restaurant)[1]

    async def _read(self, position: int) -> list[Event]:
        limit = self._settings.replay_chunk
        recent = self._hub.recent(self._restaurant, position, limit)
        if recent:
            return recent
        max_bytes = self._settings.history_bytes
        return await self._store.read(
            lambda r: r.events(self._restaurant, position, limit, max_bytes),
            restaurant_id=self._restaurant,
        )
