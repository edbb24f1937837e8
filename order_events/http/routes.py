"""Routes as declarations: what a request may contain, who may send it, and what answers it.

A route is served and documented from the same declaration, so bodies are validated by the model
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
    ErrorCode.INTERNAL: 500,
    ErrorCode.OVERLOADED: 503,
    ErrorCode.UNAVAILABLE: 503,
}
"""HTTP status by error code."""


class Nothing(BaseModel):
    """A request with nothing but its path."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """An authorized, validated request; `key` is its idempotency key, if any.

    `query` is what the route's `query` makes of the parameters of a request that has a body.
    """

    principal: Principal
    path: Mapping[str, str]
    body: T
    key: str | None = None
    query: Any = None


Answer = BaseModel | bytes
"""Bytes are the answer as JSON, encoded already."""


@dataclass(frozen=True, slots=True)
class Route:
    """One route. `action` is what it needs the right to; None if it needs no token.

    `takes` is the query of a GET or DELETE, and the JSON body of anything else.

    `reads` parses a body and raises ValidationError. `errors` are the codes it may answer besides
    those any request may get; `body_bytes` names the setting that bounds the body. `keyed` requests
    may carry an `Idempotency-Key`. `query` are the parameters that a request with a body may have.
    """

    method: str
    path: str
    action: Action | None
    takes: type[BaseModel]
    answers: type[BaseModel]
    summary: str
    handler: Callable[[Any, Call[Any]], Awaitable[Answer]]
    reads: Callable[[bytes], BaseModel]
    status: int = 200
    keyed: bool = False
    query: type[BaseModel] | None = None
    errors: tuple[ErrorCode, ...] = ()
    body_bytes: Literal["max_message_bytes", "http_body_bytes"] = "max_message_bytes"

    @property
    def name(self) -> str:
        """The operation's id in the document: the handler's name."""
        return self.handler.__name__

    @property
    def parameters(self) -> type[BaseModel] | None:
        """The model of its query parameters; None if there are none."""
        return self.query if self.has_body or self.takes is Nothing else self.takes

    @property
    def has_body(self) -> bool:
        """True if `takes` is a body rather than a query."""
        return self.method not in ("GET", "DELETE")


def route(
    method: str,
    path: str,
    action: Action | None,
    takes: type[T],
    answers: type[BaseModel],
    **options: Any,
) -> Callable[[Callable[[Any, Call[T]], Awaitable[Answer]]], Route]:
    """Declare a handler's route; the first line of its docstring is the route's summary."""

    def declare(handler: Callable[[Any, Call[T]], Awaitable[Answer]]) -> Route:
        summary = (handler.__doc__ or "").strip().partition("\n")[0]
        # Strict, because a price of `false` or "1" is a mistake, not a number.
        read = partial(takes.model_validate_json, strict=True)
        given = {"reads": read, **options}
        return Route(method, path, action, takes, answers, summary, handler, **given)

    return declare


def routes_of(api: type) -> tuple[Route, ...]:
    """Return the routes that a class declares, in order."""
    return tuple(value for value in vars(api).values() if isinstance(value, Route))
