"""Square's HTTP API, as far as it is needed: https://developer.squareup.com/reference/square."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

import aiohttp

from order_events.integrations.relay import NotAccepted, Unavailable

PRODUCTION: Final = "https://connect.squareup.com"
SANDBOX: Final = "https://connect.squareupsandbox.com"
VERSION: Final = "2025-05-21"
"""The version of their API that this is written for."""
_TIMEOUT: Final = aiohttp.ClientTimeout(total=30)
_MOST_PAGES: Final = 1_000
_LATER: Final = frozenset({408, 425, 429})

Json = dict[str, Any]


class Refusal(NotAccepted):
    """Square refused a request. `codes` are those of its reasons."""

    def __init__(self, message: str, codes: frozenset[str]) -> None:
        super().__init__(message)
        self.codes = codes


class SquareApi:
    """One seller's account. Raises Unavailable for what may work later, else Refusal."""

    def __init__(self, http: aiohttp.ClientSession, token: str, url: str = PRODUCTION) -> None:
        self._http = http
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}", "Square-Version": VERSION}

    async def location(self, location_id: str) -> Json:
        """Return a location."""
        answer = await self.ask("GET", f"/v2/locations/{location_id}")
        location: Json = answer["location"]
        return location

    async def catalog(self, types: str) -> AsyncIterator[Json]:
        """Yield the catalogue's objects of these types, separated by commas."""
        query = {"types": types}
        for _ in range(_MOST_PAGES):
            answer = await self.ask("GET", "/v2/catalog/list", query=query)
            for found in answer.get("objects", []):
                yield found
            if not answer.get("cursor"):
                return
            query = {"types": types, "cursor": answer["cursor"]}

    async def ask(
        self, method: str, path: str, body: Json | None = None, query: dict[str, str] | None = None
    ) -> Json:
        """Return the answer to a request."""
        url = self._url + path
        try:
            async with self._http.request(
                method, url, json=body, params=query, headers=self._headers, timeout=_TIMEOUT
            ) as answer:
                status, content = answer.status, await answer.json(content_type=None)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise Unavailable(f"Square does not answer: {error}", begun=True) from error
        if status < 300 and isinstance(content, dict):
            return content
        errors = content.get("errors", []) if isinstance(content, dict) else []
        reasons = "; ".join(str(e.get("detail") or e.get("code")) for e in errors)
        why = f"Square answered {status}: {reasons or 'without a reason'}"
        if status >= 500 or status in _LATER:
            raise Unavailable(why, begun=status >= 500)
        raise Refusal(why, frozenset(str(e.get("code")) for e in errors))
