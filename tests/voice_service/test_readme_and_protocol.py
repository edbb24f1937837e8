"""Every example in README.md and docs/protocol.md still works, and every name in them exists."""

from __future__ import annotations

import argparse
import copy
import importlib
import json
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from support.paths import ROOT
from support.schema_checks import Schema
from support.voice_server import Server

from order_events import __main__ as hub
from order_events.app import EVENTS
from order_events.auth.tokens import Role
from order_events.http.routes import HTTP_STATUS
from order_events.protocol.messages import (
    ROOT_MESSAGES,
    SHELL_MESSAGES,
    SHELL_TYPES,
    CloseCode,
    ErrorCode,
)
from order_events.specs import asyncapi
from voice_service import cli
from voice_service.protocol.messages import VOICE_MESSAGES, VOICE_TYPES
from voice_service.protocol.payloads import CHANNELS
from voice_service.server import DEMO_RESTAURANT
from voice_service.settings import VoiceSettings

README = (ROOT / "README.md").read_text(encoding="utf-8")
PROTOCOL = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
BOTH = README + PROTOCOL
DOCUMENT = asyncapi.document(CHANNELS, VoiceSettings.model_construct())
GUEST = "8f1c2d"
"""The session of the examples."""
ELLIPSES = (
    (re.compile(r",…(?=[}\]])"), ""),
    (re.compile(r"(?<=[{\[])…(?=[}\]])"), ""),
    (re.compile(r"<base64[^>]*>"), "AAAA"),
)
"""What an example leaves out."""


def blocks(text: str, language: str) -> list[str]:
    """Return the fenced blocks of a language."""
    fences = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S)
    return [block for named, block in fences if named == language]


def parsed(text: str) -> tuple[dict[str, Any], bool]:
    """Return the object at the start of an example, and whether it leaves something out."""
    whole = text
    for pattern, instead in ELLIPSES:
        whole = pattern.sub(instead, whole)
    example, _ = json.JSONDecoder().raw_decode(whole)
    assert isinstance(example, dict)
    return example, "…" in text


def lines(arrow: str) -> list[str]:
    """Return what is sent in one direction in the exchanges of the README."""
    found = [
        line[2:]
        for block in blocks(README, "")
        for line in block.splitlines()
        if line.startswith(arrow)
    ]
    assert found
    return found


CLIENT = [
    *lines("→"),
    *blocks(BOTH, "json"),
    *re.findall(r"`(\{\"type\":\"(?:ping|auth)\".*?\})`", BOTH),
]
SERVER = lines("←")


@pytest.mark.parametrize("example", CLIENT)
def test_a_clients_message_is_one_that_the_server_takes(example: str) -> None:
    """Every field of it is known, too."""
    message, _ = parsed(example)
    adapter: Any = (
        SHELL_MESSAGES
        if message["type"] in SHELL_TYPES
        else VOICE_MESSAGES
        if message["type"] in VOICE_TYPES
        else ROOT_MESSAGES
    )
    understood = adapter.validate_json(json.dumps(message)).model_dump(exclude_unset=True)
    assert set(understood) == set(message)
    assert set(understood.get("data", ())) == set(message.get("data", ()))


