"""The base models of `/v1` queries and answers, and the query for payments."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from order_events.menu.entries import Id

RowId = Annotated[int, Field(ge=0, lt=2**63)]


class Query(BaseModel):
    """Unknown parameters are refused: a misspelt filter must not go unseen."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PaymentsQuery(Query):
    """Parameters of the list of payments, from `since` to before `until`; `after` continues it."""

    order_id: Id | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    after: Id | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 200


class Answer(BaseModel):
    """The body of an answer."""

    model_config = ConfigDict(frozen=True)
