"""Autobahn's WebSocket cases against the shell that serves both of our sockets.

    conformance.py [CASE …] [--parallel N] [--all]

Cases are ids or globs, `9.*` say; all of them if none is named. The cases expect an echo, so the
server that is judged repeats what it is told; everything else (handshake, framing, compression,
limits, closing) is the shell's own, with limits raised to what the cases send. Prints a line for
each group of cases and for each case that is not passed in full; --all prints every case. Exits
with 1 if a case failed.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from functools import partialmethod
from pathlib import Path
from typing import Any, Literal, cast

from aiohttp import WSMessage, WSMsgType, hdrs, web
from kosoku import FailureError, run_fuzzingclient
from kosoku._kosoku import CaseResult
from kosoku.cases import CASES
from pydantic import SecretStr, TypeAdapter

from order_events import logs
from order_events.app import AUTHORITY, REGISTRY, build_app
from order_events.auth.tokens import Principal, Role
from order_events.metrics import HubMetrics
from order_events.protocol.messages import ClientMessage
from order_events.service import OrderEvents
from order_events.settings import HubSettings
from order_events.websocket.application import Budget, Opening
from order_events.websocket.connection import Connection
from order_events.websocket.connection_loop import ConnectionLoop
from order_events.websocket.endpoint import Endpoint

GROUPS = {
    "1": "framing",
    "2": "pings and pongs",
    "3": "reserved bits",
    "4": "opcodes",
    "5": "fragmentation",
    "6": "UTF-8",
    "7": "closing",
    "9": "limits and performance",
    "10": "miscellaneous",
    "12": "compression",
    "13": "compression, different parameters",
}
PASSED = frozenset({"OK", "NON-STRICT", "INFORMATIONAL"})
CLOSED_WELL = frozenset({"OK", "INFORMATIONAL"})
LARGEST = 64 * 2**20
"""Bytes; the largest message of the cases has 16 MiB."""
MANY = 1_000_000_000


class Said(ClientMessage):
    """A message with any text."""

    type: Literal["said"] = "said"
    text: str


class AnyText:
    """A type adapter that accepts any text, JSON or not."""

    def validate_json(self, text: str) -> Said:
        """Return the text as a message."""
        return Said.model_construct(text=text)


class EchoHandler:
    """Repeats every message."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def receive(self, message: Said, now: float) -> None:
        """Repeat a text."""
        self._connection.send_text(message.text)

    def advice(self, limit: int) -> None:
        """Give none."""

    def closed(self, now: float) -> None:
        """Do nothing: nothing is held."""

    def finished(self) -> Awaitable[None] | None:
        """Return None: nothing is waited for."""
        return None


class Echo:
    """The application that the shell serves."""

    messages = cast("TypeAdapter[Said]", AnyText())
    types = frozenset({"said"})

    def admit(self, principal: Principal) -> None:
        """Admit everybody."""

    def budget(self, type_: str) -> Budget:
        """Return the only budget."""
        return "regular"

    def connect(self, connection: Connection, opening: Opening) -> EchoHandler:
        """Return a handler that repeats messages."""
        return EchoHandler(connection)


class EchoLoop(ConnectionLoop[Said]):
    """Also repeats binary messages, which our protocol refuses, and sends no `connected`."""

    def _send_connected(self) -> None:
        pass

    def _message(self, received: WSMessage) -> bool:
        if received.type is WSMsgType.BINARY:
            self._connection.control(WSMsgType.BINARY, received.data)
            return False
        return super()._message(received)


class EchoEndpoint(Endpoint[Said]):
    """The shell around the echo."""

    loop_type = EchoLoop


def server(data_dir: Path) -> web.Application:
    """Run the hub with the echo at `/echo`, where everybody is authenticated already."""
    settings = HubSettings(
        data_dir=data_dir,
        jwt_secret=SecretStr(secrets.token_urlsafe(48)),
        regular_per_minute=MANY,
        bytes_per_minute=MANY * 1_000,
        control_per_minute=MANY,
        max_message_frames=MANY,
        max_message_bytes=LARGEST,
        outbox_bytes=LARGEST,
        max_connections=10_000,
        # A case ends as failed when it is pinged.
        heartbeat_s=86_400,
    )
    app = build_app(settings, OrderEvents(settings, HubMetrics()))
    endpoint = EchoEndpoint(Echo(), app[REGISTRY], "echo")

    async def echo(request: web.Request) -> web.StreamResponse:
        token = app[AUTHORITY].issue("conformance", "autobahn", Role.DEVICE, 3_600)
        headers = request.headers.copy()
        headers[hdrs.AUTHORIZATION] = f"Bearer {token}"
        return await endpoint.handle(request.clone(headers=headers))

    app.router.add_get("/echo", echo)
    return app


async def run(cases: Sequence[str], parallel: int) -> list[CaseResult]:
    """Return the results of the cases."""
    with tempfile.TemporaryDirectory() as data_dir:
        runner = web.AppRunner(server(Path(data_dir)), shutdown_timeout=1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            url = f"ws://127.0.0.1:{runner.addresses[0][1]}/echo"
            return await run_fuzzingclient(url, list(cases) or None, concurrency=parallel)
        except FailureError as failure:
            return failure.results
        finally:
            await runner.cleanup()


def mend_cases() -> None:
    """Lets the cases about compression read a text that came uncompressed.

    kosoku hands them that as `str`, which they, written for Python 2, cannot hash. A server may
    send what is too short to be worth compressing as it is (RFC 7692, 6).
    """
    case: Any
    for name, case in CASES.items():
        if name.startswith(("12.", "13.")):
            case.onMessage = partialmethod(_on_message, case.onMessage)


def _on_message(case: Any, inner: Callable[..., None], message: str | bytes, binary: bool) -> None:
    if isinstance(message, str):
        message = message.encode("latin-1" if binary else "utf-8")
    inner(case, message, binary)


def main() -> int:
    """Run the cases and print their results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", metavar="CASE")
    parser.add_argument("--parallel", type=int, default=1, help="cases at a time")
    parser.add_argument("--all", action="store_true", help="print every case")
    options = parser.parse_args()
    logs.configure("error")
    mend_cases()
    results = asyncio.run(run(options.cases, options.parallel))
    report(results, everything=options.all)
    return int(any(verdict(result) == "FAILED" for result in results))


def verdict(result: CaseResult) -> str:
    """Return Autobahn's verdict, including how it was closed; anything worse is FAILED."""
    closing = result.behavior_close.value
    if result.behavior.value in PASSED and closing in CLOSED_WELL:
        return str(result.behavior.value)
    return "FAILED"


def report(results: Sequence[CaseResult], *, everything: bool) -> None:
    """Print a line per case worth one, then the table of groups."""
    groups: dict[str, Counter[str]] = {}
    for result in results:
        came = verdict(result)
        groups.setdefault(result.case_id.partition(".")[0], Counter())[came] += 1
        if everything or came != "OK":
            closed = result.behavior_close.value
            print(f"{result.case_id:<8} {came:<14} closing {closed:<14} {result.result}")
    print(f"\n{'group':<40} {'cases':>5} {'OK':>5} {'non-strict':>10} {'info':>5} {'failed':>6}")
    for group, counts in [*groups.items(), ("all", sum(groups.values(), Counter()))]:
        name = f"{group} {GROUPS.get(group, '')}"
        row = [counts[key] for key in ("OK", "NON-STRICT", "INFORMATIONAL", "FAILED")]
        print(f"{name:<40} {sum(row):>5} {row[0]:>5} {row[1]:>10} {row[2]:>5} {row[3]:>6}")


if __name__ == "__main__":
    sys.exit(main())
