"""The kiosk, against the real service with the real model: guests who tap, and what staff see."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, Route, WebSocket, expect
from support.axe import found
from support.kiosks import Restaurant, open_kiosks, open_restaurant
from support.screens import SOON, Screens

from order_events.app import DESK, EVENTS
from order_events.auth.tokens import Role
from order_events.screens.tokens import screen_tokens

pytestmark = pytest.mark.asyncio(loop_scope="session")
PAGE = "/web/microphone.html"
SIZES = ((1280, 800), (800, 1280), (1080, 1920))
SPEAKS = """
    window.spoken = [];
    Object.defineProperty(window, "speechSynthesis", { value: {
        getVoices: () => [{ lang: "en-US", localService: true }],
        speak: (text) => {
            document.documentElement.dataset.spoken = window.spoken.push(text.text);
            setTimeout(() => text.onend(), 20);
        },
        cancel: () => undefined,
    }});
    window.SpeechSynthesisUtterance = class { constructor(text) { this.text = text; } };
"""
"""A browser with a voice: a headless one has none."""
NO_MICROPHONE = """
    navigator.mediaDevices.getUserMedia = () =>
        Promise.reject(new DOMException("no", "NotAllowedError"));
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def restaurant(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Restaurant]:
    """Run the service with tiny.en."""
    async with open_restaurant(tmp_path_factory.mktemp("kiosk")) as service:
        yield service


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browsers(
    restaurant: Restaurant, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Screens]:
    """Run a browser whose microphone hears nothing."""
    async with open_kiosks(restaurant, tmp_path_factory.mktemp("silence")) as screens:
        yield screens


@pytest_asyncio.fixture(loop_scope="session")
async def kiosks(browsers: Screens) -> AsyncIterator[Screens]:
    """Opens kiosks; none may have misbehaved, or written an error."""
    yield browsers
    await browsers.close()
    faults, browsers.faults = browsers.faults, []
    assert faults == []


async def offering(page: Page, **changes: Any) -> None:
    """Let the service offer other languages, or no voice, to this page."""

    async def change(route: Route) -> None:
        answer = await route.fetch()
        await route.fulfill(response=answer, json={**await answer.json(), **changes})

    await page.route("**/v1/voice", change)


async def in_sight(page: Page, selector: str) -> bool:
    """Return whether all of an element is within the window."""
    box = await page.locator(selector).bounding_box()
    size = page.viewport_size
    assert box is not None
    assert size is not None
    return box["y"] >= 0 and box["y"] + box["height"] <= size["height"]


