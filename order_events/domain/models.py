"""What the hub keeps and publishes: orders, tables, payments and events. Money is integer cents.

Times are ISO 8601 in UTC with `Z`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from order_events.domain.drafts import Draft, ItemDraft, Qualifier
from order_events.menu.entries import Cents, Id
from order_events.protocol.filters import Tags
from order_events.protocol.frames import Message

if TYPE_CHECKING:
    from opentelemetry.context import Context

Text = Annotated[str, Field(max_length=500)]
Word = Annotated[str, Field(pattern=r"^[a-z][a-z_-]{0,31}$")]
Claim = Annotated[str, Field(min_length=1, max_length=200)]
"""A `jti` or `sub` of a token."""
MAX_ITEMS = 200
MAX_ATTENTION = 30
"""Most entries of an order's `attention`."""
ALLERGY = "allergy"
"""The code of a reason that holds for as long as the order is made."""


class OrderStatus(StrEnum):
    """The status of an order."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    PREPARING = "preparing"
    READY = "ready"
    PICKED_UP = "picked-up"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class ItemStatus(StrEnum):
    """Whether a line of an order is still to be made."""

    OPEN = "open"
    DONE = "done"


class PaymentStatus(StrEnum):
    """How much of an order is paid."""

    UNPAID = "unpaid"
    PARTIAL = "partial"
    PAID = "paid"


class Kept(BaseModel):
    """A frozen model. Fields that this version does not know are dropped when it is read back."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Source(Draft):
    """Where an order came from: its voice session and lane, if any."""

    session_id: Id | None = None
    lane: Id | None = None


class Attention(Draft):
    """Something that a person must know or do about an order: a reason's `code`, and its `text`."""

    code: Word
    text: Text = ""


class OrderDraft(Draft):
    """A new order. The server sets its prices, totals, number and status."""

    type: Word = "takeout"
    table_id: Id | None = None
    table_number: Id | None = None
    customer_name: Annotated[str, Field(max_length=200)] | None = None
    notes: Text | None = None
    source: Source = Source()
    attention: Annotated[tuple[Attention, ...], Field(max_length=MAX_ATTENTION)] = ()
    items: Annotated[tuple[ItemDraft, ...], Field(min_length=1, max_length=MAX_ITEMS)]


class OrderChange(Draft):
    """A change to an order.

    A field that is absent stays as it is. Null clears a field, except `items`, `attention` and
    `rush`, which then stay as they are. An order in a `rush` is to be made before others. If
    `version` is given, the change is refused unless it is the order's current one.
    """

    items: Annotated[tuple[ItemDraft, ...], Field(max_length=MAX_ITEMS)] | None = None
    table_id: Id | None = None
    table_number: Id | None = None
    customer_name: Annotated[str, Field(max_length=200)] | None = None
    notes: Text | None = None
    attention: Annotated[tuple[Attention, ...], Field(max_length=MAX_ATTENTION)] | None = None
    rush: bool | None = None
    version: Annotated[int, Field(ge=1)] | None = None

    @property
    def named(self) -> dict[str, object]:
        """The fields to change, other than the items."""
        fields = self.model_fields_set - {"items", "version"}
        named: dict[str, object] = {name: getattr(self, name) for name in fields}
        for name in ("attention", "rush"):
            if getattr(self, name) is None:
                named.pop(name, None)
        return named


class StatusChange(Draft):
    """The new status of an order, and optionally the reason for it.

    If `version` is given, the change is refused unless it is the order's current one.
    """

    status: OrderStatus
    version: Annotated[int, Field(ge=1)] | None = None
    reason: Text | None = None


class ItemStatusChange(Draft):
    """The new status of a line of an order.

    If `version` is given, the change is refused unless it is the order's current one.
    """

    status: ItemStatus
    version: Annotated[int, Field(ge=1)] | None = None


class VersionCheck(Draft):
    """If `version` is given, the request is refused unless it is the order's current one."""

    version: Annotated[int, Field(ge=1)] | None = None


class OrderModifier(Kept):
    """A priced modifier. `price` (cents) is for one of it; a negated modifier costs nothing."""

    id: str
    group: str
    name: str
    price: int
    qualifier: Qualifier | None = None
    negated: bool = False
    quantity: int = 1


