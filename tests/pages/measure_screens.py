"""How fast screens follow: from a bump to the guests' board, and the board of a busy kitchen.

PYTHONPATH=tests python tests/pages/measure_screens.py
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from playwright.async_api import Page
from support.paths import ROOT
from support.screens import Screens, browsing
from support.shop import Shop, open_shop

from order_events.auth.tokens import Role

RECORDING = ROOT / "fixtures" / "audio" / "demo.wav"
BURGER = {"id": "1", "menu_item_id": "cheeseburger"}
BUMPS = 30
TICKETS = 200
CHANGES = 60
WATCH_TASKS = """
    window.tasks = [];
    new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) window.tasks.push(duration);
    }).observe({ type: "longtask", buffered: true });
"""
COUNT = "([kind, count]) => document.querySelectorAll(kind).length === count"
NUMBER = (
    "(number) => [...document.querySelectorAll('.ready li')].some((n) => n.innerText === number)"
)


async def from_bump_to_board(shop: Shop, screens: Screens) -> dict[str, float]:
    """Return the milliseconds from pressing "Ready" until the number stands on the board."""
    await shop.opens("bumps")
    kitchen = await screens.staff("cook", Role.KITCHEN, "bumps")
    board = await screens.open("/web/board.html", token=shop.token("b", Role.KITCHEN))
    took = []
    for _ in range(BUMPS):
        order = await shop.order(BURGER)
        await shop.step(order, "confirmed", "preparing")
        ticket = kitchen.locator(f'.ticket[data-order="{order["id"]}"][data-status="preparing"]')
        await ticket.locator(".next").wait_for()
        began = time.perf_counter()
        await ticket.locator(".next").dispatch_event("click")
        number = order["order_number"].split("-")[1]
        await board.wait_for_function(NUMBER, arg=number, polling="raf")
        took.append(1000 * (time.perf_counter() - began))
        await shop.step(order, "picked-up", "completed")
    return {"p50_ms": round(median(took)), "p90_ms": round(quantiles(took, n=10)[-1])}


async def busy_board(shop: Shop, screens: Screens) -> dict[str, Any]:
    """Return the long tasks (over 50 ms) of a board with many tickets while orders change."""
    await shop.opens("busy")
    orders = [await shop.order(BURGER) for _ in range(TICKETS)]
    for order in orders:
        await shop.step(order, "confirmed")
    page = await screens.staff("cook", Role.KITCHEN, "busy", script=WATCH_TASKS)
    await _all_shown(page)
    first = await page.evaluate("window.tasks.splice(0)")
    for order in orders[:CHANGES]:
        await shop.step(order, "preparing")
    await page.wait_for_function(COUNT, arg=[".ticket[data-status=preparing]", CHANGES])
    tasks = await page.evaluate("window.tasks")
    return {
        "loading_longest_ms": round(max(first, default=0)),
        "long_tasks": len(tasks),
        "longest_ms": round(max(tasks, default=0)),
    }


async def _all_shown(page: Page) -> None:
    await page.wait_for_function(COUNT, arg=[".ticket", TICKETS])
    await page.wait_for_timeout(3_000)


async def main() -> None:
    """Print both as JSON."""
    with tempfile.TemporaryDirectory() as data:
        async with open_shop(Path(data)) as shop, browsing(RECORDING) as browser:
            screens = Screens(browser, shop)
            bumps = await from_bump_to_board(shop, screens)
            await screens.close()
            board = await busy_board(shop, screens)
    sys.stdout.write(json.dumps({"from_bump_to_board": bumps, "busy_board": board}) + "\n")


if __name__ == "__main__":
    asyncio.run(main())
