"""What a bus is, and the one for a single process."""

from __future__ import annotations

from typing import Protocol

from order_events.bus.messages import BusMessage


class Receiver(Protocol):
    """Takes what other nodes have sent, on the event loop; must not block."""

    def received(self, message: BusMessage, node: str) -> None:
        """Take a message of another node."""

    def reconnected(self) -> None:
        """Look for what was missed: the bus can be heard (again)."""


class Bus(Protocol):
    """Carries messages between nodes, at most once. Lives on the event loop."""

    @property
    def shared(self) -> bool:
        """True if there may be other nodes."""

    @property
    def trouble(self) -> str | None:
        """Why nothing can be sent or heard now, or None. Everything goes on, a little later."""

    async def open(self, receiver: Receiver) -> None:
        """Begin to connect; return at once, whether or not the bus can be reached."""

    async def close(self) -> None:
        """Send what waits, within a second or so, and disconnect."""

    def follow(self, restaurant_id: str) -> None:
        """Receive what other nodes send about a restaurant."""

    def unfollow(self, restaurant_id: str) -> None:
        """Receive it no longer."""

    def send(self, message: BusMessage) -> None:
        """Send a message soon; wake-ups of one restaurant are merged. Never blocks or fails."""


class LocalBus:
    """The bus of a process that has its database for itself: there is nobody to tell."""

    shared = False
    trouble: str | None = None

    async def open(self, receiver: Receiver) -> None:
        """Do nothing."""

    async def close(self) -> None:
        """Do nothing."""

    def follow(self, restaurant_id: str) -> None:
        """Do nothing."""

    def unfollow(self, restaurant_id: str) -> None:
        """Do nothing."""

    def send(self, message: BusMessage) -> None:
        """Do nothing."""
