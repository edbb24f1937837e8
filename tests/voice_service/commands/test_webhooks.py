"""The command that manages webhooks, against a server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from order_events.app import AUTHORITY, build_app
from order_events.auth.tokens import Role
from order_events.metrics import HubMetrics
from order_events.server import Runner
from order_events.service import OrderEvents
from order_events.settings import HubSettings
from voice_service.cli import main


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[tuple[str, str]]:
    """A hub's address, and a manager's token."""
    settings = HubSettings(data_dir=tmp_path, webhook_private_networks=True)
    app = build_app(settings, OrderEvents(settings, HubMetrics()))
    runner = Runner(app, settings)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield (
        f"http://127.0.0.1:{runner.addresses[0][1]}",
        app[AUTHORITY].issue("r1", "boss", Role.MANAGER, 600),
    )
    await runner.cleanup()


async def test_a_webhook_from_the_command_line(hub: Any, capsys: Any) -> None:
    """Added, listed, tested, switched off and on, given a new secret, removed."""
    url, token = hub

    async def command(*arguments: str) -> tuple[int, str, str]:
        given = ["webhooks", "--url", url, "--token", token, *arguments]
        status = await asyncio.to_thread(main, given)
        said = capsys.readouterr()
        return status, said.out, said.err

    status, out, _ = await command("add", "http://127.0.0.1:9/", "order:created")
    assert status == 0
    assert "secret, shown this once: whsec_" in out
    webhook_id = out.split()[0]
    assert "http://127.0.0.1:9/  order:created" in (await command("list"))[1]
    status, _, complaint = await command("test", webhook_id)
    assert (status, "no connection" in complaint) == (1, True)
    assert "  off  " in (await command("disable", webhook_id))[1]
    assert "  on   " in (await command("enable", webhook_id))[1]
    assert "whsec_" in (await command("rotate", webhook_id))[1]
    assert (await command("remove", webhook_id))[0] == 0
    status, _, complaint = await command("remove", webhook_id)
    assert (status, "there is no such webhook" in complaint) == (1, True)


def test_a_server_that_is_not_there_is_said_so(capsys: Any) -> None:
    """With its address."""
    given = ["webhooks", "--url", "http://127.0.0.1:9", "--token", "t", "list"]
    assert main(given) == 1
    assert "no answer from http://127.0.0.1:9" in capsys.readouterr().err
