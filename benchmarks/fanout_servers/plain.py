"""aiohttp's own way: `send_str` to one WebSocket after the other.

python plain.py; POST /publish broadcasts its body. Compression follows what clients offer.
"""

from __future__ import annotations

import asyncio

from aiohttp import web

SOCKETS: set[web.WebSocketResponse] = set()


async def socket(request: web.Request) -> web.StreamResponse:
    """Hold a subscriber."""
    ws = web.WebSocketResponse()
    await ws.prepare(request)
    SOCKETS.add(ws)
    try:
        async for _ in ws:
            pass
    finally:
        SOCKETS.discard(ws)
    return ws


async def publish(request: web.Request) -> web.Response:
    """Send the body to all."""
    text = await request.text()
    for ws in list(SOCKETS):
        await ws.send_str(text)
    return web.Response(status=204)


async def serve() -> None:
    """Serve until killed."""
    app = web.Application()
    app.add_routes([web.get("/", socket), web.post("/publish", publish)])
    runner = web.AppRunner(app, access_log=None, keepalive_timeout=3600)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=4096).start()
    host, port = runner.addresses[0][:2]
    print(f"Listening on http://{host}:{port}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve())
