"""Runs an application until SIGTERM or SIGINT, and stops it in order."""

from __future__ import annotations

from aiohttp import web

from order_events.settings import HubSettings


def serve(app: web.Application, settings: HubSettings) -> None:
    """Serves until a signal comes; returns when everything is committed and closed.

    Raises OSError when the address cannot be listened on.
    """
    web.run_app(
        app,
        host=settings.host,
        port=settings.port,
        access_log=None,
        print=None,
        # Bounds half-made handshakes, which aiohttp otherwise keeps for an hour.
        keepalive_timeout=settings.idle_http_s,
        # Sockets have been closed by then; this is for HTTP requests in progress.
        shutdown_timeout=settings.close_timeout_s,
    )
