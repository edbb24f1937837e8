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
from support.kiosks import open_kiosks, open_restaurant
from support.paths import ROOT
from support.screens import Screens, browsing
from support.shop import Shop, open_shop, reason

from order_events.auth.tokens import Role

RECORDING = ROOT / "fixtures" / "audio" / "demo.wav"
SIZES = ((1280, 800), (800, 1280), (1920, 1080))
BURGER = {"id": "1", "menu_item_id": "cheeseburger", "quantity": 2}
FRIES = {"id": "2", "menu_item_id": "french_fries", "size": "large"}
COLA = {"id": "3", "menu_item_id": "coca_cola", "size": "medium"}
PARTY = [
    {"id": str(number), "menu_item_id": item, "quantity": 1 + number % 3, **more}
    for number, (item, more) in enumerate(
        [
            (
                "cheeseburger",
                {"modifiers": [{"id": "onions", "group": "toppings", "negated": True}]},
            ),
            ("bacon_burger", {}),
            ("veggie_burger", {}),
            ("chicken_wrap", {}),
            ("onion_rings", {"size": "large"}),
            ("side_salad", {}),
            ("apple_pie", {}),
            ("lemonade", {"size": "medium"}),
            ("coffee", {"size": "small"}),
            ("sprite", {"size": "large"}),
        ],
        start=1,
    )
]
SAID = "two cheeseburgers, one without onions, and a large coke\na chocolate shake and a salad"
MISSED = ("cheesburgr", "freedom fries", "the usual", "a coke zero", "cheesburgr")
OBSERVED_MS = 12_000
"""Milliseconds until the operator's page has seen how much happens."""
KIOSK_SIZES = ((1280, 800), (800, 1280), (1080, 1920))
LONG_ORDER = (
    "Hamburger",
    "Cheeseburger",
    "Double Cheeseburger",
    "Bacon Burger",
    "Mushroom Swiss Burger",
    "Veggie Burger",
    "Chicken Sandwich",
    "Spicy Chicken Sandwich",
    "Chicken Wrap",
    "French Fries",
    "Lemonade",
    "Coca-Cola",
)
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
    await shop.step(await shop.order(*PARTY, customer_name="Fischer"), "confirmed", "preparing")
    for steps in (["confirmed"], ["confirmed"], ["confirmed", "preparing"], ["confirmed"]):
        order = await shop.order(BURGER, FRIES, COLA)
        await shop.step(order, *steps)
    change = {"items": [{**BURGER, "quantity": 3}, {**COLA, "id": "4"}]}
    await shop.ask(f"/v1/orders/{order['id']}", change, "PATCH")
    await shop.ask(f"/v1/orders/{order['id']}", {"rush": True}, "PATCH")
    for _ in range(3):
        ready = await shop.order(FRIES)
        await shop.step(ready, "confirmed", "preparing", "ready")
    gone = await shop.order(COLA)
    await shop.step(gone, "confirmed")
    await shop.step(gone, "cancelled", reason="Guest left")
    return first


async def remember(shop: Shop) -> None:
    """Let guests have ordered during the last week, and have been misunderstood now and then."""
    for day in range(7):
        for number in range(6 + day * 3 % 5):
            session, lane = f"past-{day}-{number}", f"lane-{number % 2 + 1}"
            await shop.guest(session, lane)
            await shop.says(session, "two cheeseburgers please")
            missed = MISSED[(day + number) % len(MISSED)]
            call = [reason("staff_requested", calls_staff=True)] if number == 5 else []
            miss = [reason("unknown_item", missed)] if number % 3 else []
            await shop.understood(session, *call, *miss)
            order = await shop.spoken(session, lane, BURGER)
            if number == 4:
                change = {"items": [{**BURGER, "quantity": 1}]}
                await shop.ask(f"/v1/orders/{order['id']}", change, "PATCH")
            if number:
                await shop.step(order, "confirmed", "preparing", "ready", "completed")
            else:
                await shop.step(order, "cancelled")
            await shop.leaves(session)
            await shop.days_ago(session, day, 34 + (day * 7 + number * 5) % 23)


