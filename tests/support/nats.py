"""A real NATS server on a free port of this machine."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

BINARY = Path(sys.executable).with_name("nats-server")
_PATIENCE_S = 30.0


class NatsServer:
    """A server process. `stop` and `start` again serve the same address."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._port = -1
        self._process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self._port}"

    def start(self) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        self._process = subprocess.Popen(
            [
                *(BINARY, "--addr", "127.0.0.1", "--port", str(self._port)),
                *("--ports_file_dir", self._directory, "--log", self._directory / "log"),
            ]
        )
        ports = self._directory / f"nats-server_{self._process.pid}.ports"
        deadline = time.monotonic() + _PATIENCE_S
        while not ports.exists() or not ports.read_text(encoding="utf-8"):
            assert self._process.poll() is None, (self._directory / "log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        url = json.loads(ports.read_text(encoding="utf-8"))["nats"][0]
        self._port = int(url.rpartition(":")[2])

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
