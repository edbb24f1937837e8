"""What axe finds on a page, in light and in dark."""

from __future__ import annotations

from pathlib import Path

import axe_playwright_python
from playwright.async_api import Page

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")


async def found(page: Page) -> list[str]:
    """Return what axe finds on a page as it is now, with the places."""
    problems = []
    await page.evaluate(AXE)
    # In the dark only colours differ.
    for scheme, rules in (("light", []), ("dark", ["color-contrast"])):
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        violations = await page.evaluate(
            """rules => axe
                .run({ resultTypes: ["violations"], ...(rules.length && { runOnly: rules }) })
                .then((found) => found.violations.map(
                    (v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 90)).join(", ")}`))""",
            rules,
        )
        problems += [f"{scheme}: {violation}" for violation in violations]
    return problems
