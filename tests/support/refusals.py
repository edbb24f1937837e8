"""What a client is told when it is refused."""

from __future__ import annotations

from typing import Any


async def refused(client: Any, code: str = "UNAUTHORIZED", close: int = 1008) -> dict[str, Any]:
    """Return the error sent before the socket is closed; check its code and the close code."""
    error: dict[str, Any] = await client.until("error")
    assert error["data"]["code"] == code
    assert await client.close_code() == close
    return error
