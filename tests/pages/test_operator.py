"""The operator's page, which asks for the token of the metrics."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import expect
from support.screens import SOON, Screens
from support.shop import open_shop

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_an_operator_sees_how_the_server_does(pages: Screens, tmp_path: Path) -> None:
    """With the token, which the tab keeps; another one is refused."""
    async with open_shop(tmp_path, metrics_token="scrape-me-please") as shop:
        page = await pages.open("/web/operator.html", base=shop.url)
        for token in ("guess", "scrape-me-please"):
            await page.get_by_label("Metrics token").fill(token)
            await page.get_by_role("button", name="Show").click()
            if token == "guess":
                await expect(page.get_by_role("alert")).to_contain_text("not the metrics token")
        await expect(page.locator(".ready")).to_contain_text("Ready to serve", timeout=SOON)
        await expect(page.locator(".tile", has_text="Free disk")).to_contain_text("GB")
        await page.reload()
        await expect(page.locator(".tile").first).to_be_visible(timeout=SOON)
