"""The dialect of the restaurant system that the protocol comes from, for its own browser clients.

They name their restaurant in the upgrade URL (`?restaurant_id=`), which nobody else does. They wrap
every message's fields in `payload`, have some messages of their own, and read orders from
`/api/v1/orders`. Everything that they need is here; the rest of the hub does not know of them.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

import structlog
from aiohttp import web
from pydantic import BaseModel, Field, TypeAdapter
from pydantic_core import from_json

from order_events.auth.roles import Action, may
from order_events.auth.tokens import Principal
from order_events.domain.models import ItemStatus, ItemStatusChange, OrderStatus, StatusChange
from order_events.http.authentication import Authenticator
from order_events.http.delivery import PRINCIPAL
from order_events.http.problems import validated
from order_events.http.schemas import OrdersAnswer
from order_events.http.serving import json_answer, read_body
from order_events.menu.entries import Id
from order_events.protocol import filters
from order_events.protocol.errors import NotFound, OrderError
from order_events.protocol.frames import FrameBatch, Message
from order_events.protocol.messages import (
    Auth,
    ClientMessage,
    ErrorCode,
    ProtocolError,
    Subscribe,
    Unsubscribe,
    encode,
    event,
)
from order_events.root_socket import RootApplication, RootHandler
from order_events.service import OrderEvents
from order_events.websocket.application import Budget, Opening
from order_events.websocket.connection import Connection
from order_events.websocket.connection_loop import ConnectionLoop
from order_events.websocket.dispatcher import Dispatcher
from order_events.websocket.endpoint import Endpoint
from order_events.websocket.frame_writer import OpenSocket
from order_events.websocket.registry import ConnectionRegistry

PATHS: Final = "/api/v1/orders"
HEADERS: Final = ("x-restaurant-id", "x-csrf-token")
"""Request headers that these clients send, to be allowed in preflights."""
_RESTAURANT: Final = "restaurant_id"
_MOST_ORDERS: Final = 100
"""Orders in a `sync_complete`: with `data` and `payload` they must fit into an outbox."""
_AT_ONCE: Final = 10
"""Changes and synchronisations that one connection may have under way."""
_EVENTS: Final = filters.DOCUMENTED_EVENTS | {filters.ORDER_ITEM_STATUS}

logger = structlog.get_logger(__name__)


def spoken_by(request: web.Request) -> bool:
    """Return whether a socket's upgrade request comes from one of these clients."""
    return _RESTAURANT in request.query


class OrdersSync(ClientMessage):
    """Asks for the current orders; answered by `sync_complete`."""

    type: Literal["orders:sync"]


class UpdateStatus(ClientMessage):
    """Changes the status of an order, as `POST /v1/orders/{id}/status` does."""

    type: Literal["order:update_status"]
    order_id: Id
    status: OrderStatus


class UpdateItemStatus(ClientMessage):
    """Marks a line of an order, as `POST /v1/orders/{id}/items/{item_id}/status` does."""

    type: Literal["order:update_item_status", "order:item_status_changed"]
    order_id: Id
    item_id: Id
    status: ItemStatus


Request = OrdersSync | UpdateStatus | UpdateItemStatus
DialectMessage = Subscribe | Unsubscribe | Request
_MESSAGES: TypeAdapter[DialectMessage] = TypeAdapter(
    Annotated[DialectMessage, Field(discriminator="type")]
)
_TYPES = frozenset(
    {
        "subscribe",
        "unsubscribe",
        "orders:sync",
        "order:update_status",
        "order:update_item_status",
        "order:item_status_changed",
    }
)


def unwrapped(text: str) -> str:
    """Return a client's message as the protocol has it; anything but an object as it is."""
    try:
        message = from_json(text)
    except ValueError:
        return text
    if not isinstance(message, dict):
        return text
    payload = message.pop("payload", None)
    fields = payload if isinstance(payload, dict) else {}
    return encode(_snake({**fields, **message})).decode()


def _snake(value: Any) -> Any:
    """Return a value with the names of all its fields in snake_case."""
    if isinstance(value, dict):
        return {re.sub(r"(?<=[a-z0-9])([A-Z])", _lower, k): _snake(v) for k, v in value.items()}
    return [_snake(each) for each in value] if isinstance(value, list) else value


def _lower(capital: re.Match[str]) -> str:
    return f"_{capital[1].lower()}"


