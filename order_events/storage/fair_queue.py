"""A bounded queue that restaurants take turns in: who has much to do delays nobody else's first."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from queue import Full
from typing import Generic, TypeVar

T = TypeVar("T")


class FairQueue(Generic[T]):
    """Entries of one key leave in the order they came, keys in turn. Any thread may call.

    At most `size` entries wait, of one key at most `share`.
    """

    def __init__(self, size: int, share: int) -> None:
        self._size = size
        self._share = share
        self._count = 0
        self._waiting: OrderedDict[str, deque[T]] = OrderedDict()
        self._closed = False
        self._changed = threading.Condition()

    def __len__(self) -> int:
        return self._count

    @property
    def closed(self) -> bool:
        """Whether no more entries come."""
        return self._closed

    def put(self, key: str, entry: T) -> None:
        """Adds an entry; raises queue.Full."""
        with self._changed:
            if self._count >= self._size or len(self._waiting.get(key, ())) >= self._share:
                raise Full
            self._waiting.setdefault(key, deque()).append(entry)
            self._count += 1
            self._changed.notify()

    def take(self, most: int, timeout_s: float | None = None) -> list[T]:
        """Waits for entries and takes up to `most`; none after the time-out, or once closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._count or self._closed, timeout_s)
            taken = [self._next() for _ in range(min(most, self._count))]
            self._count -= len(taken)
            return taken

    def close(self) -> None:
        """What waits can still be taken; then `take` no longer waits."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _next(self) -> T:
        key, entries = self._waiting.popitem(last=False)
        entry = entries.popleft()
        if entries:
            self._waiting[key] = entries
        return entry
