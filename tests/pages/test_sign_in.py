"""Signing in as people do: a link for the first manager, codes for screens, PINs for staff."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect
from support.screens import SOON, Screens
from support.shop import Shop

from order_events.auth.tokens import Role
from order_events.screens.staff import FREE_FAILURES

pytestmark = pytest.mark.asyncio(loop_scope="session")
LIVE = '#connection[data-state="online"]'


async def type_pin(page: Page, pin: str) -> None:
    for digit in pin:
        await page.get_by_role("button", name=digit, exact=True).click()
    await page.get_by_role("button", name="Sign in", exact=True).click()


async def test_from_the_first_manager_to_a_cook_and_a_waiter(shop: Shop, pages: Screens) -> None:
    """No token is pasted anywhere; a removed screen is signed out at once."""
    link = shop.link(Role.MANAGER, "Office")
    office = await pages.open("/web/pair.html", code=link)
    await expect(office.locator(LIVE)).to_be_visible(timeout=SOON)
    await expect(office.locator("#who")).to_contain_text("manager")

    await office.get_by_role("button", name="Settings").click()
    await office.get_by_role("link", name="Screens and staff").click()
    staff = office.get_by_role("region", name="Staff")
    await staff.get_by_label("Name").fill("Ann")
    await staff.get_by_label("PIN").fill("4711")
    await staff.get_by_role("button", name="Add").click()
    await expect(staff.locator("li")).to_contain_text("Ann", timeout=SOON)

    screens = office.get_by_role("region", name="Screens")
    codes = {}
    for name, role in (("Grill", "kitchen"), ("Counter", "server")):
        await screens.get_by_label("Name").fill(name)
        await screens.locator("select").select_option(role)
        await screens.get_by_role("button", name="Make a code").click()
        await expect(screens.locator(".pairing")).to_contain_text(name, timeout=SOON)
        codes[name] = await screens.locator(".pairing .code").inner_text()

    grill = await pages.open("/web/pair.html")
    await grill.get_by_label("Code").fill("XXXX-2222")
    await grill.get_by_role("button", name="Pair").click()
    await expect(grill.locator("#problem")).to_contain_text("get a new one", timeout=SOON)
    await grill.get_by_label("Code").fill(codes["Grill"].lower())
    await grill.get_by_role("button", name="Pair").click()
    await expect(grill.locator(LIVE)).to_be_visible(timeout=SOON)
    await expect(grill.locator("#who")).to_contain_text("kitchen")

    counter = await pages.open("/web/pair.html", code=codes["Counter"])
    await counter.get_by_role("button", name="Ann").click(timeout=SOON)
    await type_pin(counter, "0000")
    await expect(counter.get_by_role("alert")).to_have_text("That is not the right PIN.")
    await type_pin(counter, "4711")
    await expect(counter.locator(LIVE)).to_be_visible(timeout=SOON)
    await expect(counter.locator("#who")).to_have_text("Ann, server")
    await counter.get_by_role("button", name="Sign out").click()
    await expect(counter.get_by_role("button", name="Ann")).to_be_visible(timeout=SOON)

    await office.reload()
    await office.get_by_role("button", name="Remove Grill").click(timeout=SOON)
    await office.get_by_role("button", name="Remove Grill").click()
    await expect(grill.locator("#signin-problem")).to_contain_text("not paired", timeout=SOON)
    await expect(grill.locator("#token")).to_be_visible()


async def test_a_pin_is_locked_after_too_many_guesses(shop: Shop, pages: Screens) -> None:
    """The page says so, whatever is typed then."""
    bob = await shop.ask("/v1/staff", {"name": "Bob", "role": "server", "pin": "4711"})
    page = await pages.open("/web/pair.html", code=shop.link(Role.SERVER, "Counter"))
    await page.get_by_role("button", name="Bob").click(timeout=SOON)
    for _ in range(FREE_FAILURES):
        await shop.guess_pin(bob["staff"]["id"])
    await type_pin(page, "4711")
    await expect(page.get_by_role("alert")).to_contain_text("Too many wrong PINs", timeout=SOON)
