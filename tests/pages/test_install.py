"""A screen that starts although the server is not there."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import expect
from support.screens import SOON, Screens
from support.shop import open_shop

from order_events.auth.tokens import Role

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_screen_starts_without_the_server(pages: Screens, tmp_path: Path) -> None:
    """It shows what it is and tries again; of what the restaurant does nothing is kept."""
    async with open_shop(tmp_path) as shop:
        await shop.opens("demo")
        code = shop.link(Role.KITCHEN, "Grill")
        page = await pages.open("/web/pair.html", base=shop.url, worker=True, code=code)
        await expect(page.locator("#connection")).to_have_attribute(
            "data-state", "online", timeout=SOON
        )
        manifest = await page.locator('link[rel="manifest"]').get_attribute("href")
        assert manifest == "web/manifest.webmanifest"
        await page.evaluate("navigator.serviceWorker.ready")
        await page.wait_for_function(
            """async () => {
                const kept = await (await caches.open("voice-ordering.shell")).keys();
                return ["/", "/web/staff.js", "/web/kitchen.css", "/web/lit-html.js"].every(
                    (path) => kept.some(({ url }) => new URL(url).pathname === path));
            }"""
        )
    await page.reload()
    await expect(page.locator("#outage")).to_be_visible(timeout=SOON)
    await expect(page.locator("[data-tab]").first).to_be_visible()
    kept = await page.evaluate(
        """caches.open("voice-ordering.shell").then((cache) => cache.keys())
            .then((keys) => keys.map(({ url }) => new URL(url).pathname))"""
    )
    assert [path for path in kept if not path.startswith("/web/")] == ["/"]
