"""A service of several nodes on this machine: its database, its bus, and wires that can be cut."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import secrets
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from support.nats import NatsServer
from support.postgresql import PostgresqlServer

from order_events.auth.tokens import Role, authority
from order_events.settings import HubSettings

START_S = 60.0


class Wire:
    """Passes bytes on to an address of this machine, until it is cut; then they wait."""

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)
        self._passes = asyncio.Event()
        self._passes.set()
        self._open: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server

    async def start(self) -> str:
        """Return the URL of this end."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        user = f"{self._parts.username}@" if self._parts.username else ""
        return urlunsplit(self._parts._replace(netloc=f"{user}127.0.0.1:{port}"))

    def cut(self) -> None:
        """Let nothing through; neither end is told."""
        self._passes.clear()

    def mend(self) -> None:
        """Let everything through. What was under way while it was cut is lost."""
        for task in self._open:
            task.cancel()
        self._passes.set()

    def close(self) -> None:
        """Close all connections."""
        self._server.close()
        self.mend()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        there = None
        try:
            await self._passes.wait()
            port = self._parts.port
            far, there = await asyncio.open_connection(self._parts.hostname, port)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pass(reader, there))
                both.create_task(self._pass(far, writer))
        except (OSError, ExceptionGroup, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(task)
            for end in (writer, there):
                if end is not None:
                    end.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            await self._passes.wait()
            writer.write(data)
            await writer.drain()
        raise ConnectionResetError


class Node:
    """One process of the service, at the same address whenever it runs."""

    def __init__(self, number: int, folder: Path, environment: dict[str, str]) -> None:
        self.name = f"hub {number}"
        self.store: Wire | None = None
        self.bus: Wire | None = None
        self.port = 0
        self._log = folder / f"hub-{number}.log"
        data = {"VOICE_DATA_DIR": str(folder / f"hub-{number}")}
        self._environment = {**environment, **data}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The number of its process."""
        assert self._process is not None
        return self._process.pid

    def set(self, **settings: str) -> None:
        """Change settings, from the next start on."""
        self._environment |= {f"VOICE_{name.upper()}": value for name, value in settings.items()}

    def start(self) -> None:
        """Return once it is ready; raise RuntimeError if it does not become so."""
        self._environment["VOICE_PORT"] = str(self.port)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "order_events"], env=self._environment, stderr=log
            )
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self._process.poll() is None:
            if not self.port and (port := self._said_port()):
                self.port = port
            if self.port and self.ready():
                return
            time.sleep(0.05)
        raise RuntimeError(f"{self.name} did not become ready: {self._log.read_text()[-2_000:]}")

    def ready(self) -> bool:
        """Return whether it says so."""
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=2):
                return True
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """Send SIGKILL: nothing is flushed, nothing is sent."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _said_port(self) -> int:
        for line in self._log.read_text(encoding="utf-8").splitlines():
            if line.startswith("Listening on "):
                return int(line.rpartition(":")[2])
        return 0


class Cluster:
    """All of it. `pick` is where the next client goes; so a load balancer would, without checks."""

    def __init__(self, folder: Path, database: PostgresqlServer, bus: NatsServer | None) -> None:
        self.database = database
        self.bus = bus
        self.nodes: list[Node] = []
        self._folder = folder
        self._secret = secrets.token_urlsafe(48)
        self._wires: list[Wire] = []
        self._random = random.Random(1)

    def pick(self) -> str:
        """Return the URL of a node."""
        return self._random.choice(self.nodes).url

    def token(self, restaurant: str) -> str:
        """Return a manager's token for a day."""
        settings = HubSettings(data_dir=self._folder, jwt_secret=self._secret)
        return authority(settings).issue(restaurant, "benchmark", Role.MANAGER, 86_400)

    async def add_node(self, bus: str, *, wires: bool = True) -> Node:
        """Start one more node. `bus` is the setting, or `nats` for the server of this cluster."""
        outside = {k: v for k, v in os.environ.items() if not k.startswith(("VOICE_", "LOG_LEVEL"))}
        node = Node(
            len(self.nodes) + 1,
            self._folder,
            outside
            | {
                "VOICE_JWT_SECRET": self._secret,
                "VOICE_HTTP_PER_MINUTE": "1000000000",
                "VOICE_MAX_CONNECTIONS_PER_USER": "10000",
                "VOICE_MAX_CONNECTIONS_PER_RESTAURANT": "10000",
                "LOG_LEVEL": "warning",
            },
        )
        store = self.database.url("voice")
        if wires:
            node.store = self._wire(store)
            store = await node.store.start()
        if bus == "nats" and self.bus is not None:
            bus = self.bus.url
            if wires:
                node.bus = self._wire(bus)
                bus = await node.bus.start()
        node.set(store=store, bus=bus)
        await asyncio.to_thread(node.start)
        self.nodes.append(node)
        return node

    def _wire(self, url: str) -> Wire:
        self._wires.append(Wire(url))
        return self._wires[-1]

    def stop(self) -> None:
        """Kill everything."""
        for node in self.nodes:
            node.kill()
        for wire in self._wires:
            wire.close()


@contextlib.asynccontextmanager
async def cluster(nodes: int, bus: str, *, wires: bool = True) -> AsyncIterator[Cluster]:
    """Run a service of some nodes, with its database and its bus: nats, postgresql or local."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cluster-")))
        database = stack.enter_context(PostgresqlServer())
        database.create("voice")
        server = stack.enter_context(NatsServer(folder / "nats")) if bus == "nats" else None
        running = Cluster(folder, database, server)
        stack.callback(running.stop)
        for _ in range(nodes):
            await running.add_node(bus, wires=wires)
        yield running
