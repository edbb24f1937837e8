"""Sockets that are not authenticated yet: how many there are, and which one makes room."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

IDLE_S = 1.0
"""Seconds after which a socket that has not authenticated makes room for one that still may."""


class Stranger:
    """A socket that counts as unauthenticated. `evict` closes it; `since` is monotonic seconds."""

    __slots__ = ("address", "evict", "since")

    def __init__(self, address: str, since: float, evict: Callable[[], None]) -> None:
        self.address = address
        self.since = since
        self.evict = evict


class Strangers:
    """At most `per_address` of one address, and `most` in all.

    A screen authenticates at once, so whoever opens sockets and says nothing cannot keep the others
    of the same address out: the oldest one that has been silent for IDLE_S makes room.
    """

    def __init__(self, per_address: int, most: int) -> None:
        self._per_address = per_address
        self._most = most
        self._of: dict[str, OrderedDict[Stranger, None]] = {}
        self._count = 0

    def enter(self, address: str, now: float, evict: Callable[[], None]) -> Stranger | None:
        """Count a socket; return None, without counting it, if there is no room for it."""
        if len(self._of.get(address, ())) >= self._per_address:
            oldest = next(iter(self._of[address]))
            if now - oldest.since < IDLE_S:
                return None
            self.leave(oldest)
            oldest.evict()
        if self._count >= self._most:
            return None
        stranger = Stranger(address, now, evict)
        self._of.setdefault(address, OrderedDict())[stranger] = None
        self._count += 1
        return stranger

    def leave(self, stranger: Stranger) -> None:
        """Stop counting a socket, if it is counted: it is authenticated now, or gone."""
        same = self._of.get(stranger.address)
        if same is None or stranger not in same:
            return
        del same[stranger]
        self._count -= 1
        if not same:
            del self._of[stranger.address]
