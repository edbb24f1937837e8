"""The web application: the root socket, the HTTP API, health, metrics and the staff pages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TypeVar

from aiohttp import hdrs, web

from order_events import dialect, operations, tracing
from order_events.auth.discovery import Discovery
from order_events.auth.jwks import KeySet
from order_events.auth.tokens import TokenAuthority, authority
from order_events.http import cors, hosts, serving, static_pages
from order_events.http.api import Api
from order_events.http.audit_api import AuditApi
from order_events.http.authentication import Authenticator
from order_events.http.calls_api import CallsApi, TakeOverApi
from order_events.http.delivery import delivering
from order_events.http.kitchen_api import KitchenApi
from order_events.http.routes import routes_of
from order_events.http.screens_api import ScreensApi
from order_events.http.webhooks_api import WebhooksApi
from order_events.protocol.messages import ClientMessage
from order_events.root_socket import RootApplication
from order_events.screens.desk import Desk
from order_events.screens.tokens import screen_tokens
from order_events.service import OrderEvents
from order_events.settings import HubSettings
from order_events.specs.asyncapi import ROOT
from order_events.websocket.application import Application
from order_events.websocket.endpoint import Endpoint
from order_events.websocket.registry import ConnectionRegistry

M = TypeVar("M", bound=ClientMessage)

AUTHORITY = web.AppKey("AUTHORITY", TokenAuthority)
EVENTS = web.AppKey("EVENTS", OrderEvents)
AUTHENTICATOR = web.AppKey("AUTHENTICATOR", Authenticator)
REGISTRY = web.AppKey("REGISTRY", ConnectionRegistry)
DESK = web.AppKey("DESK", Desk)
TAKE_OVER = web.AppKey("TAKE_OVER", TakeOverApi)
"""Whose `local` is what listens in the process."""
_API_PATHS = ("/v1/", dialect.PATHS)
"""What the paths of all JSON answers begin with."""


def build_app(
    settings: HubSettings,
    events: OrderEvents,
    *,
    tokens: TokenAuthority | None = None,
) -> web.Application:
    """Return the hub as an application that opens `events` on startup and closes it on shutdown.

    Applications that build on it find `app[EVENTS]`, `app[REGISTRY]`, `app[AUTHORITY]`,
    `operations.READINESS` and `operations.CHANNELS` (what the AsyncAPI document describes).
    `add_socket` serves another kind of socket beside the root one; `serving.add_routes`, given
    `app[AUTHENTICATOR]`, serves further routes.
    """
    app = web.Application(client_max_size=settings.http_body_bytes)
    if settings.traces:
        _export_traces(app)
    app[EVENTS] = events
    key_set = None if tokens is not None else _key_set(settings)
    if key_set is not None:
        app.cleanup_ctx.append(key_set.run)
    screens = screen_tokens(settings)
    app[AUTHORITY] = authority(settings, key_set, screens) if tokens is None else tokens
    app[DESK] = Desk(events.store, screens, events.cluster.revoked)
    registry = ConnectionRegistry(
        settings,
        app[AUTHORITY],
        events.metrics,
        events.hub.head,
        events.revocations.covers,
        prepare=events.cluster.follower.prepare,
        elsewhere=events.cluster.limits,
    )
    app[REGISTRY] = registry
    events.cluster.connected = registry.connections_by_user
    events.cluster.when_revoked.append(registry.close_revoked)
    app.cleanup_ctx.append(_open)
    app.on_shutdown.append(_stop)
    application = RootApplication(
        settings, events.hub, events.store, events.metrics, events.cluster.follower.reach
    )
    root = Endpoint(application, app[REGISTRY], "root")
    in_dialect = dialect.DialectEndpoint(application, events, app[REGISTRY])

    async def front(request: web.Request) -> web.StreamResponse:
        if request.headers.get(hdrs.UPGRADE, "").lower() == "websocket":
            endpoint = in_dialect if dialect.spoken_by(request) else root
            return await endpoint.handle(request)
        return await static_pages.index(request)

    app.router.add_get("/", front)
    app.router.add_get("/service-worker.js", static_pages.worker)
    # Before the route of all pages, which would serve it to everybody.
    operations.add_page(app, settings, registry.callers)
    static_pages.add_routes(app)
    _add_http(app, events)
    if key_set is not None:
        loaded = key_set
        app[operations.READINESS].append(lambda: loaded.trouble)
    return app


def add_socket(app: web.Application, path: str, application: Application[M], name: str) -> None:
    """Serve another kind of socket under the same rules; `name` labels its metrics."""
    app.router.add_get(path, Endpoint(application, app[REGISTRY], name).handle)


def _add_http(app: web.Application, events: OrderEvents) -> None:
    registry = app[REGISTRY]
    authenticator = Authenticator(registry, events.cluster)
    # Outside `answering_errors`, so that error responses are measured too.
    app.middlewares.append(serving.measuring(events.metrics))
    if tracing.enabled():
        app.middlewares.append(serving.trace_requests)
    app.middlewares.append(hosts.checking(events.settings, registry.callers))
    app.middlewares.append(delivering(events.settings, registry.callers, _API_PATHS))
    app.middlewares.append(cors.answering_preflights(events.settings, _API_PATHS, dialect.HEADERS))
    app.middlewares.append(serving.answering_errors(_API_PATHS))
    app.on_response_prepare.append(cors.sharing(events.settings, _API_PATHS))
    app[serving.ROUTES] = []
    app[TAKE_OVER] = TakeOverApi(events.ledger, shared=events.cluster.shared)
    app[operations.CHANNELS] = [ROOT]
    app[operations.READINESS] = [
        lambda: None if events.ready else "the order store cannot be written",
        lambda: events.store.damaged_rows.trouble,
        lambda: operations.disk_trouble(events.settings),
        lambda: None if registry.accepting else "the server is stopping",
    ]
    app[operations.DEGRADED] = [lambda: events.cluster.trouble]
    app[AUTHENTICATOR] = authenticator
    serving.add_routes(app, Api(events, registry), routes_of(Api), authenticator)
    for api in (
        AuditApi(events.ledger),
        CallsApi(events.ledger),
        app[TAKE_OVER],
        KitchenApi(events.kitchen),
        WebhooksApi(events.webhooks),
        ScreensApi(app[DESK], registry),
    ):
        serving.add_routes(app, api, routes_of(type(api)), authenticator)
    dialect.add_routes(app, events, authenticator)
    operations.add_routes(app, events, authenticator)


def _key_set(settings: HubSettings) -> KeySet | None:
    """Return the keys of other issuers' tokens, if the settings name them."""
    issuer = settings.oidc_issuer
    source = settings.jwt_jwks if issuer is None else Discovery(issuer)
    if source is None:
        return None
    return KeySet(source, settings.jwt_jwks_refresh_s, settings.jwt_jwks_max_age_s)


def _export_traces(app: web.Application) -> None:
    stop = tracing.export()

    async def exporting(app: web.Application) -> AsyncIterator[None]:
        yield
        # In a thread, because it sends what is left.
        await asyncio.to_thread(stop)

    app.cleanup_ctx.append(exporting)


async def _open(app: web.Application) -> AsyncIterator[None]:
    await app[EVENTS].open()
    app[REGISTRY].start()
    yield
    await app[EVENTS].close()


async def _stop(app: web.Application) -> None:
    await app[REGISTRY].stop()