async def test_a_guest_orders_by_tapping_and_comes_back_after_a_reload(
    restaurant: Restaurant, kiosks: Screens
) -> None:
    """Menu, answers, more and less, the total always in sight, help, the number; axe throughout."""
    token = restaurant.token("tapped", Role.DEVICE)
    kiosk = await kiosks.open(PAGE, token=token, lane="lane-1")
    menu = kiosk.locator("#menu")
    await expect(menu.get_by_role("heading", name="Burgers")).to_be_visible(timeout=SOON)
    await expect(kiosk.locator(".computer")).to_contain_text("A computer takes your order")
    await expect(kiosk.locator(".language")).to_have_count(0)
    assert await found(kiosk) == []

    await menu.get_by_role("button", name="Vanilla Shake").click()
    await expect(kiosk.locator("#headline")).to_contain_text("What size", timeout=SOON)
    assert await found(kiosk) == []
    await kiosk.locator(".choice", has_text="Large").click()
    row = kiosk.locator("#order-lines .item", has_text="Vanilla Shake")
    await expect(row).to_contain_text("Large", timeout=SOON)
    await row.get_by_role("button", name="One Vanilla Shake more").click()
    await expect(row.locator(".quantity")).to_contain_text("2", timeout=SOON)
    await row.get_by_role("button", name="One Vanilla Shake less").click()
    await expect(row.locator(".quantity")).to_contain_text("1", timeout=SOON)

    await kiosk.reload()
    await expect(row).to_contain_text("Large", timeout=SOON)
    await kiosk.get_by_role("button", name="Menu").click()
    shelf = menu.get_by_role("button")
    names = await menu.locator(".dish-name").all_text_contents()
    for name in [one for one in names if "Burger" in one or "Sandwich" in one or "Wrap" in one]:
        await shelf.filter(has_text=name).first.click()
    await kiosk.get_by_role("button", name="Your order").click()
    await expect(kiosk.locator("#order-lines .item")).not_to_have_count(1, timeout=SOON)
    for width, height in SIZES:
        await kiosk.set_viewport_size({"width": width, "height": height})
        assert await in_sight(kiosk, ".grand")
        assert await in_sight(kiosk, "#talk")
    assert await found(kiosk) == []

    await kiosk.get_by_role("button", name="I need help").click()
    await expect(kiosk.locator("#headline")).to_contain_text("colleague", timeout=SOON)
    await kiosk.click("#talk")
    await expect(kiosk.locator("#kiosk")).to_have_attribute("data-stage", "done", timeout=SOON)
    [order] = await restaurant.server.orders()
    short = order["order_number"].split("-")[1]
    await expect(kiosk.locator("#number")).to_have_text(f"Your number is {short}.")
    assert order["source"]["lane"] == "lane-1"
    assert "staff_requested" in [one["code"] for one in order["attention"]]
    assert await found(kiosk) == []


async def test_what_is_told_is_said_by_the_browser_if_the_server_has_no_voice(
    restaurant: Restaurant, kiosks: Screens
) -> None:
    """`speak()` is called, and the server hears that it has been said."""
    kiosk = await kiosks.open("/web/pair.html", script=SPEAKS)
    await offering(kiosk, spoken=[])
    sent: list[dict[str, Any]] = []
    kiosk.on("websocket", lambda ws: watch(ws, sent))
    token = restaurant.token("spoken", Role.DEVICE)
    await kiosk.goto(f"{restaurant.url}{PAGE}#token={token}")
    await kiosk.locator(".dish").first.wait_for(timeout=SOON)
    await kiosk.click("#talk")
    page = kiosk.locator("html")
    await expect(page).to_have_attribute("data-spoken", "1", timeout=SOON)
    assert "A computer takes your order" in (await kiosk.evaluate("window.spoken"))[0]
    await kiosk.locator(".dish", has_text="Vanilla Shake").click()
    await expect(page).to_have_attribute("data-spoken", "2", timeout=SOON)
    await expect(kiosk.locator("#headline")).to_contain_text("What size", timeout=SOON)
    [start] = [one["data"] for one in sent if one["type"] == "voice:start"]
    assert start["speak"] == "text"
    assert {"say_id": "1"} in [one["data"] for one in sent if one["type"] == "voice:said"]


def watch(ws: WebSocket, sent: list[dict[str, Any]]) -> None:
    """Keep what a page sends."""
    ws.on("framesent", lambda frame: sent.append(json.loads(frame)))


async def test_guests_choose_among_the_languages_that_the_model_knows(
    restaurant: Restaurant, kiosks: Screens
) -> None:
    """All words, names and `lang` follow; what the model lacks is not shown, whatever is set."""
    token = restaurant.token("spanish", Role.DEVICE)
    english = await kiosks.open(PAGE, token=token, language="es-MX")
    await expect(english.locator("#headline")).to_have_text("Hungry? Just tell us.", timeout=SOON)
    assert await english.evaluate("document.documentElement.lang") == "en"

    kiosk = await kiosks.open("/web/pair.html")
    await offering(kiosk, languages=["en", "es"])
    await kiosk.goto(f"{restaurant.url}{PAGE}#token={token}")
    await kiosk.get_by_role("button", name="Español").click(timeout=SOON)
    await expect(kiosk.locator("#headline")).to_have_text("¿Tiene hambre? Díganos.", timeout=SOON)
    await expect(kiosk.locator(".computer")).to_contain_text("Un ordenador toma su pedido")
    await expect(kiosk.locator(".dish", has_text="Hamburguesa").first).to_be_visible(timeout=SOON)
    assert await kiosk.evaluate("document.documentElement.lang") == "es"
    assert await found(kiosk) == []


