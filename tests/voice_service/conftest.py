"""One recogniser for all tests, and servers around it with real sockets and databases."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from support.voice_server import Server, Start, tiny

from voice_service.asr.recognizer import Recognizer


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make tests run with the defaults unless they set something else."""
    for name in list(os.environ):
        if name.startswith("VOICE_") or name == "LOG_LEVEL":
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def recognizer() -> Recognizer:
    """Load tiny.en once."""
    return tiny()


@pytest.fixture
async def start(recognizer: Recognizer, tmp_path: Path) -> AsyncIterator[Start]:
    """Return a function that starts a server with settings; all are stopped at the end."""
    async with AsyncExitStack() as stack:

        async def start_one(**settings: Any) -> Server:
            server = Server(recognizer, tmp_path / "data", settings)
            return await stack.enter_async_context(server)

        yield start_one


@pytest.fixture
async def server(start: Start) -> Server:
    """Start a server with the default settings and the demo restaurant."""
    return await start()
