"""Fan-out: one event of about 500 bytes to many subscribers, against other servers.

    python benchmarks/fanout.py [--subscribers 1000] [--repeats 3] [--only hub ws]

In one run and with one load: the hub as it is served (a change of a table over HTTP, validated,
committed to SQLite, fanned out), the hub without its store, a plain aiohttp loop of `send_str`,
ws's loop of `send`, and Socket.IO's `emit`. The others get their events over HTTP as well and
store nothing. ws and Socket.IO come from npm, in the versions below, into `--cache`.

Paced: 100 events a second, whether the server keeps up or not. Saturated: as many as it can, with
at most `--window` events on their way. Every delivery is counted, and of one subscriber in 25 each
is decoded and checked. CPU is the server process's, user and system, all threads; latency is from
before the publisher's request is written until a sampled subscriber has the event, and includes
the load's own delay. Memory is what the process has grown by per connection after the paced run.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil
from fanout_load import Load, Upgrade

WS = "8.23.0"
SOCKET_IO = "4.8.4"
SERVERS = Path(__file__).parent / "fanout_servers"
RESTAURANT = "restaurant-3f0c9b1e-77a4-4f0f-9f54-52c7c1a8d6e2"
TABLE = "table-by-the-window-9d2b6c5a-1f3e-4b0a-8c77-0e6f5d4c3b2a"
USER = "staff-2c1f7e90"
PUBLISHERS = 32


@dataclass(frozen=True)
class Target:
    """A server under load, and how to subscribe and publish there."""

    process: psutil.Process
    url: str
    path: str = "/"
    headers: tuple[str, ...] = ()
    hello: bytes | None = None
    method: str = "POST"
    publish_to: str = "/publish"


@dataclass(frozen=True)
class Run:
    """The figures of one server in one repeat."""

    paced_us: float
    saturated_us: float
    p50_ms: float
    p99_ms: float
    per_second: float
    kilobytes: float


@contextlib.contextmanager
def started(command: Sequence[str], cwd: Path, env: dict[str, str]) -> Iterator[tuple[str, int]]:
    """Run a server that prints where it listens; yield its address and process."""
    log = cwd / "log"
    with (
        log.open("w") as messages,
        subprocess.Popen(command, cwd=cwd, env=env, stdout=messages, stderr=messages) as process,
    ):
        try:
            while "Listening on " not in log.read_text():
                if process.poll() is not None:
                    raise RuntimeError(f"{command[0]} did not start:\n{log.read_text()}")
                time.sleep(0.05)
            [line] = [x for x in log.read_text().splitlines() if x.startswith("Listening on ")]
            yield line.removeprefix("Listening on "), process.pid
        finally:
            process.terminate()
            process.wait(60)


@contextlib.contextmanager
def hub(compress: bool, stored: bool) -> Iterator[Target]:
    """Run the hub with its own data directory.

    All subscribers are one user, so that one token is enough, and any number may come.
    """
    with tempfile.TemporaryDirectory() as data:
        folder = Path(data)
        env = {
            **{k: v for k, v in os.environ.items() if not k.startswith("VOICE_")},
            "PYTHONPATH": os.pathsep.join([str(SERVERS.parents[1]), *sys.path[1:]]),
            "LOG_LEVEL": "error",
            "VOICE_PORT": "0",
            "VOICE_DATA_DIR": data,
            "VOICE_IDLE_HTTP_S": "3600",
            "VOICE_HTTP_PER_MINUTE": "1000000000",
            "VOICE_MAX_CONNECTIONS": "100000",
            "VOICE_MAX_CONNECTIONS_PER_RESTAURANT": "100000",
            "VOICE_MAX_CONNECTIONS_PER_USER": "100000",
        }
        module = [sys.executable, "-m", "order_events"]
        who = ["--restaurant", RESTAURANT, "--user", USER, "--role", "manager"]
        token = subprocess.run(
            [*module, "token", *who], env=env, check=True, capture_output=True, text=True
        ).stdout.strip()
        command = module if stored else [sys.executable, str(SERVERS / "unstored.py")]
        headers = (f"Authorization: Bearer {token}",)
        with started(command, folder, env) as (url, pid):
            process = psutil.Process(pid)
            if stored:
                yield Target(process, url, "/", headers, None, "PUT", f"/v1/tables/{TABLE}")
            else:
                to = f"/publish?restaurant={RESTAURANT}"
                yield Target(process, url, "/", headers, publish_to=to)


@contextlib.contextmanager
def plain(compress: bool) -> Iterator[Target]:
    """Run aiohttp's `send_str` in a loop."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(SERVERS / "plain.py")]
        with started(command, Path(folder), dict(os.environ)) as (url, pid):
            yield Target(psutil.Process(pid), url)


