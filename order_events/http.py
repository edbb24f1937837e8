"""The `/v1` API, health, readiness and metrics. Bodies are validated by the hub's own models."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from order_events import history
from order_events.errors import NotFound
from order_events.filters import Filters
from order_events.menu import Menu
from order_events.metrics import CONTENT_TYPE
from order_events.models import (
    ItemChange,
    OrderChange,
    OrderDraft,
    OrderStatus,
    PaymentDraft,
    RevocationDraft,
    StatusChange,
    TableChange,
)
from order_events.protocol import encode
from order_events.roles import Action, visible
from order_events.service import OrderEvents
from order_events.sockets import Sockets
from order_events.webauth import Gate, answer_errors

B = TypeVar("B", bound=BaseModel)
Check = Callable[[], str | None]

READINESS: web.AppKey[list[Check]] = web.AppKey("READINESS", list[Check])
"""Checks that say why the server is not ready, or None; others may add theirs."""


class _Query(BaseModel):
    """Unknown parameters are refused: a misspelt filter must not go unseen."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class OrdersQuery(_Query):
    """Parameters of the list of orders; `before` continues it."""

    status: OrderStatus | None = None
    table_id: str | None = None
    before: int | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class PaymentsQuery(_Query):
    """Parameters of the list of payments."""

    order_id: str


class EventsQuery(_Query):
    """Parameters of the history; several values are separated by commas."""

    after: Annotated[int, Field(ge=0, lt=2**63)] = 0
    epoch: str | None = None
    events: str = "*"
    limit: Annotated[int, Field(ge=1, le=1000)] = 200
    table_id: str | None = None
    order_id: str | None = None
    session_id: str | None = None
    lane: str | None = None
    status: str | None = None

    def filters(self) -> Filters:
        """The filters that are set."""
        given = self.model_dump(include=set(Filters.model_fields), exclude_none=True)
        return Filters(**{name: tuple(value.split(",")) for name, value in given.items()})


class Api:
    """The handlers. Restaurant and actor are the token's."""

    def __init__(self, events: OrderEvents, sockets: Sockets) -> None:
        self._events = events
        self._settings = events.settings
        self._sockets = sockets
        self._gate = Gate(sockets)

    async def create_order(self, request: web.Request) -> web.Response:
        """POST /v1/orders"""
        who = self._gate.check(request, Action.CREATE_ORDERS)
        draft = await self._body(request, OrderDraft)
        order = await self._events.create_order(
            who.restaurant_id, draft, actor=who.user_id, idempotency_key=self._gate.key(request)
        )
        return _json({"order": order.model_dump(mode="json")}, 201)

    async def list_orders(self, request: web.Request) -> web.Response:
        """GET /v1/orders"""
        who = self._gate.check(request, Action.READ_ORDERS)
        query = _query(request, OrdersQuery)
        orders, before = await self._events.orders(who.restaurant_id, **query.model_dump())
        return _json({"orders": [o.model_dump(mode="json") for o in orders], "before": before})

    async def get_order(self, request: web.Request) -> web.Response:
        """GET /v1/orders/{id}"""
        who = self._gate.check(request, Action.READ_ORDERS)
        order = await self._events.order(who.restaurant_id, request.match_info["id"])
        if order is None:
            raise NotFound("there is no such order")
        return _json({"order": order.model_dump(mode="json")})

    async def change_order(self, request: web.Request) -> web.Response:
        """PATCH /v1/orders/{id}"""
        who = self._gate.check(request, Action.CHANGE_ORDERS)
        change = await self._body(request, OrderChange)
        order = await self._events.change_order(
            who.restaurant_id, request.match_info["id"], change, actor=who.user_id
        )
        return _json({"order": order.model_dump(mode="json")})

    async def set_status(self, request: web.Request) -> web.Response:
        """POST /v1/orders/{id}/status"""
        who = self._gate.check(request, Action.SET_STATUS)
        change = await self._body(request, StatusChange)
        order = await self._events.set_status(
            who.restaurant_id,
            request.match_info["id"],
            change.status,
            actor=who.user_id,
            version=change.version,
        )
        return _json({"order": order.model_dump(mode="json")})

    async def get_table(self, request: web.Request) -> web.Response:
        """GET /v1/tables/{id}"""
        who = self._gate.check(request, Action.READ_TABLES)
        table = await self._events.table(who.restaurant_id, request.match_info["id"])
        if table is None:
            raise NotFound("there is no such table")
        return _json({"table": table.model_dump(mode="json")})

    async def change_table(self, request: web.Request) -> web.Response:
        """PUT or PATCH /v1/tables/{id}"""
        who = self._gate.check(request, Action.CHANGE_TABLES)
        change = await self._body(request, TableChange)
        table = await self._events.change_table(
            who.restaurant_id, request.match_info["id"], change, actor=who.user_id
        )
        return _json({"table": table.model_dump(mode="json")})

    async def take_payment(self, request: web.Request) -> web.Response:
        """POST /v1/payments"""
        who = self._gate.check(request, Action.TAKE_PAYMENTS)
        draft = await self._body(request, PaymentDraft)
        payment = await self._events.take_payment(
            who.restaurant_id, draft, actor=who.user_id, idempotency_key=self._gate.key(request)
        )
        return _json({"payment": payment.model_dump(mode="json")}, 201)

    async def list_payments(self, request: web.Request) -> web.Response:
        """GET /v1/payments?order_id="""
        who = self._gate.check(request, Action.READ_PAYMENTS)
        query = _query(request, PaymentsQuery)
        payments = await self._events.payments(who.restaurant_id, query.order_id)
        return _json({"payments": [p.model_dump(mode="json") for p in payments]})

    async def events(self, request: web.Request) -> web.Response:
        """GET /v1/events: what `subscribe` with `since` would have sent."""
        who = self._gate.check(request, Action.READ_EVENTS)
        query = _query(request, EventsQuery)
        page = await history.read(
            self._events,
            who.restaurant_id,
            after=query.after,
            epoch=query.epoch,
            wanted=history.wanted(query.events.split(","), visible(who.role)),
            filters=query.filters(),
            limit=query.limit,
        )
        return web.Response(body=page, content_type="application/json")

    async def get_menu(self, request: web.Request) -> web.Response:
        """GET /v1/menu"""
        who = self._gate.check(request, Action.READ_MENU)
        versioned = await self._events.versioned_menu(who.restaurant_id)
        if versioned is None:
            raise NotFound("the restaurant has no menu")
        version, menu = versioned
        return _json({"menu": menu.model_dump(mode="json"), "version": version})

    async def put_menu(self, request: web.Request) -> web.Response:
        """PUT /v1/menu"""
        who = self._gate.check(request, Action.CHANGE_MENU)
        menu = await self._body(request, Menu, self._settings.http_body_bytes)
        version = await self._events.put_menu(who.restaurant_id, menu, who.user_id)
        return _json({"version": version})

    async def change_item(self, request: web.Request) -> web.Response:
        """PATCH /v1/menu/items/{id}"""
        who = self._gate.check(request, Action.SELL_OUT)
        change = await self._body(request, ItemChange)
        version = await self._events.sell_out(
            who.restaurant_id, request.match_info["id"], change.sold_out, actor=who.user_id
        )
        return _json({"version": version})

    async def revoke(self, request: web.Request) -> web.Response:
        """POST /v1/revocations"""
        who = self._gate.check(request, Action.REVOKE)
        draft = await self._body(request, RevocationDraft)
        await self._events.revoke(who.restaurant_id, draft, actor=who.user_id)
        return _json({"closed": self._sockets.close_revoked()}, 201)

    async def _body(self, request: web.Request, model: type[B], limit: int | None = None) -> B:
        """The validated body; raises ValidationError, HTTPRequestEntityTooLarge or a timeout."""
        most = self._settings.max_message_bytes if limit is None else limit
        if request.content_length is not None and request.content_length > most:
            raise web.HTTPRequestEntityTooLarge(most, request.content_length)
        try:
            async with asyncio.timeout(self._settings.idle_http_s):
                body = await request.read()
        except TimeoutError:
            raise web.HTTPRequestTimeout from None
        if len(body) > most:
            raise web.HTTPRequestEntityTooLarge(most, len(body))
        return model.model_validate_json(body)


