"""Runs an application until SIGTERM or SIGINT, then stops it in order."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import signal
import sys

from aiohttp import web

from order_events.acceptor import Site, raise_open_files
from order_events.app import REGISTRY
from order_events.settings import HubSettings
from order_events.tls import Certificate

_AROUND_TOKEN = 256
"""Bytes of a header besides its token: its name and scheme."""


class Runner(web.AppRunner):
    """An `AppRunner` for an application of `app.build_app`, bounded by its settings.

    It keeps listening until the sockets are closed. Meanwhile `/readyz` reports that the server is
    stopping, and HTTP requests are still answered.
    """

    def __init__(self, app: web.Application, settings: HubSettings) -> None:
        super().__init__(
            app,
            access_log=None,
            # Bounds incomplete handshakes, which aiohttp would otherwise keep for an hour.
            keepalive_timeout=settings.idle_http_s,
            # For HTTP requests in progress: by then the sockets have been closed.
            shutdown_timeout=settings.close_timeout_s,
            # A token of the size that is accepted has to fit into its header.
            max_field_size=max(8_190, settings.token_max_bytes + _AROUND_TOKEN),
        )
        self._renewing: asyncio.Task[None] | None = None

    def renew(self, certificate: Certificate) -> None:
        """Keep a certificate as new as its files until `cleanup`."""
        self._renewing = asyncio.create_task(certificate.keep_renewing(), name="certificate")

    async def cleanup(self) -> None:
        """Close the sockets, then stop listening, then release everything else."""
        if self._renewing is not None:
            self._renewing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._renewing
        registry = self.app[REGISTRY]
        await registry.stop()
        # aiohttp takes it when the runner is made, but the sockets may have used the time up.
        self._shutdown_timeout = registry.remaining()
        await super().cleanup()


def serve(app: web.Application, settings: HubSettings) -> None:
    """Serve until a signal arrives; return once everything is committed and closed.

    Prints the listening address to standard error. Raises OSError if it cannot listen; see
    `why_not`.
    """
    asyncio.run(_serve(app, settings))


async def _serve(app: web.Application, settings: HubSettings) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    runner = Runner(app, settings)
    try:
        await runner.setup()
        print(f"Listening on {await listen(runner, settings)}", file=sys.stderr, flush=True)
        await stop.wait()
    finally:
        await runner.cleanup()


async def listen(runner: Runner, settings: HubSettings) -> str:
    """Listen as the settings say; return the address, `http://host:port`. Raises OSError.

    It begins with `https` if there is a certificate.
    """
    certificate = settings.certificate()
    if certificate is not None:
        runner.renew(certificate)
    raise_open_files(settings.max_connections)
    site = Site(
        runner,
        settings.host,
        settings.port,
        ssl_context=None if certificate is None else certificate.context,
        per_address=settings.max_connections_per_address,
        counts_as=runner.app[REGISTRY].callers.peer,
    )
    await site.start()
    host, port = runner.addresses[0][:2]
    scheme = "http" if certificate is None else "https"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def why_not(error: Exception, settings: HubSettings) -> str:
    """Return why a server did not start, worded for the person who started it."""
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return (
            f"port {settings.port} of {settings.host} is in use: "
            "choose another with --port (VOICE_PORT)"
        )
    return str(error)
