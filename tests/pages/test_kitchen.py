"""The kitchen's board: what changed, what was pressed by mistake, what could not be sent."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.async_api import Locator, Page, Route, expect
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
NO_PRINTER = "window.printed = 0; window.print = () => { window.printed += 1; };"
CUT_OFF = """
    [...document.querySelectorAll(".ticket, .ticket *")]
        .filter((node) => {
            const place = node.getBoundingClientRect();
            const board = document.querySelector(".board").getBoundingClientRect();
            const ticket = node.closest(".ticket").getBoundingClientRect();
            return place.right > ticket.right + 1 || place.top < board.top - 1
                || place.bottom > board.bottom + 1;
        })
        .map((node) => `${node.className}: ${node.textContent.trim().slice(0, 40)}`)
"""
"""What does not show in full, in height or in width."""
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
    await page.get_by_role("button", name="Finished").click()
    await page.get_by_label("Find by number or name").fill("nobody")
    await expect(page.locator("#finished-list li")).to_have_count(0)
    await page.get_by_label("Find by number or name").fill("ada")
    await page.locator("#finished-list").get_by_role("button").click()
    await page.get_by_role("button", name="All", exact=False).first.click()
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
    await shop.step(orders[0], "preparing", "ready", "completed")
    await expect(lower).to_have_attribute("data-moving", "", timeout=SOON)
    assert await shop.status(orders[1]) == "confirmed"


async def test_the_board_shows_everything_on_every_screen(shop: Shop, pages: Screens) -> None:
    """A long ticket goes on in the next column; what does not fit is a page away, not cut off."""
    lines = [
        {"id": str(n), "menu_item_id": "cheeseburger", "special_instructions": f"for seat {n}"}
        for n in range(20)
    ]
    long = await shop.order(*lines, customer_name="Ada")
    await shop.step(long, "confirmed")
    for _ in range(12):
        await shop.step(await shop.order(BURGER, COFFEE), "confirmed")
    page = await pages.staff("cook", Role.KITCHEN, shop.restaurant)
    await expect(page.locator(".ticket")).not_to_have_count(0, timeout=SOON)
    for width, height in ((1280, 800), (800, 1280), (1920, 1080)):
        await page.set_viewport_size({"width": width, "height": height})
        await expect(ticket(page, long).first).to_contain_text("1 of")
        await expect(ticket(page, long).last.locator(".next")).to_have_count(1)
        assert await page.evaluate(CUT_OFF) == []
    await page.set_viewport_size({"width": 800, "height": 700})
    await page.get_by_role("button", name="More tickets").click()
    await expect(page.locator(".before-count")).not_to_be_empty()


async def test_stations_make_their_own_lines_and_expo_sees_them(shop: Shop, pages: Screens) -> None:
    """With the keys of a bump bar; sold out and paper are a press away."""
    order = await shop.order(BURGER, COFFEE)
    await shop.step(order, "confirmed", "preparing")
    settings = json.dumps({"stations": ["drinks"]})
    drinks = await pages.open(
        script=f"localStorage.setItem('voice-ordering.kitchen', '{settings}')"
    )
    shown = ticket(drinks, order)

    async def late(route: Route) -> None:
        # Until it knows the menu, a station shows everything.
        await expect(shown.locator(".item-name")).to_have_count(2, timeout=SOON)
        await route.continue_()

    await drinks.route("**/v1/menu", late, times=1)
    bar = shop.token("bar", Role.KITCHEN)
    await drinks.evaluate("token => { location.hash = `token=${token}`; }", bar)
    expo = await pages.staff("expo", Role.KITCHEN, shop.restaurant, script=NO_PRINTER)
    await expect(shown.locator(".item-name")).to_have_text("Coffee Large", timeout=SOON)
    await expect(shown).to_contain_text("1 more at other stations")
    await drinks.keyboard.press("1")
    await expect(ticket(expo, order)).to_contain_text("1 of 2 done", timeout=SOON)
    await expect(shown.locator(".undo")).to_be_visible()
    await expo.keyboard.press("1")
    await expect(ticket(expo, order)).to_have_attribute("data-status", "ready", timeout=SOON)
    await expo.keyboard.press("Backspace")
    await expect(ticket(expo, order)).to_have_attribute("data-status", "preparing", timeout=SOON)

    await expo.get_by_role("button", name="All day").click()
    await expect(expo.locator(".all-day li")).to_have_text("1 Cheeseburger")
    await expo.get_by_role("button", name="Sold out").click()
    await expo.get_by_role("switch", name="Cheeseburger Available", exact=True).click()
    await expect(
        expo.get_by_role("switch", name="Cheeseburger Sold out", exact=True)
    ).to_be_visible()
    menu = await shop.ask("/v1/menu")
    assert [i["id"] for i in menu["menu"]["items"] if i["sold_out"]] == ["cheeseburger"]
    await expo.keyboard.press("Escape")

    await press(ticket(expo, order), ".more")
    await press(ticket(expo, order), "button:has-text('Print')")
    assert await expo.evaluate("window.printed") == 1
    await expo.emulate_media(media="print")
    await expect(ticket(expo, order).locator(".item-name").first).to_be_visible()
    await expect(expo.locator(".kitchen-bar")).to_be_hidden()


async def test_what_waits_too_long_or_is_in_a_rush_stands_out(shop: Shop, pages: Screens) -> None:
    """The whole ticket has the colour, in every stage; a rush comes first."""
    ready, hurried = await shop.order(), await shop.order(BURGER)
    await shop.step(ready, "confirmed", "preparing", "ready")
    await shop.step(hurried, "confirmed")
    limits = json.dumps({"limits": {"ready": [1e-6, 2e-6], "confirmed": [1e-6, 999]}})
    page = await pages.staff(
        "ann",
        Role.MANAGER,
        shop.restaurant,
        view="kitchen",
        script=f"localStorage.setItem('voice-ordering.kitchen', '{limits}')",
    )
    await expect(ticket(page, ready)).to_have_attribute("data-late", "late", timeout=SOON)
    await expect(ticket(page, hurried)).to_have_attribute("data-late", "due", timeout=SOON)
    await press(ticket(page, hurried), ".more")
    await press(ticket(page, hurried), "button:has-text('Rush')")
    await expect(page.locator(".ticket").first.locator(".rush")).to_be_visible(timeout=SOON)
    assert (await shop.ask(f"/v1/orders/{hurried['id']}"))["order"]["rush"] is True


async def test_a_screen_has_its_own_language_and_sounds(shop: Shop, pages: Screens) -> None:
    """A sound can be tried, and switched off for this screen; the words follow the browser."""
    page = await pages.staff(
        "cook", Role.KITCHEN, shop.restaurant, locale="es-MX", script=COUNT_TONES
    )
    await expect(page.locator('[data-tab="confirmed"]')).to_contain_text("Por preparar")
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
