"""How long to wait before connecting again. Pure: times are the caller's, in seconds."""

from __future__ import annotations

import random
from typing import Final

_FIRST_S: Final = 1.0
_LAST_S: Final = 30.0
_STEADY_S: Final = 10.0
"""A server that admits clients and drops them at once must not be called every second, so only a
connection that lasted this long counts as a success."""


class Backoff:
    """1 s, doubling to 30 s, each less a random part of up to half.

    The random part keeps the clients of a restaurant from all coming back at once.
    """

    def __init__(self) -> None:
        self._attempt = 0
        self._online_at: float | None = None

    def online(self, now: float) -> None:
        """Note that the connection has been authenticated."""
        self._online_at = now

    def next(self, now: float) -> float:
        """Return how long to wait after a connection that ended `now`, or never was."""
        if self._online_at is not None and now - self._online_at >= _STEADY_S:
            self._attempt = 0
        self._online_at = None
        wait = min(_LAST_S, _FIRST_S * 2.0**self._attempt)
        # Capped, because the power would otherwise grow without bound.
        self._attempt = min(self._attempt + 1, 10)
        return wait * random.uniform(0.5, 1.0)  # noqa: S311  not a secret
