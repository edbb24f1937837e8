"""The hub as its own process: how it stops, and what it reports if it cannot start."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from support.raw_socket import CLOSE, PING, Frame, Raw

from order_events.__main__ import main
from order_events.auth.tokens import Role, authority
from order_events.settings import HubSettings
from order_events.storage.sqlite import DATABASE_FILE

pytestmark = pytest.mark.sqlite
"""They look into the file, or end the process that has it."""

ORDER = {"type": "dine-in", "items": [{"menu_item_id": "burger"}] * 50}


class Hub:
    """A running hub, with what `raw_socket.Raw` needs to reach it."""

    def __init__(self, process: asyncio.subprocess.Process, data_dir: Path, port: int) -> None:
        self.process = process
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self._authority = authority(HubSettings(data_dir=data_dir))

    def token(self) -> str:
        return self._authority.issue("r1", "u1", Role.MANAGER, 600)

    async def call(self, http: aiohttp.ClientSession, method: str, path: str, body: Any) -> int:
        headers = {"Authorization": f"Bearer {self.token()}"}
        async with http.request(method, self.url + path, json=body, headers=headers) as response:
            await response.read()
            return response.status

    async def ended(self) -> tuple[int, str]:
        """Return the exit status and standard error."""
        async with asyncio.timeout(20):
            _, err = await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode, err.decode()


def environment(data_dir: Path, **settings: str) -> dict[str, str]:
    """Return our environment without the settings of whoever runs the tests."""
    kept = {k: v for k, v in os.environ.items() if not re.match("VOICE_|LOG_LEVEL", k)}
    return {**kept, "VOICE_DATA_DIR": str(data_dir), "VOICE_PORT": "0", **settings}


Launch = Callable[..., Awaitable[Hub]]


async def killed(process: asyncio.subprocess.Process) -> None:
    """Kill what is left of a process."""
    if process.returncode is None:
        process.kill()
    await process.communicate()


@pytest.fixture
async def launch(tmp_path: Path) -> AsyncIterator[Launch]:
    """Return a function that starts hubs; those still running at the end are killed."""
    async with AsyncExitStack() as stack:

        async def launch_one(wrapper: str = "true", **settings: str) -> Hub:
            """Start a hub; `wrapper` is run first, in the shell that becomes it."""
            process = await asyncio.create_subprocess_exec(
                *("sh", "-c", f'{wrapper} && exec "$@"', "sh"),
                *(sys.executable, "-m", "order_events"),
                env=environment(tmp_path, **settings),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
            stack.push_async_callback(killed, process)
            assert process.stderr is not None
            async with asyncio.timeout(20):
                while not (
                    found := re.search(rb"on http://\S+:(\d+)", await process.stderr.readline())
                ):
                    assert process.returncode is None
            return Hub(process, tmp_path, int(found[1]))

        yield launch_one


async def test_sigterm_tells_everybody_and_leaves_what_was_acknowledged(
    launch: Launch, tmp_path: Path, menu: Any
) -> None:
    """Neither a stalled reader, an unauthenticated socket nor half a handshake holds it up."""
    spread = 400
    hub = await launch(VOICE_SHUTDOWN_SPREAD_MS=str(spread), VOICE_CLOSE_TIMEOUT_S="1")
    async with aiohttp.ClientSession() as http:
        assert await hub.call(http, "PUT", "/v1/menu", menu.model_dump(mode="json")) == 200
        clients = [await Raw.open(hub) for _ in range(10)]
        stalled = await Raw.open(hub)
        stalled.writer.transport.pause_reading()
        stranger = await http.ws_connect(hub.url)
        _, half = await asyncio.open_connection("127.0.0.1", hub.port)
        half.write(b"GET / HTTP/1.1\r\nHost: x\r\n")
        for client in clients:
            await client.text()
        for _ in range(30):
            assert await hub.call(http, "POST", "/v1/orders", ORDER) == 201
        hub.process.send_signal(signal.SIGTERM)
        waits = [await going_away(client) for client in clients]
        assert all(1 <= wait <= spread for wait in waits)
        assert len(set(waits)) > 1, "they would all come back at once"
        assert (await stranger.receive(5)).data == 1001
        status, err = await hub.ended()
        assert (status, "Traceback" in err) == (0, False)
        half.close()
        stalled.writer.close()
    database = tmp_path / DATABASE_FILE
    with sqlite3.connect(database) as reader:
        assert reader.execute("SELECT count(*) FROM orders").fetchone() == (30,)


async def test_readiness_is_red_while_the_server_waits_for_its_sockets(launch: Launch) -> None:
    """Until they are closed the port stays open: HTTP is answered, new sockets are refused."""
    hub = await launch(VOICE_CLOSE_TIMEOUT_S="60")
    client = await Raw.open(hub)
    await client.text()
    hub.process.send_signal(signal.SIGTERM)
    await client.text()
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{hub.url}/readyz") as response:
            assert response.status == 503
            assert (await response.json())["reasons"] == ["the server is stopping"]
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            await http.ws_connect(hub.url)
        assert refusal.value.status == 503
        assert await hub.call(http, "GET", "/v1/orders", None) == 200
    assert await client.closed_with() == 1001
    assert (await hub.ended())[0] == 0


async def going_away(client: Raw) -> int:
    """Return `retry_after_ms` of the last message before close code 1001."""
    last = {}
    while True:
        first, payload = await client.frame()
        if first & 0x0F == CLOSE:
            break
        if first & 0x0F != PING:
            last = json.loads(payload)
    assert int.from_bytes(payload[:2]) == 1001
    assert last["type"] == "going_away", last
    client.send(Frame(CLOSE, payload[:2]))
    wait: int = last["data"]["retry_after_ms"]
    return wait


async def test_a_second_signal_does_not_break_the_stop(launch: Launch) -> None:
    """An impatient operator does not get a broken database: the stop is bounded. Status 0."""
    hub = await launch(VOICE_CLOSE_TIMEOUT_S="0.5")
    client = await Raw.open(hub)
    await client.text()
    hub.process.send_signal(signal.SIGTERM)
    await client.text()
    hub.process.send_signal(signal.SIGTERM)
    hub.process.send_signal(signal.SIGINT)
    assert (await client.frame())[0] & 0x0F == CLOSE
    status, err = await hub.ended()
    assert (status, "Traceback" in err) == (0, False)


@pytest.mark.parametrize("delay", [0.05, 0.5, 1.0])
async def test_sigterm_while_it_starts_ends_it(
    launch: Launch, tmp_path: Path, delay: float
) -> None:
    """At once if there is nothing to stop yet, otherwise in order; it can be started again."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "order_events"),
        env=environment(tmp_path),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    await asyncio.sleep(delay)
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(20):
        _, err = await process.communicate()
    assert process.returncode in (0, -signal.SIGTERM)
    assert b"Traceback" not in err
    hub = await launch()
    hub.process.send_signal(signal.SIGTERM)
    assert (await hub.ended())[0] == 0


