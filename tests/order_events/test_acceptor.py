"""Accepting connections: what the system allows, and what happens when it can give no more."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from typing import Any

import pytest
from structlog.testing import capture_logs

from order_events import acceptor
from order_events.acceptor import Site, raise_open_files


def test_more_connections_than_files_are_warned_about() -> None:
    """The soft limit has been raised as far as it goes by then."""
    with capture_logs() as lines:
        limit = raise_open_files(acceptor.MOST_FILES)
    assert [(line["log_level"], line["open_files"]) for line in lines] == [("warning", limit)]
    with capture_logs() as lines:
        raise_open_files(1)
    assert lines == []


async def test_a_system_that_cannot_accept_is_asked_again_later(
    start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not in a loop, and it goes on by itself."""
    server = await start()
    accept, tries = socket.socket.accept, 0

    def failing(self: socket.socket) -> Any:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise OSError(errno.EMFILE, "too many open files")
        return accept(self)

    monkeypatch.setattr(acceptor, "RETRY_S", 0.01)
    monkeypatch.setattr(socket.socket, "accept", failing)
    with capture_logs() as lines:
        async with asyncio.timeout(20), server.session.get(f"{server.url}/healthz") as answer:
            assert answer.status == 200
    assert [line["event"] for line in lines].count("connections cannot be accepted") == 2


async def test_an_address_has_so_many_connections_and_not_one_more(start: Any) -> None:
    """HTTP and sockets together; one that is closed makes room."""
    server = await start()
    limited = Site(server.runner, "127.0.0.1", 0, per_address=3)
    await limited.start()
    port = server.runner.addresses[-1][1]
    opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
    reader, refused = await asyncio.open_connection("127.0.0.1", port)
    with contextlib.suppress(ConnectionError):
        assert await reader.read() == b""
    refused.close()
    opened[0][1].close()
    for _ in range(500):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with contextlib.suppress(ConnectionError):
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            if (await reader.read(12)).endswith(b"200"):
                break
        writer.close()
    else:
        raise AssertionError("no room was made")
    for _, stream in (*opened, (reader, writer)):
        stream.close()
