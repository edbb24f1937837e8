"""The browser of the tests: Chromium as the system has it, with a recording as its microphone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from playwright.async_api import Browser, Playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)


async def launch(playwright: Playwright, recording: Path) -> Browser:
    """Start the browser; each page that opens the microphone hears the recording once."""
    executable = next(filter(None, map(shutil.which, _NAMES)), None)
    if executable is None:
        pytest.fail("no browser: install one with `apt-get install -y chromium`", pytrace=False)
    microphone = f"--use-file-for-fake-audio-capture={recording}%noloop"
    return await playwright.chromium.launch(
        executable_path=executable, headless=True, args=[*_ARGUMENTS, microphone]
    )
