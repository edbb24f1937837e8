"""The staff pages: files inside the package, served with a strict content security policy."""

from __future__ import annotations

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


def page(package: str, name: str) -> web.Response:
    """A file of the package's `web` folder; raises HTTPNotFound.

    `name` is a plain file name: the route lets no separator through.
    """
    content_type = CONTENT_TYPES.get(name.rpartition(".")[2])
    resource = files(package) / "web" / name
    if content_type is None or not resource.is_file():
        raise web.HTTPNotFound
    return web.Response(
        body=resource.read_bytes(), headers={**HEADERS, "Content-Type": content_type}
    )


async def index(request: web.Request) -> web.Response:
    """The first page."""
    return page("order_events", "index.html")


def add_routes(app: web.Application, package: str = "order_events", prefix: str = "/web") -> None:
    """Serves the files of a package's `web` folder under a prefix."""

    async def asset(request: web.Request) -> web.Response:
        return page(package, request.match_info["name"])

    app.router.add_get(f"{prefix}/{_NAME}", asset)
