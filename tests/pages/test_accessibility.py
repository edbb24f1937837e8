"""What axe finds on the pages, in light and in dark."""

from __future__ import annotations

import pytest
from playwright.async_api import expect
from support.axe import found
from support.screens import SOON, Screens
from support.shop import Shop, reason

from order_events.auth.tokens import Role

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_axe_finds_nothing(shop: Shop, pages: Screens) -> None:
    """Guests with calls, a board with every mark, the editor, the settings, signing in."""
    await shop.guest("s1", "lane-1")
    attention = [{"code": "allergy", "text": "nuts"}, {"code": "missing_size", "text": "Coke"}]
    burger = {"id": "1", "menu_item_id": "cheeseburger"}
    pending = await shop.order(
        burger, attention=attention, source={"session_id": "s1", "lane": "lane-1"}, notes="Nuts"
    )
    question = reason("missing_size", "Coke", "What size?")
    await shop.understood(
        "s1", question, reason("allergy", "nuts", calls_staff=True), order=pending
    )
    changed, gone = await shop.order(burger), await shop.order(burger)
    for order in (changed, gone):
        await shop.step(order, "confirmed")
    fries = {"id": "2", "menu_item_id": "french_fries", "size": "small"}
    change = {"items": [{**burger, "quantity": 2}, fries]}
    await shop.ask(f"/v1/orders/{changed['id']}", change, "PATCH")
    await shop.step(gone, "cancelled", reason="Guest left")

    page = await pages.staff("ann", Role.MANAGER, shop.restaurant, view="both")
    await page.locator(".ticket .mark").first.wait_for(timeout=SOON)
    assert await found(page) == []
    row = page.locator(f'.ticket[data-order="{pending["id"]}"]')
    await row.get_by_role("button", name="More").click()
    await row.get_by_role("button", name="Edit").click()
    await page.get_by_role("button", name="Change Cheeseburger").click()
    assert await found(page) == []
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Settings").click()
    assert await found(page) == []
    await page.keyboard.press("Escape")
    menu = (await shop.ask("/v1/menu"))["menu"]
    few = {
        **menu,
        "items": menu["items"][:3],
        "categories": menu["categories"][:1],
        "day_parts": [],
    }
    # A large menu takes axe seconds and has no other faults.
    await shop.ask("/v1/menu", few, "PUT")
    await page.get_by_role("button", name="Sold out").click()
    await expect(page.get_by_role("switch")).to_have_count(3, timeout=SOON)
    assert await found(page) == []

    manager = await pages.open("/web/manage.html", token=shop.token("boss", Role.MANAGER))
    await manager.get_by_label("Name").first.fill("Grill")
    await manager.get_by_role("button", name="Make a code").click(timeout=SOON)
    await manager.locator(".pairing").wait_for(timeout=SOON)
    assert await found(manager) == []
    owner = await pages.open("/web/owner.html", token=shop.token("boss", Role.MANAGER))
    for tab, shown in (("Menu", ".versions"), ("Not understood", ".blank"), ("Figures", ".chart")):
        await owner.get_by_role("button", name=tab, exact=True).click()
        await owner.locator(shown).first.wait_for(timeout=SOON)
        assert await found(owner) == []
    cook = shop.token("cook", Role.KITCHEN)
    for path, shown in (("/web/board.html", ".making li"), ("/web/operator.html", ".tile")):
        other = await pages.open(path, token=cook)
        await other.locator(shown).first.wait_for(timeout=SOON)
        assert await found(other) == []
    await shop.ask("/v1/staff", {"name": "Ann", "role": "server", "pin": "4711"})
    counter = await pages.open("/web/pair.html", code=shop.link(Role.SERVER, "Counter"))
    await counter.get_by_role("button", name="Ann").click(timeout=SOON)
    assert await found(counter) == []
