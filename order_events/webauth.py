"""Tokens and errors of the HTTP API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog
from aiohttp import hdrs, web
from pydantic import ValidationError

from order_events.auth import AuthError, Principal
from order_events.errors import OrderError
from order_events.protocol import ErrorCode, ProtocolError, encode
from order_events.roles import Action, may
from order_events.sockets import Sockets

STATUS = {
    ErrorCode.INVALID_MESSAGE: 400,
    ErrorCode.UNAUTHORIZED: 401,
    ErrorCode.FORBIDDEN: 403,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.STALE_VERSION: 409,
    ErrorCode.ILLEGAL_TRANSITION: 409,
    ErrorCode.SOLD_OUT: 409,
    ErrorCode.INVALID_ORDER: 422,
    ErrorCode.UNKNOWN_ITEM: 422,
    ErrorCode.RATE_LIMITED: 429,
    ErrorCode.OVERLOADED: 503,
    ErrorCode.UNAVAILABLE: 503,
}
"""HTTP status of an error code."""
_KEY_LENGTH = 200

logger = structlog.get_logger(__name__)


class Gate:
    """Lets requests with a good token and the right role through."""

    def __init__(self, sockets: Sockets) -> None:
        self._sockets = sockets

    def check(self, request: web.Request, action: Action) -> Principal:
        """Who asks; raises ProtocolError(UNAUTHORIZED or FORBIDDEN)."""
        try:
            principal = self._sockets.authenticate(bearer(request))
        except AuthError as error:
            self._sockets.metrics.auth_failures.labels("http").inc()
            logger.warning("authentication refused", why=str(error), address=request.remote)
            raise ProtocolError(ErrorCode.UNAUTHORIZED, str(error)) from error
        if not may(principal.role, action):
            raise ProtocolError(ErrorCode.FORBIDDEN, f"your role may not {action.value}")
        return principal

    def key(self, request: web.Request) -> str | None:
        """The `Idempotency-Key` header, apart from keys that are made inside the service."""
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return None
        if not 0 < len(key) <= _KEY_LENGTH:
            raise ProtocolError(
                ErrorCode.INVALID_MESSAGE, f"Idempotency-Key: 1 to {_KEY_LENGTH} characters"
            )
        return f"http:{key}"


def bearer(request: web.Request) -> str:
    """The token of the `Authorization` header; raises AuthError."""
    scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme.lower() != "bearer":
        raise AuthError("a Bearer token is needed")
    return token.strip()


@web.middleware
async def answer_errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Errors of `/v1` as JSON: `{"error": {"code", "message"}}`."""
    if not request.path.startswith("/v1/"):
        return await handler(request)
    try:
        return await handler(request)
    except (OrderError, ProtocolError) as error:
        return _error(STATUS[error.code], error.code, error.message)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        message = f"{where}: {first['msg']}" if where else first["msg"]
        return _error(400, ErrorCode.INVALID_MESSAGE, message[:500])
    except web.HTTPException as error:
        if error.status < 400:
            raise
        code = ErrorCode.NOT_FOUND if error.status == 404 else ErrorCode.INVALID_MESSAGE
        response = _error(error.status, code, error.reason)
        if hdrs.ALLOW in error.headers:
            response.headers[hdrs.ALLOW] = error.headers[hdrs.ALLOW]
        return response
    except Exception:
        logger.exception("a request failed", path=request.path)
        return _error(500, ErrorCode.INTERNAL, "internal error")


def _error(status: int, code: ErrorCode, message: str) -> web.Response:
    body = encode({"error": {"code": code.value, "message": message}})
    response = web.Response(body=body, status=status, content_type="application/json")
    if status == 401:
        response.headers[hdrs.WWW_AUTHENTICATE] = "Bearer"
    return response
