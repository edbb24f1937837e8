"""What waits to be sent: wake-ups and usage merged by restaurant, live events the latest by key."""

from __future__ import annotations

import asyncio

from order_events.bus.messages import BusMessage, Live, Usage, Wakeup

MOST_LIVE = 2_000
"""Live events that may wait; beyond that, the oldest are dropped."""

LiveKey = tuple[str, str, str]


class Mailbox:
    """The messages that a bus has not sent yet. While it is away, they stay few."""

    def __init__(self) -> None:
        self._wakeups: dict[str, Wakeup] = {}
        self._usage: dict[str, Usage] = {}
        self._live: dict[LiveKey, Live] = {}
        self._filled = asyncio.Event()

    def __len__(self) -> int:
        return len(self._wakeups) + len(self._usage) + len(self._live)

    def put(self, message: BusMessage) -> None:
        """Add a message, in the place of what it replaces."""
        if isinstance(message, Wakeup):
            earlier = self._wakeups.get(message.restaurant_id)
            merged = message if earlier is None else earlier.merged(message)
            self._wakeups[message.restaurant_id] = merged
        elif isinstance(message, Usage):
            self._usage[message.restaurant_id] = message
        else:
            event = message.event
            self._live[event.restaurant_id, event.type, event.key] = message
            if len(self._live) > MOST_LIVE:
                del self._live[next(iter(self._live))]
        self._filled.set()

    def wake(self) -> None:
        """Let `filled` return."""
        self._filled.set()

    async def filled(self) -> None:
        """Wait until something has been put, or `wake` was called, since the last `take`."""
        await self._filled.wait()

    def take(self) -> list[BusMessage]:
        """Remove and return everything."""
        self._filled.clear()
        taken: list[BusMessage] = [
            *self._wakeups.values(),
            *self._live.values(),
            *self._usage.values(),
        ]
        self._wakeups.clear()
        self._usage.clear()
        self._live.clear()
        return taken

    def drop_live(self) -> None:
        """Drop the live events: late, they would be wrong."""
        self._live.clear()