async def test_whatever_is_missing_has_a_page_that_says_what_to_do(
    restaurant: Restaurant, kiosks: Screens
) -> None:
    """No microphone, a server that does not answer, a credential that is refused."""
    title = "#trouble-card h1"
    token = restaurant.token("denied", Role.DEVICE)
    denied = await kiosks.open(PAGE, token=token, script=NO_MICROPHONE)
    await denied.click("#talk")
    await expect(denied.locator(title)).to_contain_text("microphone", timeout=SOON)
    assert await found(denied) == []

    lonely = await kiosks.open("/web/pair.html")
    await lonely.route("**/v1/voice", lambda route: route.abort())
    await lonely.goto(f"{restaurant.url}{PAGE}#token={token}")
    await expect(lonely.locator(title)).to_contain_text("cannot take orders", timeout=SOON)
    await lonely.unroute("**/v1/voice")
    await lonely.get_by_role("button", name="Try again").click()
    await expect(lonely.locator("#headline")).to_contain_text("Hungry?", timeout=SOON)

    expired = await kiosks.open(PAGE, token="nonsense")
    await expect(expired.locator(title)).to_contain_text("not signed in", timeout=SOON)
    await expired.get_by_role("button", name="Try again").click()
    await expect(expired.locator("#signin-form")).to_be_visible()
    await expired.get_by_label("Device token").fill("nonsense")
    await expired.get_by_role("button", name="Next").click()
    bad = expired.locator('.check[data-state="bad"]').first
    await expect(bad).to_contain_text("Connection", timeout=SOON)
    await expect(expired.get_by_role("button", name="Open for guests")).to_be_disabled()


async def test_staff_reach_the_setup_by_holding_a_button_and_their_pin(
    restaurant: Restaurant, kiosks: Screens
) -> None:
    """A guest who taps it does nothing, and a wrong PIN opens nothing."""
    app = restaurant.server.app
    await app[DESK].add_staff("demo", "Ann", Role.SERVER, "4711")
    code = screen_tokens(app[EVENTS].settings).link("demo", Role.DEVICE, "Kiosk", 60)
    kiosk = await kiosks.open("/web/pair.html", code=code)
    await kiosk.locator(".dish").first.wait_for(timeout=SOON)
    await kiosk.click("#signout")
    await expect(kiosk.locator("#staff")).not_to_be_visible()
    await kiosk.hover("#signout")
    await kiosk.mouse.down()
    await kiosk.get_by_role("button", name="Ann").click(timeout=SOON)
    await kiosk.mouse.up()
    for digits in ("4712", "4711"):
        await expect(kiosk.locator("#setup")).not_to_be_visible()
        for digit in digits:
            await kiosk.get_by_role("button", name=digit, exact=True).click()
        await kiosk.locator("#staff").get_by_role("button", name="Sign in").click()
        if digits == "4712":
            await expect(kiosk.locator("#staff .problem")).to_be_visible(timeout=SOON)
    good = kiosk.locator('.check[data-state="good"]')
    await expect(good).to_have_count(3, timeout=SOON)
    await expect(kiosk.locator(".check", has_text="Menu")).to_contain_text("items")
    await kiosk.get_by_role("button", name="Test the microphone").click()
    microphone = kiosk.locator(".check", has_text="Microphone")
    await expect(microphone).to_contain_text("Nothing can be heard", timeout=SOON)
    assert await found(kiosk) == []
    await expect(kiosk.get_by_role("button", name="Open for guests")).to_be_disabled()
