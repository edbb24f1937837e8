"""Public keys for RS256 and ES256 tokens, from a JSON Web Key Set in a file or at a URL."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import structlog
from aiohttp import web

from order_events.auth.tokens import AuthError, UnknownKey
from order_events.protocol.messages import ErrorCode, ProtocolError

ALGORITHMS = frozenset({"RS256", "ES256"})
MIN_RSA_BITS = 2048
MAX_BYTES = 262_144
MAX_KEYS = 100
FETCH_TIMEOUT_S = 10.0
EARLY_REFRESH_S = 2.0
"""Least seconds between two refreshes, even if unknown key ids keep appearing."""
WAIT_S = 12.0
"""Most seconds a token with an unknown key waits for a refresh."""
MOST_WAITING = 500
"""Most tokens that wait for one."""

Locate = Callable[[], Awaitable[str]]

logger = structlog.get_logger(__name__)


def parse(text: str | bytes) -> dict[str, tuple[Any, str]]:
    """Return the usable keys by their id, each with its one algorithm.

    Keys of other kinds are left out. Raises ValueError if the text is not a key set, or has keys
    and none that is usable. An empty set is valid: its issuer has withdrawn all keys.
    """
    try:
        content = json.loads(text)
    except RecursionError:
        raise ValueError("the key set is nested too deeply") from None
    entries = content.get("keys") if isinstance(content, dict) else None
    if not isinstance(entries, list) or len(entries) > MAX_KEYS:
        raise ValueError(f"a key set has `keys`, at most {MAX_KEYS}")
    keys = {}
    for entry in entries:
        usable = _key(entry)
        if usable is not None:
            keys[str(entry.get("kid", ""))] = usable
    if entries and not keys:
        raise ValueError("the key set has no usable RS256 or ES256 key")
    return keys


def _key(entry: Any) -> tuple[Any, str] | None:
    if not isinstance(entry, dict) or entry.get("use", "sig") != "sig":
        return None
    try:
        key = jwt.PyJWK(entry)
    except (jwt.PyJWTError, ValueError, TypeError):
        # One broken key must not make the others unusable.
        return None
    if key.algorithm_name not in ALGORITHMS:
        return None
    if getattr(key.key, "key_size", MIN_RSA_BITS) < MIN_RSA_BITS and key.key_type == "RSA":
        return None
    return key.key, key.algorithm_name


async def fetch(address: str) -> bytes:
    """Return what an address answers; raise ValueError, ClientError or TimeoutError."""
    timeout = aiohttp.ClientTimeout(total=FETCH_TIMEOUT_S)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.get(address, allow_redirects=False) as response,
    ):
        if response.status != 200:
            raise ValueError(f"{address}: status {response.status}")
        body = b""
        async for chunk in response.content.iter_chunked(65_536):
            body += chunk
            if len(body) > MAX_BYTES:
                raise ValueError(f"{address}: more than {MAX_BYTES} bytes")
        return body


class KeySet:
    """A key set that is reread every `refresh_s` seconds, and when an unknown key id appears.

    While it cannot be read, the last known keys stay valid, for at most `max_age_s` seconds.
    `source` is a file, an address, or a function that returns an address.
    """

    def __init__(self, source: str | Locate, refresh_s: float, max_age_s: float = 86_400) -> None:
        self._source = source
        self._refresh_s = refresh_s
        self._max_age_s = max_age_s
        self._keys: dict[str, tuple[Any, str]] = {}
        self._read_at: float | None = None
        self._wanted = asyncio.Event()
        self._waiting: list[asyncio.Future[bool]] = []

    @property
    def trouble(self) -> str | None:
        """Why no token of an issuer can be accepted, or None."""
        if not self._known():
            return "the key set has not been read"
        return None if self._keys else "the key set is empty"

    def _known(self) -> bool:
        return self._read_at is not None and time.monotonic() - self._read_at < self._max_age_s

    def find(self, header: Mapping[str, Any]) -> tuple[Any, str]:
        """Return the key and algorithm for a token's header; raise UnknownKey or AuthError."""
        keys = self._keys if self._known() else {}
        key_id = header.get("kid", "")
        found = keys.get(key_id) if isinstance(key_id, str) else None
        if found is None and not key_id and len(keys) == 1:
            found = next(iter(keys.values()))
        if found is None:
            raise UnknownKey("the token's key is not known")
        if header.get("alg") != found[1]:
            raise AuthError("the token's algorithm is not accepted")
        return found

    async def reread(self) -> None:
        """Wait until the set has been read anew, because a key may just have been published.

        Raises ProtocolError(UNAVAILABLE) if it cannot be read.
        """
        if len(self._waiting) < MOST_WAITING:
            read: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
            self._waiting.append(read)
            self._wanted.set()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(WAIT_S):
                    if await read:
                        return
        raise ProtocolError(
            ErrorCode.UNAVAILABLE,
            "tokens cannot be checked now: their key set cannot be read",
            retry_after_ms=round(1000 * EARLY_REFRESH_S),
        )

    async def run(self, app: web.Application) -> AsyncIterator[None]:
        """Keep the keys fresh while the application runs."""
        await self.refresh()
        task = asyncio.create_task(self._refresh_forever(), name="key set")
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def refresh(self) -> None:
        """Read the key set; a failure is logged and changes nothing."""
        waiting, self._waiting = self._waiting, []
        self._wanted.clear()
        good = False
        try:
            self._keys = parse(await self._read())
            self._read_at = time.monotonic()
            good = True
        except (OSError, ValueError, aiohttp.ClientError, TimeoutError) as error:
            logger.warning(
                "the key set could not be read", source=str(self._source), why=str(error)
            )
        finally:
            for read in waiting:
                if not read.done():
                    read.set_result(good)

    async def _read(self) -> bytes:
        source = self._source if isinstance(self._source, str) else await self._source()
        if not source.startswith(("http://", "https://")):
            return await asyncio.to_thread(Path(source).read_bytes)
        return await fetch(source)

    async def _refresh_forever(self) -> None:
        while True:
            early = min(EARLY_REFRESH_S, self._refresh_s)
            await asyncio.sleep(early)
            late = self._refresh_s - early if self._known() else 0.0
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(late):
                    await self._wanted.wait()
            await self.refresh()
