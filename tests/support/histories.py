"""Events published in bulk, and collected again."""

from __future__ import annotations

import asyncio
from typing import Any

from order_events.domain.models import TableChange
from order_events.protocol.filters import VOICE_ORDER


async def publish(server: Any, count: int, start: int = 0, tables: int = 1) -> None:
    """Publish that many `table:updated` events, spread over the tables."""
    for number in range(start, start + count):
        change = TableChange(number=str(number), status="occupied")
        await server.events.change_table("r1", f"t{number % tables}", change, actor="a")


async def collect(client: Any, count: int) -> list[dict[str, Any]]:
    """Return that many events, unpacked from batches."""
    events: list[dict[str, Any]] = []
    while len(events) < count:
        message = await client.receive()
        events += message["events"] if message["type"] == "batch" else [message]
    return events


async def pour(server: Any, count: int, size: int) -> None:
    """Publish that many `voice:order` events of that many bytes, most of them in one commit."""
    await asyncio.gather(
        *(
            server.events.publish("r1", VOICE_ORDER, {"number": n, "pad": "x" * size}, tags={})
            for n in range(count)
        )
    )
