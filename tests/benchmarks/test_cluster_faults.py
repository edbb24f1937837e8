"""The faults of several nodes: what is measured of them, and wires that can be cut."""

from __future__ import annotations

import asyncio

import pytest
from cluster_faults import live_again
from cluster_nodes import Wire
from kill_run import Reader, Subscription


def test_a_reader_is_live_with_the_first_event_committed_after_the_fault() -> None:
    """One committed before, and only delivered after, does not count."""
    reader = Reader(Subscription())
    for second, arrival in ((10, 10.5), (20, 21.0), (30, 30.5)):
        reader.events.append({"timestamp": f"1970-01-01T00:00:{second}.000Z"})
        reader.arrivals.append(arrival)
    assert live_again(reader, 10.1) == pytest.approx(10.9)
    assert live_again(reader, 30.0) == pytest.approx(0.5)
    assert live_again(reader, 31.0) is None


async def test_a_wire_that_is_cut_passes_nothing_until_it_is_mended() -> None:
    """Neither end is told; what is connected afterwards works."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    wire = Wire(f"nats://127.0.0.1:{port}")
    here = int((await wire.start()).rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", here)
    writer.write(b"1")
    assert await reader.read(100) == b"1"
    wire.cut()
    writer.write(b"2")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.read(100), 0.2)
    wire.mend()
    writer.close()
    reader, writer = await asyncio.open_connection("127.0.0.1", here)
    writer.write(b"3")
    assert await reader.read(100) == b"3"
    writer.close()
    wire.close()
    server.close()
