"""Orders on a receipt printer: each once, changes and cancellations too, allergies first."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from escpos.printer import Dummy

from order_events.integrations.printing.printers import (
    DevicePrinter,
    NetworkPrinter,
    TicketPrinter,
)
from order_events.integrations.printing.tickets import TicketLine
from order_events.integrations.relay import Unavailable

INVERTED = b"\x1dB\x01"
CUT = b"\x1dV\x00"


class Paper:
    """What came out of a printer, ticket by ticket. The next `jams` writes fail."""

    def __init__(self) -> None:
        self.tickets: list[str] = []
        self.raw: list[bytes] = []
        self.jams = 0
        self.half = False

    async def write(self, content: bytes) -> None:
        if self.jams:
            self.jams -= 1
            raise Unavailable("no paper", begun=self.half)
        assert content.endswith(CUT)
        self.raw.append(content)
        self.tickets.append(_words(content))


def _words(content: bytes) -> str:
    """Return what is legible of ESC/POS."""
    lines = content.decode("cp437").split("\n")
    return "\n".join("".join(c for c in line if c.isprintable()) for line in lines)


class Killed(Exception):
    """The bridge ended here."""


class KilledPrinter(TicketPrinter):
    """Prints, and has no time to note it."""

    async def carry_out(self, step: Any) -> str | None:
        await super().carry_out(step)
        raise Killed


@pytest.fixture
def paper() -> Paper:
    """A printer's output."""
    return Paper()


async def order(server: Any, **fields: Any) -> dict[str, Any]:
    """Create an order and confirm it; return it."""
    draft = {"items": [{"menu_item_id": "burger", "modifiers": [{"id": "onion", "negated": True}]}]}
    _, answer = await server.call("POST", "/v1/orders", {**draft, **fields})
    made: dict[str, Any] = answer["order"]
    await status(server, made, "confirmed")
    return made


async def status(server: Any, made: dict[str, Any], to: str) -> None:
    """Take an order to another status."""
    path = f"/v1/orders/{made['id']}/status"
    code, answer = await server.call("POST", path, {"status": to})
    assert code == 200, answer


async def test_each_order_is_printed_once_however_often_the_bridge_is_restarted(
    server: Any, carry: Any, paper: Paper
) -> None:
    """From the first start on; not before it is confirmed, and not again when it moves on."""
    await order(server)
    await carry(TicketPrinter(paper))
    assert paper.tickets == []
    first = await order(server, customer_name="Jürgen")
    await server.call("POST", "/v1/orders", {"items": [{"menu_item_id": "cola"}]})
    await carry(TicketPrinter(paper))
    await status(server, first, "preparing")
    await carry(TicketPrinter(paper))
    [ticket] = paper.tickets
    assert "No. 0002" in ticket
    assert "1 x Burger" in ticket
    assert "NO Onion" in ticket
    assert "For J" in ticket
    second = await order(server)
    await carry(TicketPrinter(paper))
    assert second["order_number"] in paper.tickets[1]


async def test_changes_and_cancellations_are_printed(server: Any, carry: Any, paper: Paper) -> None:
    """Only what differs; and a cancellation in letters that nobody overlooks."""
    await carry(TicketPrinter(paper))
    made = await order(server)
    await carry(TicketPrinter(paper))
    line = {"id": made["items"][0]["id"], "menu_item_id": "burger", "quantity": 2}
    items = [line, {"menu_item_id": "cola", "size": "l"}]
    await server.call("PATCH", f"/v1/orders/{made['id']}", {"items": items})
    await carry(TicketPrinter(paper))
    await status(server, made, "cancelled")
    await carry(TicketPrinter(paper))
    _, changed, cancelled = paper.tickets
    assert "CHANGED" in changed
    assert "WAS: 1 x Burger" in changed
    assert "NOW: 2 x Burger" in changed
    assert "ADD: 1 x l Cola" in changed
    assert "CANCELLED" in cancelled
    assert INVERTED in paper.raw[2]


async def test_an_allergy_stands_above_everything(server: Any, carry: Any, paper: Paper) -> None:
    """In large letters, white on black."""
    await carry(TicketPrinter(paper))
    await order(server, attention=[{"code": "allergy", "text": "peanuts"}], notes="ring the bell")
    await carry(TicketPrinter(paper))
    [ticket] = paper.tickets
    assert ticket.index("ALLERGY: peanuts") < ticket.index("No. 0001") < ticket.index("ring the")
    assert paper.raw[0].index(INVERTED) < paper.raw[0].index(b"ALLERGY")


async def test_a_ticket_that_may_be_a_copy_says_so(server: Any, carry: Any, paper: Paper) -> None:
    """After a failure in the midst of it, or a stop; not if nothing was printed at all."""
    await carry(TicketPrinter(paper))
    paper.jams = 3
    await order(server)
    await carry(TicketPrinter(paper))
    assert "COPY" not in paper.tickets[0]
    paper.jams, paper.half = 1, True
    await order(server)
    await carry(TicketPrinter(paper))
    assert "MAY BE A COPY" in paper.tickets[1]

    third = await order(server)
    with pytest.raises(Killed):
        await carry(KilledPrinter(paper))
    await carry(TicketPrinter(paper))
    copies = [t for t in paper.tickets if third["order_number"] in t]
    assert ["MAY BE A COPY" in copy for copy in copies] == [False, True]


async def test_what_was_missed_is_printed_after_history_was_lost(
    server: Any, carry: Any, paper: Paper
) -> None:
    """Orders that are still to be made, and no others."""
    await carry(TicketPrinter(paper))
    made = await order(server)
    done = await order(server)
    for to in ("preparing", "ready", "completed"):
        await status(server, done, to)
    _, head = server.events.hub.head("r1")
    server.events.hub.forgotten("r1", head + 1)
    await carry(TicketPrinter(paper))
    assert [made["order_number"] in ticket for ticket in paper.tickets] == [True]


def test_a_ticket_is_what_python_escpos_prints() -> None:
    """Its own Dummy writes the same bytes, and knows letters of any code page."""
    printer, dummy = TicketPrinter(Paper()), Dummy()
    dummy.hw("INIT")
    dummy.set_with_default()
    dummy.textln("Crème brûlée, 5 €")
    dummy.set_with_default()
    dummy.cut()
    assert printer.rendered([TicketLine("Crème brûlée, 5 €")]) == dummy.output


async def test_tickets_reach_printers_on_the_network_and_at_a_port(tmp_path: Path) -> None:
    """Whole, or the failure is told."""
    received = asyncio.Queue[bytes]()

    async def printer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.put_nowait(await reader.read())
        writer.close()

    listening = await asyncio.start_server(printer, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    await NetworkPrinter("127.0.0.1", port).write(b"x" * 100_000)
    assert len(await received.get()) == 100_000
    listening.close()
    await listening.wait_closed()
    with pytest.raises(Unavailable) as caught:
        await NetworkPrinter("127.0.0.1", port).write(b"x")
    assert not caught.value.begun
    device = tmp_path / "lp0"
    device.touch()
    await DevicePrinter(device).write(b"ticket")
    assert device.read_bytes() == b"ticket"
