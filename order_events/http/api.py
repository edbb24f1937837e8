"""The `/v1` API: each handler with its route. Restaurant and actor come from the token."""

from __future__ import annotations

import asyncio

from order_events.auth.roles import Action, visible
from order_events.domain.api_models import MenuQuery, PaymentsQuery
from order_events.domain.models import (
    ItemChange,
    OrderChange,
    OrderDraft,
    PaymentDraft,
    RevocationDraft,
    StatusChange,
    TableChange,
    VersionCheck,
)
from order_events.http import event_history
from order_events.http.audit_api import AuditApi
from order_events.http.calls_api import CallsApi, TakeOverApi
from order_events.http.kitchen_api import KitchenApi
from order_events.http.problems import validated
from order_events.http.routes import Call, Nothing, route, routes_of
from order_events.http.schemas import (
    EventsAnswer,
    EventsQuery,
    MenuAnswer,
    MenuFile,
    MenuFileAnswer,
    MenuVersionsAnswer,
    OrderAnswer,
    OrdersAnswer,
    OrdersQuery,
    PaymentAnswer,
    PaymentsAnswer,
    RevokedAnswer,
    TableAnswer,
    TablesAnswer,
    TablesQuery,
    VersionAnswer,
)
from order_events.http.screens_api import ScreensApi
from order_events.http.webhooks_api import WebhooksApi
from order_events.menu.csv_format import from_csv, to_csv
from order_events.menu.diagnostics import MenuError, read_menu
from order_events.menu.menu import Menu
from order_events.protocol.errors import InvalidOrder, NotFound
from order_events.protocol.messages import ErrorCode, ProtocolError
from order_events.service import OrderEvents
from order_events.websocket.registry import ConnectionRegistry

_PRICING = (
    ErrorCode.INVALID_ORDER,
    ErrorCode.UNKNOWN_ITEM,
    ErrorCode.SOLD_OUT,
    ErrorCode.NOT_SERVED,
)
_ABSENT = (ErrorCode.NOT_FOUND,)
_TABLE = (ErrorCode.STALE_VERSION, ErrorCode.INVALID_ORDER)
_CHANGING = (ErrorCode.NOT_FOUND, ErrorCode.STALE_VERSION)


