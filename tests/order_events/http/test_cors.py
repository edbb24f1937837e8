"""Which pages of other servers may read answers."""

from __future__ import annotations

from typing import Any

import pytest
from support.http_requests import ask

PAGE = "https://pos.example"
APP = "capacitor://localhost"
PREFLIGHT = {"Access-Control-Request-Method": "POST"}


async def preflight(server: Any, path: str, origin: str) -> Any:
    """Send what a browser sends before a request with a token."""
    headers = {"Origin": origin, **PREFLIGHT}
    async with server.session.options(server.url + path, headers=headers) as response:
        return response


@pytest.mark.parametrize("origin", [PAGE, APP, "null"])
async def test_an_allowed_page_may_call_the_api_and_load_the_modules(
    start: Any, origin: str
) -> None:
    """Preflights, answers and errors carry the headers; what a page needs to read is exposed."""
    server = await start(allowed_origins=f"{PAGE},{APP},null")
    asked = await preflight(server, "/v1/orders", origin)
    assert asked.status == 204
    assert "Authorization" in asked.headers["Access-Control-Allow-Headers"]
    assert "PATCH" in asked.headers["Access-Control-Allow-Methods"]
    for path, status in (("/v1/orders", 401), ("/v1/nothing", 404), ("/web/dom.js", 200)):
        answer = await ask(server, path, Origin=origin)
        assert answer.status == status
        assert answer.headers["Access-Control-Allow-Origin"] == origin
        assert answer.headers["Vary"] == "Origin"
        assert "Retry-After" in answer.headers["Access-Control-Expose-Headers"]


async def test_no_other_page_may(start: Any) -> None:
    """Its preflight says why; its requests are answered without the headers."""
    server = await start(allowed_origins=PAGE)
    for origin in ("https://evil.example", "null", APP, server.url):
        refused = await preflight(server, "/v1/orders", origin)
        assert refused.status == 403
        answer = await ask(server, "/v1/openapi.json", Origin=origin)
        assert "Access-Control-Allow-Origin" not in (*refused.headers, *answer.headers)
        assert answer.headers["Vary"] == "Origin"


async def test_refusals_can_be_read_wherever_they_are_made(start: Any) -> None:
    """Above the rate, while too much is being read, and under a name that is not ours."""
    server = await start(allowed_origins=PAGE, http_strangers_per_minute=1)
    names = {"Origin": PAGE, "Host": "elsewhere.example"}
    for headers, status in (({}, 401), ({}, 429), (names, 421)):
        answer = await ask(server, "/v1/orders", **{"Origin": PAGE, **headers})
        assert answer.status == status
        assert answer.headers["Access-Control-Allow-Origin"] == PAGE
        assert answer.headers["Vary"] == "Origin"


async def test_a_cache_is_told_that_the_origin_matters(start: Any) -> None:
    """Also by an answer to a request that has none."""
    server = await start(allowed_origins=PAGE)
    assert (await ask(server, "/web/dom.js")).headers["Vary"] == "Origin"
    assert "Vary" not in (await ask(server, "/healthz")).headers


async def test_pages_and_metrics_are_shared_with_nobody(start: Any) -> None:
    """Even where every page may read the API."""
    server = await start(allowed_origins="*")
    for path in ("/", "/web/index.html", "/metrics", "/healthz"):
        answer = await ask(server, path, Origin=PAGE)
        assert answer.status == 200
        assert "Access-Control-Allow-Origin" not in answer.headers


async def test_unknown_paths_and_methods_are_answered_like_any_error(server: Any) -> None:
    """A client that mistypes a path can read the answer."""
    for path, status, code in (
        ("/orders", 404, "NOT_FOUND"),
        ("/web/none.js", 404, "NOT_FOUND"),
        ("/api/v2/orders", 404, "NOT_FOUND"),
    ):
        async with server.session.get(server.url + path) as response:
            assert (response.status, (await response.json())["error"]["code"]) == (status, code)
    async with server.session.post(server.url + "/healthz") as response:
        assert (response.status, response.headers["Allow"]) == (405, "GET,HEAD")
        assert (await response.json())["error"]["code"] == "INVALID_MESSAGE"
