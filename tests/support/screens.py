"""Pages in a real browser, each as its own device, and what no page may do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from playwright.async_api import Browser, Locator, Page, Request, async_playwright, expect
from support.browser import launch

from order_events.auth.tokens import Role

SOON = 10_000
"""Milliseconds that a page may take to show what has happened."""


class Served(Protocol):
    """What serves the pages."""

    url: str

    def token(self, user: str, role: Role, restaurant: str = ...) -> str:
        """Return a token that it accepts."""


class Screens:
    """Opens pages, each as its own device, and watches for anything a page must not do."""

    def __init__(self, browser: Browser, served: Served) -> None:
        self._browser = browser
        self._served = served
        self.faults: list[str] = []

    async def open(
        self,
        path: str = "/",
        *,
        token: str = "",
        base: str = "",
        locale: str = "en-US",
        script: str = "",
        worker: bool = False,
        **more: str,
    ) -> Page:
        """Open a page; `token` and `more` go into the fragment of its address.

        `script` runs before anything of the page. Without `worker` there is no service worker,
        which would keep requests from tests that hold them up.
        """
        context = await self._browser.new_context(
            viewport={"width": 1600, "height": 900},
            locale=locale,
            service_workers="allow" if worker else "block",
        )
        if script:
            await context.add_init_script(script)
        page = await context.new_page()
        page.on("pageerror", lambda error: self.faults.append(f"{path}: {error}"))
        page.on("console", lambda line: self._check_console(path, line.text))
        page.on("request", lambda request: self._check_request(path, request))
        fragment = "&".join(f"{k}={v}" for k, v in {"token": token, **more}.items() if v)
        await page.goto(f"{base or self._served.url}{path}#{fragment}")
        return page

    async def staff(self, user: str, role: Role, restaurant: str = "demo", **more: str) -> Page:
        """Open the staff page, signed in and connected."""
        token = self._served.token(user, role, restaurant)
        page = await self.open(token=token, **more)
        await expect(page.locator('#connection[data-state="online"]')).to_be_visible(timeout=SOON)
        return page

    async def close(self) -> None:
        """Close every page."""
        for context in self._browser.contexts:
            await context.close()

    def _check_console(self, path: str, text: str) -> None:
        if "Content Security Policy" in text:
            self.faults.append(f"{path}: {text}")

    def _check_request(self, path: str, request: Request) -> None:
        if urlsplit(request.url).hostname != "127.0.0.1":
            self.faults.append(f"{path} asked for {request.url}")


@asynccontextmanager
async def browsing(recording: Path) -> AsyncIterator[Browser]:
    """Run a browser whose microphone plays a recording."""
    async with async_playwright() as playwright:
        browser = await launch(playwright, recording)
        yield browser
        await browser.close()


async def press(row: Locator, button: str) -> None:
    """Press a button of a row that has stood still for long enough to be pressed."""
    await expect(row).not_to_have_attribute("data-moving", "", timeout=SOON)
    await row.locator(button).click()
