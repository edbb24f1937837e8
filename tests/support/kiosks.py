"""A voice service for kiosks whose microphones hear nothing, so that guests tap."""

from __future__ import annotations

import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from support.screens import Screens, browsing
from support.voice_server import Server, tiny

from order_events.auth.tokens import Role


class Restaurant:
    """The service, as `Screens` wants it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.url = server.url

    def token(self, user: str, role: Role, restaurant: str = "demo") -> str:
        """Return a token of the restaurant."""
        return self.server.token(role, user, restaurant)


@asynccontextmanager
async def open_restaurant(data_dir: Path) -> AsyncIterator[Restaurant]:
    """Run the service with tiny.en."""
    async with Server(tiny(), data_dir, {"http_per_minute": 10_000}) as server:
        yield Restaurant(server)


@asynccontextmanager
async def open_kiosks(restaurant: Restaurant, folder: Path) -> AsyncIterator[Screens]:
    """Run a browser whose microphone hears nothing; the sound of that goes into a folder."""
    silence = folder / "silence.wav"
    with wave.open(str(silence), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(bytes(2 * 16_000 * 60))
    async with browsing(silence) as browser:
        yield Screens(browser, restaurant)
