"""A link that is dead although nobody has closed it."""

from __future__ import annotations

import pytest
from playwright.async_api import WebSocketRoute, expect
from support.screens import SOON, Screens
from support.shop import Shop

from order_events.auth.tokens import Role

pytestmark = pytest.mark.asyncio(loop_scope="session")
NOTICED_MS = 10_000
"""Milliseconds within which a screen must know that nobody answers any more."""


async def test_a_frozen_server_is_noticed_within_ten_seconds(shop: Shop, pages: Screens) -> None:
    """Of the page's own time, which the test moves on."""
    page = await pages.open()
    await page.clock.install()
    frozen = False

    def connect(route: WebSocketRoute) -> None:
        server = route.connect_to_server()
        route.on_message(lambda message: None if frozen else server.send(message))
        server.on_message(lambda message: None if frozen else route.send(message))

    await page.route_web_socket("**/*", connect)
    cook = shop.token("cook", Role.KITCHEN)
    await page.evaluate("token => { location.hash = `token=${token}`; }", cook)
    state = page.locator("#connection")
    await expect(state).to_have_attribute("data-state", "online", timeout=SOON)
    frozen = True
    await page.clock.run_for(NOTICED_MS)
    await expect(page.locator("#outage")).to_be_visible()
    await expect(state).not_to_have_attribute("data-state", "online")