def add_routes(app: web.Application, events: OrderEvents, sockets: Sockets) -> None:
    """Adds the API, `/healthz`, `/readyz` and `/metrics`."""
    api = Api(events, sockets)
    app.middlewares.append(answer_errors)
    app[READINESS] = [
        lambda: None if events.ready else "the order store cannot be written",
        lambda: None if sockets.accepting else "the server is stopping",
    ]
    routes: list[tuple[str, str, Callable[[web.Request], Awaitable[web.StreamResponse]]]] = [
        ("POST", "/v1/orders", api.create_order),
        ("GET", "/v1/orders", api.list_orders),
        ("GET", "/v1/orders/{id}", api.get_order),
        ("PATCH", "/v1/orders/{id}", api.change_order),
        ("POST", "/v1/orders/{id}/status", api.set_status),
        ("GET", "/v1/tables/{id}", api.get_table),
        ("PUT", "/v1/tables/{id}", api.change_table),
        ("PATCH", "/v1/tables/{id}", api.change_table),
        ("POST", "/v1/payments", api.take_payment),
        ("GET", "/v1/payments", api.list_payments),
        ("GET", "/v1/events", api.events),
        ("GET", "/v1/menu", api.get_menu),
        ("PUT", "/v1/menu", api.put_menu),
        ("PATCH", "/v1/menu/items/{id}", api.change_item),
        ("POST", "/v1/revocations", api.revoke),
    ]
    for method, path, handler in routes:
        app.router.add_route(method, path, handler)

    async def healthz(request: web.Request) -> web.Response:
        return _json({"status": "ok"})

    async def readyz(request: web.Request) -> web.Response:
        reasons = [reason for check in app[READINESS] if (reason := check()) is not None]
        return _json({"ready": not reasons, "reasons": reasons}, 503 if reasons else 200)

    async def metrics(request: web.Request) -> web.Response:
        return web.Response(
            body=events.metrics.exposition(), headers={"Content-Type": CONTENT_TYPE}
        )

    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", metrics)


def _query(request: web.Request, model: type[B]) -> B:
    return model.model_validate(dict(request.query))


def _json(content: dict[str, Any], status: int = 200) -> web.Response:
    return web.Response(body=encode(content), status=status, content_type="application/json")
