"""The hub alone as a process that can be killed and started again."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from order_events.auth.tokens import Role, authority
from order_events.settings import HubSettings

START_S = 30.0


class HubProcess:
    """`python -m order_events` on a data directory, always at the same address."""

    command: tuple[str, ...] = ("order_events",)
    start_s = START_S

    def __init__(self, data_dir: Path, **settings: object) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self._data_dir = data_dir
        outside = {k: v for k, v in os.environ.items() if not k.startswith(("VOICE_", "LOG_LEVEL"))}
        own = {f"VOICE_{name.upper()}": str(value) for name, value in settings.items()}
        place = {
            "VOICE_DATA_DIR": str(data_dir),
            "VOICE_PORT": str(port),
            "VOICE_HTTP_PER_MINUTE": "1000000000",
            "LOG_LEVEL": "warning",
        }
        self._environment = outside | place | own
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Return once it is ready; raise RuntimeError if it does not become so."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", *self.command],
            env=self._environment,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + self.start_s
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url}/readyz", timeout=1):
                    return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.01)
        raise RuntimeError("the hub did not become ready")

    def kill(self) -> None:
        """Send SIGKILL: nothing is flushed, nothing is sent."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """Send SIGTERM; raise RuntimeError if it does not exit cleanly."""
        if self._process is not None:
            self._process.terminate()
            if self._process.wait(START_S) != 0:
                raise RuntimeError(f"the hub ended with status {self._process.returncode}")

    def token(self, restaurant: str, role: Role = Role.MANAGER, user: str = "benchmark") -> str:
        """Return a token for a day; needs the secret that the first start creates."""
        tokens = authority(HubSettings(data_dir=self._data_dir))
        return tokens.issue(restaurant, user, role, 86_400)


class ServiceProcess(HubProcess):
    """The whole service, with its default model, which takes a while to load."""

    command = ("voice_service", "serve")
    start_s = 120.0
