"""Serves declared routes: authorizes, reads and validates requests, and answers errors as JSON."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Middleware
from pydantic import BaseModel, TypeAdapter

from order_events import tracing
from order_events.auth.tokens import Principal, Role
from order_events.http.authentication import Authenticator, idempotency_key
from order_events.http.delivery import PRINCIPAL
from order_events.http.problems import our_fault, problem, validated
from order_events.http.routes import HTTP_STATUS, Call, Route
from order_events.menu.diagnostics import MenuError, read_menu
from order_events.menu.entries import Id
from order_events.menu.menu import Menu
from order_events.metrics import HubMetrics
from order_events.protocol.errors import OrderError
from order_events.protocol.messages import ErrorCode, ProtocolError
from order_events.settings import HubSettings

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

ROUTES: web.AppKey[list[Route]] = web.AppKey("ROUTES", list[Route])
"""The routes in an application's OpenAPI document; `add_routes` appends to it."""

_PATH_ID: TypeAdapter[str] = TypeAdapter(Id)

_NOBODY = Principal("", "", Role.DEVICE, None, 0.0)
"""Who asks without a token, where none is needed."""
_OF_HTTP = {
    400: "the request is not valid HTTP or its body cannot be read",
    404: "there is no such path",
    405: "this path does not take that method; see the header Allow",
    408: "the body did not come in time; send the request again",
    413: "the body is too large",
}
"""Our messages for requests that aiohttp refuses, by HTTP status."""


def add_routes(
    app: web.Application, api: object, routes: Iterable[Route], authenticator: Authenticator
) -> None:
    """Serve the routes that `api`'s class declares."""
    for declared in routes:
        app.router.add_route(declared.method, declared.path, _serving(api, declared, authenticator))
        app[ROUTES].append(declared)


def _serving(api: object, declared: Route, authenticator: Authenticator) -> Handler:
    async def serve(request: web.Request) -> web.Response:
        principal = await _admitted(request, declared, authenticator)
        key = idempotency_key(request) if declared.keyed else None
        query = None if declared.query is None else _query(request, declared.query)
        body = await _read(request, declared, authenticator.settings)
        path = {name: _path_id(name, value) for name, value in request.match_info.items()}
        call = Call(principal, path, body, key, query)
        if declared.has_body:
            return json_answer(await declared.handler(api, call), declared.status)
        async with authenticator.turns.turn((principal.restaurant_id, principal.user_id)):
            return json_answer(await declared.handler(api, call), declared.status)

    return serve


async def _admitted(
    request: web.Request, declared: Route, authenticator: Authenticator
) -> Principal:
    if declared.action is None:
        authenticator.anonymous(request)
        return _NOBODY
    request[PRINCIPAL] = principal = await authenticator.check(request, declared.action)
    return principal


async def _read(request: web.Request, declared: Route, settings: HubSettings) -> BaseModel:
    if not declared.has_body:
        return _query(request, declared.takes)
    body = await read_body(request, _max_bytes(declared, settings), settings.idle_http_s)
    if declared.takes is Menu:
        # In a thread, because checking a large menu in Python would block the loop.
        return await asyncio.to_thread(_menu, body)
    return validated(lambda: declared.reads(body), whole="the body")


def _query(request: web.Request, model: type[BaseModel]) -> BaseModel:
    parameters = _parameters(request)
    return validated(lambda: model.model_validate(parameters), whole="the request")


def _path_id(name: str, value: str) -> str:
    return validated(lambda: _PATH_ID.validate_python(value), whole=name)


def _max_bytes(declared: Route, settings: HubSettings) -> int:
    if declared.body_bytes == "http_body_bytes":
        return settings.http_body_bytes
    return settings.max_message_bytes


def _menu(body: bytes) -> Menu:
    """Return a menu; the error for an invalid one lists all its faults, for whoever wrote it."""
    try:
        return read_menu(body)
    except MenuError as error:
        raise ProtocolError(ErrorCode.INVALID_MESSAGE, str(error)) from error


