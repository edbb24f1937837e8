"""An owner starts alone: a menu from a file, changed, published, taken back; phrases; figures."""

from __future__ import annotations

import pytest
from playwright.async_api import expect
from support.screens import SOON, Screens
from support.shop import Shop, reason

from order_events.auth.tokens import Role

pytestmark = pytest.mark.asyncio(loop_scope="session")
TABLE = """kind,id,name,aliases,category,price,groups
category,hot,Hot,,,,
item,soup,Soup,broth,hot,4.50,
item,stew,Stew,,hot,{price},
"""


async def test_a_menu_from_a_file_is_published_and_taken_back(shop: Shop, pages: Screens) -> None:
    """A file with a fault says where it is; what is sold out counts at once."""
    page = await pages.open("/web/owner.html", token=shop.token("boss", Role.MANAGER))
    upload = page.locator('input[type="file"]')
    await upload.set_input_files(
        {"name": "menu.csv", "mimeType": "text/csv", "buffer": TABLE.format(price="six").encode()}
    )
    await expect(page.locator(".problem")).to_contain_text("row 4", timeout=SOON)
    await upload.set_input_files(
        {"name": "menu.csv", "mimeType": "text/csv", "buffer": TABLE.format(price="6").encode()}
    )
    await expect(page.get_by_text("2 new, 0 changed")).to_be_visible(timeout=SOON)
    await page.get_by_label("Price of Stew").fill("6.75")
    await page.get_by_label("New item").fill("Chili")
    await page.get_by_role("button", name="Add item").click()
    await page.get_by_label("Price of Chili").fill("5")
    await page.get_by_label("A guest says").fill("two chilis and a broth")
    await page.get_by_role("button", name="Try", exact=True).click()
    await expect(page.locator(".understood li li")).to_have_text(["2 Chilis", "1 Soup"])
    await page.get_by_role("button", name="Publish", exact=True).click()
    await expect(page.locator(".versions li")).to_have_count(2, timeout=SOON)
    menu = (await shop.ask("/v1/menu"))["menu"]
    assert [(item["id"], item["price"]) for item in menu["items"]] == [
        ("soup", 450),
        ("stew", 675),
        ("chili", 500),
    ]
    await page.get_by_label("Stew is sold out").check()
    await expect(page.get_by_role("button", name="Publish", exact=True)).to_be_disabled()
    assert (await shop.ask("/v1/menu"))["menu"]["items"][1]["sold_out"] is True
    await page.get_by_role("button", name="Publish version 1 again").click()
    await expect(page.locator(".versions li")).to_have_count(3, timeout=SOON)
    assert len((await shop.ask("/v1/menu"))["menu"]["items"]) > 20


async def test_a_phrase_becomes_a_name_with_one_press(shop: Shop, pages: Screens) -> None:
    """And the figures are charts, by day and by lane."""
    await shop.guest("s1", "lane-1")
    await shop.understood("s1", reason("unknown_item", "cheesburgr"))
    page = await pages.open("/web/owner.html", token=shop.token("boss", Role.MANAGER))
    await page.get_by_role("button", name="Not understood").click()
    await expect(page.locator(".phrases select")).to_have_value("1", timeout=SOON)
    await page.get_by_role("button", name="Understand it so").click()
    await expect(page.locator(".phrases li")).to_have_count(0, timeout=SOON)
    items = (await shop.ask("/v1/menu"))["menu"]["items"]
    assert [i["id"] for i in items if "cheesburgr" in i["aliases"]] == ["cheeseburger"]
    await page.get_by_role("button", name="Figures").click()
    await expect(page.locator(".chart")).to_have_count(5, timeout=SOON)
    await expect(page.get_by_role("row", name="Lane 1")).to_be_visible()
    cook = await pages.open("/web/owner.html", token=shop.token("cook", Role.KITCHEN))
    await expect(cook.locator(".problem")).to_contain_text("Only a manager", timeout=SOON)
