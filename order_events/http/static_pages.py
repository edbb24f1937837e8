"""The staff pages: files in the package, served with a strict content security policy."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from importlib.resources import files

from aiohttp import web

CONTENT_TYPES = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "ico": "image/x-icon",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "png": "image/png",
    "svg": "image/svg+xml",
    "webmanifest": "application/manifest+json",
    "woff2": "font/woff2",
}
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; connect-src 'self'; img-src 'self' data:; media-src 'self' "
        "blob:; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
_NAME = r"{name:[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*}"


@lru_cache(maxsize=256)
def _file(package: str, name: str) -> tuple[bytes, str]:
    """Return a file's content, and a tag that changes with it; raise HTTPNotFound.

    Read once, because installed files do not change while the process runs.
    """
    resource = files(package) / "web" / name
    if name.rpartition(".")[2] not in CONTENT_TYPES or not resource.is_file():
        raise web.HTTPNotFound
    content = resource.read_bytes()
    return content, sha256(content).hexdigest()[:32]


def page(request: web.Request, package: str, name: str) -> web.Response:
    """Return a file of the package's `web` folder, or 304 if the client has it.

    Raises HTTPNotFound. `name` is a plain file name: the route admits no separator.
    """
    content, tag = _file(package, name)
    cached = any(etag.value in (tag, "*") for etag in request.if_none_match or ())
    response = web.Response(status=304) if cached else web.Response(body=content)
    response.headers.update(HEADERS)
    response.headers["Content-Type"] = CONTENT_TYPES[name.rpartition(".")[2]]
    response.etag = tag
    return response


async def index(request: web.Request) -> web.Response:
    """Return the first page."""
    return page(request, "order_events", "index.html")


async def worker(request: web.Request) -> web.Response:
    """Return the service worker, which keeps only what lies below its own path."""
    return page(request, "order_events", "service-worker.js")


def add_routes(app: web.Application, package: str = "order_events", prefix: str = "/web") -> None:
    """Serve the files of a package's `web` folder under a prefix."""

    async def asset(request: web.Request) -> web.Response:
        return page(request, package, request.match_info["name"])

    app.router.add_get(f"{prefix}/{_NAME}", asset)