def _parameters(request: web.Request) -> dict[str, str]:
    parameters = dict(request.query)
    for name in parameters:
        if len(request.query.getall(name)) > 1:
            raise ProtocolError(
                ErrorCode.INVALID_MESSAGE,
                f"{name[:50]}: is given twice; separate several values by commas where the "
                "parameter takes them",
            )
    return parameters


async def read_body(request: web.Request, max_bytes: int, timeout_s: float) -> bytes:
    """Return the body; raise HTTPRequestEntityTooLarge or HTTPRequestTimeout."""
    if request.content_length is not None and request.content_length > max_bytes:
        raise web.HTTPRequestEntityTooLarge(max_bytes, request.content_length)
    try:
        async with asyncio.timeout(timeout_s):
            body = await request.read()
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    except (web.RequestPayloadError, HttpProcessingError) as error:
        # A body that is not what its Content-Encoding says. Where it ends is not known any more,
        # so nothing else can be read from this connection.
        request.content.feed_eof()
        raise web.HTTPBadRequest(headers={hdrs.CONNECTION: "close"}) from error
    if len(body) > max_bytes:
        raise web.HTTPRequestEntityTooLarge(max_bytes, len(body))
    return body


def json_answer(answer: BaseModel | bytes, status: int = 200) -> web.Response:
    """Return a response with a model, or with bytes that are JSON already."""
    body = answer if isinstance(answer, bytes) else answer.model_dump_json().encode()
    return web.Response(body=body, status=status, content_type="application/json")


def answering_errors(api_paths: tuple[str, ...]) -> Middleware:
    """Return a middleware that answers errors as JSON: `{"error": {"code", "message"}}`.

    aiohttp's own errors are converted under `api_paths`; elsewhere, only those for unknown paths
    and methods are.
    """

    @web.middleware
    async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except (OrderError, ProtocolError) as error:
            retry = error.retry_after_ms if isinstance(error, ProtocolError) else None
            return problem(HTTP_STATUS[error.code], error.code, error.message, retry)
        except web.HTTPException as error:
            unknown = error.status in (404, 405)
            if error.status < 400 or not (unknown or request.path.startswith(api_paths)):
                raise
            return _of_aiohttp(error)
        except Exception:  # noqa: BLE001 (the boundary where a fault of ours becomes an answer)
            return our_fault(request)

    return answer_errors


def measuring(metrics: HubMetrics) -> Middleware:
    """Return a middleware that counts and times requests, except sockets, by route."""

    @web.middleware
    async def measure(request: web.Request, handler: Handler) -> web.StreamResponse:
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            response = await handler(request)
        except web.HTTPException as error:
            observe(request, error.status, loop.time() - started)
            raise
        if not isinstance(response, web.WebSocketResponse):
            observe(request, response.status, loop.time() - started)
        return response

    def observe(request: web.Request, status: int, seconds: float) -> None:
        resource = request.match_info.route.resource
        # Unknown paths share one label: clients must not be able to create labels.
        method, path = ("other",) * 2 if resource is None else (request.method, resource.canonical)
        metrics.requests.labels(method, path, str(status)).observe(seconds)

    return measure


@web.middleware
async def trace_requests(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Make a step of each request; sockets have their own."""
    resource = request.match_info.route.resource
    if hdrs.UPGRADE in request.headers or resource is None:
        return await handler(request)
    method, route = request.method, resource.canonical
    fields = {"http.request.method": method, "http.route": route}
    begun = tracing.begin(f"{method} {route}", tracing.received(request.headers), **fields)
    if begun is None:
        return await handler(request)
    status = 500
    try:
        with tracing.within(begun.context):
            response = await handler(request)
        status = response.status
    except web.HTTPException as error:
        status = error.status
        raise
    finally:
        begun.end(**{"http.response.status_code": status})
    return response


def _of_aiohttp(error: web.HTTPException) -> web.Response:
    code = ErrorCode.NOT_FOUND if error.status == 404 else ErrorCode.INVALID_MESSAGE
    response = problem(error.status, code, _OF_HTTP.get(error.status, error.reason))
    if hdrs.CONNECTION in error.headers:
        response.force_close()
    if hdrs.ALLOW in error.headers:
        response.headers[hdrs.ALLOW] = error.headers[hdrs.ALLOW]
    return response
