"""A bounded queue that serves restaurants in turn, so that a busy one does not delay the others."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from queue import Full
from typing import Generic, TypeVar

T = TypeVar("T")


class FairQueue(Generic[T]):
    """Entries of one key leave in order of arrival, and keys take turns. Thread-safe.

    At most `size` entries wait, and at most `share` of one key.
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
        """True once no more entries will be added."""
        return self._closed

    def put(self, key: str, entry: T) -> None:
        """Add an entry; raise queue.Full."""
        with self._changed:
            if self._count >= self._size or len(self._waiting.get(key, ())) >= self._share:
                raise Full
            self._waiting.setdefault(key, deque()).append(entry)
            self._count += 1
            self._changed.notify()

    def take(self, most: int, timeout_s: float | None = None) -> list[T]:
        """Wait for entries, then remove and return up to `most`.

        Returns none after the timeout, or once the queue is closed and empty.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._count or self._closed, timeout_s)
            taken = [self._next() for _ in range(min(most, self._count))]
            self._count -= len(taken)
            return taken

    def close(self) -> None:
        """Stop waiting in `take`; entries that wait can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _next(self) -> T:
        key, entries = self._waiting.popitem(last=False)
        entry = entries.popleft()
        if entries:
            self._waiting[key] = entries
        return entry
