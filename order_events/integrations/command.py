"""What the commands of all integrations share: where the server is, and running until stopped."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from pathlib import Path

import aiohttp

from order_events import logs
from order_events.client import Refused
from order_events.integrations.hub_api import HubApi
from order_events.integrations.journal import Journal
from order_events.integrations.relay import Outlet, Relay

TOKEN = "VOICE_TOKEN"  # noqa: S105 (the name of a variable)


def add_server(parser: argparse.ArgumentParser, *, journal: str) -> None:
    """Declare the options that name the server and the file of what has been done."""
    parser.add_argument("--url", default="http://127.0.0.1:3001", help="address of the server")
    parser.add_argument(
        "--journal",
        type=Path,
        default=Path(journal),
        help="file that remembers what was carried out (default: %(default)s)",
    )
    parser.epilog = f"The environment has the token: {TOKEN}, or {TOKEN}_FILE, a file with it."


def token() -> str:
    """Return the token now; raise SystemExit if there is none. A file may be renewed meanwhile."""
    file = os.environ.get(f"{TOKEN}_FILE")
    found = os.environ.get(TOKEN, "") if file is None else Path(file).read_text().strip()
    if not found:
        raise SystemExit(f"set {TOKEN} or {TOKEN}_FILE")
    return found


def run_relay(
    options: argparse.Namespace, outlet: Callable[[aiohttp.ClientSession, HubApi], Outlet]
) -> int:
    """Carry orders to an outlet until stopped; return the exit status."""
    logs.configure("info")

    async def relay() -> None:
        with closing(Journal(options.journal)) as journal:
            async with aiohttp.ClientSession() as http:
                hub = HubApi(http, options.url, token)
                await Relay(options.url, token, hub, journal, outlet(http, hub)).run()

    return run(relay())


def run(work: Awaitable[None]) -> int:
    """Run until it is done, or until SIGINT or SIGTERM; return the exit status."""

    async def until_stopped() -> None:
        task = asyncio.ensure_future(work)
        for stop in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(stop, task.cancel)
        with suppress(asyncio.CancelledError):
            await task

    try:
        asyncio.run(until_stopped())
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 1
    return 0
