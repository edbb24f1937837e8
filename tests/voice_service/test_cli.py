"""The command line, against a real server where one is needed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from support.paths import AUDIO
from support.recordings import finals, sidecar, text_of, wer
from support.voice_server import TIMEOUT, Server, Start

from order_events.auth.tokens import Role, authority
from order_events.storage.sqlite import DATABASE_FILE
from voice_service.asr.recognizer import Recognizer
from voice_service.cli import main
from voice_service.settings import VoiceSettings

ROOT = AUDIO.parents[1]


async def command(*arguments: str, **environment: str) -> tuple[int, str, str]:
    """Run `python -m voice_service …`; return exit status, stdout and stderr."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "voice_service",
        *arguments,
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    async with asyncio.timeout(3 * TIMEOUT):
        out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


def test_token_prints_a_token_that_the_service_accepts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is signed with the secret of the same data directory, created if there is none."""
    arguments = ["--restaurant", "r", "--user", "u", "--role", "device", "--ttl", "60"]
    assert main(["token", *arguments, "--data-dir", str(tmp_path)]) == 0
    token = capsys.readouterr().out.strip()
    who = authority(VoiceSettings(data_dir=tmp_path)).verify(token)
    assert (who.restaurant_id, who.user_id, who.role) == ("r", "u", Role.DEVICE)


def test_a_new_secret_is_told_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In a wrong directory, the token would be refused without an apparent reason."""
    arguments = ["token", "--restaurant", "r", "--user", "u", "--role", "device"]
    assert main([*arguments, "--data-dir", str(tmp_path)]) == 0
    said = capsys.readouterr().err
    assert (len(said.splitlines()), str(tmp_path / "signing-secret") in said) == (1, True)
    assert main([*arguments, "--data-dir", str(tmp_path)]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "wrong", [["--restaurant", ""], ["--user", " "], ["--ttl", "-1"], ["--ttl", "nan"]]
)
def test_a_token_that_no_server_would_take_is_not_made(
    wrong: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line names the fault, and no secret is created for it."""
    arguments = ["--restaurant", "r", "--user", "u", "--role", "device", *wrong]
    assert main(["token", *arguments, "--data-dir", str(tmp_path)]) == 1
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert (wrong[1] if wrong[0] == "--ttl" else wrong[0][2:]) in err
    assert list(tmp_path.iterdir()) == []


def test_every_option_can_come_from_the_environment(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`VOICE_RESTAURANT`, `VOICE_ROLE`, `VOICE_DATA_DIR`."""
    monkeypatch.setenv("VOICE_RESTAURANT", "r9")
    monkeypatch.setenv("VOICE_USER", "u9")
    monkeypatch.setenv("VOICE_ROLE", "manager")
    monkeypatch.setenv("VOICE_DATA_DIR", str(tmp_path))
    assert main(["token"]) == 0
    token = capsys.readouterr().out.strip()
    assert authority(VoiceSettings()).verify(token).restaurant_id == "r9"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "COMMAND"),
        (["sing"], "sing"),
        (["token"], "--restaurant"),
        (["token", "--restaurant", "r", "--user", "u", "--role", "king"], "king"),
        (["serve", "--port", "none"], "VOICE_PORT"),
        (["serve", "--onset", "2"], "VOICE_ONSET"),
        (["serve", "--no-such-option"], "--no-such-option"),
        (["stream"], "FILE"),
        (["stream", "a.wav", "--token", "t", "--speed", "fast"], "--speed"),
        (["stream", "a.wav", "--token", "t\nu"], "--token"),
        (["stream", "a.wav", "--token", " "], "--token"),
        (["models", "eat"], "eat"),
    ],
)
def test_wrong_usage_says_what_is_wrong(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit status is 2, with one message and no traceback."""
    with pytest.raises(SystemExit) as exited:
        main(arguments)
    assert exited.value.code == 2
    message = capsys.readouterr().err
    assert says in message
    assert "Traceback" not in message


def test_a_role_from_the_environment_is_checked_like_one_from_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A typing mistake in a compose file must not become a traceback."""
    monkeypatch.setenv("VOICE_ROLE", "king")
    arguments = ["token", "--restaurant", "r", "--user", "u", "--data-dir", str(tmp_path)]
    with contextlib.suppress(SystemExit):
        assert main(arguments) != 0
    assert "king" in capsys.readouterr().err


def test_a_weak_secret_is_refused_and_not_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Messages end up in logs."""
    monkeypatch.setenv("VOICE_JWT_SECRET", "hunter2")
    with pytest.raises(SystemExit):
        main(["token", "--restaurant", "r", "--user", "u", "--role", "device"])
    message = capsys.readouterr().err
    assert "32 bytes" in message
    assert "hunter2" not in message


def test_help_lists_every_setting_with_its_default(capsys: pytest.CaptureFixture[str]) -> None:
    """It never offers a secret as an option."""
    with pytest.raises(SystemExit) as exited:
        main(["serve", "--help"])
    assert exited.value.code == 0
    text = capsys.readouterr().out
    for name in VoiceSettings.model_fields:
        secret = name in {"jwt_secret", "jwt_secret_previous", "metrics_token"}
        assert (f"--{name.replace('_', '-')} " in text) != secret
    assert "counted from 0. (default: 0)" in " ".join(text.split())


@pytest.mark.parametrize(
    ("command", "offered", "not_offered"),
    [
        ("token", ["data-dir", "jwt-issuer", "token-max-lifetime-s"], ["port", "model", "onset"]),
        ("transcribe", ["model", "onset", "log-level"], ["port", "data-dir", "store-queue"]),
    ],
)
def test_commands_offer_the_settings_that_they_use(
    command: str, offered: list[str], not_offered: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """They do not offer the sixty others of the server."""
    with pytest.raises(SystemExit):
        main([command, "--help"])
    text = capsys.readouterr().out
    assert [f"--{name} " in text for name in offered] == [True] * len(offered)
    assert [f"--{name} " in text for name in not_offered] == [False] * len(not_offered)


def test_models_list_shows_what_is_here(capsys: pytest.CaptureFixture[str]) -> None:
    """tiny.en comes with the installation, and base can be fetched."""
    assert main(["models", "list"]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert "installed" in lines["tiny.en"]
    assert "base" in lines


@pytest.mark.parametrize(
    "action", [["serve", "--port", "0"], ["transcribe", str(AUDIO / "one_item.wav")]]
)
@pytest.mark.parametrize("model", ["base", "no-such-model"])
def test_a_missing_model_is_a_clear_error_before_anything_starts(
    action: list[str],
    model: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The message names the command to run."""
    monkeypatch.setenv("VOICE_DATA_DIR", str(tmp_path))
    assert main([*action, "--model", model, "--models-dir", str(tmp_path)]) == 1
    message = capsys.readouterr().err
    assert f"{model!r}" in message
    assert "voice-service models" in message
    assert "Traceback" not in message


def test_transcribe_prints_finals_and_goes_on_behind_a_bad_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line per utterance; a file that is not audio affects the exit status, not the other
    files.
    """
    bad = tmp_path / "bad.wav"
    bad.write_text("not audio")
    assert main(["transcribe", str(bad), str(AUDIO / "correct_size.wav")]) == 1
    output = capsys.readouterr()
    assert "bad.wav" in output.err
    assert len(output.out.splitlines()) == len(sidecar("correct_size")["utterances"])
    assert wer(sidecar("correct_size")["text"], output.out.replace("\n", " ")) <= 0.1


def test_transcribe_prints_every_event_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """The same events as over the socket."""
    assert main(["transcribe", "--jsonl", str(AUDIO / "one_item.wav")]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {"voice:speech_started", "voice:speech_ended", "voice:transcript"} <= {
        e["type"] for e in events
    }
    assert wer(sidecar("one_item")["text"], text_of(events)) <= 0.15


async def stream(server: Any, *arguments: str) -> tuple[int, list[dict[str, Any]], str]:
    """Run `stream --jsonl` against a server in this process."""
    url = server.url.replace("http", "ws", 1) + "/voice-stream"
    environment = {"VOICE_URL": url, "VOICE_TOKEN": server.token()}
    code, out, err = await command("stream", "--jsonl", *arguments, **environment)
    return code, [json.loads(line) for line in out.splitlines()], err


async def test_stream_plays_files_as_microphones_and_prints_events(start: Start) -> None:
    """Two files become two sessions at once, shuffled; `t` counts from the first chunk."""
    server = await start()
    files = [str(AUDIO / f"{name}.wav") for name in ("one_item", "sizes")]
    code, events, err = await stream(server, *files, "--speed", "4", "--shuffle", "4")
    assert (code, err) == (0, "")
    for file in files:
        own = [e for e in events if e["file"] == file]
        assert wer(sidecar(Path(file).stem)["text"], text_of(own)) <= 0.15
        assert own[-1]["type"] == "voice:end"
        times = [e["t"] for e in own]
        assert times == sorted(times)
        duration = sidecar(Path(file).stem)["audio"]["duration_ms"] / 1000
        assert duration / 4 * 0.8 < finals(own)[0]["end_ms"] / 1000
        assert times[-1] < TIMEOUT


async def test_stream_with_losses_still_ends(start: Start) -> None:
    """With `--drop`, gaps are reported and the rest is heard."""
    server = await start(gap_patience_s=0.2)
    code, events, _ = await stream(
        server, str(AUDIO / "one_item.wav"), "--speed", "4", "--drop", "0.4", "--order", "off"
    )
    assert code == 0
    errors = [e["data"]["code"] for e in events if e["type"] == "error"]
    assert set(errors) == {"AUDIO_GAP"}
    assert events[-1]["type"] == "voice:end"


async def test_a_token_may_have_white_space_around_it(start: Start) -> None:
    """Tokens read from files or pasted often do."""
    server = await start()
    file = str(AUDIO / "one_item.wav")
    token = f" {server.token()}\r\n"
    code, events, err = await stream(server, file, "--speed", "4", "--token", token)
    assert (code, err) == (0, "")
    assert events[-1]["type"] == "voice:end"


@pytest.mark.parametrize("action", ["stream", "transcribe", "models", "--help"])
async def test_a_reader_that_has_enough_ends_the_command_quietly(start: Start, action: str) -> None:
    """As `head` does: no traceback, and `stream` does not take it for a lost connection."""
    # Buffered, as it is for people: then much is only written when the command ends.
    arguments, environment = [action], {**os.environ, "PYTHONUNBUFFERED": ""}
    if action == "stream":
        server = await start()
        environment["VOICE_URL"] = server.url.replace("http", "ws", 1) + "/voice-stream"
        environment["VOICE_TOKEN"] = server.token()
        arguments += [str(AUDIO / "one_item.wav"), str(AUDIO / "sizes.wav"), "--speed", "4"]
    elif action == "transcribe":
        arguments += [str(AUDIO / "one_item.wav"), "--jsonl"]
    elif action == "models":
        arguments += ["list"]
    reading, writing = os.pipe()
    os.close(reading)
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "voice_service",
            *arguments,
            cwd=ROOT,
            env=environment,
            stdout=writing,
            stderr=subprocess.PIPE,
        )
    finally:
        os.close(writing)
    async with asyncio.timeout(TIMEOUT):
        _, err = await process.communicate()
    assert (process.returncode, err) == (141, b"")


@pytest.mark.parametrize("mistake", ["token", "file", "address"])
async def test_stream_says_what_is_wrong(start: Start, tmp_path: Path, mistake: str) -> None:
    """Exit status 1 and one line."""
    server = await start()
    url = server.url.replace("http", "ws", 1) + "/voice-stream"
    file = AUDIO / "one_item.wav"
    if mistake == "file":
        file = tmp_path / "empty.wav"
        file.write_bytes(b"")
    environment = {
        "VOICE_URL": "ws://127.0.0.1:1/" if mistake == "address" else url,
        "VOICE_TOKEN": "wrong" if mistake == "token" else server.token(),
    }
    code, out, err = await command("stream", str(file), "--speed", "0", **environment)
    assert code == 1
    assert err.startswith("voice-service: ")
    assert "Traceback" not in err
    assert "final" not in out


async def test_serve_starts_says_where_and_stops_on_sigterm(tmp_path: Path) -> None:
    """The status is 0, within seconds, and the demo menu is there."""
    environment = {**os.environ, "VOICE_DATA_DIR": str(tmp_path), "VOICE_PORT": "0"}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "voice_service",
        "serve",
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        assert process.stderr is not None
        async with asyncio.timeout(3 * TIMEOUT):
            while not (found := re.search(rb"(http://\S+)", await process.stderr.readline())):
                assert process.returncode is None
        address = found[1].decode()
        async with (
            aiohttp.ClientSession() as http,
            http.get(address + "/healthz") as response,
        ):
            assert response.status == 200
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(TIMEOUT):
            await process.communicate()
        assert process.returncode == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_serve_says_that_the_port_is_taken(start: Start, tmp_path: Path) -> None:
    """It is one line, not a traceback."""
    server = await start()
    port = server.url.rsplit(":", 1)[1]
    code, _, err = await command("serve", "--port", port, "--data-dir", str(tmp_path / "other"))
    assert code == 1
    assert err.splitlines()[-1].startswith("voice-service: ")
    assert "--port" in err.splitlines()[-1]
    assert "Traceback" not in err


async def test_the_demo_ends_with_the_expected_order(tmp_path: Path) -> None:
    """`demo --exit` plays the recording at real time, prints what happens, and returns 0."""
    code, out, err = await command(
        "demo", "--exit", VOICE_PORT="0", VOICE_DATA_DIR=str(tmp_path), LOG_LEVEL="info"
    )
    assert code == 0, out + err
    assert "The expected order arrived." in out
    said = [line for line in out.splitlines() if " microphone " in line]
    assert any("partial" in line for line in said)
    assert sum("final" in line and "sure)" in line for line in said) >= 4
    shown = [line for line in out.splitlines() if " screen " in line]
    assert "order:created" in shown[0]
    assert "confirmed" in shown[-1]


def a_newer_database(folder: Path) -> None:
    with sqlite3.connect(folder / DATABASE_FILE) as database:
        database.execute("CREATE TABLE schema_version (version INTEGER NOT NULL)")
        database.execute("INSERT INTO schema_version VALUES (9999)")
    database.close()


def no_database(folder: Path) -> None:
    (folder / DATABASE_FILE).write_bytes(b"not a database " * 1_000)


@pytest.mark.parametrize("command", [["serve"], ["demo", "--exit"]])
@pytest.mark.parametrize(
    ("prepare", "says"), [(a_newer_database, "9999"), (no_database, "not a database")]
)
def test_a_database_that_cannot_be_used_is_one_line(
    command: list[str],
    prepare: Callable[[Path], None],
    says: str,
    recognizer: Recognizer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Exit status 1, no traceback."""
    monkeypatch.setattr("voice_service.server.prepare", lambda settings: recognizer)
    prepare(tmp_path)
    assert main([*command, "--data-dir", str(tmp_path), "--port", "0"]) == 1
    *before, line = capsys.readouterr().err.splitlines()
    assert [said for said in before if "new signing secret" not in said] == []
    assert line.startswith("voice-service: ")
    assert says in line


@pytest.mark.parametrize("command", [["serve"], ["demo", "--exit"]])
async def test_a_data_directory_in_use_is_one_line(
    command: list[str],
    server: Server,
    recognizer: Recognizer,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A second service would write over the first one's orders."""
    monkeypatch.setattr("voice_service.server.prepare", lambda settings: recognizer)
    folder = str(server.settings.data_dir)
    async with asyncio.timeout(TIMEOUT):
        status = await asyncio.to_thread(main, [*command, "--data-dir", folder, "--port", "0"])
    assert status == 1
    [line] = capsys.readouterr().err.splitlines()
    assert folder in line
