"""Receipt printers: a ticket as ESC/POS, and its way to the paper."""

from __future__ import annotations

import asyncio
import textwrap
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Protocol

from escpos.printer import Dummy

from order_events.integrations.printing.tickets import TicketLine, Weight, ticket
from order_events.integrations.relay import Step, Unavailable

PORT: Final = 9100
_TIMEOUT_S: Final = 20.0
_CLOSED_S: Final = 3.0
_LARGE: Final[dict[str, Any]] = {"bold": True, "double_width": True, "double_height": True}
_STYLES: Final[dict[Weight, dict[str, Any]]] = {
    Weight.ALARM: {**_LARGE, "invert": True},
    Weight.TITLE: {**_LARGE, "align": "center"},
    Weight.ITEM: {"bold": True, "double_height": True},
    Weight.PLAIN: {},
}


class Paper(Protocol):
    """Takes bytes for a printer."""

    async def write(self, content: bytes) -> None:
        """Send all of it; raise Unavailable."""


class NetworkPrinter:
    """A printer that listens on the network."""

    def __init__(self, host: str, port: int = PORT) -> None:
        self._host = host
        self._port = port

    async def write(self, content: bytes) -> None:
        """Send all of it on a connection of its own; raise Unavailable."""
        begun = False
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                reader, writer = await asyncio.open_connection(self._host, self._port)
                try:
                    begun = True
                    writer.write(content)
                    await writer.drain()
                    writer.write_eof()
                    # Most printers close once they have everything. The others have it, too.
                    with suppress(TimeoutError):
                        async with asyncio.timeout(_CLOSED_S):
                            while await reader.read(1_024):
                                pass
                finally:
                    writer.close()
        except (OSError, TimeoutError) as error:
            where = f"{self._host}:{self._port}"
            raise Unavailable(f"the printer {where} takes nothing: {error}", begun=begun) from error


class DevicePrinter:
    """A printer that is a file, such as `/dev/usb/lp0`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def write(self, content: bytes) -> None:
        """Send all of it; raise Unavailable."""
        try:
            await asyncio.to_thread(self._write, content)
        except OSError as error:
            raise Unavailable(f"the printer takes nothing: {error}", begun=True) from error

    def _write(self, content: bytes) -> None:
        with self._path.open("ab", buffering=0) as device:
            left = memoryview(content)
            while left:
                left = left[device.write(left) :]


class TicketPrinter:
    """An outlet for orders. `columns` is how many characters fit into a line; `profile` is the
    printer's name in the database of python-escpos, which knows its characters and its knife."""

    def __init__(self, paper: Paper, profile: str = "default", columns: int | None = None) -> None:
        self._paper = paper
        self._profile = profile
        self._columns = columns

    async def carry_out(self, step: Step) -> str | None:
        """Print a step; raise Unavailable."""
        await self._paper.write(self.rendered(ticket(step)))
        return None

    def rendered(self, lines: Sequence[TicketLine]) -> bytes:
        """Return a ticket as the printer understands it, cut at its end."""
        printer = Dummy(profile=self._profile)
        columns = self._columns or printer.profile.get_columns("a")
        printer.hw("INIT")
        for line in lines:
            style = _STYLES[line.weight]
            printer.set_with_default(**style)
            width = columns // 2 if style.get("double_width") else columns
            for piece in _wrapped(line, width):
                printer.textln(piece)
        printer.set_with_default()
        printer.cut()
        return bytes(printer.output)


def _wrapped(line: TicketLine, width: int) -> list[str]:
    return textwrap.wrap(line.text, width, subsequent_indent=line.indent) or [""]