@contextlib.contextmanager
def node(script: str, compress: bool, cache: Path) -> Iterator[Target]:
    """Run a server from npm."""
    command = ["node", str(SERVERS / script), *(["--compress"] if compress else [])]
    with started(command, cache, dict(os.environ)) as (url, pid):
        process = psutil.Process(pid)
        if script == "ws.mjs":
            yield Target(process, url)
        else:
            path = "/socket.io/?EIO=4&transport=websocket"
            yield Target(process, url, path, hello=b"40")


def install(cache: Path) -> None:
    """Install ws and Socket.IO from npm, unless they are there."""
    wanted = {"ws": WS, "socket.io": SOCKET_IO}
    cache.mkdir(parents=True, exist_ok=True)
    found = {}
    for name in wanted:
        manifest = cache / "node_modules" / name / "package.json"
        found[name] = json.loads(manifest.read_text())["version"] if manifest.exists() else None
    if found != wanted:
        packages = [f"{name}@{version}" for name, version in wanted.items()]
        subprocess.run(
            ["npm", "install", "--no-save", "--no-fund", "--no-audit", *packages],
            cwd=cache,
            check=True,
        )


def requests(to: Target, count: int) -> list[bytes]:
    """Return the publishers' requests, each with its number in the event."""
    host = urlsplit(to.url).netloc
    made = []
    for number in range(count):
        change = {"number": str(number), "status": "occupied"}
        body = json.dumps(change if to.method == "PUT" else _event(number), separators=(",", ":"))
        lines = [
            f"{to.method} {to.publish_to} HTTP/1.1",
            f"Host: {host}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            *to.headers,
        ]
        made.append("\r\n".join([*lines, "", body]).encode())
    return made


def _event(number: int) -> dict[str, object]:
    # What the hub makes of a change of a table.
    now = "2026-01-01T12:00:00.000Z"
    table = {
        "id": TABLE,
        "number": str(number),
        "status": "occupied",
        "version": number + 1,
        "updated_at": now,
        "updated_by": USER,
    }
    return {
        "type": "table:updated",
        "data": {"table": table, "actor": USER},
        "timestamp": now,
        "event_id": f"{number:032x}",
        "restaurant_id": RESTAURANT,
        "epoch": "0123456789abcdef0123456789abcdef",
        "seq": number + 1,
    }


def cpu(process: psutil.Process) -> float:
    """Return the processor seconds that the process has used."""
    times = process.cpu_times()
    return float(times.user + times.system)


