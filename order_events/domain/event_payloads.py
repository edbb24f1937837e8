"""Models of the messages that the root socket sends: their `data` and their envelopes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from order_events.domain.audit_records import SessionState
from order_events.domain.calls import Call
from order_events.domain.models import (
    Attention,
    ItemStatus,
    Kept,
    LineChange,
    Order,
    OrderItem,
    OrderStatus,
    Payment,
    Table,
)
from order_events.protocol import filters
from order_events.protocol.messages import (
    AuthExpiringData,
    AuthSuccessData,
    ConnectedData,
    ErrorData,
    GoingAwayData,
    MessageId,
    SubscribedData,
    UnsubscribedData,
)

Timestamp = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")]


class OrderData(Kept):
    """The order as it is now, and who created or changed it (`actor`)."""

    order: Order
    actor: str


class OrderStatusData(Kept):
    """An order changed status. `actor` changed it; `reason` is set if one was given.

    `recalled` is true if the last step was taken back.
    """

    order_id: str
    status: OrderStatus
    previous_status: OrderStatus
    version: int
    actor: str
    reason: str | None = None
    recalled: bool = False


class ItemStatusData(Kept):
    """A line of an order is done, or open again; `actor` marked it."""

    order_id: str
    item_id: str
    status: ItemStatus
    version: int
    actor: str


class TableData(Kept):
    """A table was created or changed by `actor`."""

    table: Table
    actor: str


class PaymentData(Kept):
    """A payment was recorded by `actor`."""

    payment: Payment
    actor: str


class SessionData(Kept):
    """What happened to a voice session (`state`), who did it (`actor`), and who holds it now."""

    session_id: str
    state: SessionState
    actor: str
    lane: str | None
    table_id: str | None
    order_id: str | None
    held_by: str | None
    version: int


class StaffCallData(Kept):
    """A guest needs a person, or somebody answers: the call as it is now; `actor` changed it."""

    call: Call
    actor: str


class ItemState(Kept):
    """Whether a menu item is sold out."""

    id: str
    sold_out: bool


class MenuData(Kept):
    """The menu changed. `items` are those marked as sold out or as available again.

    `items` is empty if the whole menu was replaced: read it again.
    """

    version: int
    items: tuple[ItemState, ...]
    actor: str


class Ticket(Kept):
    """An order as the kitchen sees it. `prep_time` is in minutes."""

    id: str
    order_number: str
    type: str
    status: OrderStatus
    items: tuple[OrderItem, ...]
    prep_time: int
    rush: bool
    table_id: str | None
    table_number: str | None
    notes: str | None
    attention: tuple[Attention, ...]
    changes: tuple[LineChange, ...]
    version: int
    created_at: str
    updated_at: str


class KitchenData(Kept):
    """The orders that have changed since the previous `kds:update`."""

    orders: tuple[Ticket, ...]


class Envelope(BaseModel):
    """Fields of an answer besides `type` and `data`. `id` is that of the client's message."""

    model_config = ConfigDict(frozen=True)

    timestamp: Timestamp
    id: MessageId | None = None


class KeptEnvelope(BaseModel):
    """Fields of an event that is kept in the history. Apply each `(epoch, seq)` once."""

    model_config = ConfigDict(frozen=True)

    timestamp: Timestamp
    event_id: str
    restaurant_id: str
    epoch: str
    seq: Annotated[int, Field(ge=1)]


class LiveEnvelope(BaseModel):
    """Fields of an event that is not kept in the history."""

    model_config = ConfigDict(frozen=True)

    timestamp: Timestamp
    restaurant_id: str


def message(
    name: str,
    type_: str,
    data: type[BaseModel] | None,
    envelope: type[BaseModel] = Envelope,
    about: str | None = None,
) -> type[BaseModel]:
    """Return the model of a message, called `name`.

    `about` describes it in the documents; by default, that is the docstring of `data`.
    """
    fields: dict[str, Any] = {"type": (Literal[type_], ...)}
    if data is not None:
        fields["data"] = (data, ...)
    model: type[BaseModel] = create_model(name, __base__=envelope, **fields)
    model.__doc__ = about or (data and data.__doc__) or envelope.__doc__
    return model


Connected = message("Connected", "connected", ConnectedData)
AuthSuccess = message("AuthSuccess", "auth:success", AuthSuccessData)
AuthExpiring = message("AuthExpiring", "auth:expiring", AuthExpiringData)
Pong = message("Pong", "pong", None, about="The answer to `ping`.")
GoingAway = message("GoingAway", "going_away", GoingAwayData)
Error = message("Error", "error", ErrorData)
Subscribed = message("Subscribed", "subscribed", SubscribedData)
Unsubscribed = message("Unsubscribed", "unsubscribed", UnsubscribedData)

OrderCreated = message(
    "OrderCreated",
    filters.ORDER_CREATED,
    OrderData,
    KeptEnvelope,
    "An order was created by `actor`.",
)
OrderUpdated = message(
    "OrderUpdated",
    filters.ORDER_UPDATED,
    OrderData,
    KeptEnvelope,
    "An order was changed by `actor`. `order` is its state after the change.",
)
OrderStatusChanged = message(
    "OrderStatusChanged", filters.ORDER_STATUS, OrderStatusData, KeptEnvelope
)
OrderItemStatusChanged = message(
    "OrderItemStatusChanged", filters.ORDER_ITEM_STATUS, ItemStatusData, KeptEnvelope
)
TableUpdated = message("TableUpdated", filters.TABLE_UPDATED, TableData, KeptEnvelope)
PaymentProcessed = message("PaymentProcessed", filters.PAYMENT_PROCESSED, PaymentData, KeptEnvelope)
SessionChanged = message("SessionChanged", filters.VOICE_SESSION, SessionData, KeptEnvelope)
StaffCalled = message("StaffCalled", filters.STAFF_CALL, StaffCallData, KeptEnvelope)
MenuUpdated = message("MenuUpdated", filters.MENU_UPDATED, MenuData, KeptEnvelope)
KitchenUpdate = message("KitchenUpdate", filters.KDS_UPDATE, KitchenData, KeptEnvelope)


class Batch(BaseModel):
    """Events that were held back and sent together, for a subscription with `batch_ms`.

    Each is exactly what would have been sent on its own.
    """

    model_config = ConfigDict(frozen=True)

    type: Literal["batch"]
    events: tuple[dict[str, Any], ...]


SHELL = (Connected, AuthSuccess, AuthExpiring, Pong, GoingAway, Error)
"""Messages that every socket sends."""
ROOT = (Subscribed, Unsubscribed, Batch)
"""Answers of the root socket, and the message that joins events."""
HUB_EVENTS = (
    OrderCreated,
    OrderUpdated,
    OrderStatusChanged,
    OrderItemStatusChanged,
    TableUpdated,
    PaymentProcessed,
    KitchenUpdate,
    MenuUpdated,
    SessionChanged,
    StaffCalled,
)
"""Events that the hub itself publishes."""
