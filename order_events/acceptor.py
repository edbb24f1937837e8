"""Accepts connections, and goes on when the file descriptors run out.

asyncio's own servers log every failed `accept` with a traceback, hundreds of times a second, and
try again as often.
"""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import socket
import ssl
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import structlog
from aiohttp import web
from yarl import URL

RESERVED = 64
"""File descriptors kept free for the database, its files, the log and key sets."""
UNREAD_MS = 120_000
"""Milliseconds after which the system cuts a peer that acknowledges nothing of what was sent."""
RETRY_S = 0.5
"""Seconds before the next attempt after the system could not accept."""
HANDSHAKE_S = 10.0
"""Seconds that a TLS handshake may take."""
MOST_FILES = 1_048_576
BACKLOG = 1_024
_AT_ONCE = 64
"""Connections accepted before others have their turn."""
_GONE = (BlockingIOError, InterruptedError, ConnectionAbortedError)

logger = structlog.get_logger(__name__)


def raise_open_files(connections: int) -> int:
    """Raise the limit of open files as far as the system allows; return it.

    Logs a warning if it leaves room for fewer than so many connections.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    limit = open_files()
    if limit < connections + RESERVED:
        logger.warning(
            "too few open files are allowed for max_connections; raise the limit (ulimit -n, "
            "LimitNOFILE) or lower the setting",
            open_files=limit,
            max_connections=connections,
        )
    return limit


def open_files() -> int:
    """Return how many files this process may have open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_FILES if soft == resource.RLIM_INFINITY else soft


class _Counted(socket.socket):
    """An accepted socket that says when it is closed."""

    on_close: Callable[[], None] | None = None

    def close(self) -> None:
        super().close()
        on_close, self.on_close = self.on_close, None
        if on_close is not None:
            on_close()


class Site(web.BaseSite):
    """A TCP port. Once all descriptors but the reserved ones are in use, newcomers are refused.

    So are those of an address that has `per_address` connections already; `counts_as` returns what
    an address counts as, or None if it is not counted.
    """

    __slots__ = (
        "_counts_as",
        "_host",
        "_listening",
        "_of_address",
        "_per_address",
        "_port",
        "_retries",
        "_tasks",
    )

    def __init__(
        self,
        runner: web.BaseRunner,
        host: str,
        port: int,
        *,
        ssl_context: ssl.SSLContext | None = None,
        per_address: int = MOST_FILES,
        counts_as: Callable[[str], str | None] = lambda address: address,
    ) -> None:
        super().__init__(runner, ssl_context=ssl_context, backlog=BACKLOG)
        self._per_address = per_address
        self._counts_as = counts_as
        self._of_address: Counter[str] = Counter()
        self._host = host
        self._port = port
        self._listening: list[socket.socket] = []
        self._retries: set[asyncio.TimerHandle] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def name(self) -> str:
        """The address as a URL."""
        scheme = "https" if self._ssl_context else "http"
        return str(URL.build(scheme=scheme, host=self._host, port=self._port))

    async def start(self) -> None:
        """Begin to accept; raise OSError if the address cannot be used."""
        await super().start()
        loop = asyncio.get_running_loop()
        # It binds and owns the sockets; accepting from copies of them is left to us.
        self._server = await loop.create_server(
            self._factory, self._host, self._port, start_serving=False
        )
        for bound in self._server.sockets:
            listening = socket.socket(fileno=os.dup(bound.fileno()))
            listening.setblocking(False)
            listening.listen(self._backlog)
            self._listening.append(listening)
            loop.add_reader(listening.fileno(), self._accept, listening)

    async def stop(self) -> None:
        """Stop accepting; connections stay open."""
        loop = asyncio.get_running_loop()
        for retry in self._retries:
            retry.cancel()
        for listening in self._listening:
            loop.remove_reader(listening.fileno())
            listening.close()
        self._listening.clear()
        await super().stop()

    def _factory(self) -> asyncio.Protocol:
        server = self._runner.server
        if server is None:
            raise RuntimeError("the runner has been cleaned up")
        protocol: asyncio.Protocol = server()
        return protocol

    def _accept(self, listening: socket.socket) -> None:
        highest = open_files() - RESERVED
        for _ in range(_AT_ONCE):
            try:
                connection, address = listening.accept()
            except _GONE:
                return
            except OSError as error:
                self._pause(listening, error)
                return
            # The system gives out the lowest free number, so a high one means that few are left.
            if connection.fileno() >= highest:
                connection.close()
                logger.error("a connection was refused: too many files are open", limit=highest)
                continue
            counted = self._counted(connection, str(address[0]))
            if counted is None:
                continue
            task = asyncio.get_running_loop().create_task(self._serve(counted))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _counted(self, connection: socket.socket, address: str) -> socket.socket | None:
        """Return the connection, counted; close it and return None if there are too many."""
        key = self._counts_as(address)
        if key is not None and self._of_address[key] >= self._per_address:
            connection.close()
            logger.warning("a connection was refused: too many of one address", address=key)
            return None
        counted = _Counted(fileno=connection.detach())
        if key is not None:
            self._of_address[key] += 1
            counted.on_close = partial(self._left, key)
        counted.setblocking(False)
        counted.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_MS)
        return counted

    def _left(self, key: str) -> None:
        self._of_address[key] -= 1
        if self._of_address[key] <= 0:
            del self._of_address[key]

    async def _serve(self, connection: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        options: dict[str, Any] = {"ssl": self._ssl_context}
        if self._ssl_context is not None:
            options["ssl_handshake_timeout"] = HANDSHAKE_S
        try:
            await loop.connect_accepted_socket(self._factory, connection, **options)
        except OSError as error:
            # The peer left, or its TLS handshake failed (SSLError is an OSError).
            connection.close()
            logger.debug("a connection could not be opened", why=str(error))

    def _pause(self, listening: socket.socket, error: OSError) -> None:
        logger.error(
            "connections cannot be accepted",
            why=str(error),
            resource=error.errno in (errno.EMFILE, errno.ENFILE),
        )
        loop = asyncio.get_running_loop()
        loop.remove_reader(listening.fileno())

        def retry() -> None:
            self._retries.discard(timer)
            loop.add_reader(listening.fileno(), self._accept, listening)

        timer = loop.call_later(RETRY_S, retry)
        self._retries.add(timer)
