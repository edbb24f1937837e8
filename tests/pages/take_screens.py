"""Takes the pictures of `docs/screens`: a busy restaurant, as its people see it.

PYTHONPATH=tests python tests/pages/take_screens.py docs/screens
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.async_api import Page
from support.paths import ROOT
from support.screens import Screens, browsing
from support.shop import Shop, open_shop, reason

from order_events.auth.tokens import Role

RECORDING = ROOT / "fixtures" / "audio" / "demo.wav"
SIZES = ((1280, 800), (800, 1280), (1920, 1080))
BURGER = {"id": "1", "menu_item_id": "cheeseburger", "quantity": 2}
FRIES = {"id": "2", "menu_item_id": "french_fries", "size": "large"}
COLA = {"id": "3", "menu_item_id": "coca_cola", "size": "medium"}
SETTLED_MS = 1_500
"""Milliseconds until nothing moves on a page any more."""


async def fill(shop: Shop) -> dict[str, Any]:
    """Let guests order, call and change their minds; return the order of the first."""
    for number in range(1, 5):
        await shop.guest(f"s{number}", f"lane-{number}")
    attention = [{"code": "allergy", "text": "peanuts"}, {"code": "missing_size", "text": "Coke"}]
    first = await shop.order(
        BURGER,
        FRIES,
        customer_name="Jessica",
        attention=attention,
        source={"session_id": "s1", "lane": "lane-1"},
    )
    second = await shop.order(COLA, source={"session_id": "s2", "lane": "lane-2"})
    size = reason("missing_size", "Coke", "What size Coca-Cola would you like?")
    nuts = reason("allergy", "peanuts", calls_staff=True)
    await shop.understood("s1", size, nuts, order=first)
    await shop.understood("s2", reason("staff_requested", calls_staff=True), order=second)
    await shop.understood("s3", reason("not_understood", "glorp", "Sorry, what is glorp?"))
    for steps in (["confirmed"], ["confirmed"], ["confirmed", "preparing"], ["confirmed"]):
        order = await shop.order(BURGER, FRIES, COLA)
        await shop.step(order, *steps)
    change = {"items": [{**BURGER, "quantity": 3}, {**COLA, "id": "4"}]}
    await shop.ask(f"/v1/orders/{order['id']}", change, "PATCH")
    ready = await shop.order(FRIES)
    await shop.step(ready, "confirmed", "preparing", "ready")
    gone = await shop.order(COLA)
    await shop.step(gone, "confirmed")
    await shop.step(gone, "cancelled", reason="Guest left")
    return first


async def take(page: Page, folder: Path, name: str, *, touch: bool = True) -> None:
    """Take a picture in each size."""
    if touch:
        # After it the page may sound, and says no more that it needs one.
        await page.mouse.click(5, 5)
    for width, height in SIZES:
        await page.set_viewport_size({"width": width, "height": height})
        await page.wait_for_timeout(SETTLED_MS)
        await page.screenshot(path=folder / f"{name}-{width}x{height}.png")


async def main(folder: Path) -> None:
    """Take all pictures; the folder is there."""
    with tempfile.TemporaryDirectory() as data:
        async with open_shop(Path(data)) as shop, browsing(RECORDING) as browser:
            await shop.opens("demo")
            first = await fill(shop)
            screens = Screens(browser, shop)
            guests = await screens.staff("Ann", Role.SERVER, "demo", view="conversations")
            await take(guests, folder, "guests")
            await take(await screens.staff("Grill", Role.KITCHEN, "demo"), folder, "kitchen")
            await guests.get_by_role("button", name="Kitchen").click()
            ticket = guests.locator(f'.ticket[data-order="{first["id"]}"]')
            await ticket.get_by_role("button", name="More").click()
            await ticket.get_by_role("button", name="Edit").click()
            await guests.get_by_role("button", name="Change Cheeseburger").click()
            await take(guests, folder, "editor", touch=False)
            device = shop.token("kiosk", Role.DEVICE)
            kiosk = await screens.open("/web/microphone.html", token=device, lane="lane-1")
            await take(kiosk, folder, "kiosk")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
