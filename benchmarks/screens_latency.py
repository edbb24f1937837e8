"""How soon screens show what has happened, and whether a full board stays fluent.

    python benchmarks/screens_latency.py [--runs 20] [--tickets 200] [--changes 60]

A guest's recording is streamed at real-time pace to a service in a process of its own; a kitchen's
page in a real browser shows the ticket. Then a press on that page moves the ticket on, and the
guests' board shows it. Both times are taken in this process, when the page says that the text is
there, so that they include a few milliseconds for the browser's message. Last, a board of many
tickets is changed again and again: a long task keeps a page from answering a finger for 50 ms or
more.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import statistics
import time
from typing import Any

import aiohttp
from harness import Recording, Service, read_recordings, service, stream
from playwright.async_api import Browser, Page, async_playwright

from voice_service.server import DEMO_RESTAURANT

_RECORDING = "one_item"
_PATIENCE_S = 30
_STILL_MS = 700
"""Milliseconds after which a ticket that has moved may be pressed."""
_SETTLED_MS = 3_000
_COFFEE = {"menu_item_id": "coffee", "size": "large"}
_LONG_TASKS = """
    window.longTasks = [];
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) window.longTasks.push(entry.duration);
    }).observe({ type: "longtask" });
"""


_SEEN = """(selector, words) => new Promise((resolve) => {
    const has = (node) => node.textContent.includes(words);
    const look = () => [...document.querySelectorAll(selector)].some(has);
    if (look()) return resolve();
    const watch = new MutationObserver(() => {
        if (!look()) return;
        watch.disconnect();
        resolve();
    });
    watch.observe(document.body, { childList: true, subtree: true, characterData: true });
})"""
"""Resolves as soon as an element has these words."""


class Restaurant:
    """The service's HTTP API as its manager uses it, and its pages."""

    def __init__(self, served: Service, browser: Browser, http: aiohttp.ClientSession) -> None:
        self.served = served
        self._url = served.url.replace("ws", "http", 1).removesuffix("/voice-stream")
        self._browser = browser
        self._http = http

    async def page(self, path: str, script: str = "") -> Page:
        """Open a page, signed in."""
        context = await self._browser.new_context(viewport={"width": 1920, "height": 1080})
        if script:
            await context.add_init_script(script)
        page = await context.new_page()
        await page.goto(f"{self._url}{path}#token={self.served.token}")
        return page

    async def ask(self, path: str, body: dict[str, Any], method: str = "POST") -> dict[str, Any]:
        """Send a request as the manager; return the answer."""
        headers = {"Authorization": f"Bearer {self.served.token}"}
        url = f"{self._url}{path}"
        async with self._http.request(method, url, json=body, headers=headers) as response:
            response.raise_for_status()
            answer: dict[str, Any] = await response.json()
            return answer

    async def order(self, *steps: str) -> dict[str, Any]:
        """Create an order for a coffee and take it through these steps."""
        order: dict[str, Any] = (await self.ask("/v1/orders", {"items": [_COFFEE]}))["order"]
        for status in steps:
            await self.ask(f"/v1/orders/{order['id']}/status", {"status": status})
        return order


async def seen(page: Page, selector: str, words: str) -> float:
    """Return when (on the loop's clock) an element of the page has these words."""
    await page.evaluate(f"([selector, words]) => ({_SEEN})(selector, words)", [selector, words])
    return asyncio.get_running_loop().time()


async def word_to_ticket(restaurant: Restaurant, recording: Recording, runs: int) -> list[float]:
    """Return the seconds from a guest's last word until the kitchen reads the order."""
    kitchen = await restaurant.page("/")
    await kitchen.locator('#connection[data-state="online"]').wait_for()
    loop = asyncio.get_running_loop()
    taken = []
    for run in range(runs):
        lane = f"word-{run}"
        ticket = asyncio.create_task(seen(kitchen, ".ticket", f"Word {run}"))
        start = loop.time()
        await stream(restaurant.served, recording.samples, options={"order": "auto", "lane": lane})
        taken.append(await asyncio.wait_for(ticket, _PATIENCE_S) - start - recording.end)
    await kitchen.context.close()
    return taken


async def bump_to_board(restaurant: Restaurant, runs: int) -> list[float]:
    """Return the seconds from a press in the kitchen until the guests' board shows the number."""
    kitchen, board = await restaurant.page("/"), await restaurant.page("/web/board.html")
    loop = asyncio.get_running_loop()
    taken = []
    for _ in range(runs):
        order = await restaurant.order("confirmed", "preparing")
        row = kitchen.locator(f'.ticket[data-order="{order["id"]}"]')
        await row.wait_for()
        await kitchen.wait_for_timeout(_STILL_MS)
        number = order["order_number"].split("-")[1]
        shown = asyncio.create_task(seen(board, ".ready li", number))
        start = loop.time()
        await row.locator(".next").click()
        taken.append(await asyncio.wait_for(shown, _PATIENCE_S) - start)
    for page in (kitchen, board):
        await page.context.close()
    return taken


async def long_tasks(
    restaurant: Restaurant, tickets: int, changes: int
) -> tuple[list[float], float]:
    """Return the long tasks (ms) while a full board changes, and the seconds that it took."""
    orders = [await restaurant.order("confirmed") for _ in range(tickets)]
    kitchen = await restaurant.page("/", _LONG_TASKS)
    await kitchen.locator(".ticket").first.wait_for()
    await kitchen.wait_for_timeout(_SETTLED_MS)
    await kitchen.evaluate("window.longTasks.length = 0")
    start = time.monotonic()
    for order in orders[:changes]:
        await restaurant.ask(f"/v1/orders/{order['id']}/status", {"status": "preparing"})
    took = time.monotonic() - start
    await kitchen.wait_for_timeout(_SETTLED_MS)
    found: list[float] = await kitchen.evaluate("window.longTasks")
    await kitchen.context.close()
    return found, took


def p50_p90(seconds: list[float]) -> str:
    """Return the median and the 90th percentile, in milliseconds."""
    cuts = statistics.quantiles(seconds, n=10, method="inclusive")
    return f"p50 {1000 * cuts[4]:.0f} ms, p90 {1000 * cuts[8]:.0f} ms, {len(seconds)} times"


async def main(arguments: argparse.Namespace) -> None:
    """Measure all three, and print."""
    recording = next(r for r in read_recordings(None) if r.name == _RECORDING)
    executable = shutil.which("chromium") or shutil.which("google-chrome")
    limits = ("--http-per-minute", "100000")
    with service(limits, restaurant=DEMO_RESTAURANT, role="manager") as served:
        async with async_playwright() as playwright, aiohttp.ClientSession() as http:
            browser = await playwright.chromium.launch(
                executable_path=executable, args=["--no-sandbox"]
            )
            restaurant = Restaurant(served, browser, http)
            words = await word_to_ticket(restaurant, recording, arguments.runs)
            print(f"last spoken word to ticket: {p50_p90(words)}")
            print(f"bump to board: {p50_p90(await bump_to_board(restaurant, arguments.runs))}")
            found, took = await long_tasks(restaurant, arguments.tickets, arguments.changes)
            longest = max(found, default=0)
            print(
                f"{arguments.tickets} tickets, {arguments.changes} changes in {took:.1f} s: "
                f"{len(found)} long tasks, the longest {longest:.0f} ms"
            )
            await browser.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--tickets", type=int, default=200)
    parser.add_argument("--changes", type=int, default=60)
    asyncio.run(main(parser.parse_args()))