class OrderItem(Kept):
    """A priced line of an order.

    `subtotal` is `quantity` times the sum of `price` and what its modifiers cost, in cents. The
    parts of a combo follow the combo's line and refer to it in `part_of`; their `price` is the
    upcharge.
    """

    id: str
    menu_item_id: str
    name: str
    quantity: int
    size: str | None = None
    price: int
    modifiers: tuple[OrderModifier, ...] = ()
    special_instructions: str | None = None
    subtotal: int
    confidence: float | None = None
    part_of: str | None = None
    slot: str | None = None
    status: ItemStatus = ItemStatus.OPEN


class LineChange(Kept):
    """A line that changed while the kitchen had the order; `by` changed it.

    `before` is the line as the kitchen last acknowledged it, `after` as it is now.
    """

    item_id: str
    change: Literal["added", "changed", "voided"]
    before: OrderItem | None
    after: OrderItem | None
    by: str
    at: str


class SetAside(Kept):
    """What a step took off an order, and its recall puts back.

    `attention` was there before the order was confirmed, `changes` before it was cancelled.
    """

    attention: tuple[Attention, ...] = ()
    changes: tuple[LineChange, ...] = ()


class Order(Kept):
    """An order. Amounts are in cents.

    `prep_time` is the preparation time of its slowest item, in minutes. `status_times` has the time
    at which each status was reached, `status_reason` why it has this one. `changes` are those that
    the kitchen has not acknowledged. `attention` is what a person must know or do before the order
    is confirmed; of it, an allergy stays. An order `on_trial` is one of the first of a new menu:
    a person has to confirm it. `set_aside` is what recalls put back. `redacted` is true if the
    guest's words were erased from it.
    """

    id: str
    restaurant_id: str
    order_number: str
    type: str
    status: OrderStatus
    items: tuple[OrderItem, ...]
    subtotal: int
    tax: int
    total: int
    currency: str
    table_id: str | None = None
    table_number: str | None = None
    customer_name: str | None = None
    notes: str | None = None
    source: Source = Source()
    attention: tuple[Attention, ...] = ()
    payment_status: PaymentStatus = PaymentStatus.UNPAID
    paid: int = 0
    prep_time: int
    rush: bool = False
    on_trial: bool = False
    version: int
    created_at: str
    updated_at: str
    updated_by: str
    status_times: dict[OrderStatus, str]
    status_reason: str | None = None
    changes: tuple[LineChange, ...] = ()
    set_aside: SetAside = SetAside()
    redacted: bool = False


class TableChange(Draft):
    """A change to a table. A field that is absent stays as it is.

    If `version` is given, the change is refused unless it is the table's current one.
    """

    number: Annotated[str, Field(min_length=1, max_length=50)] | None = None
    status: Word | None = None
    version: Annotated[int, Field(ge=1)] | None = None


class Table(Kept):
    """A table of the restaurant."""

    id: str
    number: str
    status: str
    version: int
    updated_at: str
    updated_by: str


class PaymentDraft(Draft):
    """A payment that was taken elsewhere and is to be recorded. `amount` is in cents.

    The status `refunded` is for money given back, or for a payment recorded by mistake.
    """

    order_id: Id
    amount: Annotated[Cents, Field(ge=1)]
    method: Word
    status: Literal["completed", "failed", "refunded"] = "completed"


class Payment(Kept):
    """A recorded payment. `amount` is in cents."""

    id: str
    order_id: str
    amount: int
    method: str
    status: str
    created_at: str
    created_by: str


class RevocationDraft(Draft):
    """Revokes one token (by its `jti`), or all tokens issued to a user so far."""

    token_id: Claim | None = None
    user_id: Claim | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.token_id is None) == (self.user_id is None):
            raise ValueError("give either token_id or user_id")
        return self


class ItemChange(Draft):
    """A change to a menu item: sold out, or available again."""

    sold_out: bool


@dataclass(frozen=True, slots=True)
class Event:
    """A committed event. `body` is the whole message as sent, encoded once.

    `trace` is the place in a trace at which it was made, if there is one; it is not kept.
    """

    restaurant_id: str
    epoch: str
    seq: int
    event_id: str
    type: str
    tags: Tags
    body: bytes
    trace: Context | None = field(default=None, repr=False, compare=False)
    message: Message = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", Message(self.body, seq=self.seq))


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """An event without a place in history: of each key, only the latest matters."""

    restaurant_id: str
    type: str
    key: str
    tags: Tags
    body: bytes
    message: Message = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", Message(self.body, f"{self.type}\n{self.key}"))
