"""The OpenAPI 3.1 document of `/v1`, made from the declared routes. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any

from order_events.auth import roles
from order_events.http.routes import HTTP_STATUS, Nothing, Route
from order_events.http.schemas import HealthAnswer, ProblemAnswer, ReadyAnswer
from order_events.protocol.messages import ErrorCode
from order_events.settings import HubSettings
from order_events.specs import descriptions
from order_events.specs.json_schema import Schema, Schemas, limits

PATH = "/v1/openapi.json"
LIMITS = (
    "http_per_minute",
    "http_service_per_minute",
    "http_strangers_per_minute",
    "max_message_bytes",
    "http_body_bytes",
    "idle_http_s",
    "idempotency_days",
    "token_max_bytes",
)
_ALWAYS = (
    ErrorCode.INVALID_MESSAGE,
    ErrorCode.UNAUTHORIZED,
    ErrorCode.FORBIDDEN,
    ErrorCode.RATE_LIMITED,
    ErrorCode.OVERLOADED,
    ErrorCode.UNAVAILABLE,
)
_KEY: Schema = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Makes retries safe: the same request with the same key returns what was "
    "created the first time.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200},
}


def document(routes: Sequence[Route], settings: HubSettings) -> Schema:
    """Return the document as a JSON-compatible dict."""
    schemas = Schemas(
        (model for r in routes for model in (r.takes, r.query) if model not in (None, Nothing)),
        (ProblemAnswer, HealthAnswer, ReadyAnswer, *(r.answers for r in routes)),
    )
    paths: dict[str, Schema] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas)
    paths |= _operators_paths(schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Orders and events of a restaurant",
            "version": "1",
            "description": "Restaurant, user and role come from the token. Money is integer cents; "
            "times are ISO 8601 in UTC. A change is on disk before it is answered.",
            "contact": {"name": "Whoever runs this server"},
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "tags": _tags(paths),
        "servers": [{"url": "/", "description": "The server that serves this document."}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "metrics": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The value of the setting metrics_token, if it is set.",
                },
            },
            "schemas": schemas.components,
        },
        "x-limits": limits(settings, LIMITS),
    }


def _tags(paths: dict[str, Schema]) -> list[Schema]:
    """Return the tags that are used, each with what it is about."""
    used = {tag for methods in paths.values() for op in methods.values() for tag in op["tags"]}
    return [{"name": tag, "description": descriptions.TAGS[tag]} for tag in sorted(used)]


def _operation(route: Route, schemas: Schemas) -> Schema:
    needs = route.action
    allowed = sorted(r.value for r in roles.Role if needs is None or roles.may(r, needs))
    operation: Schema = {
        "operationId": route.name,
        "summary": route.summary,
        "description": "Requires no token."
        if needs is None
        else f"Requires the right to {needs.value}. Roles that have it: {', '.join(allowed)}.",
        "tags": [route.path.split("/")[2]],
        "x-roles": allowed,
        "responses": {
            str(route.status): _json(HTTPStatus(route.status).phrase, schemas.given(route.answers)),
            **_errors(route, schemas),
        },
    }
    if needs is None:
        operation["security"] = []
    parameters = [*_path_parameters(route.path), *_header_parameters(route)]
    if route.has_body:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schemas.taken(route.takes)}},
            "x-limit": route.body_bytes,
        }
    if route.parameters is not None:
        parameters += _query_parameters(schemas.drop(route.parameters))
    if parameters:
        operation["parameters"] = parameters
    return operation


def _errors(route: Route, schemas: Schemas) -> dict[str, Schema]:
    problem = schemas.given(ProblemAnswer)
    by_status: dict[int, list[ErrorCode]] = {}
    for code in dict.fromkeys((*_ALWAYS, *route.errors)):
        by_status.setdefault(HTTP_STATUS[code], []).append(code)
    answers = {
        str(status): _json(_meaning(codes), problem) for status, codes in sorted(by_status.items())
    }
    answers["429"]["headers"] = {
        "Retry-After": {
            "description": "Seconds to wait before trying again.",
            "schema": {"type": "integer"},
        }
    }
    if route.has_body:
        answers["408"] = _json("The body did not arrive in time. Send it again.", problem)
        answers["413"] = _json("The body is too large.", problem)
    answers["500"] = _json(_meaning([ErrorCode.INTERNAL]), problem)
    return answers


def _meaning(codes: Iterable[ErrorCode]) -> str:
    return " ".join(f"{code.value}: {descriptions.ERRORS[code]}" for code in codes)


def _path_parameters(path: str) -> list[Schema]:
    return [
        {
            "name": name,
            "in": "path",
            "description": f"Id of the {things.removesuffix('s')}.",
            "required": True,
            "schema": {"type": "string", "minLength": 1, "maxLength": 100},
        }
        for things, name in re.findall(r"/(\w+)/{(\w+)}", path)
    ]


def _header_parameters(route: Route) -> list[Schema]:
    return [_KEY] if route.keyed else []


def _query_parameters(schema: Schema) -> list[Schema]:
    required = schema.get("required", ())
    return [
        {
            "name": name,
            "in": "query",
            "description": about["description"],
            "required": name in required,
            "schema": _without_null({k: v for k, v in about.items() if k != "description"}),
        }
        for name, about in schema["properties"].items()
    ]


def _without_null(schema: Schema) -> Schema:
    """Drop null from a parameter's type: a parameter is given or absent, never null."""
    [*kinds] = (kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"})
    rest = {k: v for k, v in schema.items() if k not in {"anyOf", "title"} and v is not None}
    merged = {**kinds[0], **rest} if len(kinds) == 1 else rest
    # Bounds of dates are pydantic's own words; JSON Schema has none for them.
    return {key: value for key, value in merged.items() if key not in {"ge", "le"}}


def _operators_paths(schemas: Schemas) -> dict[str, Any]:
    ready = schemas.given(ReadyAnswer)
    text = {"text/plain": {"schema": {"type": "string"}}}
    opened = (
        ("openapi", "Get this document"),
        ("asyncapi", "Get the AsyncAPI document of the sockets"),
    )
    return {
        "/healthz": {
            "get": _open(
                "healthz",
                "Check that the process is alive",
                {
                    "200": _json("The process is alive.", schemas.given(HealthAnswer)),
                },
            )
        },
        "/readyz": {
            "get": _open(
                "readyz",
                "Check that the server can take requests",
                {
                    "200": _json("The server is ready.", ready),
                    "503": _json("The server is not ready; `reasons` says why.", ready),
                },
            )
        },
        "/metrics": {
            "get": {
                **_open(
                    "metrics",
                    "Get metrics in the Prometheus text format",
                    {
                        "200": {"description": "The metrics.", "content": text},
                        **_refusals(schemas, ErrorCode.UNAUTHORIZED, ErrorCode.RATE_LIMITED),
                    },
                ),
                "security": [{}, {"metrics": []}],
            }
        },
        **{
            f"/v1/{name}.json": {
                "get": _open(
                    f"get_{name}",
                    summary,
                    {
                        "200": _json("The document.", {"type": "object"}),
                        **_refusals(schemas, ErrorCode.RATE_LIMITED),
                    },
                )
            }
            for name, summary in opened
        },
    }


def _open(name: str, summary: str, responses: Schema) -> Schema:
    """Return an operation that needs no token."""
    return {
        "operationId": name,
        "summary": summary,
        "description": f"{summary}. Needs no token unless `security` names one.",
        "tags": ["operators"],
        "security": [],
        "responses": responses,
    }


def _refusals(schemas: Schemas, *codes: ErrorCode) -> Schema:
    problem = schemas.given(ProblemAnswer)
    return {str(HTTP_STATUS[code]): _json(_meaning([code]), problem) for code in codes}


def _json(description: str, schema: Schema) -> Schema:
    return {"description": description, "content": {"application/json": {"schema": schema}}}
