"""A token bucket. Pure: time is an argument, in seconds of any steadily growing clock."""

from __future__ import annotations


class TokenBucket:
    """Lets `per_minute` pass in any minute from full, refilling evenly.

    A burst may use the whole budget at once, or `burst` of it; afterwards one passes every
    60 / per_minute seconds.
    """

    def __init__(self, per_minute: float, now: float, burst: float | None = None) -> None:
        self._capacity = float(per_minute if burst is None else burst)
        self._rate = per_minute / 60.0
        self._tokens = self._capacity
        self._at = now

    def take(self, amount: float, now: float) -> float:
        """0 when `amount` was taken; else nothing was, and the seconds until it could be."""
        self._tokens = min(self._capacity, self._tokens + max(0.0, now - self._at) * self._rate)
        self._at = max(self._at, now)
        # Rounding in the refill must not refuse what is exactly due.
        missing = amount - self._tokens
        if missing <= 1e-9:
            self._tokens = max(0.0, self._tokens - amount)
            return 0.0
        return missing / self._rate
