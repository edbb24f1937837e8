"""What waits to be written to one connection: bounded, in order, partials merged. Pure."""

from __future__ import annotations

from collections import deque


class _Entry:
    __slots__ = ("key", "payload")

    def __init__(self, payload: bytes, key: str | None) -> None:
        self.payload: bytes | None = payload
        self.key = key


class Outbox:
    """A queue of at most `max_messages` messages and `max_bytes` bytes.

    A message with a key replaces a waiting one of the same key and goes to the end: of a live
    value only the latest is worth sending. Nothing else is ever dropped.
    """

    def __init__(self, max_messages: int, max_bytes: int) -> None:
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._entries: deque[_Entry] = deque()
        self._keyed: dict[str, _Entry] = {}
        self._count = 0
        self._bytes = 0

    def __len__(self) -> int:
        return self._count

    @property
    def half_empty(self) -> bool:
        """Whether there is room for another chunk of history."""
        return self._count * 2 <= self._max_messages and self._bytes * 2 <= self._max_bytes

    def put(self, payload: bytes, key: str | None = None) -> bool:
        """Adds a message; False when there was no room (then nothing changed but the merge).

        A single message larger than `max_bytes` fits into an empty outbox.
        """
        if key is not None:
            self._replace(key)
        too_many = self._count >= self._max_messages
        too_big = self._count > 0 and self._bytes + len(payload) > self._max_bytes
        if too_many or too_big:
            return False
        entry = _Entry(payload, key)
        self._entries.append(entry)
        if key is not None:
            self._keyed[key] = entry
        self._count += 1
        self._bytes += len(payload)
        return True

    def pop(self) -> bytes | None:
        """The next message, None when empty."""
        while self._entries:
            entry = self._entries.popleft()
            if entry.payload is not None:
                self._forget(entry)
                return entry.payload
        return None

    def clear(self) -> None:
        """Drops everything that waits."""
        self._entries.clear()
        self._keyed.clear()
        self._count = 0
        self._bytes = 0

    def _replace(self, key: str) -> None:
        waiting = self._keyed.get(key)
        if waiting is not None and waiting.payload is not None:
            self._forget(waiting)
            waiting.payload = None
            self._compact()

    def _compact(self) -> None:
        # Replaced entries at the front would otherwise pile up behind a reader that has stalled.
        if len(self._entries) > 2 * self._count + 16:
            self._entries = deque(e for e in self._entries if e.payload is not None)

    def _forget(self, entry: _Entry) -> None:
        if entry.payload is not None:
            self._count -= 1
            self._bytes -= len(entry.payload)
        if entry.key is not None:
            self._keyed.pop(entry.key, None)
