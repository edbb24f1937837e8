"""The hub with a way to publish that leaves the store out: what fan-out alone costs.

python unstored.py; POST /publish fans its body out as an event that is on no disk. Settings come
from the environment, as for the hub.
"""

from __future__ import annotations

import asyncio
import itertools

from aiohttp import web

from order_events.app import EVENTS, build_app
from order_events.domain.models import Event
from order_events.metrics import HubMetrics
from order_events.protocol.filters import TABLE_UPDATED
from order_events.server import serve
from order_events.service import OrderEvents
from order_events.settings import HubSettings

_SEQ = itertools.count(1)


async def publish(request: web.Request) -> web.Response:
    """Fan the body out to the restaurant in the query."""
    restaurant, body = request.query["restaurant"], await request.read()
    seq = next(_SEQ)
    request.app[EVENTS].hub.publish(Event(restaurant, "", seq, str(seq), TABLE_UPDATED, {}, body))
    await asyncio.sleep(0)
    return web.Response(status=204)


if __name__ == "__main__":
    settings = HubSettings()
    application = build_app(settings, OrderEvents(settings, HubMetrics()))
    application.router.add_post("/publish", publish)
    serve(application, settings)
