"""Plain HTTP requests to a test server."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import aiohttp


async def get(server: Any, path: str, **options: Any) -> tuple[int, str, Any]:
    """Send a plain GET; return status, text and headers."""
    async with server.session.get(server.url + path, **options) as response:
        return response.status, await response.text(), response.headers


async def ask(server: Any, path: str, **headers: str) -> aiohttp.ClientResponse:
    """Send a GET; return the response with its body read."""
    async with server.session.get(server.url + path, headers=headers) as response:
        await response.read()
        answer: aiohttp.ClientResponse = response
        return answer


async def statuses(server: Any, times: int, path: str = "/v1/orders", **headers: str) -> list[int]:
    """Send that many GETs; return their statuses."""
    return [(await ask(server, path, **headers)).status for _ in range(times)]


async def slow_request(server: Any, path: str, token: str) -> socket.socket:
    """Send a request of whose answer nobody reads more than the beginning."""
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    slow.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(slow, ("127.0.0.1", server.port))
    lines = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n"
    await loop.sock_sendall(slow, lines.encode())
    assert await loop.sock_recv(slow, 12) == b"HTTP/1.1 200"
    return slow
