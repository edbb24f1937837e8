"""The staff pages: their headers, their caching, and nothing outside the folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from support.http_requests import get

import order_events


async def test_pages_are_served_with_a_strict_policy(server: Any) -> None:
    """The first page without an upgrade, files by name, and nothing outside the folder."""
    status, text, headers = await get(server, "/")
    assert status == 200
    assert text.lower().startswith("<!doctype html>")
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert "object-src 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert (await get(server, "/web/index.html"))[0] == 200
    outside = Path(order_events.__file__).with_name("server.py")
    assert outside.is_file()
    for path in ("none.html", "..%2Fserver.py", "%2e%2e/server.py", ".secret", "index", "a/b.html"):
        assert (await get(server, f"/web/{path}"))[0] == 404, path


async def test_a_page_that_the_browser_has_is_not_sent_again(server: Any) -> None:
    """The browser asks every time, so a new version shows at once."""
    url = server.url + "/web/index.html"
    async with server.session.get(url) as first:
        tag, body = first.headers["ETag"], await first.read()
        assert first.headers["Cache-Control"] == "no-cache"
    async with server.session.get(url, headers={"If-None-Match": tag}) as again:
        assert (again.status, await again.read()) == (304, b"")
        assert again.headers["ETag"] == tag
    async with server.session.get(url, headers={"If-None-Match": '"older"'}) as other:
        assert (other.status, await other.read()) == (200, body)
