"""What operators ask: health, readiness, metrics, and the documents of the two interfaces."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from order_events import asyncapi, openapi
from order_events.answers import HealthAnswer, ReadyAnswer
from order_events.asyncapi import Channel
from order_events.metrics import CONTENT_TYPE, HubMetrics
from order_events.settings import HubSettings
from order_events.webauth import Gate
from order_events.webserve import ROUTES, json_answer

Check = Callable[[], str | None]

READINESS: web.AppKey[list[Check]] = web.AppKey("READINESS", list[Check])
"""Checks that say why the server is not ready, or None; others may add theirs."""
CHANNELS: web.AppKey[list[Channel]] = web.AppKey("CHANNELS", list[Channel])
"""The sockets that the AsyncAPI document of an application describes."""


def add_routes(
    app: web.Application, settings: HubSettings, metrics: HubMetrics, gate: Gate
) -> None:
    """Adds `/healthz`, `/readyz`, `/metrics`, `/v1/openapi.json` and `/v1/asyncapi.json`."""

    async def healthz(request: web.Request) -> web.Response:
        return json_answer(HealthAnswer(status="ok"))

    async def readyz(request: web.Request) -> web.Response:
        reasons = tuple(reason for check in app[READINESS] if (reason := check()) is not None)
        return json_answer(ReadyAnswer(ready=not reasons, reasons=reasons), 503 if reasons else 200)

    async def exposition(request: web.Request) -> web.Response:
        if settings.metrics_token is None:
            gate.stranger(request)
        else:
            gate.knows(request, settings.metrics_token)
        return web.Response(body=metrics.exposition(), headers={"Content-Type": CONTENT_TYPE})

    async def http_document(request: web.Request) -> web.Response:
        gate.stranger(request)
        routes = app[ROUTES]
        return web.json_response(openapi.document(routes, settings))

    async def socket_document(request: web.Request) -> web.Response:
        gate.stranger(request)
        channels = app[CHANNELS]
        return web.json_response(asyncapi.document(channels, settings))

    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", exposition)
    app.router.add_get(openapi.PATH, http_document)
    app.router.add_get(asyncapi.PATH, socket_document)
