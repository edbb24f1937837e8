"""Runs an application until SIGTERM or SIGINT, and stops it in order."""

from __future__ import annotations

import asyncio
import errno
import signal
import sys

from aiohttp import web

from order_events.app import REGISTRY
from order_events.settings import HubSettings


class Runner(web.AppRunner):
    """Runs an application of `app.build_app` within the limits of its settings.

    It goes on listening until the sockets are closed: whoever asks `/readyz` meanwhile is told
    that the server stops, and HTTP requests are answered.
    """

    def __init__(self, app: web.Application, settings: HubSettings) -> None:
        super().__init__(
            app,
            access_log=None,
            # Bounds half-made handshakes, which aiohttp otherwise keeps for an hour.
            keepalive_timeout=settings.idle_http_s,
            # Sockets have been closed by then; this is for HTTP requests in progress.
            shutdown_timeout=settings.close_timeout_s,
        )

    async def cleanup(self) -> None:
        """Closes the sockets, then stops listening, then everything else."""
        await self.app[REGISTRY].stop()
        await super().cleanup()


def serve(app: web.Application, settings: HubSettings) -> None:
    """Serves until a signal comes; returns when everything is committed and closed.

    Says on standard error where it listens. Raises OSError when it cannot; see `why_not`.
    """
    asyncio.run(_serve(app, settings))


async def _serve(app: web.Application, settings: HubSettings) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    runner = Runner(app, settings)
    try:
        await runner.setup()
        await web.TCPSite(runner, settings.host, settings.port).start()
        host, port = runner.addresses[0][:2]
        where = f"[{host}]" if ":" in host else host
        print(f"Listening on http://{where}:{port}", file=sys.stderr, flush=True)
        await stop.wait()
    finally:
        await runner.cleanup()


def why_not(error: Exception, settings: HubSettings) -> str:
    """Why a server did not start, for whoever starts it."""
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return (
            f"port {settings.port} of {settings.host} is in use: "
            "choose another with --port (VOICE_PORT)"
        )
    return str(error)
