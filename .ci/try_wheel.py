"""Builds the wheel, installs it into empty environments, starts what is in it and stops it again.

The light layer must run on its own dependencies alone, the service with its default model.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
import venv
from pathlib import Path

ROOT = Path(__file__).parent.parent
TIMEOUT = 120
LIGHT_PORT, FULL_PORT = 18_101, 18_102
"""Below those that a client is given: it could otherwise reach its own address before a server."""


def install(wheel: Path, extra: str, into: Path) -> Path:
    """A new environment with the wheel; its Python."""
    venv.create(into, with_pip=True)
    python = into / "bin" / "python"
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", f"{wheel}{extra}"], check=True, cwd=into
    )
    return python


def try_out(python: Path, module: str, port: int, folder: Path) -> None:
    """Start a module, ask whether it is ready, stop it as an operator would."""
    command = [str(python), "-m", module, "serve", "--port", str(port)]
    with subprocess.Popen(command, cwd=folder) as process:
        try:
            wait_until_ready(f"http://127.0.0.1:{port}/readyz", process)
        finally:
            process.send_signal(signal.SIGTERM)
        status = process.wait(TIMEOUT)
    if status != 0:
        raise SystemExit(f"{module} stopped with status {status}")
    print(f"{module}: installed, ready, stopped with status 0")


def wait_until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    """Returns when the address answers 200."""
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.3)
    raise SystemExit(f"{url} did not become ready")


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        subprocess.run(
            [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, ROOT],
            check=True,
        )
        [wheel] = folder.glob("*.whl")
        light = install(wheel, "", folder / "light")
        if any((folder / "light").glob("lib/*/site-packages/numpy")):
            raise SystemExit("the light layer brings numpy along")
        try_out(light, "order_events", LIGHT_PORT, folder)
        full = install(wheel, "[tiny-en]", folder / "full")
        try_out(full, "voice_service", FULL_PORT, folder)


if __name__ == "__main__":
    main()
