"""The kitchen's board: what changed, what was pressed by mistake, what could not be sent."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect
from support.screens import SOON, Screens, press
from support.shop import Shop

from order_events.auth.tokens import Role

pytestmark = pytest.mark.asyncio(loop_scope="session")
COUNT_TONES = """
    window.tones = 0;
    window.OscillatorNode = class extends OscillatorNode {
        start(when) { window.tones += 1; super.start(when); }
    };
"""
BURGER = {"id": "1", "menu_item_id": "cheeseburger"}
COFFEE = {"id": "2", "menu_item_id": "coffee", "size": "large"}


def ticket(page: Page, order: dict[str, Any]) -> Locator:
    return page.locator(f'.ticket[data-order="{order["id"]}"]')


async def test_a_change_is_marked_until_it_has_been_seen(shop: Shop, pages: Screens) -> None:
    """And a cancelled order stays with its reason until somebody removes it."""
    order = await shop.order(BURGER, COFFEE)
    await shop.step(order, "confirmed")
    page = await pages.staff("cook", Role.KITCHEN, shop.restaurant, script=COUNT_TONES)
    shown = ticket(page, order)
    await expect(shown).to_be_visible(timeout=SOON)
    path = f"/v1/orders/{order['id']}"
    tea = {"id": "3", "menu_item_id": "iced_tea", "size": "small"}
    await shop.ask(path, {"items": [{**BURGER, "quantity": 2}, tea]}, "PATCH")
    await expect(shown.locator(".mark")).to_have_text(["Changed", "New", "Void"], timeout=SOON)
    await expect(shown.locator(".before")).to_have_text("was 1\u00d7 Cheeseburger")
    assert await page.evaluate("window.tones") > 0
    await press(shown, "button:has-text('Seen')")
    await expect(shown.locator(".mark")).to_have_count(0, timeout=SOON)
    await shop.step(order, "cancelled", reason="Guest left")
    await expect(shown.locator(".cancelled")).to_have_text("Cancelled because: Guest left")
    await page.reload()
    await expect(shown.locator(".mark")).to_have_text(["Void", "Void"], timeout=SOON)
    await press(shown, "button:has-text('Remove from the board')")
    await expect(shown).to_have_count(0, timeout=SOON)


async def test_a_step_can_be_undone_and_a_finished_order_found(shop: Shop, pages: Screens) -> None:
    """Lines are made one by one; what was finished too early comes back."""
    order = await shop.order(BURGER, COFFEE, customer_name="Ada")
    await shop.step(order, "confirmed", "preparing")
    page = await pages.staff("cook", Role.KITCHEN, shop.restaurant)
    shown = ticket(page, order)
    await shown.get_by_role("button", name="Cheeseburger: done").click(timeout=SOON)
    await expect(shown.locator(".item[data-done]")).to_have_count(1, timeout=SOON)
    await press(shown, ".next")
    await expect(shown).to_have_attribute("data-status", "ready", timeout=SOON)
    await press(shown, ".undo")
    await expect(shown).to_have_attribute("data-status", "preparing", timeout=SOON)
    assert await shop.status(order) == "preparing"
    await shop.step(order, "ready", "completed")
    await expect(shown).to_have_count(0, timeout=SOON)
    await page.locator(".finished summary").click()
    await page.get_by_label("Find by number or name").fill("nobody")
    await expect(page.locator("#finished-list li")).to_have_count(0)
    await page.get_by_label("Find by number or name").fill("ada")
    await page.locator("#finished-list").get_by_role("button").click()
    await expect(shown).to_have_attribute("data-status", "ready", timeout=SOON)


async def test_an_order_that_needs_a_person_is_not_confirmed_by_mistake(
    shop: Shop, pages: Screens
) -> None:
    """The first press only asks; where it was is the way out."""
    order = await shop.order(attention=[{"code": "missing_size", "text": "Coke"}])
    page = await pages.staff("cook", Role.KITCHEN, shop.restaurant)
    shown = ticket(page, order)
    await expect(shown.locator(".reason")).to_have_text("Size missing Coke", timeout=SOON)
    await press(shown, ".next")
    await expect(shown).to_contain_text("Not to be confirmed yet")
    await press(shown, ".next")
    assert await shop.status(order) == "pending"
    await press(shown, ".next")
    await press(shown, ".anyway")
    await expect(shown).to_have_attribute("data-status", "confirmed", timeout=SOON)
    assert await shop.status(order) == "confirmed"


async def test_a_press_without_a_connection_is_kept_and_sent_once(
    shop: Shop, pages: Screens
) -> None:
    """It is shown as not sent; one that no longer fits is refused where everybody sees it."""
    [first, second] = [await shop.order(), await shop.order()]
    for order in (first, second):
        await shop.step(order, "confirmed")
    page = await pages.staff("cook", Role.KITCHEN, shop.restaurant)
    await expect(ticket(page, second)).to_be_visible(timeout=SOON)
    await page.route("**/v1/orders/**", lambda route: route.abort())
    await press(ticket(page, first), ".next")
    await expect(ticket(page, first).locator(".unsent")).to_be_visible(timeout=SOON)
    await press(ticket(page, second), ".next")
    assert await shop.status(first) == "confirmed"
    await shop.step(second, "cancelled")
    await page.unroute("**/v1/orders/**")
    await page.evaluate("dispatchEvent(new Event('online'))")
    await expect(ticket(page, first)).to_have_attribute("data-status", "preparing", timeout=SOON)
    await expect(page.locator(".toast")).to_contain_text("“Start” was not done", timeout=SOON)
    assert await shop.status(first) == "preparing"
    assert await shop.status(second) == "cancelled"


async def test_a_press_meant_for_a_ticket_that_has_just_moved_does_nothing(
    shop: Shop, pages: Screens
) -> None:
    """A ticket above leaves; what slid under the finger is not pressed."""
    orders = [await shop.order() for _ in range(2)]
    for order in orders:
        await shop.step(order, "confirmed")
    page = await pages.staff("cook", Role.KITCHEN, shop.restaurant)
    lower = ticket(page, orders[1])
    await expect(lower).to_be_visible(timeout=SOON)
    await lower.evaluate(
        """(lower) => new MutationObserver(() => lower.querySelector(".next").dispatchEvent(
            new MouseEvent("click", { bubbles: true, detail: 1 })))
            .observe(lower, { attributes: true, attributeFilter: ["data-moving"] })"""
    )
    await shop.step(orders[0], "preparing")
    await expect(lower).to_have_attribute("data-moving", "", timeout=SOON)
    assert await shop.status(orders[1]) == "confirmed"


async def test_a_screen_has_its_own_language_and_sounds(shop: Shop, pages: Screens) -> None:
    """A sound can be tried, and switched off for this screen; the words follow the browser."""
    page = await pages.staff(
        "cook", Role.KITCHEN, shop.restaurant, locale="es-MX", script=COUNT_TONES
    )
    await expect(page.locator("#column-confirmed")).to_contain_text("Por preparar")
    assert await page.evaluate("document.documentElement.lang") == "es"
    await page.get_by_role("button", name="Ajustes").click()
    await page.get_by_role("button", name="Probar: Pedido nuevo por preparar").click()
    tried = await page.evaluate("window.tones")
    assert tried > 0
    await page.get_by_label("Pedido nuevo por preparar", exact=True).uncheck()
    await page.get_by_role("button", name="Cerrar", exact=True).click()
    order = await shop.order()
    await shop.step(order, "confirmed")
    await expect(ticket(page, order)).to_be_visible(timeout=SOON)
    assert await page.evaluate("window.tones") == tried
