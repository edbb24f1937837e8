"""Public keys from a JSON Web Key Set, a file or a URL, for RS256 and ES256 tokens."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import structlog
from aiohttp import web

from order_events.auth.tokens import AuthError

ALGORITHMS = frozenset({"RS256", "ES256"})
MIN_RSA_BITS = 2048
MAX_BYTES = 262_144
MAX_KEYS = 100
FETCH_TIMEOUT_S = 10.0
EARLY_REFRESH_S = 10.0
"""An unknown key id makes us look again, but no more often than this."""

logger = structlog.get_logger(__name__)


def parse(text: str | bytes) -> dict[str, tuple[Any, str]]:
    """Keys by their id, each with its one algorithm; those of other kinds are left out.

    Raises ValueError when the text is no key set or has no usable key.
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
    if not keys:
        raise ValueError("the key set has no usable RS256 or ES256 key")
    return keys


def _key(entry: Any) -> tuple[Any, str] | None:
    if not isinstance(entry, dict) or entry.get("use", "sig") != "sig":
        return None
    try:
        key = jwt.PyJWK(entry)
    except (jwt.PyJWTError, ValueError, TypeError):
        # One key that is broken must not cost us the others.
        return None
    if key.algorithm_name not in ALGORITHMS:
        return None
    if getattr(key.key, "key_size", MIN_RSA_BITS) < MIN_RSA_BITS and key.key_type == "RSA":
        return None
    return key.key, key.algorithm_name


class KeySet:
    """A key set that is read again every `refresh_s` seconds, and when a new key id appears.

    While it cannot be read, the keys known last stay.
    """

    def __init__(self, source: str, refresh_s: float) -> None:
        self._source = source
        self._refresh_s = refresh_s
        self._keys: dict[str, tuple[Any, str]] = {}
        self._unknown = asyncio.Event()

    @property
    def loaded(self) -> bool:
        """Whether there are keys."""
        return bool(self._keys)

    def find(self, header: Mapping[str, Any]) -> tuple[Any, str]:
        """The key and algorithm for a token's header; raises AuthError."""
        key_id = header.get("kid", "")
        found = self._keys.get(key_id) if isinstance(key_id, str) else None
        if found is None and not key_id and len(self._keys) == 1:
            found = next(iter(self._keys.values()))
        if found is None:
            self._unknown.set()
            raise AuthError("the token's key is not known")
        if header.get("alg") != found[1]:
            raise AuthError("the token's algorithm is not accepted")
        return found

    async def run(self, app: web.Application) -> AsyncIterator[None]:
        """Keeps the keys fresh while the application runs."""
        await self.refresh()
        task = asyncio.create_task(self._refresh_forever(), name="key set")
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def refresh(self) -> None:
        """Reads the key set; a failure is logged and changes nothing."""
        try:
            self._keys = parse(await self._read())
        except (OSError, ValueError, aiohttp.ClientError, TimeoutError) as error:
            logger.warning("the key set could not be read", source=self._source, why=str(error))

    async def _read(self) -> bytes:
        if not self._source.startswith(("http://", "https://")):
            return await asyncio.to_thread(Path(self._source).read_bytes)
        timeout = aiohttp.ClientTimeout(total=FETCH_TIMEOUT_S)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(self._source, allow_redirects=False) as response,
        ):
            if response.status != 200:
                raise ValueError(f"status {response.status}")
            body = b""
            async for chunk in response.content.iter_chunked(65_536):
                body += chunk
                if len(body) > MAX_BYTES:
                    raise ValueError(f"more than {MAX_BYTES} bytes")
            return body

    async def _refresh_forever(self) -> None:
        while True:
            early = min(EARLY_REFRESH_S, self._refresh_s)
            await asyncio.sleep(early)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._refresh_s - early):
                    await self._unknown.wait()
            self._unknown.clear()
            await self.refresh()
