"""Base models for the queries and answers of `/v1`, and the query for payments."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from order_events.menu.entries import Id

MAX_TRIAL_ORDERS = 10_000
"""Most orders for which a menu can be on trial."""
RowId = Annotated[int, Field(ge=0, lt=2**63)]
_NUMBER = re.compile(r"\s*[+-]?[0-9.]+\s*")


def _no_number(value: Any) -> Any:
    """Refuse what would be taken for seconds, such as the year 2026."""
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        raise ValueError("must be written as in ISO 8601")
    return value


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("must be a time between the years 1 and 9999 in UTC") from None


Moment = Annotated[AwareDatetime, BeforeValidator(_no_number), AfterValidator(_in_utc)]
"""A time with its time zone, in UTC."""
NoNumber = BeforeValidator(_no_number)
"""For dates: a number is not one."""


class Query(BaseModel):
    """Query parameters. Unknown ones are refused, so that no misspelt filter goes unnoticed."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PaymentsQuery(Query):
    """Query of the list of payments: from `since` up to, but not including, `until`.

    `after` comes from the previous page.
    """

    order_id: Id | None = Field(None, description="Only payments of this order.")
    since: Moment | None = Field(
        None, description="Only payments recorded at this time or later; with a UTC offset."
    )
    until: Moment | None = Field(
        None, description="Only payments recorded before this time; with a UTC offset."
    )
    after: Id | None = Field(None, description="`after` in the answer with the previous page.")
    limit: int = Field(200, ge=1, le=1000, description="Most payments in the answer.")


class MenuQuery(Query):
    """Query of a new menu."""

    trial_orders: Annotated[int, Field(ge=1, le=MAX_TRIAL_ORDERS)] | None = Field(
        None,
        description="How many orders of guests a person accepts before the menu is trusted; absent "
        "means none, and ends the trial of the menu before.",
    )


class Answer(BaseModel):
    """The body of a response."""

    model_config = ConfigDict(frozen=True)


class MenuVersion(Answer):
    """A menu that was published. `restored_from` is the version that it repeats, if it does.

    `items` is how many items it has, `trial_orders` for how many orders it was put on trial.
    """

    version: int
    items: int
    published_at: str
    published_by: str
    restored_from: int | None = None
    trial_orders: int | None = None


class Trial(Answer):
    """The trial of a menu: for how many orders it is, and how many of them are still to come."""

    orders: int
    left: int
