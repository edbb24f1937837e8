"""The answers of `/v1`, and the query parameters of its GET requests."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from order_events.domain.api_models import Answer, Query, RowId
from order_events.domain.models import Order, OrderStatus, Payment, Table
from order_events.menu.entries import Id
from order_events.menu.menu import Menu
from order_events.protocol.filters import Filters
from order_events.protocol.messages import ErrorCode


class OrdersQuery(Query):
    """Parameters of the list of orders; `before` continues it."""

    status: OrderStatus | None = None
    table_id: Id | None = None
    before: RowId | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class TablesQuery(Query):
    """Parameters of the list of tables; `after` continues it."""

    after: Id | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 200


class EventsQuery(Query):
    """Parameters of the history; several values are separated by commas."""

    after: Annotated[int, Field(ge=0, lt=2**63)] = 0
    epoch: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    events: str = "*"
    limit: Annotated[int, Field(ge=1, le=1000)] = 200
    table_id: str | None = None
    order_id: str | None = None
    session_id: str | None = None
    lane: str | None = None
    status: str | None = None

    def filters(self) -> Filters:
        """Return the filters that are set; raise ValidationError."""
        given = self.model_dump(include=set(Filters.model_fields), exclude_none=True)
        return Filters.model_validate({name: value.split(",") for name, value in given.items()})


class OrderAnswer(Answer):
    """One order."""

    order: Order


class OrdersAnswer(Answer):
    """The newest orders first; ask again with `before`, until it is null."""

    orders: tuple[Order, ...]
    before: int | None


class TableAnswer(Answer):
    """One table."""

    table: Table


class TablesAnswer(Answer):
    """Tables by their ids; ask again with `after`, until it is null."""

    tables: tuple[Table, ...]
    after: str | None


class PaymentAnswer(Answer):
    """One payment."""

    payment: Payment


class PaymentsAnswer(Answer):
    """Payments, the oldest first; ask again with `after`, until it is null."""

    payments: tuple[Payment, ...]
    after: str | None


class KeptEvent(Answer):
    """An event of the history, as the root socket sent it."""

    type: str
    data: dict[str, Any]
    timestamp: str
    event_id: str
    restaurant_id: str
    epoch: str
    seq: int


class EventsAnswer(Answer):
    """A page of the history; while there is `more`, ask again with `after` set to `seq`.

    `recovered` is false, and there are no events, where history does not reach back to `after`.
    """

    events: tuple[KeptEvent, ...]
    recovered: bool
    epoch: str
    seq: int
    more: bool


class MenuAnswer(Answer):
    """The menu, and which version of it this is."""

    menu: Menu
    version: int


class VersionAnswer(Answer):
    """The menu's version after a change."""

    version: int


class RevokedAnswer(Answer):
    """How many open sockets were closed for it."""

    closed: int


class Problem(Answer):
    """What was wrong."""

    code: ErrorCode
    message: str
    retry_after_ms: int | None = None


class ProblemAnswer(Answer):
    """The body of every answer with a status of 400 or more under `/v1`."""

    error: Problem


class HealthAnswer(Answer):
    """The process lives."""

    status: str


class ReadyAnswer(Answer):
    """Whether requests are welcome, and if not, why."""

    ready: bool
    reasons: tuple[str, ...]
