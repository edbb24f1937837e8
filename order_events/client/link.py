"""One connection: authenticated, its token renewed while it lasts, read message by message."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import aiohttp

Message = dict[str, Any]
TokenSource = str | Callable[[], str | Awaitable[str]]
"""A token, or a function that returns a fresh one each time it is called."""

HEARTBEAT_S: Final = 30.0
_ANSWER_S: Final = 15.0
"""Seconds until a server that has not confirmed the connection is given up."""
_MOST_BYTES: Final = 16 * 1024 * 1024
_POLICY: Final = 1008
_REFUSED_UPGRADES: Final = range(400, 500)
_PASSING_UPGRADES: Final = frozenset({408, 425, 429})
_RENEWAL: Final = "renew"


class Refused(Exception):
    """The server does not accept this client; trying again with the same token cannot help.

    `code` is the protocol's error code, or `HTTP_` and the status of a refused upgrade.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class LinkLost(Exception):
    """The connection is over. Wait at least `retry_after` seconds before the next."""

    def __init__(self, retry_after: float = 0.0) -> None:
        super().__init__("the connection was lost")
        self.retry_after = retry_after


async def fresh(token: TokenSource) -> str:
    """Return a token to authenticate with now."""
    if isinstance(token, str):
        return token
    given = token()
    return await given if inspect.isawaitable(given) else given


class Link:
    """A connection whose first message is `auth`, with `extra` beside its token."""

    def __init__(
        self,
        socket: aiohttp.ClientWebSocketResponse,
        token: TokenSource,
        extra: Mapping[str, Any],
    ) -> None:
        self._socket = socket
        self._token = token
        self._extra = extra
        self._authenticated = False
        self._retry_after = 0.0
        self._error: Message = {}

    async def messages(self) -> AsyncIterator[Message]:
        """Yield what the server sends, batches split into their events.

        Raises LinkLost at the end, or Refused.
        """
        await self._send_auth()
        while True:
            received = await self._socket.receive(None if self._authenticated else _ANSWER_S)
            if received.type is not aiohttp.WSMsgType.TEXT:
                raise self._ending()
            message: Message = json.loads(received.data)
            if message["type"] == "batch":
                for event in message["events"]:
                    yield event
                continue
            await self._notice(message)
            yield message

    async def send(self, message: Message) -> None:
        """Send a message; raise ConnectionError if the connection is gone."""
        await self._socket.send_json(message)

    async def _send_auth(self, **more: Any) -> None:
        token = await fresh(self._token)
        await self.send({"type": "auth", "token": token, **(more or self._extra)})

    async def _notice(self, message: Message) -> None:
        data = message.get("data", {})
        match message["type"]:
            case "connected":
                self._authenticated = True
            case "auth:expiring" if not isinstance(self._token, str):
                await self._send_auth(id=_RENEWAL)
            case "going_away":
                self._retry_after = data["retry_after_ms"] / 1000
            case "error":
                self._error = data
                if data["code"] == "OVERLOADED":
                    self._retry_after = data.get("retry_after_ms", 0) / 1000

    def _ending(self) -> Exception:
        # A token that was accepted once has expired or was revoked; a fresh one may be accepted.
        final = isinstance(self._token, str) or not self._authenticated
        if self._socket.close_code == _POLICY and final:
            message = self._error.get("message", "the server closed the connection")
            return Refused(self._error.get("code", "UNAUTHORIZED"), message)
        return LinkLost(self._retry_after)


@asynccontextmanager
async def connected(
    http: aiohttp.ClientSession, url: str, token: TokenSource, extra: Mapping[str, Any]
) -> AsyncIterator[Link]:
    """Open a connection; raise LinkLost, or Refused if the server will not have it upgraded."""
    try:
        async with asyncio.timeout(_ANSWER_S):
            socket = await http.ws_connect(url, heartbeat=HEARTBEAT_S, max_msg_size=_MOST_BYTES)
    except aiohttp.WSServerHandshakeError as error:
        if error.status in _REFUSED_UPGRADES and error.status not in _PASSING_UPGRADES:
            raise Refused(f"HTTP_{error.status}", f"{url} is not a socket for us") from error
        raise LinkLost from error
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise LinkLost from error
    async with socket:
        try:
            yield Link(socket, token, extra)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise LinkLost from error
