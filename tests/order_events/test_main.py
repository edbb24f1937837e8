"""`python -m order_events`: its output, and its errors."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from order_events.__main__ import main
from order_events.auth.tokens import Role, authority
from order_events.settings import HubSettings

WHO = ["--restaurant", "r9", "--user", "u", "--role", "kitchen"]


def test_it_prints_tokens_and_says_where_it_made_a_secret(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only once: a token signed with a new secret in the wrong directory looks like any other."""
    where = ["--data-dir", str(tmp_path / "data")]
    assert main([*where, "token", *WHO, "--ttl", "60"]) == 0
    token, said = capsys.readouterr()
    principal = authority(HubSettings(data_dir=tmp_path / "data")).verify(token.strip())
    assert (principal.restaurant_id, principal.role) == ("r9", Role.KITCHEN)
    assert len(said.splitlines()) == 1
    assert str(tmp_path / "data" / "signing-secret") in said
    assert main(["token", *WHO, *where]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (["--restaurant", ""], "restaurant"),
        (["--user", " "], "user"),
        (["--user", "u" * 201], "200"),
        (["--ttl", "0"], "more than 0"),
        (["--ttl", "nan"], "nan"),
        (["--ttl", "1e12"], "at most"),
    ],
)
def test_a_token_that_no_server_would_take_is_not_made(
    wrong: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 1 and one line; no secret is created for it either."""
    assert main(["--data-dir", str(tmp_path), "token", *WHO, *wrong]) == 1
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert says in err
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_setting_is_named_with_its_environment_variable(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Status 2, whether it came from the environment or the command line."""
    assert main(["--port", "70000"]) == 2
    assert "VOICE_PORT" in capsys.readouterr().err
    monkeypatch.setenv("LOG_LEVEL", "loud")
    monkeypatch.setenv("VOICE_STORE_QUEUE", "-1")
    assert main(["serve"]) == 2
    lines = sorted(capsys.readouterr().err.splitlines())
    assert ["LOG_LEVEL" in lines[0], "VOICE_STORE_QUEUE" in lines[1]] == [True, True]


def test_every_setting_but_the_secrets_is_an_option(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Before and after the command; a secret would be visible in the process list."""
    for name in set(HubSettings.model_fields) - {
        *("jwt_secret", "jwt_secret_previous", "metrics_token", "port")
    }:
        option = f"--{name.replace('_', '-')}"
        wrong = [option, "1", "--port", "-1"]
        for arguments in (["serve", *wrong], [*wrong, "serve"]):
            assert main(arguments) == 2, option
            assert "VOICE_PORT" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["serve", "--jwt-secret", "x" * 32])


def test_settings_of_several_parts_can_be_given_as_options(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As in the environment: separated by commas, or as JSON."""
    given = ["--trusted-proxies", "10.0.0.0/8,x", "--retention-of", '{"r1": {"days": 0}}']
    assert main(["serve", *given]) == 2
    err = capsys.readouterr().err
    assert "VOICE_TRUSTED_PROXIES" in err
    assert "VOICE_RETENTION_OF" in err


async def hub(data_dir: Path, *arguments: str) -> asyncio.subprocess.Process:
    """Start the hub as its own process."""
    kept = {k: v for k, v in os.environ.items() if not re.match("VOICE_|LOG_LEVEL", k)}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "order_events",
        *arguments,
        env={**kept, "VOICE_DATA_DIR": str(data_dir)},
        stderr=subprocess.PIPE,
    )


@pytest.mark.parametrize("word", [[], ["serve"]])
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
async def test_it_says_where_it_listens_and_stops_when_told(
    word: list[str], how: signal.Signals, tmp_path: Path
) -> None:
    """With and without the command `serve`; status 0."""
    process = await hub(tmp_path, *word, "--host", "127.0.0.1", "--port", "0")
    try:
        assert process.stderr is not None
        async with asyncio.timeout(20):
            while not (found := re.search(rb"on (http://\S+)", await process.stderr.readline())):
                assert process.returncode is None
            async with (
                aiohttp.ClientSession() as http,
                http.get(found[1].decode() + "/healthz") as response,
            ):
                assert response.status == 200
            process.send_signal(how)
            await process.communicate()
        assert process.returncode == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_a_port_in_use_is_one_line_that_says_what_to_change(
    server: Any, tmp_path: Path
) -> None:
    """Not a traceback, and not just an errno."""
    process = await hub(tmp_path / "other", "--port", str(server.port))
    async with asyncio.timeout(20):
        _, err = await process.communicate()
    assert process.returncode == 1
    last = err.decode().splitlines()[-1]
    assert last.startswith(f"order_events: port {server.port} ")
    assert "--port" in last
    assert b"Traceback" not in err


@pytest.mark.parametrize(
    "broken",
    [
        b"GET /v1/orders HTTP/1.1\r\nAuthorization: Bearer s3cr3t-t0ken\x00\r\n\r\n",
        b"GET /v1/orders HTTP/1.1\r\nAuthorization: Bearer s3cr3t-t0ken"
        + b"x" * 9000
        + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Authorization: Bearer s3cr3t-t0ken\r\nSec-WebSocket-Key: x\r\n\r\n",
        b"s3cr3t-t0ken\r\n\r\n",
    ],
    ids=["control character", "too long", "no handshake", "no HTTP"],
)
async def test_a_request_that_is_no_http_leaves_no_token_in_the_log(
    broken: bytes, tmp_path: Path
) -> None:
    """aiohttp would quote it. Each logged line is one JSON object."""
    process = await hub(tmp_path, "--port", "0")
    try:
        assert process.stderr is not None
        async with asyncio.timeout(20):
            while not (
                found := re.search(rb"on http://(\S+):(\d+)", await process.stderr.readline())
            ):
                assert process.returncode is None
            reader, writer = await asyncio.open_connection(found[1].decode(), int(found[2]))
            writer.write(broken)
            assert (await reader.readline()).startswith(b"HTTP/1.")
            writer.close()
            process.send_signal(signal.SIGTERM)
            _, err = await process.communicate()
        assert b"t0ken" not in err
        for line in err.splitlines():
            assert json.loads(line)["level"]
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
