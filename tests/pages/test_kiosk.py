"""The kiosk before anybody speaks: whose language it has, and who can sign it out."""

from __future__ import annotations

import pytest
from playwright.async_api import expect
from support.screens import SOON, Screens
from support.shop import Shop

from order_events.auth.tokens import Role

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_kiosk_speaks_the_guests_language_and_says_what_it_is(
    shop: Shop, pages: Screens
) -> None:
    """A tap on the button for staff does nothing; holding it signs out."""
    device = shop.token("kiosk", Role.DEVICE)
    kiosk = await pages.open("/web/microphone.html", token=device, language="es-MX", lane="lane-1")
    await expect(kiosk.locator("#headline")).to_have_text("¿Tiene hambre? Díganos.", timeout=SOON)
    await expect(kiosk.locator(".computer")).to_contain_text("Un ordenador toma su pedido")
    assert await kiosk.evaluate("document.documentElement.lang") == "es"
    await kiosk.click("#signout")
    await expect(kiosk.locator("#kiosk")).to_be_visible()
    await kiosk.hover("#signout")
    await kiosk.mouse.down()
    await expect(kiosk.locator("#signin-form")).to_be_visible(timeout=SOON)
    await kiosk.mouse.up()
