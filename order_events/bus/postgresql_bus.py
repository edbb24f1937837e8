"""PostgreSQL's notifications as the bus, for who does not want a server more.

A notification takes a lock of the whole server when its transaction commits. So those of one moment
are sent in a transaction of their own, and never in that of a change.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

import psycopg
import structlog
from psycopg import conninfo

from order_events.bus import messages
from order_events.bus.bus import Receiver
from order_events.bus.mailbox import Mailbox
from order_events.bus.messages import BusMessage, NotABusMessage

KINDS = ("postgresql",)
"""What the address may be beside a URL; it then comes from libpq's variables."""
RECONNECT_S = 1.0
TURN_S = 0.1
"""Seconds after which the listening connection looks whether it is to listen to others."""
MOMENT_S = 0.02
"""Least seconds between two transactions that send."""
MOST_BYTES = 7_999
"""Longest payload of a notification."""
CLOSE_S = 1.0
_OPTIONS: dict[str, Any] = {
    "connect_timeout": 3,
    "application_name": "order_events bus",
    # A connection that is cut off must be noticed.
    "keepalives_idle": 2,
    "keepalives_interval": 1,
    "keepalives_count": 3,
    "tcp_user_timeout": 5_000,
}

logger = structlog.get_logger(__name__)


class PostgresqlBus:
    """Two connections to the database: one listens, one sends."""

    shared = True

    def __init__(self, address: str, node: str) -> None:
        self._address = address
        self._node = node
        self._mailbox = Mailbox()
        self._wanted: set[str] = set()
        self._hearing = self._sending = False
        self._tasks: list[asyncio.Task[None]] = []
        self._receiver: Receiver

    @property
    def trouble(self) -> str | None:
        """Why nothing can be sent or heard now, or None."""
        up = self._hearing and self._sending
        return None if up else "PostgreSQL's notifications cannot be reached"

    async def open(self, receiver: Receiver) -> None:
        """Begin to connect, for as long as it takes."""
        self._receiver = receiver
        self._tasks = [
            asyncio.create_task(self._listen_forever(), name="listen"),
            asyncio.create_task(self._send_forever(), name="notify"),
        ]

    async def close(self) -> None:
        """Send what waits, within CLOSE_S, and disconnect."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                while self._sending and len(self._mailbox):  # noqa: ASYNC110  bounded
                    await asyncio.sleep(MOMENT_S)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def follow(self, restaurant_id: str) -> None:
        """Receive what other nodes send about a restaurant."""
        self._wanted.add(restaurant_id)

    def unfollow(self, restaurant_id: str) -> None:
        """Receive it no longer."""
        self._wanted.discard(restaurant_id)

    def send(self, message: BusMessage) -> None:
        """Send a message soon."""
        self._mailbox.put(message)

    async def _listen_forever(self) -> None:
        while True:
            try:
                await self._listen()
            except (psycopg.Error, OSError) as error:
                _log_lost(error)
            finally:
                self._hearing = False
            await asyncio.sleep(RECONNECT_S)

    async def _listen(self) -> None:
        async with await _connect(self._address) as connection:
            listening: set[str] = set()
            first = True
            while True:
                for restaurant_id in self._wanted - listening:
                    await connection.execute(f'LISTEN "{_channel(restaurant_id)}"')
                    listening.add(restaurant_id)
                for restaurant_id in listening - self._wanted:
                    await connection.execute(f'UNLISTEN "{_channel(restaurant_id)}"')
                    listening.discard(restaurant_id)
                self._hearing = True
                if first:
                    self._receiver.reconnected()
                    first = False
                async for notification in connection.notifies(timeout=TURN_S):
                    self._take(notification.payload)

    def _take(self, payload: str) -> None:
        try:
            node, message = messages.decode(payload.encode())
        except NotABusMessage as error:
            logger.warning("a notification is not ours", why=str(error))
            return
        if node != self._node and message.restaurant_id in self._wanted:
            self._receiver.received(message, node)

    async def _send_forever(self) -> None:
        while True:
            try:
                async with await _connect(self._address) as connection:
                    self._sending = True
                    while True:
                        await self._mailbox.filled()
                        await self._send(connection)
                        await asyncio.sleep(MOMENT_S)
            except (psycopg.Error, OSError) as error:
                _log_lost(error)
            finally:
                self._sending = False
            self._mailbox.drop_live()
            await asyncio.sleep(RECONNECT_S)

    async def _send(self, connection: psycopg.AsyncConnection[tuple[object, ...]]) -> None:
        channels, payloads = [], []
        for message in self._mailbox.take():
            payload = messages.encode(self._node, message)
            # What is too long is left out: a live event then is seen at its own node alone.
            if len(payload) <= MOST_BYTES:
                channels.append(_channel(message.restaurant_id))
                payloads.append(payload.decode())
        await connection.execute(
            "SELECT pg_notify(channel, payload)"
            " FROM unnest(%s::text[], %s::text[]) AS sent (channel, payload)",
            (channels, payloads),
        )


async def _connect(address: str) -> psycopg.AsyncConnection[tuple[object, ...]]:
    given: Mapping[str, Any] = {} if address in KINDS else conninfo.conninfo_to_dict(address)
    whole = conninfo.make_conninfo("", **{**given, **_OPTIONS})
    return await psycopg.AsyncConnection.connect(whole, autocommit=True)


def _channel(restaurant_id: str) -> str:
    return f"order_events_{messages.subject_of(restaurant_id)}"


def _log_lost(error: Exception) -> None:
    # The address, which may have a password, is in no message of the server's.
    why = (str(error).splitlines() or [type(error).__name__])[0]
    logger.warning("PostgreSQL's notifications are gone", why=why)
