"""The bus over a real NATS server."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from nats.aio.client import Client
from support.nats import NatsServer

from order_events.bus import nats_bus
from order_events.bus.messages import BusMessage, Wakeup
from order_events.bus.nats_bus import NatsBus


class Heard:
    """Takes what a bus delivers."""

    def __init__(self) -> None:
        self.messages: list[BusMessage] = []
        self.connections = 0

    def received(self, message: BusMessage, node: str) -> None:
        self.messages.append(message)

    def reconnected(self) -> None:
        self.connections += 1


async def deliver(sender: NatsBus, heard: Heard, message: BusMessage) -> None:
    """Send until it is heard; the test's own time-out is the bound."""
    while message not in heard.messages:
        sender.send(message)
        await asyncio.sleep(0.05)


async def test_an_error_of_the_server_is_survived(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both ways, also where nobody sends anything."""
    clients: list[Client] = []

    class Recorded(Client):
        def __init__(self) -> None:
            super().__init__()
            clients.append(self)

    monkeypatch.setattr(nats_bus, "Client", Recorded)
    with NatsServer(tmp_path) as server:
        sender, receiver = NatsBus(server.url, "n1"), NatsBus(server.url, "n2")
        sent, heard = Heard(), Heard()
        await sender.open(sent)
        await receiver.open(heard)
        receiver.follow("r1")
        try:
            await deliver(sender, heard, Wakeup("r1", "e", 1))
            broken = [client for client in clients if client.is_connected]
            assert len(broken) == 2
            for client in broken:  # The server hangs up after a line that it does not know.
                await client._send_command(b"NO SUCH LINE\r\n")
                await client._flush_pending()
            while not all(client.is_closed for client in broken):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            while min(sent.connections, heard.connections) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            await deliver(sender, heard, Wakeup("r1", "e", 2))
            assert (sender.trouble, receiver.trouble) == (None, None)
        finally:
            await sender.close()
            await receiver.close()
