"""Plain HTTP requests to a test server."""

from __future__ import annotations

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
