"""Errors as answers: `{"error": {"code", "message"}}`, and an id for those that are our fault."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable
from typing import TypeVar

import structlog
from aiohttp import hdrs, web
from pydantic import ValidationError

from order_events.http.schemas import Problem, ProblemAnswer
from order_events.protocol.diagnostics import explain
from order_events.protocol.messages import ErrorCode, ProtocolError

T = TypeVar("T")

logger = structlog.get_logger(__name__)


def validated(read: Callable[[], T], *, whole: str) -> T:
    """Return what `read` makes of what a client sent; raise ProtocolError if it is not valid.

    Only here is a ValidationError the client's fault. `whole` names what was read.
    """
    try:
        return read()
    except ValidationError as error:
        message = explain(error, whole=whole)
        raise ProtocolError(ErrorCode.INVALID_MESSAGE, message) from error


def our_fault(request: web.Request) -> web.Response:
    """Log the exception being handled, and return an answer with the id of its line in the log."""
    incident = uuid.uuid4().hex[:12]
    logger.exception("a request failed", path=request.path, incident=incident)
    message = f"internal error; the log has the details under {incident}"
    return answer(500, Problem(code=ErrorCode.INTERNAL, message=message, incident=incident))


def problem(
    status: int, code: ErrorCode, message: str, retry_after_ms: int | None = None
) -> web.Response:
    """Return an error answer."""
    return answer(status, Problem(code=code, message=message, retry_after_ms=retry_after_ms))


def answer(status: int, problem: Problem) -> web.Response:
    """Return an error answer, with the headers that belong to it."""
    body = ProblemAnswer(error=problem).model_dump_json(exclude_none=True)
    response = web.Response(body=body.encode(), status=status, content_type="application/json")
    if status == 401:
        response.headers[hdrs.WWW_AUTHENTICATE] = "Bearer"
    if problem.retry_after_ms is not None:
        response.headers[hdrs.RETRY_AFTER] = str(math.ceil(problem.retry_after_ms / 1000))
    return response
