"""Other streaming servers from PyPI: an environment of its own for each, and its server in it.

Each is installed once, into a folder that is given. WhisperLive's wheel asks for much that its
faster-whisper backend does not use (PyAudio, which needs PortAudio's headers, OpenVINO, CUDA
libraries): it is installed without its dependencies, and what it imports is named here.

Both read the weights from a CTranslate2 folder and find Silero's in their own packages, so nothing
is fetched at run time. WhisperLiveKit's default policy (AlignAtt) also needs the decoder as a
PyTorch checkpoint, which is made from the same folder (`ct2_to_torch.py`).
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil
from dialects import Dialect, WhisperLive, WhisperLiveKit
from harness import Service

_HERE: Final = Path(__file__).parent
_SERVERS: Final = _HERE / "peer_servers"
_TORCH: Final = "torch==2.13.0"
_START_TIMEOUT: Final = 300.0
"""Seconds that a server may take to import PyTorch, to warm up and to listen."""


@dataclass(frozen=True)
class Package:
    """What pip is asked for: one call for each list."""

    name: str
    installs: tuple[tuple[str, ...], ...]


_LIVE_KIT: Final = Package(
    "whisperlivekit", ((_TORCH, "whisperlivekit==0.2.26", "faster-whisper==1.2.1"),)
)
_LIVE: Final = Package(
    "whisperlive",
    (
        (
            _TORCH,
            "faster-whisper==1.2.0",
            "fastapi",
            "numba",
            "python-multipart",
            "requests",
            "scipy",
            "uvicorn",
            "websockets",
        ),
        ("--no-deps", "whisper-live==0.10.0"),
    ),
)


@dataclass(frozen=True)
class Peer:
    """A server to compare with.

    `options` makes the script that serves and its options, of the environment's Python, the
    folder with the weights, and a folder for what must be made of them.
    """

    package: Package
    dialect: Callable[[], Dialect]
    options: Callable[[Path, Path, Path], Sequence[str]]


def _whisperlive(_python: Path, model: Path, _cache: Path) -> Sequence[str]:
    return ["serve_whisperlive.py", "--model", str(model)]


def _live_kit(policy: str) -> list[str]:
    return [
        *("serve_whisperlivekit.py", "--host", "127.0.0.1", "--pcm-input", "--lan", "en"),
        *("--backend", "faster-whisper", "--backend-policy", policy, "--log-level", "ERROR"),
        # Without a recording it would fetch one to warm up with, and a long one takes long.
        *("--warmup-file", str(_HERE.parent / "fixtures" / "audio" / "one_item.wav")),
    ]


def _local_agreement(_python: Path, model: Path, _cache: Path) -> Sequence[str]:
    return [*_live_kit("localagreement"), "--model_dir", str(model)]


def _align_att(python: Path, model: Path, cache: Path) -> Sequence[str]:
    # The name's end tells WhisperLiveKit that the model knows English alone.
    decoder = cache / "decoder.en.pt"
    convert = [python, _SERVERS / "ct2_to_torch.py", model, decoder]
    heads = subprocess.run(convert, check=True, capture_output=True, text=True).stdout.strip()
    return [
        *_live_kit("simulstreaming"),
        *("--encoder-model-path", str(model), "--decoder-model-path", str(decoder)),
        f"--custom-alignment-heads={heads}",
    ]


PEERS: Final = {
    "whisperlivekit-la": Peer(_LIVE_KIT, WhisperLiveKit, _local_agreement),
    "whisperlivekit": Peer(_LIVE_KIT, WhisperLiveKit, _align_att),
    "whisperlive": Peer(_LIVE, WhisperLive, _whisperlive),
}
"""By the name that the command line takes; `-la` is the LocalAgreement policy, else the default."""


def install(peer: Peer, cache: Path) -> Path:
    """Return the Python of the peer's environment, created if it is not there yet."""
    folder = cache / peer.package.name
    python, stamp = folder / "bin" / "python", folder / ".installed"
    wanted = repr(peer.package.installs)
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return python
    print(f"installing {peer.package.name} into {folder}", flush=True)
    began = time.monotonic()
    venv.create(folder, with_pip=True, clear=True)
    for packages in peer.package.installs:
        subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
    stamp.write_text(wanted, encoding="utf-8")
    print(f"installed {peer.package.name} in {time.monotonic() - began:.0f} s", flush=True)
    return python


@contextlib.contextmanager
def serve(name: str, model: Path, cache: Path) -> Iterator[Service]:
    """Run the peer's server on a free port, with as many threads as there are cores."""
    peer = PEERS[name]
    python = install(peer, cache)
    port = _free_port()
    threads = str(len(os.sched_getaffinity(0)))
    env = {**os.environ, "OMP_NUM_THREADS": threads, "HF_HUB_OFFLINE": "1"}
    log = cache / f"{name}.log"
    script, *options = peer.options(python, model, cache)
    command = [str(python), str(_SERVERS / script), *options, "--port", str(port)]
    with (
        log.open("w") as messages,
        subprocess.Popen(command, stdout=messages, stderr=messages, env=env) as process,
    ):
        try:
            _wait_for(port, process, log)
            url = f"ws://127.0.0.1:{port}{peer.dialect().path}"
            yield Service(url, "", psutil.Process(process.pid))
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _START_TIMEOUT
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.2)
    sys.exit(f"the server did not start; its log is {log}")
