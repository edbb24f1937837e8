"""Checks the plug-in for Pipecat: a real pipeline against the real service with its default model.

Installs Pipecat, the light layer and the plug-in into an environment of their own on its first run,
because Pipecat's pins collide with those of the voice layer.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import urllib.request
import venv
from pathlib import Path
from typing import Any

import jiwer

ROOT = Path(__file__).parent.parent
PLUGIN = ROOT / "clients" / "pipecat"
PYTHON = PLUGIN / ".venv" / "bin" / "python"
AUDIO = ROOT / "fixtures" / "audio"
START_S = 120
PLAY_S = 180
MOST_WRONG = 0.15


def install() -> None:
    """Install what is released elsewhere once, and ours anew."""
    if not PYTHON.exists():
        venv.create(PLUGIN / ".venv", with_pip=True)
        pip("--upgrade", "pip>=25.1")
    pip(str(ROOT), str(PLUGIN))
    # The same version as last time: pip would otherwise keep its older content.
    pip("--no-deps", "--force-reinstall", str(ROOT), str(PLUGIN))


def pip(*what: str) -> None:
    """Install into that environment."""
    subprocess.run([PYTHON, "-m", "pip", "install", "--quiet", *what], check=True)


def played(folder: Path) -> dict[str, Any]:
    """Return what a pipeline heard of a recording."""
    service = [sys.executable, "-m", "voice_service"]
    data = ("--data-dir", str(folder))
    with subprocess.Popen(
        [*service, "serve", "--port", "0", *data], stderr=subprocess.PIPE, text=True, cwd=ROOT
    ) as server:
        try:
            assert server.stderr is not None
            url = next(
                line.split()[-1] for line in server.stderr if line.startswith("Listening on")
            )
            wait_until_ready(url)
            who = ("--restaurant", "demo", "--user", "pipecat", "--role", "device")
            token = output(*service, "token", *who, *data)
            recording = AUDIO / "one_item.wav"
            heard = output(PYTHON, PLUGIN / "tests" / "play.py", url, token, recording)
        finally:
            server.terminate()
    result: dict[str, Any] = json.loads(heard.splitlines()[-1])
    return result


def output(*command: str | Path) -> str:
    """Return what a command prints."""
    ran = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, timeout=PLAY_S, cwd=ROOT
    )
    return ran.stdout.strip()


def wait_until_ready(url: str) -> None:
    """Return when the service is ready."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=5):
                return
        except OSError:
            time.sleep(0.3)
    raise SystemExit("the service did not become ready")


def judge(result: dict[str, Any]) -> None:
    """Raise SystemExit unless every frame that an agent needs came, in order."""
    frames = [note["frame"] for note in result["seen"]]
    finals = [n["text"] for n in result["seen"] if n["frame"] == "TranscriptionFrame"]
    said = json.loads((AUDIO / "one_item.json").read_text(encoding="utf-8"))["text"]
    wrong = jiwer.wer(plain(said), plain(" ".join(finals)))
    first = frames.index("ProposedUserStartedSpeakingFrame")
    final = frames.index("TranscriptionFrame")
    checks = {
        "no errors": not result["errors"],
        "partials before the final": "InterimTranscriptionFrame" in frames[first:final],
        "the end after the final": "ProposedUserStoppedSpeakingFrame" in frames[final:],
        "finals are final": all(
            n["final"] for n in result["seen"] if n["frame"] == "TranscriptionFrame"
        ),
        "orders": bool(result["orders"]),
        f"the words ({wrong:.0%} wrong)": wrong <= MOST_WRONG,
    }
    for what, holds in checks.items():
        print(f"{'ok' if holds else 'MISSING'}: {what}")
    if not all(checks.values()):
        raise SystemExit(json.dumps(result, indent=1))


def plain(text: str) -> str:
    """Return the words alone."""
    return " ".join("".join(c for c in word if c.isalnum()) for word in text.lower().split())


def main() -> None:
    """Install, play and judge."""
    install()
    with tempfile.TemporaryDirectory() as folder:
        judge(played(Path(folder)))
    print("The plug-in for Pipecat works.")


if __name__ == "__main__":
    main()
