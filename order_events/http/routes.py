"""Routes as declarations: what a request may say, who may send it, and what it is answered.

A route is served and documented from the same declaration, so a body is validated by the model
that the OpenAPI document names.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from order_events.auth.roles import Action
from order_events.auth.tokens import Principal
from order_events.protocol.messages import ErrorCode

T = TypeVar("T", bound=BaseModel)

HTTP_STATUS = {
    ErrorCode.INVALID_MESSAGE: 400,
    ErrorCode.UNAUTHORIZED: 401,
    ErrorCode.FORBIDDEN: 403,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.KEY_REUSED: 409,
    ErrorCode.STALE_VERSION: 409,
    ErrorCode.ILLEGAL_TRANSITION: 409,
    ErrorCode.SOLD_OUT: 409,
    ErrorCode.NOT_SERVED: 409,
    ErrorCode.INVALID_ORDER: 422,
    ErrorCode.UNKNOWN_ITEM: 422,
    ErrorCode.RATE_LIMITED: 429,
    ErrorCode.OVERLOADED: 503,
    ErrorCode.UNAVAILABLE: 503,
}
"""HTTP status of an error code."""


class Nothing(BaseModel):
    """A request that says nothing but its path."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """A request that has passed: who asks, what for, and `key`, its idempotency key."""

    principal: Principal
    path: Mapping[str, str]
    body: T
    key: str | None = None


Answer = BaseModel | bytes
"""Bytes are JSON of the route's answer that need not be encoded again."""


@dataclass(frozen=True, slots=True)
class Route:
    """One route. `takes` is the query of a GET or DELETE and the JSON body of anything else, which
    `reads` reads; it raises ValidationError.

    `errors` are those that it may answer besides what any request may get; `body_bytes` names the
    setting that bounds the body. `keyed` requests may carry an `Idempotency-Key`.
    """

    method: str
    path: str
    action: Action
    takes: type[BaseModel]
    answers: type[BaseModel]
    summary: str
    handler: Callable[[Any, Call[Any]], Awaitable[Answer]]
    reads: Callable[[bytes], BaseModel]
    status: int = 200
    keyed: bool = False
    errors: tuple[ErrorCode, ...] = ()
    body_bytes: Literal["max_message_bytes", "http_body_bytes"] = "max_message_bytes"

    @property
    def name(self) -> str:
        """What the document calls the operation: the handler's name."""
        return self.handler.__name__

    @property
    def has_body(self) -> bool:
        """Whether what it takes is a body."""
        return self.method not in ("GET", "DELETE")


def route(
    method: str,
    path: str,
    action: Action,
    takes: type[T],
    answers: type[BaseModel],
    **options: Any,
) -> Callable[[Callable[[Any, Call[T]], Awaitable[Answer]]], Route]:
    """Declares a handler's route; the first line of its docstring says what it does."""

    def declare(handler: Callable[[Any, Call[T]], Awaitable[Answer]]) -> Route:
        summary = (handler.__doc__ or "").strip().partition("\n")[0]
        # Strictly: a price of `false` or "1" is a mistake, not a number.
        read = partial(takes.model_validate_json, strict=True)
        given = {"reads": read, **options}
        return Route(method, path, action, takes, answers, summary, handler, **given)

    return declare


def routes_of(api: type) -> tuple[Route, ...]:
    """The routes that a class declares, in its order."""
    return tuple(value for value in vars(api).values() if isinstance(value, Route))
