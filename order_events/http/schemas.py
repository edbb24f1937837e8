"""Response models of `/v1`, and the query parameters of its GET requests."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from order_events.domain.api_models import Answer, MenuVersion, Query, RowId, Trial
from order_events.domain.drafts import Draft
from order_events.domain.models import Order, OrderStatus, Payment, Table
from order_events.menu.entries import Id
from order_events.menu.menu import Menu
from order_events.protocol.filters import Filters
from order_events.protocol.messages import ErrorCode


class OrdersQuery(Query):
    """Query of the list of orders. `before` comes from the previous page."""

    status: OrderStatus | None = Field(None, description="Only orders with this status.")
    table_id: Id | None = Field(None, description="Only orders of this table.")
    before: RowId | None = Field(None, description="`before` in the answer with the previous page.")
    limit: int = Field(50, ge=1, le=200, description="Most orders in the answer.")


class TablesQuery(Query):
    """Query of the list of tables. `after` comes from the previous page."""

    after: Id | None = Field(None, description="`after` in the answer with the previous page.")
    limit: int = Field(200, ge=1, le=1000, description="Most tables in the answer.")


class EventsQuery(Query):
    """Query of the event history. Separate several values with commas."""

    after: int = Field(0, ge=0, lt=2**63, description="Only events with a greater `seq`.")
    epoch: Annotated[str, Field(min_length=1, max_length=100)] | None = Field(
        None, description="The epoch that `after` belongs to; absent means the current one."
    )
    events: str = Field("*", description="Types or patterns, such as `order:*,table:updated`.")
    limit: int = Field(200, ge=1, le=1000, description="Most events in the answer.")
    table_id: str | None = Field(None, description="Only events about these tables.")
    order_id: str | None = Field(None, description="Only events about these orders.")
    session_id: str | None = Field(None, description="Only events about these voice sessions.")
    lane: str | None = Field(None, description="Only events from these lanes.")
    status: str | None = Field(
        None, description="Only events about orders, tables or payments with these statuses."
    )

    def filters(self) -> Filters:
        """Return the filters that are set; raise ValidationError."""
        given = self.model_dump(include=set(Filters.model_fields), exclude_none=True)
        return Filters.model_validate({name: value.split(",") for name, value in given.items()})


class MenuVersionsAnswer(Answer):
    """The published menus that can be restored, the newest first: that is the one in use."""

    versions: tuple[MenuVersion, ...]


class MenuFile(Draft):
    """The content of a menu file: JSON, or CSV if it does not begin with a brace."""

    text: Annotated[str, Field(min_length=1)]


class MenuFileAnswer(Answer):
    """The menu in a file that has no faults, and the same menu as CSV."""

    menu: Menu
    csv: str


class OrderAnswer(Answer):
    """One order."""

    order: Order


class OrdersAnswer(Answer):
    """A page of orders, newest first. Pass `before` for the next page; null on the last page.

    `damaged` is how many were left out because they cannot be read.
    """

    orders: tuple[Order, ...]
    damaged: int = 0
    before: int | None


class TableAnswer(Answer):
    """One table."""

    table: Table


class TablesAnswer(Answer):
    """A page of tables, sorted by id. Pass `after` for the next page; null on the last page.

    `damaged` is how many were left out because they cannot be read.
    """

    tables: tuple[Table, ...]
    damaged: int = 0
    after: str | None


class PaymentAnswer(Answer):
    """One payment."""

    payment: Payment


class PaymentsAnswer(Answer):
    """A page of payments, oldest first. Pass `after` for the next page; null on the last page.

    `damaged` is how many were left out because they cannot be read.
    """

    payments: tuple[Payment, ...]
    damaged: int = 0
    after: str | None


class KeptEvent(Answer):
    """An event from the history, exactly as the root socket sent it."""

    type: str
    data: dict[str, Any]
    timestamp: str
    event_id: str
    restaurant_id: str
    epoch: str
    seq: int


class EventsAnswer(Answer):
    """A page of the event history. While `more` is true, ask again with `after` set to `seq`.

    If history does not reach back to `after`, `recovered` is false and there are no events.
    """

    events: tuple[KeptEvent, ...]
    recovered: bool
    epoch: str
    seq: int
    more: bool


class MenuAnswer(Answer):
    """The menu and its version; `trial` is null unless it was put on trial."""

    menu: Menu
    version: int
    trial: Trial | None


class VersionAnswer(Answer):
    """The version of the menu after the change."""

    version: int


class RevokedAnswer(Answer):
    """`closed` is the number of open sockets that were closed by the revocation."""

    closed: int


class Problem(Answer):
    """An error. `retry_after_ms` (milliseconds) says when to try again, if that helps.

    `incident` is the id under which the log has the details of an error of ours.
    """

    code: ErrorCode
    message: str
    retry_after_ms: int | None = None
    incident: str | None = None


class ProblemAnswer(Answer):
    """The body of every `/v1` response with a status of 400 or above."""

    error: Problem


class HealthAnswer(Answer):
    """The process is alive."""

    status: str


class ReadyAnswer(Answer):
    """Whether the server is ready for requests; if it is not, `reasons` says why.

    `degraded` says what is wrong that keeps no request from being served.
    """

    ready: bool
    reasons: tuple[str, ...]
    degraded: tuple[str, ...] = ()
