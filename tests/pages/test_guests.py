"""Guests on the staff page: what staff must know, calls for staff, and changing an order."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect
from support.screens import SOON, Screens, press
from support.shop import Shop, reason

from order_events.auth.tokens import Role

pytestmark = pytest.mark.asyncio(loop_scope="session")
NUTS = reason("allergy", "peanuts", "Is that a peanut allergy?", calls_staff=True)
SIZE = reason("missing_size", "Coca-Cola", "What size?")


def card(page: Page, session: str) -> Locator:
    return page.locator(f'.talk[data-session="{session}"]')


def ticket(page: Page, order: dict[str, Any]) -> Locator:
    return page.locator(f'.ticket[data-order="{order["id"]}"]')


async def test_an_allergy_comes_first_wherever_it_is_shown(shop: Shop, pages: Screens) -> None:
    """In red, also when it is what the guest is being asked; on the ticket above the items."""
    attention = [{k: r[k] for k in ("code", "text")} for r in (SIZE, NUTS)]
    source = {"session_id": "s1", "lane": "lane-2"}
    await shop.guest("s1", "lane-2")
    order = await shop.order(attention=attention, source=source)
    await shop.understood("s1", SIZE, NUTS, order=order)
    page = await pages.staff("ann", Role.SERVER, shop.restaurant, view="both")
    for shown in (card(page, "s1"), ticket(page, order), page.locator(".call-row")):
        first = shown.locator(".reason").first
        await expect(first).to_have_text("Allergy peanuts", timeout=SOON)
        await expect(first).to_have_attribute("data-kind", "allergy")
    await expect(card(page, "s1").locator(".reason")).to_have_count(2)
    above = await ticket(page, order).evaluate(
        """t => t.querySelector(".reasons").getBoundingClientRect().bottom
             <= t.querySelector(".items").getBoundingClientRect().top"""
    )
    assert above


async def test_eight_calls_stay_until_each_is_answered(shop: Shop, pages: Screens) -> None:
    """The most urgent first, on every screen, with who has it; newer guests push none away."""
    for number in range(8):
        code = "allergy" if number == 6 else "staff_requested" if number == 3 else "order_limit"
        await shop.guest(f"s{number}", f"lane-{number}")
        await shop.understood(f"s{number}", reason(code, calls_staff=True))
    for number in range(15):
        await shop.guest(f"new{number}", f"lane-{number}")
        await shop.understood(f"new{number}")
    ann = await pages.staff("ann", Role.SERVER, shop.restaurant, view="conversations")
    bob = await pages.staff("bob", Role.CASHIER, shop.restaurant, view="conversations")
    places = ["Lane 6", "Lane 3", "Lane 0", "Lane 1", "Lane 2", "Lane 4", "Lane 5", "Lane 7"]
    for page in (ann, bob):
        await expect(page.locator(".call-place")).to_have_text(places, timeout=SOON)
        await expect(page.locator("#attention")).to_have_text("8")
    [hers, his] = [page.locator(".call-row").first for page in (ann, bob)]
    await press(hers, "button:has-text('I have it')")
    await expect(hers.locator(".call-who")).to_have_text("You have it", timeout=SOON)
    await expect(his.locator(".call-who")).to_have_text("ann has it", timeout=SOON)
    await expect(bob.locator("#attention")).to_have_text("7")
    await press(hers, "button:has-text('Done')")
    for page in (ann, bob):
        await expect(page.locator(".call-place")).to_have_text(places[1:], timeout=SOON)
    await bob.reload()
    await expect(bob.locator(".call-place")).to_have_text(places[1:], timeout=SOON)


async def test_staff_change_the_order_of_a_guest_who_was_cut_off(
    shop: Shop, pages: Screens
) -> None:
    """Quantities, sizes, modifiers, what is missing, the name; confirmed, the call is over."""
    await shop.guest("s1", "lane-2")
    burger = {"id": "1", "menu_item_id": "cheeseburger"}
    order = await shop.order(burger, source={"session_id": "s1", "lane": "lane-2"})
    await shop.understood("s1", reason("connection_lost", calls_staff=True), order=order)
    await shop.leaves("s1")
    page = await pages.staff("ann", Role.SERVER, shop.restaurant, view="conversations")
    await press(card(page, "s1"), "button:has-text('I have it')")
    await press(page.locator(".call-row"), "button:has-text('Edit order')")
    editor = page.locator("#editor")
    await expect(editor.locator(".reason").first).to_have_text("Cut off")
    await editor.get_by_role("button", name="One Cheeseburger more").click()
    await editor.get_by_role("button", name="Change Cheeseburger").click()
    row = editor.locator(".modifier-rows li", has_text="Onions").first
    await row.get_by_role("button", name="No").click()
    await editor.get_by_role("button", name="Back to the menu").click()
    await editor.get_by_role("button", name="Drinks").click()
    await editor.get_by_role("button", name="Coca-Cola").click()
    await editor.get_by_role("button", name="Change Coca-Cola").click()
    await editor.get_by_role("button", name="Large").click()
    await editor.get_by_label("Name").fill("Jessica")
    await editor.get_by_role("button", name="Confirm").click()
    await expect(editor).not_to_be_visible(timeout=SOON)
    await expect(page.locator(".call-row")).to_have_count(0, timeout=SOON)
    now = (await shop.ask(f"/v1/orders/{order['id']}"))["order"]
    lines = [
        (i["menu_item_id"], i["quantity"], i["size"], [m["id"] for m in i["modifiers"]])
        for i in now["items"]
    ]
    assert lines == [("cheeseburger", 2, None, ["onions"]), ("coca_cola", 1, "large", [])]
    assert (now["status"], now["customer_name"]) == ("confirmed", "Jessica")


async def test_two_people_who_change_an_order_do_not_undo_each_other(
    shop: Shop, pages: Screens
) -> None:
    """The later one sees how the order is now; a cancelled order has its reason."""
    order = await shop.order()
    page = await pages.staff("ann", Role.SERVER, shop.restaurant, view="kitchen")
    await press(ticket(page, order), ".more")
    await press(ticket(page, order), "button:has-text('Edit')")
    editor = page.locator("#editor")
    await shop.ask(f"/v1/orders/{order['id']}", {"customer_name": "Bo"}, "PATCH")
    await expect(editor.get_by_label("Name")).to_have_value("Bo", timeout=SOON)
    await editor.get_by_role("button", name="Cancel order").click()
    await editor.get_by_role("button", name="Cannot be made").click()
    await expect(editor).not_to_be_visible(timeout=SOON)
    now = (await shop.ask(f"/v1/orders/{order['id']}"))["order"]
    assert (now["status"], now["status_reason"]) == ("cancelled", "Cannot be made")