class Api:
    """The handlers for orders, tables, payments, events, menu and revocations.

    They raise OrderError and ProtocolError.
    """

    def __init__(self, events: OrderEvents, registry: ConnectionRegistry) -> None:
        self._events = events
        self._registry = registry

    @route(
        "POST",
        "/v1/orders",
        Action.CREATE_ORDERS,
        OrderDraft,
        OrderAnswer,
        status=201,
        keyed=True,
        errors=(*_PRICING, ErrorCode.KEY_REUSED),
    )
    async def create_order(self, call: Call[OrderDraft]) -> OrderAnswer:
        """Create an order. The server calculates the prices."""
        order = await self._events.create_order(
            call.principal.restaurant_id,
            call.body,
            actor=call.principal.user_id,
            idempotency_key=call.key,
        )
        return OrderAnswer(order=order)

    @route("GET", "/v1/orders", Action.READ_ORDERS, OrdersQuery, OrdersAnswer)
    async def list_orders(self, call: Call[OrdersQuery]) -> OrdersAnswer:
        """List orders, newest first."""
        orders, before = await self._events.orders(
            call.principal.restaurant_id, **call.body.model_dump()
        )
        return OrdersAnswer(orders=tuple(orders), before=before, damaged=orders.damaged)

    @route("GET", "/v1/orders/{id}", Action.READ_ORDERS, Nothing, OrderAnswer, errors=_ABSENT)
    async def get_order(self, call: Call[Nothing]) -> OrderAnswer:
        """Get an order."""
        order = await self._events.order(call.principal.restaurant_id, call.path["id"])
        if order is None:
            raise NotFound("there is no such order")
        return OrderAnswer(order=order)

    @route(
        "PATCH",
        "/v1/orders/{id}",
        Action.CHANGE_ORDERS,
        OrderChange,
        OrderAnswer,
        errors=(*_PRICING, *_CHANGING, ErrorCode.ILLEGAL_TRANSITION),
    )
    async def change_order(self, call: Call[OrderChange]) -> OrderAnswer:
        """Change an order. Fields that the body does not name stay as they are."""
        if call.body.items == ():
            raise InvalidOrder("items: an order needs at least one; cancel it instead")
        order = await self._events.change_order(
            call.principal.restaurant_id, call.path["id"], call.body, actor=call.principal.user_id
        )
        return OrderAnswer(order=order)

    @route(
        "POST",
        "/v1/orders/{id}/status",
        Action.SET_STATUS,
        StatusChange,
        OrderAnswer,
        errors=(*_CHANGING, ErrorCode.ILLEGAL_TRANSITION),
    )
    async def set_status(self, call: Call[StatusChange]) -> OrderAnswer:
        """Change the status of an order."""
        order = await self._events.set_status(
            call.principal.restaurant_id,
            call.path["id"],
            call.body.status,
            actor=call.principal.user_id,
            version=call.body.version,
            reason=call.body.reason,
        )
        return OrderAnswer(order=order)

    @route("GET", "/v1/tables", Action.READ_TABLES, TablesQuery, TablesAnswer)
    async def list_tables(self, call: Call[TablesQuery]) -> TablesAnswer:
        """List tables, sorted by id."""
        tables, after = await self._events.tables(
            call.principal.restaurant_id, call.body.after or "", call.body.limit
        )
        return TablesAnswer(tables=tuple(tables), after=after, damaged=tables.damaged)

    @route("GET", "/v1/tables/{id}", Action.READ_TABLES, Nothing, TableAnswer, errors=_ABSENT)
    async def get_table(self, call: Call[Nothing]) -> TableAnswer:
        """Get a table."""
        table = await self._events.table(call.principal.restaurant_id, call.path["id"])
        if table is None:
            raise NotFound("there is no such table")
        return TableAnswer(table=table)

    @route("PUT", "/v1/tables/{id}", Action.CHANGE_TABLES, TableChange, TableAnswer, errors=_TABLE)
    async def put_table(self, call: Call[TableChange]) -> TableAnswer:
        """Change a table, or create it. A new table needs a number and a status."""
        return await self._change_table(call)

    @route(
        "PATCH", "/v1/tables/{id}", Action.CHANGE_TABLES, TableChange, TableAnswer, errors=_TABLE
    )
    async def patch_table(self, call: Call[TableChange]) -> TableAnswer:
        """Change a table, or create it. Works exactly like PUT."""
        return await self._change_table(call)

    async def _change_table(self, call: Call[TableChange]) -> TableAnswer:
        table = await self._events.change_table(
            call.principal.restaurant_id, call.path["id"], call.body, actor=call.principal.user_id
        )
        return TableAnswer(table=table)

    @route(
        "POST",
        "/v1/payments",
        Action.TAKE_PAYMENTS,
        PaymentDraft,
        PaymentAnswer,
        status=201,
        keyed=True,
        errors=(ErrorCode.NOT_FOUND, ErrorCode.INVALID_ORDER, ErrorCode.KEY_REUSED),
    )
    async def take_payment(self, call: Call[PaymentDraft]) -> PaymentAnswer:
        """Record a payment that was taken elsewhere."""
        payment = await self._events.take_payment(
            call.principal.restaurant_id,
            call.body,
            actor=call.principal.user_id,
            idempotency_key=call.key,
        )
        return PaymentAnswer(payment=payment)

    @route(
        "GET", "/v1/payments", Action.READ_PAYMENTS, PaymentsQuery, PaymentsAnswer, errors=_ABSENT
    )
    async def list_payments(self, call: Call[PaymentsQuery]) -> PaymentsAnswer:
        """List payments, oldest first, optionally of one order or period only."""
        payments, after = await self._events.payments(call.principal.restaurant_id, call.body)
        return PaymentsAnswer(payments=tuple(payments), after=after, damaged=payments.damaged)

    @route("GET", "/v1/events", Action.READ_EVENTS, EventsQuery, EventsAnswer)
    async def list_events(self, call: Call[EventsQuery]) -> bytes:
        """Read the event history: what `subscribe` with `since` would have sent."""
        query = call.body
        return await event_history.read(
            self._events,
            call.principal.restaurant_id,
            event_history.HistoryRequest(
                after=query.after,
                epoch=query.epoch,
                types=event_history.requested_types(
                    query.events.split(","), visible(call.principal.role)
                ),
                filters=validated(query.filters, whole="the request"),
                limit=query.limit,
            ),
        )

    @route("GET", "/v1/menu", Action.READ_MENU, Nothing, MenuAnswer, errors=_ABSENT)
    async def get_menu(self, call: Call[Nothing]) -> MenuAnswer:
        """Get the menu."""
        versioned = await self._events.versioned_menu(call.principal.restaurant_id)
        if versioned is None:
            raise NotFound("the restaurant has no menu")
        version, menu = versioned
        trial = await self._events.ledger.trial(call.principal.restaurant_id)
        return MenuAnswer(menu=menu, version=version, trial=trial)

    @route(
        "PUT",
        "/v1/menu",
        Action.CHANGE_MENU,
        Menu,
        VersionAnswer,
        query=MenuQuery,
        body_bytes="http_body_bytes",
    )
    async def put_menu(self, call: Call[Menu]) -> VersionAnswer:
        """Replace the menu, on trial if the query says so; a trial of the one before ends."""
        principal, query = call.principal, call.query
        version = await self._events.put_menu(
            principal.restaurant_id,
            call.body,
            principal.user_id,
            trial_orders=query.trial_orders,
        )
        return VersionAnswer(version=version)

    @route(
        "POST",
        "/v1/menu/check",
        Action.CHANGE_MENU,
        MenuFile,
        MenuFileAnswer,
        body_bytes="http_body_bytes",
    )
    async def check_menu(self, call: Call[MenuFile]) -> MenuFileAnswer:
        """Read a menu file, as JSON or CSV, without publishing it: every fault is named."""
        try:
            # In a thread, because checking a large menu in Python would block the loop.
            menu, table = await asyncio.to_thread(_read_file, call.body.text)
        except MenuError as error:
            raise ProtocolError(ErrorCode.INVALID_MESSAGE, str(error)) from error
        return MenuFileAnswer(menu=menu, csv=table)

    @route("GET", "/v1/menu/versions", Action.CHANGE_MENU, Nothing, MenuVersionsAnswer)
    async def list_menu_versions(self, call: Call[Nothing]) -> MenuVersionsAnswer:
        """List the published menus that can be restored."""
        found = await self._events.ledger.menu_versions(call.principal.restaurant_id)
        return MenuVersionsAnswer(versions=found)

    @route(
        "POST",
        "/v1/menu/versions/{n}/restore",
        Action.CHANGE_MENU,
        VersionCheck,
        VersionAnswer,
        errors=(*_CHANGING, ErrorCode.INVALID_ORDER),
    )
    async def restore_menu(self, call: Call[VersionCheck]) -> VersionAnswer:
        """Publish a version of the menu again, under a new number. Sold-out items stay sold out."""
        n = call.path["n"]
        if not n.isdecimal() or len(n) > 12:
            raise NotFound("versions are numbers; see GET /v1/menu/versions")
        version = await self._events.ledger.restore_menu(
            call.principal.restaurant_id, int(n), call.principal.user_id, call.body.version
        )
        return VersionAnswer(version=version)

    @route(
        "PATCH",
        "/v1/menu/items/{id}",
        Action.SELL_OUT,
        ItemChange,
        VersionAnswer,
        errors=_ABSENT,
    )
    async def change_item(self, call: Call[ItemChange]) -> VersionAnswer:
        """Mark a menu item as sold out, or as available again."""
        principal = call.principal
        version = await self._events.sell_out(
            principal.restaurant_id, call.path["id"], call.body.sold_out, actor=principal.user_id
        )
        return VersionAnswer(version=version)

    @route("POST", "/v1/revocations", Action.REVOKE, RevocationDraft, RevokedAnswer, status=201)
    async def revoke(self, call: Call[RevocationDraft]) -> RevokedAnswer:
        """Revoke one token, or all tokens of a user, and close the sockets that use them."""
        await self._events.revoke(
            call.principal.restaurant_id, call.body, actor=call.principal.user_id
        )
        return RevokedAnswer(closed=self._registry.close_revoked())


def _read_file(text: str) -> tuple[Menu, str]:
    """Return the menu in a file, and the same as CSV; raise MenuError."""
    text = text.removeprefix("\ufeff")
    menu = read_menu(text) if text.lstrip().startswith("{") else from_csv(text)
    return menu, to_csv(menu)


ROUTES = tuple(
    declared
    for api in (Api, AuditApi, CallsApi, TakeOverApi, KitchenApi, WebhooksApi, ScreensApi)
    for declared in routes_of(api)
)
"""Every route of the hub, in the order of the document."""
