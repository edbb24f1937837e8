"""The board on which guests see their numbers."""

from __future__ import annotations

import pytest
from playwright.async_api import expect
from support.screens import SOON, Screens
from support.shop import Shop

from order_events.auth.tokens import Role

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_guests_see_their_numbers(shop: Shop, pages: Screens) -> None:
    """As the kitchen goes on, on a screen that was paired as a kitchen's; it opens as a board."""
    orders = [await shop.order() for _ in range(2)]
    for order in orders:
        await shop.step(order, "confirmed")
    first, second = (order["order_number"].split("-")[1] for order in orders)
    page = await pages.open("/web/pair.html", code=shop.link(Role.KITCHEN, "Board"))
    await page.get_by_role("button", name="Settings").click(timeout=SOON)
    await page.get_by_role("link", name="Board for guests").click()
    await expect(page.locator(".making li")).to_have_text([first, second], timeout=SOON)
    await shop.step(orders[0], "preparing", "ready")
    await expect(page.locator(".ready li[data-new]")).to_have_text(first, timeout=SOON)
    await expect(page.locator(".making li")).to_have_text(second)
    await page.goto(shop.url)
    await expect(page.locator(".ready li")).to_have_text(first, timeout=SOON)
    await shop.step(orders[0], "picked-up")
    await expect(page.locator(".ready li")).to_have_count(0, timeout=SOON)