def partial(schema: Any) -> Any:
    """Return a schema that allows missing fields, but no additional ones."""
    if isinstance(schema, list):
        return [partial(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    rest = {k: partial(v) for k, v in schema.items() if k not in {"required", "pattern", "minimum"}}
    return {**rest, "additionalProperties": False} if "properties" in rest else rest


@pytest.mark.parametrize("example", SERVER)
def test_a_servers_message_has_only_fields_that_exist(example: str) -> None:
    """They have the types of one of the messages of its type."""
    message, _ = parsed(example)
    components: Schema = partial(copy.deepcopy(DOCUMENT["components"]["schemas"]))
    candidates = [
        m for m in DOCUMENT["components"]["messages"].values() if m["name"] == message["type"]
    ]
    problems = []
    for candidate in candidates:
        schema = {**candidate["payload"], "components": {"schemas": components}}
        try:
            jsonschema.validate(message, schema, jsonschema.Draft202012Validator)
        except jsonschema.ValidationError as error:
            problems.append(error.message)
        else:
            return
    raise AssertionError((message, problems))


def test_the_codes_in_the_tables_are_the_codes_there_are() -> None:
    """Errors, their HTTP status, and close codes."""
    tables = "\n".join(line for line in PROTOCOL.splitlines() if line.startswith("|"))
    words = set(re.findall(r"`([A-Z_]{5,})`", tables))
    assert words == {code.value for code in ErrorCode}
    refusals = PROTOCOL[PROTOCOL.index("### Refusals") :]
    for statuses, names in re.findall(r"^\| ([\d, ]+) \| (.*) \|$", refusals, re.M):
        for name in re.findall(r"`([A-Z_]{5,})`", names):
            assert str(HTTP_STATUS[ErrorCode(name)]) in statuses
    described = {int(code) for code in re.findall(r"^\| (\d{4})[ ,]", PROTOCOL, re.M)}
    assert described == {int(code) for code in CloseCode}


def test_every_event_is_in_the_protocols_tables() -> None:
    """And each that is there exists."""
    rows = "\n".join(
        line.split("|")[1] for line in PROTOCOL.splitlines() if re.match(r"\| `[a-z]", line)
    )
    named = set(re.findall(r"`([a-z]+:[a-z_]+)`", rows))
    sent = {message["name"] for message in DOCUMENT["components"]["messages"].values()}
    assert named <= sent
    hub_events = {
        name for name in sent if name.startswith(("order:", "table:", "payment:", "kds:"))
    }
    voice_events = {name for name in sent if name.startswith("voice:")} - VOICE_TYPES
    mentioned = set(re.findall(r"`([a-z]+:[a-z_]+)`", PROTOCOL))
    assert hub_events <= named
    assert voice_events <= mentioned


# HTTP


def exchanges() -> Iterator[tuple[str, str]]:
    """A request and its answer, as the protocol shows them."""
    found = [*blocks(README, "http"), *blocks(PROTOCOL, "http")]
    assert len(found) % 2 == 0
    assert len(found) >= 14
    return zip(found[::2], found[1::2], strict=True)


def contains(whole: Any, part: Any) -> bool:
    """Whether what an example shows is there; `…` stands for any text."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(
            name in whole and contains(whole[name], value) for name, value in part.items()
        )
    if isinstance(part, list):
        return isinstance(whole, list) and all(map(contains, whole, part))
    return part == "…" or bool(whole == part)


async def test_the_http_examples_answer_as_the_protocol_says(server: Server) -> None:
    """One after the other, as a reader would try them; `{id}` is the order that was made.

    While the guest of the examples is at the microphone.
    """
    made = "none"
    named: dict[str, str] = {}
    microphone, screen = await server.voice(user="lane-2"), await server.screen("voice:session")
    for request, answer in exchanges():
        filled = request.replace("{id}", made)
        for name, value in named.items():
            filled = filled.replace(f"{{{name}}}", value)
        head, _, body = filled.partition("\n\n")
        first, *headers = head.splitlines()
        method, path = first.split()
        if GUEST in path and not microphone.session_id:
            await microphone.begin(GUEST)
            await screen.expect("voice:session")
        if path == "/v1/calls":
            await call_for_staff(server)
        status_line, _, shown = answer.partition("\n\n")
        given = dict(header.split(": ", 1) for header in headers)
        given["Authorization"] = f"Bearer {server.token(Role.SERVICE, 'till')}"
        async with server.http.request(
            method, server.url + path, data=body or None, headers=given
        ) as response:
            said = await response.json()
            assert response.status == int(status_line.split()[1]), (first, said)
            assert status_line == f"HTTP/1.1 {response.status} {response.reason}"
        example, _ = parsed(shown)
        assert contains(said, example), (first, said)
        made = said["order"]["id"] if response.status == 201 and "order" in said else made
        if "calls" in said:
            named["call"] = said["calls"][0]["id"]
        named |= {name: said[name] for name in ("code", "credential") if said.get(name)}


async def call_for_staff(server: Server) -> None:
    """Publish what the guest's session publishes when the guest names an allergy."""
    reason = {"code": "allergy", "text": "nuts", "utterance": 1, "calls_staff": True}
    data = {"session_id": GUEST, "status": "needs_staff", "reasons": [reason]}
    await server.app[EVENTS].publish(
        DEMO_RESTAURANT, "voice:order", data, tags={"session_id": GUEST}
    )


async def test_every_path_that_is_named_is_served(server: Server) -> None:
    """`/v1/…`, and what operators ask."""
    served = {route.resource.canonical for route in server.app.router.routes()}
    named = set(
        re.findall(r"(?<![\w.])/(?:v1/[a-z0-9{}/.-]*[a-z0-9}]|healthz|readyz|metrics)", BOTH)
    )
    named = {
        path.replace("items/1/", "items/{item_id}/").replace("versions/1/", "versions/{n}/")
        for path in named
    }
    named = {
        re.sub(rf"/(t12|cheeseburger|{{call}}|{GUEST})(?=/|$)", "/{id}", path) for path in named
    }
    assert len(named) > 8
    assert named <= served


# Commands


def commands() -> list[str]:
    """Every command line of the README, without comments and prompts."""
    shown = "".join(blocks(README, "sh"))
    shown += "".join(
        line[2:] + "\n"
        for block in blocks(README, "console")
        for line in block.splitlines()
        if line.startswith("$ ")
    )
    inner = re.findall(r"\$\((.*?)\)", shown)
    stripped = (re.sub(r"\s+#.*", "", line).strip() for line in shown.splitlines())
    return [*(line for line in stripped if line and not line.startswith(("#", "export"))), *inner]


@pytest.mark.parametrize("command", commands())
def test_a_command_of_the_readme_exists(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its subcommands, options, targets, extras and files."""
    monkeypatch.setenv("VOICE_TOKEN", "token")
    program, *words = shlex.split(command.partition("<<<")[0])
    if program == "voice-service":
        assert isinstance(cli._parser().parse_args(words), argparse.Namespace)
    elif program == "make":
        targets = [word for word in words if "=" not in word]
        makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
        assert all(re.search(rf"^{target}:", makefile, re.M) for target in targets)
    elif program == "pip":
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
        if words[1] == "--group":
            assert words[2] in project["dependency-groups"]
        else:
            [extra] = re.findall(r"^\.\[(.*)\]$", words[1])
            assert extra in project["project"]["optional-dependencies"]
    elif program == "python":
        script = ROOT / words[0]
        assert script.parent == ROOT / "benchmarks"
        options = importlib.import_module(script.stem).parser().parse_args(words[1:])
        assert isinstance(options, argparse.Namespace)
    elif program == "docker":
        assert all((ROOT / word).is_file() for word in words if word.startswith("Dockerfile"))
    else:
        raise AssertionError(f"nobody checks {program!r}: add it here")


@pytest.mark.parametrize("line", [command for command in commands() if "<<<" in command])
def test_what_a_reader_can_type_without_a_server_works(line: str) -> None:
    """The orders that the README reads from text."""
    command, _, said = line.partition("<<<")
    arguments = shlex.split(command)[1:]
    done = subprocess.run(
        [sys.executable, "-m", "voice_service", *arguments],
        input=shlex.split(said)[0] + "\n",
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    assert re.search("2 (Cheeseburgers|Hamburguesas con Queso)", done.stdout)


def options(parser: argparse.ArgumentParser) -> set[str]:
    """Return every option of a parser and its subcommands."""
    found = set(parser._option_string_actions)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                found |= options(below)
    return found


def test_every_option_and_variable_that_is_named_exists() -> None:
    """In the text, in the tables and in the protocol."""
    known = options(cli._parser()) | options(hub._parser())
    named = set(re.findall(r"(?<=`)--[a-z-]+", BOTH))
    assert "--trusted-proxies" in named
    assert named <= known
    fields = {f"VOICE_{name.upper()}" for name in VoiceSettings.model_fields}
    of_clients = {"VOICE_TOKEN", "VOICE_URL"}
    assert set(re.findall(r"\bVOICE_[A-Z_]+", BOTH)) <= fields | of_clients


def test_numbers_in_the_settings_table_are_the_defaults() -> None:
    """Wherever a default is a plain value."""
    rows = re.findall(r"^\| `--([a-z-]+)` \| `?([^`|]+)`? \|", README, re.M)
    checked = 0
    for name, shown in rows:
        default = VoiceSettings.model_fields[name.replace("-", "_")].default
        if isinstance(default, str | int) and str(default):
            checked += 1
            assert shown.strip().replace(",", "") == str(default) or default == 0, name
    assert checked >= 3


@pytest.mark.parametrize("source", ["README.md", "docs/protocol.md", "docs/audio-sources.md"])
def test_links_lead_somewhere(source: str) -> None:
    """To files and headings of the repository."""
    text = (ROOT / source).read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert links
    for link in links:
        path, _, heading = link.partition("#")
        if "://" in path:
            continue
        target = (ROOT / source).parent / path if path else ROOT / source
        assert target.exists(), link
        if heading:
            headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.M)
            assert heading in {
                re.sub(r"[^\w\- ]", "", h).lower().replace(" ", "-") for h in headings
            }