def wrapped(body: bytes, restaurant_id: str) -> list[bytes]:
    """Return what these clients are sent in place of a message: with `payload`, and its like."""
    message = from_json(body)
    if message["type"] == "batch":
        events = [each for inner in message["events"] for each in _wrap(inner, restaurant_id)]
        return [encode({"type": "batch", "events": events})]
    return [encode(each) for each in _wrap(message, restaurant_id)]


def _wrap(message: dict[str, Any], restaurant_id: str) -> list[dict[str, Any]]:
    data = message.get("data", {})
    own = {**message, "payload": data, _RESTAURANT: message.get(_RESTAURANT, restaurant_id)}
    like = _like(message["type"], data)
    if like is None:
        return [own]
    type_, payload = like
    # Before the event, so that an event that was sent has certainly been sent with its like.
    return [{**own, "type": type_, "data": payload, "payload": payload}, own]


def _like(type_: str, data: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    if type_ == filters.ORDER_STATUS:
        names = {"orderId": data["order_id"], "previousStatus": data["previous_status"]}
        return "order:status_changed", {**data, **names}
    if type_ == filters.ORDER_ITEM_STATUS:
        names = {"orderId": data["order_id"], "itemId": data["item_id"]}
        return "order:item_status_changed", {**data, **names}
    return None


class _Connection(Connection):
    """Sends everything with a `payload` beside its `data`."""

    claimed_restaurant = ""
    """What the upgrade URL says; only echoed, until there is a token."""

    def send_message(self, message: Message) -> None:
        for each in self._wrapped(message):
            super().send_message(each)

    def send_batch(self, batch: FrameBatch) -> int:
        return len(batch.messages) if self.closing else self._put(batch.messages)

    def send_all(self, messages: Sequence[Message]) -> int:
        if self.closing:
            return len(messages)
        sent = self._put(messages)
        self._metrics.messages_out.labels(self.socket).inc(sent)
        return sent

    def send_error(self, error: ProtocolError) -> None:
        if not self.authenticated and error.code is ErrorCode.UNAUTHORIZED:
            failed = {"error": error.message}
            self.send_message(
                Message(encode(event("auth:failed", failed, datetime.now(UTC), **failed)))
            )
        super().send_error(error)

    def _put(self, messages: Sequence[Message]) -> int:
        """Return how many messages were sent whole."""
        for sent, message in enumerate(messages):
            parts = self._wrapped(message)
            if self._writer.put_all(parts) < len(parts):
                return sent
        return len(messages)

    def _wrapped(self, message: Message) -> list[Message]:
        known = self.principal.restaurant_id if self.authenticated else self.claimed_restaurant
        return [Message(body, message.key, message.seq) for body in wrapped(message.body, known)]


class _Dispatcher(Dispatcher[DialectMessage]):
    """Reads messages out of their `payload`."""

    def first_message(self, text: str, now: float) -> Auth:
        return super().first_message(unwrapped(text), now)

    def text(self, text: str, now: float) -> bool:
        return super().text(unwrapped(text), now)


class _Loop(ConnectionLoop[DialectMessage]):
    dispatcher_type = _Dispatcher

    def _connection_of(self, opened: OpenSocket) -> Connection:
        connection = _Connection(opened, self._name, self._settings, self._metrics)
        connection.claimed_restaurant = self._request.query[_RESTAURANT][:100]
        return connection


class _Handler:
    """Serves the dialect's own messages, and leaves the others to a root handler."""

    def __init__(self, root: RootHandler, connection: Connection, events: OrderEvents) -> None:
        self._root = root
        self._connection = connection
        self._events = events
        self._tasks: set[asyncio.Task[None]] = set()

    def receive(self, message: DialectMessage, now: float) -> None:
        """Answer a message, now or when that is done; raise ProtocolError."""
        if isinstance(message, Subscribe | Unsubscribe):
            self._root.receive(message, now)
            return
        action = Action.READ_ORDERS if isinstance(message, OrdersSync) else Action.SET_STATUS
        if not may(self._connection.principal.role, action):
            raise ProtocolError(ErrorCode.FORBIDDEN, f"your role may not {action.value}")
        if len(self._tasks) >= _AT_ONCE:
            raise ProtocolError(
                ErrorCode.RATE_LIMITED, "wait for the answers to come", retry_after_ms=1_000
            )
        task = asyncio.create_task(self._answer(message), name=message.type)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def advice(self, limit: int) -> None:
        """Give none, as the root socket does."""

    def closed(self, now: float) -> None:
        """Let go of everything. A change that was asked for is still made."""
        self._root.closed(now)

    def finished(self) -> Awaitable[None] | None:
        """Return what the root handler waits for."""
        return self._root.finished()

    async def _answer(self, message: Request) -> None:
        try:
            await self._serve(message, self._connection.principal)
        except OrderError as error:
            refusal = ProtocolError(error.code, error.message, id=message.id)
            self._connection.send_error(refusal)
        except Exception:
            # The task's boundary: the client must not wait for ever.
            logger.exception("a message of the dialect failed")
            refusal = ProtocolError(ErrorCode.INTERNAL, "internal error", id=message.id)
            self._connection.send_error(refusal)

    async def _serve(self, message: Request, who: Principal) -> None:
        if isinstance(message, OrdersSync):
            orders, _ = await self._events.orders(who.restaurant_id, limit=_MOST_ORDERS)
            data = {"orders": [order.model_dump(mode="json") for order in orders]}
            self._connection.send("sync_complete", data, id=message.id)
        elif isinstance(message, UpdateStatus):
            await self._events.set_status(
                who.restaurant_id, message.order_id, message.status, actor=who.user_id
            )
        else:
            await self._events.kitchen.set_item_status(
                who.restaurant_id,
                message.order_id,
                message.item_id,
                ItemStatusChange(status=message.status),
                actor=who.user_id,
            )


class _Application:
    """The root socket's application, with the dialect's messages."""

    messages = _MESSAGES
    types = _TYPES

    def __init__(self, root: RootApplication, events: OrderEvents) -> None:
        self._root = root
        self._events = events

    def admit(self, principal: Principal) -> None:
        """Admit whom the root socket admits."""
        self._root.admit(principal)

    def budget(self, type_: str) -> Budget:
        """Return "regular", as the root socket does."""
        return self._root.budget(type_)

    def connect(self, connection: Connection, opening: Opening) -> _Handler:
        """Return a handler that is subscribed to what these clients show."""
        root = self._root.connect(connection, opening, implied=_EVENTS)
        return _Handler(root, connection, self._events)


class DialectEndpoint(Endpoint[DialectMessage]):
    """The root socket, for these clients."""

    loop_type = _Loop

    def __init__(
        self, root: RootApplication, events: OrderEvents, registry: ConnectionRegistry
    ) -> None:
        super().__init__(_Application(root, events), registry, "root")


class _ListQuery(BaseModel):
    """The parameters of the list that we know; these clients send others too."""

    status: OrderStatus | None = None
    table_id: Id | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = _MOST_ORDERS


def add_routes(app: web.Application, events: OrderEvents, authenticator: Authenticator) -> None:
    """Serve `/api/v1/orders`."""

    async def admitted(request: web.Request, action: Action) -> Principal:
        request[PRINCIPAL] = who = await authenticator.check(request, action)
        if request.headers.get(HEADERS[0], who.restaurant_id) != who.restaurant_id:
            raise ProtocolError(ErrorCode.FORBIDDEN, "the token is for another restaurant")
        return who

    async def list_orders(request: web.Request) -> web.Response:
        who = await admitted(request, Action.READ_ORDERS)
        query = validated(lambda: _ListQuery.model_validate(dict(request.query)), whole="the query")
        async with authenticator.turns.turn((who.restaurant_id, who.user_id)):
            orders, before = await events.orders(who.restaurant_id, **query.model_dump())
            return json_answer(OrdersAnswer(orders=tuple(orders), before=before))

    async def get_order(request: web.Request) -> web.Response:
        who = await admitted(request, Action.READ_ORDERS)
        async with authenticator.turns.turn((who.restaurant_id, who.user_id)):
            order = await events.order(who.restaurant_id, request.match_info["id"])
        if order is None:
            raise NotFound("there is no such order")
        return json_answer(order)

    async def set_status(request: web.Request) -> web.Response:
        who = await admitted(request, Action.SET_STATUS)
        limits = authenticator.settings
        body = await read_body(request, limits.max_message_bytes, limits.idle_http_s)
        change = validated(lambda: StatusChange.model_validate_json(body), whole="the body")
        order_id = request.match_info["id"]
        order = await events.set_status(
            who.restaurant_id, order_id, change.status, actor=who.user_id, version=change.version
        )
        return json_answer(order)

    app.router.add_get(PATHS, list_orders)
    app.router.add_get(PATHS + "/{id}", get_order)
    app.router.add_patch(PATHS + "/{id}/status", set_status)
