"""The frames waiting to be written to one connection: bounded, in order, partials merged. Pure."""

from __future__ import annotations

from collections import deque


class _Entry:
    __slots__ = ("frame", "key")

    def __init__(self, frame: bytes, key: str | None) -> None:
        self.frame: bytes | None = frame
        self.key = key


class Outbox:
    """A queue of at most `max_messages` frames and `max_bytes` bytes.

    A frame with a key replaces a waiting one with the same key and goes to the end: of a live
    value, only the latest is worth sending. Nothing else is ever dropped.
    """

    __slots__ = ("_bytes", "_count", "_entries", "_keyed", "_max_bytes", "_max_messages")

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
    def size(self) -> int:
        """How many bytes wait."""
        return self._bytes

    @property
    def half_empty(self) -> bool:
        """True if at least half of the frames and half of the bytes are free."""
        return self._count * 2 <= self._max_messages and self._bytes * 2 <= self._max_bytes

    def put(self, frame: bytes, key: str | None = None) -> bool:
        """Add a frame; return False if there is no room.

        Even then, a waiting frame with the same key has been removed. A single frame larger than
        `max_bytes` fits into an empty outbox.
        """
        if key is not None:
            self._replace(key)
        too_many = self._count >= self._max_messages
        too_big = self._count > 0 and self._bytes + len(frame) > self._max_bytes
        if too_many or too_big:
            return False
        entry = _Entry(frame, key)
        self._entries.append(entry)
        if key is not None:
            self._keyed[key] = entry
        self._count += 1
        self._bytes += len(frame)
        return True

    def take(self, enough: int) -> list[bytes]:
        """Remove and return frames until they have `enough` bytes or none are left."""
        taken: list[bytes] = []
        size = 0
        while self._entries and size < enough:
            entry = self._entries.popleft()
            if entry.frame is not None:
                self._forget(entry)
                taken.append(entry.frame)
                size += len(entry.frame)
        return taken

    def clear(self) -> None:
        """Drop everything that waits."""
        self._entries.clear()
        self._keyed.clear()
        self._count = 0
        self._bytes = 0

    def _replace(self, key: str) -> None:
        waiting = self._keyed.get(key)
        if waiting is not None and waiting.frame is not None:
            self._forget(waiting)
            waiting.frame = None
            self._compact()

    def _compact(self) -> None:
        # Otherwise replaced entries would pile up while the reader is stalled.
        if len(self._entries) > 2 * self._count + 16:
            self._entries = deque(e for e in self._entries if e.frame is not None)

    def _forget(self, entry: _Entry) -> None:
        if entry.frame is not None:
            self._count -= 1
            self._bytes -= len(entry.frame)
        if entry.key is not None:
            self._keyed.pop(entry.key, None)
