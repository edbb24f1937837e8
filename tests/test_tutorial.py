"""The tutorial, step by step, as a reader would run it."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import async_playwright, expect
from support.paths import ROOT

TEXT = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SOON = 20_000
"""Milliseconds that a page may take on a busy machine."""


def blocks() -> Iterator[tuple[str, str | None, str]]:
    """Yield the code of the tutorial: its language, the file to save it as, and itself."""
    end = 0
    for fence in re.finditer(r"^```(\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL):
        named = re.search(r"[Ss]ave this as `([\w.]+)`", TEXT[end : fence.start()])
        yield fence[1], named and named[1], fence[2]
        end = fence.end()


class Terminal:
    """A shell in which the steps are run, one after another."""

    def __init__(self, folder: Path, ports: dict[str, str]) -> None:
        self._ports = ports
        self.folder = folder
        self._shell = subprocess.Popen(
            ["bash", "-e"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def own(self, text: str) -> str:
        """Return the text with ports that are free here."""
        for theirs, ours in self._ports.items():
            text = text.replace(theirs, ours)
        return text

    def run(self, commands: str) -> str:
        """Run commands; return what they print, or fail if one of them does."""
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        step = self.folder / "step.sh"
        step.write_text(self.own(commands), encoding="utf-8")
        # From a file, so that no command reads the next one as its input.
        # After a line break, because an answer of curl has none at its end.
        self._shell.stdin.write(f". {step} < /dev/null\necho\necho the step is done\n")
        self._shell.stdin.flush()
        printed = ""
        for line in self._shell.stdout:
            if line == "the step is done\n":
                return printed
            printed += line
        raise AssertionError(f"a command failed:\n{commands}\n{printed}")

    def close(self) -> None:
        """End the shell and whatever it has started."""
        for job in self._jobs():
            subprocess.run(["kill", job], check=False, stderr=subprocess.DEVNULL)
        self._shell.kill()
        self._shell.wait()

    def _jobs(self) -> list[str]:
        children = Path(f"/proc/{self._shell.pid}/task/{self._shell.pid}/children")
        return children.read_text().split() if children.exists() else []


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """A terminal in a clone that has been installed (step 1)."""
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / "clients").symlink_to(ROOT / "clients")
    opened = Terminal(tmp_path, {"3001": free_port(), "8080": free_port()})
    # What a command starts listens where the server of this test does.
    opened.run("export VOICE_PORT=3001")
    yield opened
    opened.close()


async def look(addresses: list[str]) -> None:
    """Open the kitchen's screen and the kiosk, as the tutorial says."""
    found = next(filter(None, map(shutil.which, BROWSERS)))
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        kitchen, kiosk = [await browser.new_page() for _ in addresses]
        await kitchen.goto(addresses[0])
        await expect(kitchen.locator("#connection")).to_have_text("Live", timeout=SOON)
        await expect(kitchen.locator("[data-order]")).to_have_count(1, timeout=SOON)
        await kiosk.goto(addresses[1])
        await expect(kiosk.locator("#kiosk")).to_have_attribute("data-stage", "ready", timeout=SOON)
        await browser.close()


@pytest.mark.timeout(300)
async def test_every_step_does_what_the_tutorial_says(terminal: Terminal) -> None:
    """Files are saved, commands run, pages opened; all three consumers get the order."""
    addresses: list[str] = []
    printed = ""
    for language, name, code in blocks():
        if name is not None:
            (terminal.folder / "tutorial" / name).write_text(terminal.own(code), encoding="utf-8")
        elif language == "sh":
            if code.startswith("kill "):
                await look(addresses)
            output = await asyncio.to_thread(terminal.run, code)
            printed += output
            addresses += re.findall(r"http://\S+#token=\S+", output)
    assert "1 Large Latte" in printed
    for line in ("python: order:created", "javascript: order:created", "webhook: "):
        assert line in printed, printed
    assert not (terminal.folder / "tutorial").exists()
