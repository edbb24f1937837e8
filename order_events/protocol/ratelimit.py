"""Token buckets, and the error for exceeding one. Pure.

Times are arguments, in seconds of any monotonic clock.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

from order_events.protocol.messages import ErrorCode, ProtocolError

K = TypeVar("K", bound=Hashable)


class TokenBucket:
    """Allows `per_minute` per minute, refilled evenly.

    A full bucket holds a whole minute's budget, or `burst` if given, which may be used at once;
    after that one passes every 60 / per_minute seconds.
    """

    def __init__(self, per_minute: float, now: float, burst: float | None = None) -> None:
        self._capacity = float(per_minute if burst is None else burst)
        self._rate = per_minute / 60.0
        self._tokens = self._capacity
        self._at = now

    def take(self, amount: float, now: float) -> float:
        """Take `amount` and return 0.

        If there is too little, take nothing and return the seconds until there will be enough.
        """
        self._refill(now)
        # Tolerates rounding in the refill: what is exactly due must not be refused.
        missing = amount - self._tokens
        if missing <= 1e-9:
            self._tokens = max(0.0, self._tokens - amount)
            return 0.0
        return missing / self._rate

    def debit(self, amount: float, now: float) -> None:
        """Take what has been used already, at most a whole bucket below nothing."""
        self._refill(now)
        self._tokens = max(-self._capacity, self._tokens - amount)

    def give_back(self, amount: float) -> None:
        """Return what was taken and not used."""
        self._tokens = min(self._capacity, self._tokens + amount)

    def _refill(self, now: float) -> None:
        self._tokens = min(self._capacity, self._tokens + max(0.0, now - self._at) * self._rate)
        self._at = max(self._at, now)


class Buckets(Generic[K]):
    """A bucket per key. Beyond `most` buckets, the one unused longest is dropped."""

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._buckets: OrderedDict[K, TokenBucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, key: K, per_minute: float, now: float, burst: float | None = None) -> float:
        """Take one and return 0, or return the seconds until one is available."""
        return self._bucket(key, per_minute, now, burst).take(1, now)

    def debit(self, key: K, amount: float, per_minute: float, now: float) -> None:
        """Take what has been used elsewhere."""
        self._bucket(key, per_minute, now, None).debit(amount, now)

    def _bucket(self, key: K, per_minute: float, now: float, burst: float | None) -> TokenBucket:
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = TokenBucket(per_minute, now, burst)
            if len(self._buckets) > self._most:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(key)
        return bucket

    def give_back(self, key: K) -> None:
        """Return one that was taken and not used."""
        bucket = self._buckets.get(key)
        if bucket is not None:
            bucket.give_back(1)


def refuse_above_rate(wait_s: float, what: str, advice: str | None = None) -> None:
    """Raise ProtocolError(RATE_LIMITED) if a bucket asks to wait `wait_s` seconds.

    `advice` says how to stay below the rate.
    """
    if wait_s > 0:
        text = f"too many {what}; this one had no effect"
        raise ProtocolError(
            ErrorCode.RATE_LIMITED,
            text if advice is None else f"{text}; {advice}",
            retry_after_ms=int(wait_s * 1000) + 1,
        )