def measure(to: Target, compress: bool, options: argparse.Namespace) -> Run:
    """Measure one server, paced and then saturated, with the same subscribers."""
    subscribers: int = options.subscribers
    empty = to.process.memory_info().rss
    load = Load(
        to.url,
        Upgrade(to.path, to.headers, compress),
        hello=to.hello,
        subscribers=subscribers,
        publishers=PUBLISHERS,
    )
    try:
        # The first events find code and buffers cold.
        load.saturated(requests(to, 20), 5, options.limit)
        paced = requests(to, round(options.rate * options.seconds))
        before = cpu(to.process)
        sent = load.paced(paced, options.rate, options.limit)
        paced_us = (cpu(to.process) - before) / (len(paced) * subscribers) * 1e6
        late = sorted(at - sent[number] for s in load.samples for number, at in s.arrived)
        grown = to.process.memory_info().rss - empty
        most = requests(to, options.events)
        before, start = cpu(to.process), time.perf_counter()
        load.saturated(most, options.window, options.limit)
        took = time.perf_counter() - start
        deliveries = len(most) * subscribers
        saturated_us = (cpu(to.process) - before) / deliveries * 1e6
    finally:
        load.close()
    return Run(
        paced_us,
        saturated_us,
        late[len(late) // 2] * 1e3,
        late[len(late) * 99 // 100] * 1e3,
        deliveries / took,
        grown / subscribers / 1e3,
    )


def report(runs: dict[str, list[Run]]) -> None:
    """Print medians with the range of the repeats, and ratios to the hub."""
    columns: list[tuple[str, str, Callable[[Run], float]]] = [
        ("µs paced", "6.1f", lambda r: r.paced_us),
        ("µs saturated", "6.2f", lambda r: r.saturated_us),
        ("p50 ms", "6.1f", lambda r: r.p50_ms),
        ("p99 ms", "6.1f", lambda r: r.p99_ms),
        ("1000/s", "6.0f", lambda r: r.per_second / 1000),
        ("KB/conn.", "6.1f", lambda r: r.kilobytes),
    ]
    print(f"{'':22}" + "".join(f"{name:>22}" for name, _, _ in columns))
    for server, repeats in runs.items():
        cells = []
        for _, form, value in columns:
            values = [value(run) for run in repeats]
            spread = f"({min(values):{form}}-{max(values):{form}})".replace(" ", "")
            cells.append(f"{statistics.median(values):{form}} {spread:>14}")
        print(f"{server:22}" + "".join(f"{cell:>22}" for cell in cells))
    for ours in ("hub", "hub without store"):
        for theirs in runs.keys() - {"hub", "hub without store"} if ours in runs else ():
            pairs = list(zip(runs[theirs], runs[ours], strict=True))
            paced = statistics.median(a.paced_us / b.paced_us for a, b in pairs)
            most = statistics.median(a.saturated_us / b.saturated_us for a, b in pairs)
            print(f"CPU per delivery, {theirs} / {ours}: paced {paced:.2f}, saturated {most:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    cache = Path(tempfile.gettempdir()) / "fanout-benchmark"
    parser.add_argument("--subscribers", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=100, help="events a second, paced")
    parser.add_argument("--seconds", type=float, default=5, help="of the paced run")
    parser.add_argument("--events", type=int, default=1000, help="of the saturated run")
    parser.add_argument("--window", type=int, default=64, help="events on their way, saturated")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--limit", type=float, default=180, help="seconds one run may take")
    parser.add_argument(
        "--only", nargs="*", help="names of servers: hub unstored plain ws socketio"
    )
    parser.add_argument("--compression", choices=["off", "on", "both"], default="both")
    parser.add_argument("--cache", type=Path, default=cache, help="where npm installs")
    options = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    servers: dict[str, tuple[str, Callable[[bool], contextlib.AbstractContextManager[Target]]]] = {
        "hub": ("hub", lambda compress: hub(compress, stored=True)),
        "unstored": ("hub without store", lambda compress: hub(compress, stored=False)),
        "plain": ("aiohttp send_str", plain),
        "ws": (f"ws {WS}", lambda compress: node("ws.mjs", compress, options.cache)),
        "socketio": (
            f"Socket.IO {SOCKET_IO}",
            lambda compress: node("socketio.mjs", compress, options.cache),
        ),
    }
    chosen = options.only or list(servers)
    if not {"ws", "socketio"}.isdisjoint(chosen):
        if shutil.which("npm") is None:
            parser.error("node and npm are needed for ws and Socket.IO; leave them out with --only")
        install(options.cache)
    size = len(json.dumps(_event(100), separators=(",", ":")))
    print(f"{options.subscribers} subscribers, event of {size} bytes; median (least-most)")
    for compress in {"off": [False], "on": [True], "both": [False, True]}[options.compression]:
        runs: dict[str, list[Run]] = {}
        for _ in range(options.repeats):
            for name in chosen:
                title, start = servers[name]
                with start(compress) as to:
                    runs.setdefault(title, []).append(measure(to, compress, options))
        print(f"\npermessage-deflate {'on' if compress else 'off'}")
        report(runs)


if __name__ == "__main__":
    main()
