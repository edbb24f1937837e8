"""One delivery: a signed POST, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

import aiohttp

from order_events.client.webhooks import sign
from order_events.webhooks import addresses
from order_events.webhooks.addresses import PublicResolver, Resolver, is_private, literal

_GONE = 410
_MOST_CONNECTIONS = 100
_MOST_WAIT_S = 3_600.0
"""Longest `Retry-After` that is heeded, in seconds."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a delivery: the status of the answer, and why it counts as failed, if it does.

    `gone` is true if the receiver wants no more; `retry_after` are seconds.
    """

    status: int | None = None
    problem: str | None = None
    gone: bool = False
    retry_after: float = 0.0

    @property
    def delivered(self) -> bool:
        """True if the receiver has taken the event."""
        return self.problem is None


class Sender:
    """The connections to receivers. Use it on one event loop, and close it."""

    def __init__(self, timeout_s: float, *, private_networks: bool) -> None:
        self._private_networks = private_networks
        self._resolver = Resolver() if private_networks else PublicResolver()
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=_MOST_CONNECTIONS, resolver=self._resolver),
            timeout=aiohttp.ClientTimeout(total=timeout_s),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def close(self) -> None:
        """Drop every connection."""
        await self._http.close()
        await self._resolver.close()

    async def check(self, url: str) -> None:
        """Raise ProtocolError for an address to which it does not deliver."""
        if isinstance(self._resolver, PublicResolver):
            await addresses.check(url, self._resolver)

    async def send(self, url: str, secrets: Iterable[str], message_id: str, body: bytes) -> Outcome:
        """Deliver a message once. Never raises: every failure is an outcome."""
        host = literal(url)
        # The resolver is not asked about addresses that are written as numbers.
        if host is not None and is_private(host) and not self._private_networks:
            return Outcome(problem="it leads into a private network")
        now = int(time.time())
        headers = {
            "Content-Type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(now),
            "webhook-signature": " ".join(sign(each, message_id, now, body) for each in secrets),
        }
        try:
            # A redirect could lead anywhere, so it counts as a failure.
            async with self._http.post(
                url, data=body, headers=headers, allow_redirects=False
            ) as answer:
                return _outcome(answer)
        except TimeoutError:
            return Outcome(problem="no answer in time")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Outcome(problem=f"no connection: {error}"[:300])


def _outcome(answer: aiohttp.ClientResponse) -> Outcome:
    if answer.status // 100 == 2:
        return Outcome(answer.status)
    asked = answer.headers.get("Retry-After", "")
    return Outcome(
        answer.status,
        f"the answer was {answer.status} {answer.reason or ''}".strip(),
        gone=answer.status == _GONE,
        retry_after=min(_MOST_WAIT_S, float(asked)) if asked.isdecimal() else 0.0,
    )