async def take(
    page: Page,
    folder: Path,
    name: str,
    *,
    touch: bool = True,
    sizes: tuple[tuple[int, int], ...] = SIZES,
) -> None:
    """Take a picture in each size."""
    if touch:
        # After it the page may sound, and says no more that it needs one.
        await page.mouse.click(5, 5)
    for width, height in sizes:
        await page.set_viewport_size({"width": width, "height": height})
        await page.wait_for_timeout(SETTLED_MS)
        await page.screenshot(path=folder / f"{name}-{width}x{height}.png")


async def take_kiosk(folder: Path) -> None:
    """Take the pictures of a kiosk: its guests' order from beginning to end, and what staff see."""
    with tempfile.TemporaryDirectory() as data:
        async with (
            open_restaurant(Path(data) / "data") as restaurant,
            open_kiosks(restaurant, Path(data)) as screens,
        ):
            token = restaurant.token("kiosk", Role.DEVICE)
            kiosk = await screens.open("/web/microphone.html", token=token, lane="lane-1")
            dishes = kiosk.locator(".dish")
            await dishes.first.wait_for()

            async def shot(name: str) -> None:
                await take(kiosk, folder, name, touch=False, sizes=KIOSK_SIZES)

            await shot("kiosk")
            await dishes.filter(has_text="Vanilla Shake").click()
            await kiosk.locator(".choice").first.wait_for()
            await shot("kiosk-question")
            await kiosk.locator(".choice", has_text="Large").click()
            await kiosk.locator("#order-lines .item").first.wait_for()
            await kiosk.get_by_role("button", name="Menu").click()
            for dish in LONG_ORDER:
                await dishes.filter(has_text=dish).first.click()
            await kiosk.get_by_role("button", name="Your order").click()
            await kiosk.locator("#order-lines .item").nth(len(LONG_ORDER)).wait_for()
            await shot("kiosk-order")
            await kiosk.click("#talk")
            await kiosk.locator('#kiosk[data-stage="done"]').wait_for()
            await shot("kiosk-done")
            other = await screens.open("/web/microphone.html", token=token)
            await other.locator(".dish").first.wait_for()
            await other.route("**/v1/voice", lambda route: route.abort())
            await other.reload()
            await other.locator("#trouble-card h1").wait_for()
            await take(other, folder, "kiosk-trouble", touch=False, sizes=KIOSK_SIZES)
            setup = await screens.open("/web/microphone.html", token=token, setup="1")
            await setup.locator('.check[data-state="good"]').nth(2).wait_for()
            await take(setup, folder, "kiosk-setup", touch=False, sizes=KIOSK_SIZES)


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
            await guests.wait_for_timeout(SETTLED_MS)
            await ticket.get_by_role("button", name="More").click()
            await ticket.get_by_role("button", name="Edit").click()
            await guests.get_by_role("button", name="Change Cheeseburger").click()
            await take(guests, folder, "editor", touch=False)
            board = await screens.open("/web/board.html", token=shop.token("b", Role.KITCHEN))
            await take(board, folder, "board")
            await remember(shop)
            boss = shop.token("boss", Role.MANAGER)
            owner = await screens.open("/web/owner.html", token=boss)
            await owner.get_by_label("A guest says").fill(SAID)
            await owner.get_by_role("button", name="Try", exact=True).click()
            await owner.locator(".understood li li").first.wait_for()
            await take(owner, folder, "menu")
            await owner.get_by_role("button", name="Figures").click()
            await take(owner, folder, "figures")
            operator = await screens.open("/web/operator.html")
            await operator.wait_for_timeout(OBSERVED_MS)
            await take(operator, folder, "operator")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
    asyncio.run(take_kiosk(Path(sys.argv[1])))
