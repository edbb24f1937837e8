"""Endpoints for operators: health, readiness, metrics, and the two interface documents."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import cache

from aiohttp import web

from order_events.http import static_pages
from order_events.http.authentication import Authenticator
from order_events.http.schemas import HealthAnswer, ReadyAnswer
from order_events.http.serving import ROUTES, json_answer
from order_events.maintenance import vitals
from order_events.metrics import CONTENT_TYPE
from order_events.protocol.messages import ErrorCode, ProtocolError, encode
from order_events.service import OrderEvents
from order_events.settings import HubSettings
from order_events.specs import asyncapi, openapi
from order_events.specs.asyncapi import Channel
from order_events.websocket.client_address import Callers, is_loopback

Check = Callable[[], str | None]

READINESS: web.AppKey[list[Check]] = web.AppKey("READINESS", list[Check])
"""Checks, each returning why the server is not ready, or None. Applications may add their own."""
DEGRADED: web.AppKey[list[Check]] = web.AppKey("DEGRADED", list[Check])
"""Checks, each returning what is wrong without keeping the server from serving, or None."""
CHANNELS: web.AppKey[list[Channel]] = web.AppKey("CHANNELS", list[Channel])
"""The sockets that the AsyncAPI document of an application describes."""


def disk_trouble(settings: HubSettings) -> str | None:
    """Return why the disk is no place for orders, or None; also if none are kept on it."""
    if settings.on_postgresql:
        return None
    free = shutil.disk_usage(settings.data_dir).free
    if free >= settings.min_free_bytes:
        return None
    return f"the disk is full: {free} bytes are free, and {settings.min_free_bytes} are needed"


def _troubles(checks: list[Check]) -> tuple[str, ...]:
    return tuple(trouble for check in checks if (trouble := check()) is not None)


def add_page(app: web.Application, settings: HubSettings, callers: Callers) -> None:
    """Add the operator's page; where `/metrics` asks for no token, it is for this machine only."""

    async def page(request: web.Request) -> web.Response:
        caller = callers.address(request)
        if settings.metrics_token is None and not is_loopback(caller):
            raise ProtocolError(
                ErrorCode.FORBIDDEN,
                "this page is for the server's own machine; set metrics_token "
                "(VOICE_METRICS_TOKEN) to use it from elsewhere",
            )
        return static_pages.page(request, "order_events", "operator.html")

    app.router.add_get("/web/operator.html", page)


def add_routes(app: web.Application, events: OrderEvents, authenticator: Authenticator) -> None:
    """Add `/healthz`, `/readyz`, `/metrics`, `/v1/openapi.json` and `/v1/asyncapi.json`."""

    settings = events.settings

    async def healthz(request: web.Request) -> web.Response:
        return json_answer(HealthAnswer(status="ok"))

    async def readyz(request: web.Request) -> web.Response:
        reasons, degraded = _troubles(app[READINESS]), _troubles(app[DEGRADED])
        answer = ReadyAnswer(ready=not reasons, reasons=reasons, degraded=degraded)
        return json_answer(answer, 503 if reasons else 200)

    async def exposition(request: web.Request) -> web.Response:
        if settings.metrics_token is None:
            authenticator.anonymous(request)
        else:
            authenticator.requires_token(request, settings.metrics_token)
        await vitals.measure(events)
        body = events.metrics.exposition()
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE})

    @cache
    def http_document() -> bytes:
        # Built on first request, because routes are added until the application starts.
        routes = app[ROUTES]
        return encode(openapi.document(routes, settings))

    @cache
    def socket_document() -> bytes:
        channels = app[CHANNELS]
        return encode(asyncapi.document(channels, settings))

    async def openapi_json(request: web.Request) -> web.Response:
        authenticator.anonymous(request)
        return json_answer(http_document())

    async def asyncapi_json(request: web.Request) -> web.Response:
        authenticator.anonymous(request)
        return json_answer(socket_document())

    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", exposition)
    app.router.add_get(openapi.PATH, openapi_json)
    app.router.add_get(asyncapi.PATH, asyncapi_json)