async def test_half_a_handshake_is_given_up(launch: Launch) -> None:
    """Even if another byte arrives now and then; one completed in time is served."""
    hub = await launch(VOICE_IDLE_HTTP_S="1")
    reader, writer = await asyncio.open_connection("127.0.0.1", hub.port)
    in_time = await Raw.open(hub)
    writer.write(b"GET / HTTP/1.1\r\n")
    async with asyncio.timeout(10):
        while not reader.at_eof():
            writer.write(b"x")
            try:
                async with asyncio.timeout(0.2):
                    assert await reader.read(1) == b""
            except TimeoutError:
                continue
            except ConnectionError:
                break
    await in_time.text()
    in_time.send(Frame(PING, b"still here"))
    assert (await in_time.frame())[1] == b"still here"
    in_time.writer.close()
    writer.close()


def a_file(path: Path) -> None:
    path.write_text("not a directory")


def short_secret(path: Path) -> None:
    path.mkdir()
    (path / "signing-secret").write_text("short")


def no_database(path: Path) -> None:
    path.mkdir()
    (path / DATABASE_FILE).write_bytes(b"this is no database, and never was one" * 100)


@pytest.mark.parametrize(
    ("prepare", "settings", "status", "says"),
    [
        (None, {"VOICE_PORT": "http"}, 2, "VOICE_PORT"),
        (None, {"VOICE_HEARTBEAT_S": "0"}, 2, "VOICE_HEARTBEAT_S"),
        (None, {"VOICE_JWT_SECRET": "x" * 31}, 2, "32 bytes"),
        (None, {"VOICE_HOST": "192.0.2.1"}, 1, "192.0.2.1"),
        (a_file, {}, 1, "data"),
        (short_secret, {}, 1, "signing-secret"),
        (no_database, {}, 1, "database"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    prepare: Callable[[Path], None] | None,
    settings: dict[str, str],
    status: int,
    says: str,
) -> None:
    """On standard error, without a traceback, with a status that a supervisor can use."""
    data_dir = tmp_path / "data"
    if prepare is not None:
        prepare(data_dir)
    for name, value in environment(data_dir, **settings).items():
        monkeypatch.setenv(name, value)
    assert main([]) == status
    out, err = capsys.readouterr()
    lines = [line for line in err.splitlines() if not line.startswith("Made a new")]
    assert len(lines) == 1, err
    assert lines[0].startswith("order_events: ")
    assert says in lines[0]
    assert "x" * 31 not in out + err


async def test_running_out_of_file_descriptors_ends_nothing(launch: Launch) -> None:
    """Too many connections are refused, with a line of log a second, and then all is well again."""
    hub = await launch(LOG_LEVEL="info", wrapper="ulimit -n 128")
    async with aiohttp.ClientSession() as http:
        opened = [await asyncio.open_connection("127.0.0.1", hub.port) for _ in range(300)]
        for _, writer in opened:
            writer.close()
        async with asyncio.timeout(20), http.get(f"{hub.url}/readyz") as response:
            assert response.status == 200
    hub.process.send_signal(signal.SIGTERM)
    status, err = await hub.ended()
    assert (status, "Traceback" in err) == (0, False)
    assert "too many files are open" in err
    assert len(err) < 20_000
