"""NATS as the bus: core NATS alone, so nothing of what is sent is kept anywhere.

A subject for each restaurant; a node subscribes to those that it has clients of.
"""

from __future__ import annotations

import asyncio
import contextlib

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

from order_events.bus import messages
from order_events.bus.bus import Receiver
from order_events.bus.mailbox import Mailbox
from order_events.bus.messages import BusMessage, NotABusMessage

PREFIX = "voice-ordering"
"""First part of all subjects. Services that share a NATS server need accounts of their own."""
RECONNECT_S = 1
PING_S = 2
"""Seconds between pings; a server that leaves two unanswered counts as gone."""
CLOSE_S = 1.0
_PENDING = 8_192
"""Messages of one restaurant that may wait for the event loop; more are dropped."""

_ERRORS = (NatsError, OSError, asyncio.TimeoutError)

logger = structlog.get_logger(__name__)


class NatsBus:
    """A connection to one or more NATS servers, `address` being URLs separated by commas."""

    shared = True

    def __init__(self, address: str, node: str) -> None:
        self._servers = [url.strip() for url in address.split(",") if url.strip()]
        self._node = node
        self._client = Client()
        self._mailbox = Mailbox()
        self._wanted: set[str] = set()
        self._subscriptions: dict[str, Subscription] = {}
        self._task: asyncio.Task[None] | None = None
        self._receiver: Receiver

    @property
    def trouble(self) -> str | None:
        """Why nothing can be sent or heard now, or None."""
        return None if self._client.is_connected else "NATS cannot be reached"

    async def open(self, receiver: Receiver) -> None:
        """Begin to connect, for as long as it takes."""
        self._receiver = receiver
        self._task = asyncio.create_task(self._run(), name="nats")

    async def close(self) -> None:
        """Send what waits, within CLOSE_S, and disconnect."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        with contextlib.suppress(*_ERRORS):
            async with asyncio.timeout(CLOSE_S):
                if self._client.is_connected:
                    await self._send_waiting()
                    await self._client.flush()
                await self._client.close()

    def follow(self, restaurant_id: str) -> None:
        """Receive what other nodes send about a restaurant."""
        self._wanted.add(restaurant_id)
        self._mailbox.wake()

    def unfollow(self, restaurant_id: str) -> None:
        """Receive it no longer."""
        self._wanted.discard(restaurant_id)
        self._mailbox.wake()

    def send(self, message: BusMessage) -> None:
        """Send a message soon."""
        self._mailbox.put(message)

    async def _run(self) -> None:
        await self._connect()
        while True:
            await self._mailbox.filled()
            try:
                if self._client.is_connected:
                    await self._subscribe()
                    await self._send_waiting()
                    continue
            except _ERRORS as error:
                logger.warning("nothing can be sent to NATS", why=str(error))
            await asyncio.sleep(RECONNECT_S)
            if self._client.is_closed:
                await self._connect()
            self._mailbox.drop_live()
            self._mailbox.wake()

    async def _connect(self) -> None:
        # After most errors that a server sends, a client is closed for good, whatever its attempts.
        self._client = Client()
        self._subscriptions.clear()
        await self._client.connect(
            servers=self._servers,
            name="order_events",
            no_echo=True,
            max_reconnect_attempts=-1,
            reconnect_time_wait=RECONNECT_S,
            connect_timeout=2,
            ping_interval=PING_S,
            max_outstanding_pings=2,
            # Nothing may wait inside the client: what is late is worth nothing.
            pending_size=messages.MOST_BYTES,
            error_cb=self._failed,
            disconnected_cb=self._disconnected,
            reconnected_cb=self._reconnected,
            closed_cb=self._closed,
        )
        self._receiver.reconnected()

    async def _subscribe(self) -> None:
        for restaurant_id in self._wanted - self._subscriptions.keys():
            self._subscriptions[restaurant_id] = await self._client.subscribe(
                _subject(restaurant_id), cb=self._take, pending_msgs_limit=_PENDING
            )
        for restaurant_id in self._subscriptions.keys() - self._wanted:
            await self._subscriptions.pop(restaurant_id).unsubscribe()

    async def _send_waiting(self) -> None:
        for message in self._mailbox.take():
            data = messages.encode(self._node, message)
            await self._client.publish(_subject(message.restaurant_id), data)

    async def _take(self, received: Msg) -> None:
        try:
            node, message = messages.decode(received.data)
        except NotABusMessage as error:
            logger.warning(
                "a message on NATS is not ours", subject=received.subject, why=str(error)
            )
            return
        if message.restaurant_id in self._wanted:
            self._receiver.received(message, node)

    async def _failed(self, error: Exception) -> None:
        logger.warning("NATS", why=str(error) or type(error).__name__)

    async def _disconnected(self) -> None:
        logger.warning("NATS is gone: events of other nodes come a second or two later")

    async def _reconnected(self) -> None:
        logger.info("NATS is back")
        self._receiver.reconnected()

    async def _closed(self) -> None:
        self._mailbox.wake()


def _subject(restaurant_id: str) -> str:
    return f"{PREFIX}.{messages.subject_of(restaurant_id)}"
